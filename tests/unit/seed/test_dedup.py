import hashlib
import io
import random

import pytest

from offlineseed.seed import SeedReader, _dedup
from offlineseed.testing import MemoryStore

CHUNK = 64 * 1024


def noise(length, seed):
    return random.Random(seed).randbytes(length)


@pytest.fixture
def few(monkeypatch):
    """
    Let the filter take over after a few contents.
    """
    monkeypatch.setattr(_dedup, "_MOST_REMEMBERED", 10)


def add(writer, name, content):
    writer.add_stream(io.BytesIO(content), name, mtime_ns=0)


def read_all(store):
    with SeedReader(store) as reader:
        assert list(reader.check()) == []
        return {
            item.name: hashlib.sha256(reader.read(item.name)).digest() for item in reader.items()
        }


def expected(contents):
    return {name: hashlib.sha256(content).digest() for name, content in contents.items()}


@pytest.mark.parametrize("durable", [False, True], ids=["in flight", "committed"])
def test_many_contents_are_stored_once(workshop, few, durable):
    store = MemoryStore()
    contents = {f"small {n}": noise(1000, n) for n in range(60)}
    contents |= {f"large {n}": noise(CHUNK + 1, 100 + n) for n in range(30)}
    with workshop.writer(store=store) as writer:
        for name, content in contents.items():
            add(writer, name, content)
        if durable:
            writer.checkpoint()
        for name, content in contents.items():
            add(writer, f"{name} again", content)
        seal = writer.seal()
    assert seal.stored_bytes < 60 * 1100 + 30 * (CHUNK + 100)
    again = {f"{name} again": content for name, content in contents.items()}
    assert read_all(store) == expected(contents | again)


def test_contents_of_an_interrupted_run_are_stored_once(workshop, few):
    store = MemoryStore()
    contents = {f"{n}": noise(CHUNK // 2 + n * 2000, n) for n in range(40)}
    with workshop.writer(store=store) as writer:
        for name, content in contents.items():
            add(writer, name, content)
    before = sum(store.length(name) for name in store.names("segments/"))
    with workshop.writer(store=store) as writer:
        for name, content in contents.items():
            add(writer, f"{name} again", content)
        writer.seal()
    after = sum(store.length(name) for name in store.names("segments/"))
    assert after - before < 1000
    again = {f"{name} again": content for name, content in contents.items()}
    assert read_all(store) == expected(contents | again)


def test_contents_of_a_baseline_are_not_stored_again(workshop, few):
    contents = {f"{n}": noise(CHUNK // 2 + n * 2000, n) for n in range(40)}
    with workshop.writer() as writer:
        for name, content in contents.items():
            add(writer, name, content)
        writer.seal()
    with workshop.catalog() as baseline, workshop.writer(1, baseline=baseline) as writer:
        for name, content in contents.items():
            add(writer, f"moved {name}", content)
        seal = writer.seal()
    assert seal.stored_bytes == 0
    moved = {f"moved {name}": content for name, content in contents.items()}
    assert read_all(workshop.store) == expected(moved)
