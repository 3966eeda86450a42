import os
import stat
import threading

import pytest

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.drives import FileKeyStore, MemoryKeyStore
from offlineseed.errors import FormatError

ONE = RecoveryPassword(bytes(range(16)))
TWO = RecoveryPassword(bytes(range(1, 17)))


@pytest.fixture(params=["memory", "file"])
def keys(request, tmp_path):
    if request.param == "memory":
        return MemoryKeyStore()
    return FileKeyStore(tmp_path / "state" / "keys.json")


def test_key_store_returns_what_was_put_last(keys):
    assert keys.get("A") is None
    keys.put("A", ONE)
    keys.put("B", ONE)
    keys.put("A", TWO)
    assert keys.get("A") == TWO
    assert keys.get("B") == ONE


def test_key_store_forgets_what_was_deleted(keys):
    keys.delete("A")
    keys.put("A", ONE)
    keys.put("B", TWO)
    keys.delete("A")
    assert keys.get("A") is None
    assert keys.get("B") == TWO


def test_file_key_store_is_its_owners_alone(tmp_path):
    path = tmp_path / "state" / "keys.json"
    old = os.umask(0)
    try:
        FileKeyStore(path).put("A", ONE)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert FileKeyStore(path).get("A") == ONE


def test_file_key_store_of_many_threads_loses_nothing(tmp_path):
    stores = [FileKeyStore(tmp_path / "keys.json") for _ in range(4)]

    def put(number):
        for index in range(5):
            stores[number].put(f"{number}-{index}", ONE)

    threads = [threading.Thread(target=put, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [stores[0].get(f"{number}-{index}") for number in range(4) for index in range(5)]
    assert found == [ONE] * 20


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"format": 2, "recovery_passwords": {}}',
        '{"format": 1}',
        "\udcff",
        "[" * 9999,
    ],
    ids=["torn", "a list", "empty", "newer", "no passwords", "not UTF-8", "deep"],
)
def test_file_key_store_damaged_is_refused_and_never_overwritten(tmp_path, text):
    path = tmp_path / "keys.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    keys = FileKeyStore(path)
    with pytest.raises(FormatError):
        keys.get("A")
    with pytest.raises(FormatError):
        keys.put("A", ONE)
    assert path.read_bytes() == text.encode("utf-8", "surrogateescape")


def test_file_key_store_damaged_shows_no_digits(tmp_path):
    path = tmp_path / "keys.json"
    FileKeyStore(path).put("A", ONE)
    text = path.read_text()
    path.write_text(text[:-4])
    with pytest.raises(FormatError) as caught:
        FileKeyStore(path).get("A")
    assert caught.value.__cause__ is None
    assert not any(group in str(caught.value) for group in ONE.reveal().split("-"))


def test_change_clears_up_what_a_killed_writer_left(tmp_path):
    keys = FileKeyStore(tmp_path / "keys.json")
    left = tmp_path / "keys.json.77-0a.partial"
    left.write_text(ONE.reveal())

    keys.delete("A")

    assert not left.exists()
