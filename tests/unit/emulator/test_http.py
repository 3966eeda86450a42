import json
import socket
import threading
import time
from http.client import IncompleteRead
from urllib.parse import urlsplit

import pytest

from offlineseed.emulator import FolderDestination, ImportService


def test_body_too_large_is_refused(client):
    status, error, _ = client.job("PUT", body=b"x" * (1 << 20) + b"x")
    assert (status, error["error"]["code"]) == (413, "RequestTooLarge")


def test_body_not_json_is_refused(client):
    status, error, _ = client.job("PUT", body=b"{")
    assert (status, error["error"]["code"]) == (400, "InvalidRequestContent")
    assert client.job("PUT", body=b"[]")[0] == 400


def test_body_nested_too_deep_is_refused(client):
    status, error, _ = client.job("PUT", body=b"[" * 200_000)
    assert (status, error["error"]["code"]) == (400, "InvalidRequestContent")


def test_body_in_chunks_is_read(client, drive, body):
    pieces = json.dumps(body(drive)).encode()
    assert client.job("PUT", body=iter([pieces[:100], pieces[100:]]))[0] == 201


def test_body_in_chunks_too_large_is_refused(client):
    status, _, _ = client.job("PUT", body=iter([b"x" * (1 << 19)] * 2 + [b"x"]))
    assert status == 413


@pytest.mark.parametrize("length", ["-1", "x", ""])
def test_body_length_no_number_is_refused(service, length):
    port = urlsplit(service.url).port
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"PUT / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_client_request_id_comes_back(client):
    _, _, headers = client.job("GET", headers={"x-ms-client-request-id": "abc"})
    assert headers["x-ms-client-request-id"] == "abc"


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_close_with_an_idle_connection_returns_at_once(landed, tls):
    service = ImportService(destination=FolderDestination(landed), tls=tls)
    service.start()
    port = urlsplit(service.url).port
    with socket.create_connection(("127.0.0.1", port)) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.05)
        before = time.monotonic()
        service.close()
        assert time.monotonic() - before < 2
    assert not [t for t in threading.enumerate() if t.name == "import-service"]


def test_two_services_side_by_side_have_their_own_jobs_and_tokens(client, landed, drive, body):
    with ImportService(destination=FolderDestination(landed)) as other:
        assert other.url != client.service.url
        token = other.credential.get_token("x").token
        assert client.job("GET", token=token)[0] == 401


def test_throttle_answers_429_with_retry_after(client, service, drive, body):
    service.faults.throttle(retry_after_seconds=7)
    status, error, headers = client.job("PUT", body=body(drive))
    assert (status, headers["Retry-After"]) == (429, "7")
    assert error["error"]["code"] == "TooManyRequests"
    assert client.job("PUT", body=body(drive))[0] == 201


def test_fail_answers_500_without_effect(client, service, drive, body):
    service.faults.fail(2)
    assert [client.job("PUT", body=body(drive))[0] for _ in range(3)] == [500, 500, 201]


def test_cut_breaks_the_answer_but_takes_effect(client, service, drive, body):
    service.faults.cut()
    with pytest.raises(IncompleteRead):
        client.job("PUT", body=body(drive))
    assert client.job("GET")[0] == 200


def test_slow_takes_its_time(client, service, drive, body):
    client.job("PUT", body=body(drive))
    service.faults.slow(seconds=0.3)
    before = time.monotonic()
    assert client.job("GET")[0] == 200
    assert time.monotonic() - before >= 0.3
