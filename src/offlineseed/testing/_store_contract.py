"""
What every segment store does alike, as tests.
"""

from __future__ import annotations

import random
import threading

import pytest

from offlineseed.errors import SegmentMissingError
from offlineseed.seed import SegmentStore

__all__ = ["SegmentStoreContract"]

_MIB = 1024 * 1024
_NAME = "segments/g0000-000000.zst"


class SegmentStoreContract:
    """
    Tests of a segment store. Subclass it, and give one fixture:

    - `store`: an empty store with room for 32 MiB.

    Each test gets a fresh one.
    """

    @pytest.mark.parametrize("length", [0, 1, 4096, 4 * _MIB, 9 * _MIB + 7])
    def test_object_written_in_any_split_comes_back(self, store: SegmentStore, length: int) -> None:
        content = _content(length)
        _write(store, _NAME, content)
        assert store.length(_NAME) == length
        assert store.read(_NAME, 0, length) == content

    def test_read_returns_any_range_and_stops_at_the_end(self, store: SegmentStore) -> None:
        content = _content(5 * _MIB + 123)
        _write(store, _NAME, content)
        for offset, length in (
            (0, 1),
            (1, 4096),
            (4095, 2),
            (_MIB - 1, 4 * _MIB),
            (4 * _MIB, 4 * _MIB),
            (5 * _MIB + 122, 10),
            (5 * _MIB + 123, 10),
            (9 * _MIB, 10),
            (7, 0),
        ):
            assert store.read(_NAME, offset, length) == content[offset : offset + length]

    def test_empty_object_reads_as_nothing(self, store: SegmentStore) -> None:
        _write(store, _NAME, b"")
        assert store.read(_NAME, 0, 10) == b""

    def test_object_is_not_seen_before_it_is_closed(self, store: SegmentStore) -> None:
        writer = store.create(_NAME)
        writer.write(b"half of it")
        assert list(store.names("")) == []
        with pytest.raises(SegmentMissingError):
            store.length(_NAME)
        writer.close()
        assert list(store.names("")) == [_NAME]

    def test_object_aborted_is_not_seen(self, store: SegmentStore) -> None:
        writer = store.create(_NAME)
        writer.write(b"half of it")
        writer.abort()
        assert list(store.names("")) == []
        writer.abort()

    def test_abort_after_close_changes_nothing(self, store: SegmentStore) -> None:
        writer = store.create(_NAME)
        writer.write(b"all of it")
        writer.close()
        writer.abort()
        assert store.read(_NAME, 0, 100) == b"all of it"

    def test_object_written_again_replaces_the_first_when_closed(self, store: SegmentStore) -> None:
        _write(store, "seals/g0000.json", b"the first, which is longer")
        writer = store.create("seals/g0000.json")
        writer.write(b"the second")
        assert store.length("seals/g0000.json") == 26
        writer.close()
        assert store.read("seals/g0000.json", 0, 100) == b"the second"
        assert store.length("seals/g0000.json") == 10

    def test_names_are_ascending_and_begin_with_the_prefix(self, store: SegmentStore) -> None:
        names = ["seals/g0001.json", "segments/g0001-000000.zst", _NAME, "seals/g0000.json", "top"]
        for name in names:
            _write(store, name, b"x")
        assert list(store.names("")) == sorted(names)
        assert list(store.names("seals/")) == ["seals/g0000.json", "seals/g0001.json"]
        assert list(store.names("segments/g0001")) == ["segments/g0001-000000.zst"]
        assert list(store.names("nothing/")) == []

    def test_missing_object_is_named(self, store: SegmentStore) -> None:
        for act in (
            lambda: store.read(_NAME, 0, 1),
            lambda: store.length(_NAME),
            lambda: store.recover(_NAME, 1),
        ):
            with pytest.raises(SegmentMissingError, match="g0000-000000") as caught:
                act()
            assert caught.value.name == _NAME

    def test_synced_bytes_are_gone_on_with_after_an_interruption(self, store: SegmentStore) -> None:
        content = _content(3 * _MIB)
        writer = store.create(_NAME)
        writer.write(content[: 2 * _MIB])
        durable = writer.sync()
        assert 0 <= durable <= 2 * _MIB
        writer.write(b"not acknowledged")
        writer.abort()
        writer = store.recover(_NAME, durable)
        if durable:
            assert store.read(_NAME, 0, durable) == content[:durable]
        writer.write(content[durable:])
        writer.close()
        assert store.read(_NAME, 0, len(content)) == content
        assert store.length(_NAME) == len(content)

    def test_recovery_of_more_than_was_written_is_refused(self, store: SegmentStore) -> None:
        writer = store.create(_NAME)
        writer.write(b"four")
        writer.sync()
        writer.abort()
        with pytest.raises(SegmentMissingError):
            store.recover(_NAME, 5)

    def test_buffer_changed_after_a_sync_does_not_change_the_object(
        self, store: SegmentStore
    ) -> None:
        writer = store.create(_NAME)
        buffer = bytearray(b"A" * 1000)
        writer.write(bytes(buffer))
        writer.sync()
        buffer[:] = b"B" * 1000
        writer.close()
        assert store.read(_NAME, 0, 1000) == b"A" * 1000

    def test_sync_may_run_beside_write(self, store: SegmentStore) -> None:
        content = _content(8 * _MIB)
        writer = store.create(_NAME)
        is_over = threading.Event()
        reports: list[int] = []

        def sync_all() -> None:
            while not is_over.is_set():
                reports.append(writer.sync())

        thread = threading.Thread(target=sync_all)
        thread.start()
        for start in range(0, len(content), 100_000):
            writer.write(content[start : start + 100_000])
        is_over.set()
        thread.join()
        writer.close()
        assert reports == sorted(reports)
        assert store.read(_NAME, 0, len(content)) == content

    def test_reads_from_several_threads_do_not_disturb_each_other(
        self, store: SegmentStore
    ) -> None:
        content = _content(2 * _MIB)
        _write(store, _NAME, content)
        wrong: list[int] = []

        def read(seed: int) -> None:
            chosen = random.Random(seed)  # noqa: S311  # not for keys
            for _ in range(10):
                offset = chosen.randrange(len(content))
                if store.read(_NAME, offset, 70_000) != content[offset : offset + 70_000]:
                    wrong.append(offset)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


def _content(length: int) -> bytes:
    return random.Random(length).randbytes(length)  # noqa: S311  # not for keys


def _write(store: SegmentStore, name: str, content: bytes) -> None:
    chosen = random.Random(2)  # noqa: S311  # not for keys
    writer = store.create(name)
    position = 0
    while position < len(content):
        step = chosen.choice((0, 1, 511, 4096, 100_000, 3 * _MIB))
        writer.write(content[position : position + step])
        position += step
    writer.close()
