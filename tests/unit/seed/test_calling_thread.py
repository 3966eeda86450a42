"""
The calling thread works where it would wait: here nobody else does.
"""

import os
import random
from concurrent.futures import Future

import pytest

from offlineseed.errors import ChunkDamagedError
from offlineseed.seed import SeedReader, _encoder, _pipeline, _restore
from offlineseed.testing import FaultyStore, MemoryStore, StoreFault

KIB = 1024


class IdlePool:
    """
    A pool of threads that gets to nothing before it is closed.
    """

    def __init__(self, workers, *, thread_name_prefix):
        self.submitted = []

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        for future, function in self.submitted:
            if future.set_running_or_notify_cancel():
                function()

    def submit(self, function):
        self.submitted.append((Future(), function))
        return self.submitted[-1][0]


@pytest.fixture
def source(tree):
    for number in range(60):
        (tree / f"folder {number % 7}").mkdir(exist_ok=True)
        content = random.Random(number).randbytes(150 * KIB if number % 3 else 20 * KIB)
        (tree / f"folder {number % 7}" / f"{number:02}").write_bytes(content)
    return tree


@pytest.fixture
def idle_workers(monkeypatch):
    monkeypatch.setattr(_pipeline.Pipeline, "_work", lambda self: None)


@pytest.fixture
def idle_pool(monkeypatch):
    monkeypatch.setattr(_restore, "ThreadPoolExecutor", IdlePool)


def segments(store):
    return {name: bytes(store.stored(name)) for name in store.names("segments/")}


def test_calling_thread_stages_alone_what_it_stages_with_others(workshop, source, monkeypatch):
    with_others, alone = MemoryStore(), MemoryStore()
    workshop.stage(source, store=with_others)
    monkeypatch.setattr(_pipeline.Pipeline, "_work", lambda self: None)
    workshop.path().unlink()
    workshop.stage(source, store=alone)
    assert segments(alone) == segments(with_others)


@pytest.mark.usefixtures("idle_workers")
@pytest.mark.parametrize("operation", ["create", "write", "sync", "close"])
def test_error_of_the_store_that_the_calling_thread_meets_is_no_finding(
    workshop, source, operation
):
    store = FaultyStore(MemoryStore(), StoreFault(operation=operation, number=1))
    with pytest.raises(OSError, match=r".+"):
        workshop.stage(source, store=store, checkpoint_bytes=64 * KIB)
    assert store.has_failed
    assert workshop.findings() == set()


@pytest.mark.usefixtures("idle_workers")
def test_interruption_while_the_calling_thread_compresses_ends_the_writer(
    workshop, source, tmp_path, snapshot, monkeypatch
):
    real, calls = _encoder.Compressors.compress, []

    def interrupted(self, content, *, items):
        calls.append(items)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return real(self, content, items=items)

    monkeypatch.setattr(_encoder.Compressors, "compress", interrupted)
    with pytest.raises(KeyboardInterrupt), workshop.writer(checkpoint_bytes=1) as writer:
        writer.add_tree(source)
    # It is gone on with.
    assert workshop.stage(source).items == 67
    with workshop.reader() as reader:
        assert list(reader.check()) == []
        reader.restore(tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(source)


@pytest.mark.usefixtures("idle_pool")
def test_calling_thread_restores_alone(workshop, source, tmp_path, snapshot):
    workshop.stage(source)
    with workshop.reader() as reader:
        assert reader.restore(tmp_path / "out").items == 67
    assert snapshot(tmp_path / "out") == snapshot(source)


@pytest.mark.usefixtures("idle_pool")
def test_damage_that_the_calling_thread_meets_stops_a_restore(workshop, source, tmp_path):
    store = MemoryStore()
    workshop.stage(source, store=store)
    with SeedReader(store) as reader:
        place = list(reader.catalog.chunks())[20]
        store.stored(reader.catalog.segment_names()[place.segment])[place.offset + 100] ^= 1
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(ChunkDamagedError, match="can't be read at byte"):
            reader.restore(tmp_path / "out")
        report = reader.restore(tmp_path / "salvaged", salvage=True)
    assert len(os.listdir("/proc/self/fd")) <= before
    assert len(report.lost) >= 1
