import io
import os
import random
import sqlite3
import threading
import time

import pytest

from offlineseed.errors import (
    CatalogError,
    GenerationFullError,
    GenerationSealedError,
    SegmentError,
    SegmentMissingError,
)
from offlineseed.events import GenerationSealed, SeedCheckpoint, SegmentClosed
from offlineseed.seed import FolderStore, SeedReader, publish_seal
from offlineseed.testing import FaultEffect, FaultyStore, MemoryStore, StoreFault

KIB = 1024
CHUNK = 64 * KIB

pytestmark = pytest.mark.usefixtures("even_chunks")


def noise(length, seed=0):
    return random.Random(seed).randbytes(length)


def read_all(store, **arguments):
    with SeedReader(store, **arguments) as reader:
        assert list(reader.check()) == []
        return {item.name: reader.read(item.name) for item in reader.items()}


def add_many(writer, count, *, first=0):
    for item in range(count):
        writer.add_stream(io.BytesIO(noise(2 * CHUNK, first + item)), f"{item}")
    return writer


# One copy of equal contents.


def test_equal_chunks_are_stored_once(workshop):
    block = noise(CHUNK)
    seal = workshop.stage(
        streams=[
            ("a", io.BytesIO(block * 10)),
            ("b", io.BytesIO(noise(CHUNK, 1) + block * 3)),
        ]
    )
    assert seal.stored_bytes < 2.1 * CHUNK
    assert seal.content_bytes == 14 * CHUNK
    assert read_all(workshop.store)["b"] == noise(CHUNK, 1) + block * 3


def test_equal_small_items_are_stored_once(workshop, tree):
    for number in range(100):
        (tree / f"copy {number}").write_bytes(noise(5000))
    (tree / "other").write_bytes(noise(5000, 1))
    seal = workshop.stage(tree)
    assert seal.stored_bytes < 11_000
    contents = read_all(workshop.store)
    assert contents["copy 77"] == noise(5000)
    assert contents["other"] == noise(5000, 1)


def test_equal_contents_far_apart_are_stored_once(workshop):
    with workshop.writer(checkpoint_bytes=1) as writer:
        for number in range(30):
            writer.add_stream(io.BytesIO(noise(CHUNK + 1, number)), f"first {number:02d}")
        writer.checkpoint()
        for number in range(30):
            writer.add_stream(io.BytesIO(noise(CHUNK + 1, number)), f"again {number:02d}")
        writer.add_stream(io.BytesIO(noise(CHUNK + 1, 3)), "again")
        seal = writer.seal()
    assert seal.stored_bytes < 31 * (CHUNK + 100)


def test_zeros_are_not_stored(workshop):
    seal = workshop.stage(streams=[("zeros", io.BytesIO(bytes(99 * CHUNK)))])
    assert seal.stored_bytes == 0


def test_zeros_around_something_are_not_stored(workshop):
    content = bytes(3 * CHUNK) + noise(10) + bytes(5 * CHUNK)
    seal = workshop.stage(streams=[("mostly", io.BytesIO(content))])
    assert seal.stored_bytes < 1000
    assert read_all(workshop.store) == {"mostly": content}


def test_item_added_again_replaces_the_first(workshop):
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(noise(5 * CHUNK)), "item")
        writer.add_stream(io.BytesIO(b"other"), "other")
        writer.checkpoint()
        writer.add_stream(io.BytesIO(noise(2 * CHUNK, 1)), "item")
        writer.add_stream(io.BytesIO(b"small"), "other")
        assert writer.seal().items == 2
    assert read_all(workshop.store) == {"item": noise(2 * CHUNK, 1), "other": b"small"}


# Segments.


def test_segments_are_of_at_most_their_length(workshop):
    workshop.stage(streams=[("item", io.BytesIO(noise(40 * CHUNK)))])
    names = list(workshop.store.names("segments/"))
    lengths = [workshop.store.length(name) for name in names]
    assert len(names) > 4
    assert max(lengths) <= 512 * KIB
    assert min(lengths[:-1]) > 400 * KIB
    assert names[0] == "segments/g0000-000000.zst"
    closed = {(event.name, event.length) for event in workshop.seen(SegmentClosed)}
    assert closed == set(zip(names, lengths, strict=True))


def test_segments_do_not_depend_on_the_number_of_threads(workshop, tree, tmp_path):
    chosen = random.Random(5)
    for number in range(300):
        (tree / f"{number}").write_bytes(chosen.randbytes(chosen.randrange(3 * CHUNK)))
    stores = []
    for workers in (1, 2, 5):
        workshop.path().unlink(missing_ok=True)
        workshop.store = FolderStore(tmp_path / f"store {workers}")
        workshop.stage(tree, workers=workers)
        stores.append(
            {
                name: workshop.store.read(name, 0, workshop.store.length(name))
                for name in workshop.store.names("segments/")
            }
        )
    assert stores[0] == stores[1] == stores[2]


# Events.


def test_events_count_what_was_acknowledged(workshop, tree):
    for number in range(40):
        (tree / f"{number:02d}").write_bytes(noise(CHUNK // 2, number))
    seal = workshop.stage(tree, checkpoint_bytes=200_000)
    checkpoints = workshop.seen(SeedCheckpoint)
    assert len(checkpoints) > 3
    for attribute in ("items", "content_bytes", "stored_bytes"):
        values = [getattr(event, attribute) for event in checkpoints]
        assert values == sorted(values)
    assert checkpoints[-1].items == 40
    assert checkpoints[-1].content_bytes == 20 * CHUNK
    (sealed,) = workshop.seen(GenerationSealed)
    assert workshop.events[-1] is sealed
    assert (sealed.generation, sealed.digest, sealed.items, sealed.content_bytes) == (
        0, seal.digest, 40, 20 * CHUNK,
    )  # fmt: skip


def test_long_item_is_acknowledged_when_it_is_complete(workshop):
    with workshop.writer(checkpoint_bytes=1) as writer:
        writer.add_stream(io.BytesIO(noise(65 * CHUNK)), "long")
        deadline = time.monotonic() + 20
        while not any(event.items for event in workshop.seen(SeedCheckpoint)):
            assert time.monotonic() < deadline
            writer.add_stream(io.BytesIO(noise(2 * CHUNK, 1)), "later")
        writer.abort()
    with workshop.writer() as writer:
        writer.seal()
    assert read_all(workshop.store)["long"] == noise(65 * CHUNK)


def test_checkpoint_makes_everything_durable(workshop):
    store = MemoryStore()
    writer = workshop.writer(store=store)
    writer.add_stream(io.BytesIO(b"small"), "small")
    writer.add_stream(io.BytesIO(noise(3 * CHUNK)), "large")
    writer.checkpoint()
    assert workshop.events[-1].items == 2
    writer.add_stream(io.BytesIO(b"lost"), "lost")
    writer.abort()
    after = store.power_cut()
    with workshop.writer(store=after) as writer:
        writer.seal()
    assert read_all(after) == {"small": b"small", "large": noise(3 * CHUNK)}


# Interruptions.


def test_interrupted_generation_is_gone_on_with_and_does_not_read_what_it_has(
    workshop, tree, monkeypatch
):
    for number in range(20):
        path = tree / f"{number:02d}"
        path.write_bytes(noise(CHUNK // 4 + number * 5000, number))
        os.utime(path, ns=(0, 10**18))
    with workshop.writer() as writer:
        writer.add_tree(tree)
    opened = []
    real = os.open
    monkeypatch.setattr(
        os, "open", lambda path, *a, **k: opened.append(path) or real(path, *a, **k)
    )
    seal = workshop.stage(tree)
    assert not {str(path) for path in opened} & {f"{number:02d}" for number in range(20)}
    assert seal.items == 20
    assert read_all(workshop.store) == {path.name: path.read_bytes() for path in tree.iterdir()}


def test_events_after_an_interruption_count_on(workshop, tree):
    for number in range(20):
        (tree / f"{number:02d}").write_bytes(noise(CHUNK // 2, number))
        os.utime(tree / f"{number:02d}", ns=(0, 10**18))
    with workshop.writer() as writer:
        writer.add_tree(tree)
    before = workshop.seen(SeedCheckpoint)[-1]
    (tree / "new").write_bytes(noise(1000, 99))
    workshop.events.clear()
    seal = workshop.stage(tree)
    after = workshop.seen(SeedCheckpoint)[-1]
    assert before.items == 20
    assert after.items == seal.items == 21
    assert after.content_bytes == seal.content_bytes
    assert before.stored_bytes < after.stored_bytes <= seal.stored_bytes


def test_file_changed_during_an_interruption_is_read_again(workshop, tree):
    (tree / "same").write_bytes(noise(1000))
    (tree / "changed").write_bytes(noise(3 * CHUNK, 1))
    (tree / "removed").write_bytes(b"removed")
    with workshop.writer() as writer:
        writer.add_tree(tree)
    (tree / "changed").write_bytes(noise(2 * CHUNK, 2))
    (tree / "new").write_bytes(b"new")
    workshop.stage(tree)
    contents = read_all(workshop.store)
    assert contents["changed"] == noise(2 * CHUNK, 2)
    assert contents["new"] == b"new"
    assert contents["same"] == noise(1000)


def test_item_cut_short_by_an_interruption_leaves_nothing_to_the_next(workshop):
    # Chunks of an item are acknowledged before its row; the next item must not inherit them.
    class Dying:
        left = 10

        def read(self, size, /):
            self.left -= 1
            if self.left == 0:
                raise DeadError
            return noise(size, self.left)

    class DeadError(Exception):
        pass

    with workshop.writer(checkpoint_bytes=1) as writer:
        writer.add_stream(io.BytesIO(b"x"), "first")
        with pytest.raises(DeadError):
            writer.add_stream(Dying(), "cut short")
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(bytes(5 * CHUNK)), "zeros")
        writer.add_stream(io.BytesIO(noise(CHUNK + 5, 50)), "short")
        writer.seal()
    assert read_all(workshop.store) == {
        "first": b"x",
        "zeros": bytes(5 * CHUNK),
        "short": noise(CHUNK + 5, 50),
    }


def test_acknowledged_bytes_that_the_store_lost_are_missed(workshop):
    store = MemoryStore()
    writer = workshop.writer(store=store)
    writer.add_stream(io.BytesIO(noise(3 * CHUNK)), "item")
    writer.checkpoint()
    writer.abort()
    del store.stored("segments/g0000-000000.zst")[-1]
    with pytest.raises(SegmentMissingError):
        workshop.writer(store=store)
    with pytest.raises(SegmentMissingError):
        workshop.writer(store=MemoryStore())


def test_acknowledged_bytes_that_are_damaged_are_named(workshop):
    store = MemoryStore()
    writer = workshop.writer(store=store)
    writer.add_stream(io.BytesIO(noise(3 * CHUNK)), "item")
    writer.checkpoint()
    writer.abort()
    store.stored("segments/g0000-000000.zst")[CHUNK + 1000] ^= 4
    with pytest.raises(SegmentError, match=r"g0000-000000\.zst lost .* frame at 655") as caught:
        workshop.writer(store=store)
    assert caught.value.context == "segments/g0000-000000.zst"


def test_catalog_in_the_making_is_locked_against_a_second_writer(workshop):
    with workshop.writer(), pytest.raises(CatalogError, match="another process"):
        workshop.writer()


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + bytes(4000)])
def test_file_that_is_no_catalog_is_refused(workshop, content):
    workshop.path().parent.mkdir(parents=True)
    workshop.path().write_bytes(content)
    with pytest.raises(CatalogError, match=r"0\.sqlite"):
        workshop.writer()
    assert workshop.path().read_bytes() == content


def test_another_programs_database_is_refused(workshop):
    workshop.path().parent.mkdir(parents=True)
    with sqlite3.connect(workshop.path()) as connection:
        connection.execute("CREATE TABLE precious (data)")
    connection.close()
    with pytest.raises(CatalogError, match="application id"):
        workshop.writer()


# Sealing.


def test_sealed_generation_takes_nothing_more(workshop):
    writer = workshop.writer()
    writer.add_stream(io.BytesIO(b"x"), "item")
    writer.seal()
    for act in (
        writer.seal,
        writer.close,
        writer.checkpoint,
        lambda: writer.add_stream(io.BytesIO(b"y"), "late"),
        lambda: writer.add_tree("."),
        lambda: writer.add_file("file"),
    ):
        with pytest.raises(GenerationSealedError):
            act()
    writer.abort()
    with pytest.raises(GenerationSealedError, match="next generation"):
        workshop.writer()
    assert read_all(workshop.store) == {"item": b"x"}


def test_generation_of_nothing_is_sealed(workshop):
    seal = workshop.stage()
    assert (seal.items, seal.content_bytes, seal.stored_bytes) == (0, 0, 0)
    assert read_all(workshop.store) == {}


def test_interrupted_publication_of_a_seal_is_called_again(workshop):
    memory = MemoryStore()
    store = FaultyStore(memory, StoreFault(operation="close", number=3))
    writer = workshop.writer(store=store)
    writer.add_stream(io.BytesIO(b"x"), "item")
    with pytest.raises(OSError, match="injected"):
        writer.seal()
    assert not list(memory.names("seals/"))
    seal = publish_seal(memory, workshop.path())
    assert publish_seal(memory, workshop.path()) == seal
    assert read_all(memory, expected_digest=seal.digest) == {"item": b"x"}


def test_publication_of_what_is_not_sealed_is_refused(workshop):
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(b"x"), "item")
    with pytest.raises(CatalogError, match="not"):
        publish_seal(MemoryStore(), workshop.path())


# Options and baselines.


def test_interrupted_generation_with_another_chunk_length_is_refused(workshop):
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(b"x"), "item")
    with pytest.raises(CatalogError, match=r"chunk_bytes 65536 .* 131072"):
        workshop.writer(chunk_bytes=128 * KIB)


def test_baseline_that_is_not_sealed_is_refused(workshop):
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(b"x"), "item")
    with workshop.catalog() as baseline, pytest.raises(CatalogError, match="not sealed"):
        workshop.writer(1, baseline=baseline)


def test_baseline_of_another_chunk_length_is_refused(workshop):
    workshop.stage()
    with workshop.catalog() as baseline, pytest.raises(CatalogError, match="one chunk length"):
        workshop.writer(1, baseline=baseline, chunk_bytes=128 * KIB)


def test_interrupted_increment_with_another_baseline_is_refused(workshop, tmp_path):
    workshop.stage(streams=[("item", io.BytesIO(b"x"))])
    with workshop.catalog() as baseline, workshop.writer(1, baseline=baseline):
        pass
    other = type(workshop)(tmp_path / "other", FolderStore(tmp_path / "other" / "store"))
    other.stage(streams=[("item", io.BytesIO(b"x"))])
    with other.catalog() as baseline, pytest.raises(CatalogError, match="was begun with"):
        workshop.writer(1, baseline=baseline)


# Increments.


def age(tree):
    for path in tree.rglob("*"):
        os.utime(path, ns=(0, 10**18 + path.stat().st_size), follow_symlinks=False)


@pytest.fixture
def grown(workshop, tree):
    """
    A tree, and its seed as generation 0.
    """
    (tree / "folder").mkdir()
    (tree / "folder" / "large").write_bytes(noise(10 * CHUNK))
    (tree / "folder" / "small").write_bytes(noise(3000, 1))
    (tree / "empty").touch()
    (tree / "link").symlink_to("folder/small")
    (tree / "gone").write_bytes(noise(2000, 2))
    age(tree)
    workshop.stage(tree)
    return tree


def increment(workshop, tree, generation=1, **options):
    with workshop.catalog(generation - 1) as baseline:
        return workshop.stage(tree, generation=generation, baseline=baseline, **options)


@pytest.mark.parametrize("compare_content", [False, True], ids=["by time", "by content"])
def test_increment_of_an_unchanged_tree_stores_nothing(
    workshop, grown, tmp_path, snapshot, compare_content
):
    seal = increment(workshop, grown, compare_content=compare_content)
    assert seal.stored_bytes == 0
    assert seal.items == 6
    with workshop.reader() as reader:
        reader.restore(tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(grown)


def test_increment_names_its_baseline(workshop, grown):
    with workshop.reader() as reader:
        first = reader.seal
    second = increment(workshop, grown)
    assert (second.generation, second.seed_id) == (1, first.seed_id)
    assert second.parent == first.digest


def test_increment_sends_changed_chunks_and_sees_deletions(workshop, grown, tmp_path, snapshot):
    before = snapshot(grown)
    with open(grown / "folder" / "large", "r+b") as file:
        file.seek(3 * CHUNK + 5)
        file.write(b"changed")
    (grown / "gone").unlink()
    (grown / "new").write_bytes(noise(100, 9))
    seal = increment(workshop, grown)
    assert CHUNK < seal.stored_bytes < CHUNK + 1000
    with workshop.reader(generation=1) as reader:
        reader.restore(tmp_path / "1")
        assert "gone" not in {item.name for item in reader.items()}
    with workshop.reader(generation=0) as reader:
        reader.restore(tmp_path / "0")
    assert snapshot(tmp_path / "1") == snapshot(grown)
    assert snapshot(tmp_path / "0") == before


def test_increment_of_moved_files_stores_nothing(workshop, grown, tmp_path, snapshot):
    (grown / "folder").rename(grown / "elsewhere")
    (grown / "gone").rename(grown / "elsewhere" / "still here")
    seal = increment(workshop, grown)
    assert seal.stored_bytes == 0
    with workshop.reader() as reader:
        reader.restore(tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(grown)


def test_change_that_keeps_length_and_time_is_seen_by_content(workshop, grown):
    path = grown / "folder" / "small"
    times = path.stat().st_mtime_ns
    path.write_bytes(noise(3000, 77))
    os.utime(path, ns=(0, times))
    assert increment(workshop, grown, compare_content=False).stored_bytes == 0
    assert increment(workshop, grown, 2, compare_content=True).stored_bytes > 3000
    with workshop.reader() as reader:
        assert reader.read("folder/small") == noise(3000, 77)


def test_change_within_the_resolution_of_time_is_seen(workshop, tree):
    path = tree / "racy"
    path.write_bytes(b"first")
    now = time.time_ns()
    os.utime(path, ns=(now, now))
    workshop.stage(tree)
    path.write_bytes(b"again")
    os.utime(path, ns=(now, now))
    increment(workshop, tree)
    assert read_all(workshop.store)["racy"] == b"again"


def test_chain_of_generations_restores_any_of_them(workshop, tree, tmp_path, snapshot):
    chosen = random.Random(6)
    states = []
    for generation in range(8):
        for _ in range(4):
            path = tree / f"{chosen.randrange(12)}"
            path.write_bytes(chosen.randbytes(chosen.choice((0, 10, 1000, 3 * CHUNK))))
        (tree / f"{chosen.randrange(12)}").unlink(missing_ok=True)
        states.append(snapshot(tree))
        if generation:
            increment(workshop, tree, generation)
        else:
            workshop.stage(tree)
    for generation, state in enumerate(states):
        with workshop.reader(generation=generation) as reader:
            assert list(reader.check()) == []
            reader.restore(tmp_path / str(generation))
        assert snapshot(tmp_path / str(generation)) == state


def test_interrupted_increment_is_gone_on_with(workshop, grown, tmp_path, snapshot):
    for number in range(10):
        (grown / f"new {number}").write_bytes(noise(CHUNK, 100 + number))
    (grown / "folder" / "large").write_bytes(noise(11 * CHUNK, 55))
    with workshop.catalog() as baseline:
        writer = workshop.writer(1, baseline=baseline, checkpoint_bytes=1)
        writer.add_tree(grown)
        writer.abort()
        with workshop.writer(1, baseline=baseline) as writer:
            writer.add_tree(grown)
            writer.seal()
    with workshop.reader() as reader:
        assert list(reader.check()) == []
        reader.restore(tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(grown)


# Failing stores: an error reaches the caller, and nothing waits for ever or stays open.


@pytest.mark.parametrize("operation", ["create", "write", "sync", "close"])
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.timeout(60)
def test_error_of_the_store_reaches_the_caller(workshop, operation, number, workers):
    store = FaultyStore(MemoryStore(), StoreFault(operation=operation, number=number))
    with (
        pytest.raises(OSError, match="injected"),
        workshop.writer(store=store, checkpoint_bytes=1, workers=workers) as writer,
    ):
        add_many(writer, 100).seal()
    assert store.has_failed
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("seed-")]


@pytest.mark.timeout(60)
def test_error_of_a_slow_store_does_not_leave_the_writer_waiting(workshop):
    # The queue of commits is full when the error comes.
    class Slow:
        def __init__(self):
            self.inner = MemoryStore()

        def create(self, name):
            return SlowWriter(self.inner.create(name))

        def __getattr__(self, name):
            return getattr(self.inner, name)

    class SlowWriter:
        def __init__(self, inner):
            self.inner = inner

        def write(self, data):
            self.inner.write(data)

        def sync(self):
            time.sleep(0.3)
            raise OSError("sync failed")

        def close(self):
            raise OSError("close failed")

        def abort(self):
            self.inner.abort()

    for _ in range(5):
        writer = workshop.writer(store=Slow(), checkpoint_bytes=1)
        with pytest.raises(OSError, match="failed"):
            add_many(writer, 100)
        for _ in range(20):
            with pytest.raises(OSError, match="failed"):
                writer.add_stream(io.BytesIO(noise(CHUNK * 3)), "again")
        writer.abort()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("seed-")]


def test_abort_leaves_no_file_open(workshop):
    before = len(os.listdir("/proc/self/fd"))
    for number in range(5):
        writer = workshop.writer(checkpoint_bytes=1)
        add_many(writer, 20, first=number * 100)
        writer.abort()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_failed_close_leaves_no_file_open(workshop, monkeypatch):
    before = len(os.listdir("/proc/self/fd"))

    def fail(descriptor):
        raise OSError("fsync failed")

    for number in range(5):
        writer = workshop.writer()
        add_many(writer, 20, first=number * 100)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            patch.setattr(os, "fdatasync", fail)
            with pytest.raises(OSError, match="fsync"):
                writer.close()
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize("effect", list(FaultEffect), ids=lambda effect: effect.value)
def test_writer_goes_on_after_an_error_of_the_store(workshop, effect):
    memory = MemoryStore()
    for number in (1, 2, 5, 9):
        fault = StoreFault(number=number, effect=effect)
        with (
            pytest.raises(OSError, match="injected"),
            workshop.writer(store=FaultyStore(memory, fault), checkpoint_bytes=1) as writer,
        ):
            add_many(writer, 30).checkpoint()
    with workshop.writer(store=memory) as writer:
        add_many(writer, 30).seal()
    assert read_all(memory) == {f"{item}": noise(CHUNK * 2, item) for item in range(30)}


def test_generation_takes_a_million_segments_and_not_one_more(workshop):
    content = random.Random(5).randbytes(600_000)
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(content), "first")
    # As if 999,998 segments had been written: what counts is the greatest number.
    connection = sqlite3.connect(workshop.path())
    with connection:
        connection.execute(
            "UPDATE segment SET name = 'segments/g0000-999998.zst' WHERE name LIKE '%000001.zst'"
        )
    connection.close()
    (workshop.store.root / "segments/g0000-000001.zst").rename(
        workshop.store.root / "segments/g0000-999998.zst"
    )
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(random.Random(6).randbytes(100_000)), "second")
    assert workshop.store.length("segments/g0000-999999.zst") > 100_000
    writer = workshop.writer()
    writer.add_stream(io.BytesIO(random.Random(7).randbytes(100_000)), "third")
    with pytest.raises(GenerationFullError, match=r"generation 0 has 1,000,000 segments"):
        writer.close()
    # What was acknowledged is safe, and can be sealed.
    assert workshop.writer().seal().items == 2
    with workshop.reader() as reader:
        assert reader.read("first") == content
        assert list(reader.check()) == []
