"""
The HTTP server: requests and answers as values, bounded bodies, clean shutdown.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, final
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

__all__ = ["MAX_BODY_BYTES", "Answer", "HttpServer", "Refusal", "Request"]

MAX_BODY_BYTES = 1 << 20
"""A request with a larger body is refused: a job with ten drives has a few KiB."""

_IDLE_SECONDS = 60.0
_MOST_DISCARDED_BYTES = 8 << 20
_PIECE_BYTES = 1 << 16
_MOST_OF_A_LINE = 1 << 10


@final
@attrs.frozen(kw_only=True)
class Request:
    """
    A request that was read whole.
    """

    method: str
    """The verb, upper case."""
    path: str
    """The path, percent-decoded, without the query."""
    query: dict[str, str]
    """The query; of a repeated name the last value."""
    headers: dict[str, str]
    """Header fields, names in lower case."""
    body: bytes
    """The body; empty where there is none."""
    has_client_certificate: bool = False
    """Whether the client proved itself with a certificate."""

    def document(self) -> dict[str, Any]:
        """
        Return the body as a JSON object.

        Raises:
            Refusal: it is not one.
        """
        try:
            document = json.loads(self.body or b"null")
        except RecursionError:
            raise Refusal(400, "InvalidRequestContent", "The body is nested too deep.") from None
        except ValueError as error:
            raise Refusal(400, "InvalidRequestContent", f"The body is not JSON: {error}.") from None
        if not isinstance(document, dict):
            raise Refusal(400, "InvalidRequestContent", "The body is not a JSON object.")
        return document


@final
@attrs.frozen(kw_only=True)
class Answer:
    """
    An answer to send.
    """

    status: int
    """The HTTP status."""
    document: Any = None
    """What the body says, as JSON; None for an empty body."""
    headers: tuple[tuple[str, str], ...] = ()
    """Header fields besides those that every answer has."""
    content_type: str = "application/json; charset=utf-8"
    """The body's type."""
    is_cut: bool = False
    """Whether the connection breaks in the middle of the body."""
    pause_seconds: float = 0.0
    """How long the body takes, in ten pieces."""


@final
class Refusal(Exception):  # noqa: N818  # it never leaves the service
    """
    A request is refused; each dialect gives it its own shape.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status."""
        self.code = code
        """The service's error code."""
        self.message = message
        """For a person."""
        self.target = target
        """The property it is about, or empty."""
        self.headers = headers
        """Header fields of the answer."""


@final
class HttpServer:
    """
    Serves one function on a free port of the loopback interface.

    Args:
        answer: called from one thread per connection.
        tls: speak TLS with this context.
    """

    def __init__(
        self, answer: Callable[[Request], Answer], *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = _Server(answer, tls)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        """Where it listens, without a trailing slash."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="import-service"
        )
        self._thread.start()

    def close(self) -> None:
        """
        Stop listening, break what is open and wait for every thread.
        """
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 64

    def __init__(self, answer: Callable[[Request], Answer], tls: ssl.SSLContext | None) -> None:
        self.answer = answer
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._is_closing = False
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        # Before its thread starts: whoever hangs up has to know of it.
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(_IDLE_SECONDS)
        # The handshake is here, in the connection's own thread: a silent client blocks nobody.
        with self._tls.wrap_socket(
            request, server_side=True, do_handshake_on_connect=False
        ) as secure:
            with self._open_lock:
                if self._is_closing:
                    return
                self._open.add(secure)
            try:
                secure.do_handshake()
                super().finish_request(secure, client_address)
            finally:
                with self._open_lock:
                    self._open.discard(secure)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """
        Say nothing: a client that goes away is not the service's trouble.
        """

    def hang_up(self) -> None:
        with self._open_lock:
            self._is_closing = True
            for connection in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this machine's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name = "127.0.0.1"
        self.server_port = self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "offlineseed-emulator"
    sys_version = ""
    timeout = _IDLE_SECONDS
    # Head and body go out in one write: two would meet the peer's delayed acknowledgement.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
        """
        Keep quiet: a service in a test prints nothing.
        """

    def _serve(self) -> None:
        try:
            request = self._read()
        except Refusal as refusal:
            self.close_connection = True
            error = {"error": {"code": refusal.code, "message": refusal.message}}
            self._send(Answer(status=refusal.status, document=error))
            return
        self._send(self.server.answer(request))

    do_GET = do_HEAD = do_PUT = do_PATCH = do_POST = do_DELETE = _serve  # noqa: N815  # the base's

    def _read(self) -> Request:
        body = self._read_chunks() if "transfer-encoding" in self.headers else self._read_body()
        target = urlsplit(self.path)
        peer = None
        if isinstance(self.connection, ssl.SSLSocket):
            peer = self.connection.getpeercert(binary_form=True)
        return Request(
            method=self.command,
            path=unquote(target.path),
            query=dict(parse_qsl(target.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            has_client_certificate=peer is not None,
        )

    def _read_body(self) -> bytes:
        length = _length(self.headers.get("content-length", "0"), 10)
        if length > MAX_BODY_BYTES:
            self._discard(length)
            raise _too_large()
        return self._read_exactly(length)

    def _read_chunks(self) -> bytes:
        body = b""
        total = 0
        while length := _length(self._read_line().partition(";")[0].strip(), 16):
            total += length
            if total > _MOST_DISCARDED_BYTES:
                raise _too_large()
            if total > MAX_BODY_BYTES:
                self._discard(length)
            else:
                body += self._read_exactly(length)
            self._read_line()
        while self._read_line():
            pass  # Trailers say nothing to this service.
        if total > MAX_BODY_BYTES:
            raise _too_large()
        return body

    def _discard(self, length: int) -> None:
        # A client that is still sending would not see the answer.
        left = min(length, _MOST_DISCARDED_BYTES)
        while left > 0:
            piece = self.rfile.read(min(left, _PIECE_BYTES))
            if not piece:
                break
            left -= len(piece)

    def _read_line(self) -> str:
        return self.rfile.readline(_MOST_OF_A_LINE).decode("latin-1").rstrip("\r\n")

    def _read_exactly(self, length: int) -> bytes:
        data = self.rfile.read(length)
        if len(data) < length:
            raise Refusal(400, "InvalidRequestContent", "The body ended early.")
        return data

    def _send(self, answer: Answer) -> None:
        body = b""
        if answer.document is not None:
            body = json.dumps(answer.document, ensure_ascii=False).encode()
        request_id = str(uuid.uuid4())
        self.send_response(answer.status)
        self.send_header("Cache-Control", "no-cache")
        if body:
            self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-ms-request-id", request_id)
        self.send_header("x-ms-correlation-request-id", request_id)
        client_id = self.headers.get("x-ms-client-request-id", "")
        if client_id and client_id.isascii() and client_id.isprintable():
            self.send_header("x-ms-client-request-id", client_id)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if answer.is_cut:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif answer.pause_seconds:
            piece = len(body) // 10 + 1
            for start in range(0, len(body), piece):
                self.wfile.flush()
                time.sleep(answer.pause_seconds / 10)
                self.wfile.write(body[start : start + piece])
        else:
            self.wfile.write(body)


def _length(text: str, base: int) -> int:
    try:
        length = int(text, base)
    except ValueError:
        length = -1
    if length < 0:
        raise Refusal(400, "InvalidHeaderValue", "The body's length is not a number.")
    return length


def _too_large() -> Refusal:
    return Refusal(413, "RequestTooLarge", f"The body has more than {MAX_BODY_BYTES} bytes.")
