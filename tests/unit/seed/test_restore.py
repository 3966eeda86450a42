import contextlib
import hashlib
import io
import json
import os
import random
import sqlite3
import stat

import pytest
import zstandard

from offlineseed.errors import CatalogError, ChunkDamagedError, OfflineSeedError, UnsafeNameError
from offlineseed.events import ItemRestored
from offlineseed.seed import SeedReader, catalog_name, seal_name
from offlineseed.testing import MemoryStore

KIB = 1024
CHUNK = 64 * KIB

pytestmark = pytest.mark.usefixtures("even_chunks")


def noise(length, seed=0):
    return random.Random(seed).randbytes(length)


@pytest.fixture
def store(workshop, tree):
    """
    A store with the seed of a small tree.
    """
    (tree / "folder" / "below").mkdir(parents=True)
    for number in range(5):
        (tree / "folder" / f"small {number}").write_bytes(noise(30_000, number))
    (tree / "folder" / "below" / "large").write_bytes(noise(9 * CHUNK, 7))
    (tree / "empty").touch()
    (tree / "link").symlink_to("folder/small 1")
    store = MemoryStore()
    with workshop.writer(store=store) as writer:
        writer.add_tree(tree)
        writer.seal()
    return store


def test_restore_counts_and_reports_every_item(store, tree, tmp_path, snapshot):
    events = []
    with SeedReader(store) as reader:
        report = reader.restore(tmp_path / "new" / "out", on_event=events.append)
    assert snapshot(tmp_path / "new" / "out") == snapshot(tree)
    assert report.items == 10
    assert report.content_bytes == 5 * 30_000 + 9 * CHUNK
    assert report.lost == ()
    assert {event.name for event in events if isinstance(event, ItemRestored)} == {
        os.fsdecode(name) for name in snapshot(tree)
    }


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_restore_into_an_empty_folder_with_any_number_of_threads(
    store, tree, tmp_path, snapshot, workers
):
    (tmp_path / "out").mkdir()
    with SeedReader(store) as reader:
        reader.restore(tmp_path / "out", workers=workers)
    assert snapshot(tmp_path / "out") == snapshot(tree)


def test_restore_of_a_prefix_keeps_whole_names(store, tree, tmp_path, snapshot):
    with SeedReader(store) as reader:
        report = reader.restore(tmp_path / "out", prefix="folder/below")
    assert report.items == 2
    expected = {
        name: what for name, what in snapshot(tree).items() if name.startswith(b"folder/below")
    }
    found = snapshot(tmp_path / "out")
    assert found.pop(b"folder")
    assert found == expected


def test_restore_into_a_folder_with_something_in_it_is_refused(store, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")
    with SeedReader(store) as reader, pytest.raises(FileExistsError, match="not empty"):
        reader.restore(tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_restore_onto_a_file_is_refused(store, tmp_path):
    (tmp_path / "out").write_text("precious")
    with SeedReader(store) as reader, pytest.raises(FileExistsError):
        reader.restore(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "precious"


def test_exception_of_on_event_stops_a_restore(store, tmp_path):
    before = len(os.listdir("/proc/self/fd"))

    def stop(event):
        raise BrokenPipeError

    with SeedReader(store) as reader, pytest.raises(BrokenPipeError):
        reader.restore(tmp_path / "out", on_event=stop)
    assert len(os.listdir("/proc/self/fd")) <= before


def test_failed_restore_of_many_files_leaves_none_open(workshop, tmp_path):
    store = MemoryStore()
    with workshop.writer(store=store) as writer:
        for number in range(60):
            writer.add_stream(io.BytesIO(noise(2 * CHUNK, number)), f"{number:02d}")
        writer.seal()
    before = len(os.listdir("/proc/self/fd"))
    for number in (0, 30, 59):
        with SeedReader(store) as reader:
            damage(store, place_of(reader, f"{number:02d}"), reader)
            with pytest.raises(ChunkDamagedError):
                reader.restore(tmp_path / str(number))
            damage(store, place_of(reader, f"{number:02d}"), reader)
    assert len(os.listdir("/proc/self/fd")) <= before


# Damage.


def place_of(reader, name, number=0):
    return list(reader.catalog.extents(reader.catalog.item(name)))[number].chunk


def damage(store, place, reader):
    store.stored(reader.catalog.segment_names()[place.segment])[place.offset + 20] ^= 1


def test_damaged_chunk_stops_a_restore_by_name(store, tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    with SeedReader(store) as reader:
        damage(store, place_of(reader, "folder/below/large", 4), reader)
        with pytest.raises(ChunkDamagedError) as caught:
            reader.restore(tmp_path / "out")
    assert (caught.value.item, caught.value.offset) == ("folder/below/large", 4 * CHUNK)
    assert len(os.listdir("/proc/self/fd")) <= before


def test_salvage_restores_the_rest_and_lists_what_is_lost(store, tree, tmp_path, snapshot):
    with SeedReader(store) as reader:
        large = place_of(reader, "folder/below/large", 4)
        small = place_of(reader, "folder/small 1")
        damage(store, large, reader)
        damage(store, small, reader)
        report = reader.restore(tmp_path / "out", salvage=True)
        together = {
            item.name
            for item in reader.items()
            if item.digest and place_of(reader, item.name).id == small.id
        }
    lost = {(range_.name, range_.offset, range_.length) for range_ in report.lost}
    assert lost == {("folder/below/large", 4 * CHUNK, CHUNK)} | {
        (name, 0, 30_000) for name in together
    }
    assert {range_.error.frame_offset for range_ in report.lost} == {large.offset, small.offset}
    found, expected = snapshot(tmp_path / "out"), snapshot(tree)
    for name in together:
        del expected[name.encode()]
    kind, mode, mtime_ns, content = expected[b"folder/below/large"]
    content = content[: 4 * CHUNK] + bytes(CHUNK) + content[5 * CHUNK :]
    expected[b"folder/below/large"] = (kind, mode, mtime_ns, content)
    assert found == expected
    assert report.items == len(found)


def test_salvage_goes_on_after_read_errors_of_the_medium(store, tree, tmp_path):
    class Bad:
        def __init__(self, place, name):
            self.place = place
            self.name = name

        def read(self, name, offset, length):
            inside = offset < self.place.offset + self.place.stored
            if name == self.name and inside and offset + length > self.place.offset:
                raise OSError(5, "Input/output error")
            return store.read(name, offset, length)

        def names(self, prefix):
            return store.names(prefix)

    with SeedReader(store) as reader:
        place = place_of(reader, "folder/below/large", 4)
        name = reader.catalog.segment_names()[place.segment]
    with SeedReader(Bad(place, name)) as reader:
        with pytest.raises(OSError, match="Input/output"):
            reader.restore(tmp_path / "refused")
        report = reader.restore(tmp_path / "out", salvage=True)
    assert [(range_.name, range_.offset, range_.length) for range_ in report.lost] == [
        ("folder/below/large", 4 * CHUNK, CHUNK)
    ]
    content = (tree / "folder" / "below" / "large").read_bytes()
    assert (tmp_path / "out" / "folder" / "below" / "large").read_bytes() == (
        content[: 4 * CHUNK] + bytes(CHUNK) + content[5 * CHUNK :]
    )


# Forged catalogs: their seal is right, what they say is not.


def forge(store, *statements):
    """
    Change a sealed catalog and seal it again, as someone who holds the drive could.
    """
    content = zstandard.ZstdDecompressor().decompress(bytes(store.stored(catalog_name(0))))
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(content)
        for statement in statements:
            connection.execute(*statement if isinstance(statement, tuple) else (statement,))
        connection.commit()
        content = connection.serialize()
    stored = zstandard.compress(content)
    store.stored(catalog_name(0))[:] = stored
    document = json.loads(store.stored(seal_name(0))) | {
        "digest": hashlib.sha256(content).hexdigest(),
        "catalog_bytes": len(content),
        "stored_catalog_bytes": len(stored),
    }
    store.stored(seal_name(0))[:] = json.dumps(document).encode()


needs_deserialize = pytest.mark.skipif(
    not hasattr(sqlite3.Connection, "deserialize"), reason="needs Connection.deserialize"
)


@needs_deserialize
@pytest.mark.parametrize(
    "name",
    [
        b"../escaped",
        b"/absolute/escaped",
        b"folder/../../escaped",
        b"",
        b".",
        b"..",
        b"a\0b",
        b"a//b",
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", [1, 2, 3], ids=["file", "directory", "link"])
def test_name_that_would_escape_is_refused(store, tmp_path, name, kind):
    before = {1: b"empty", 2: b"folder/below", 3: b"link"}[kind]
    forge(store, ("UPDATE item SET name = ? WHERE name = ?", (name, before)))
    with SeedReader(store) as reader:
        with pytest.raises(UnsafeNameError):
            list(reader.items())
        with pytest.raises(UnsafeNameError):
            reader.restore(tmp_path / "in" / "out")
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path / "in" / "escaped").exists()


@needs_deserialize
def test_nothing_is_written_through_a_link(store, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    rename = "UPDATE item SET name = ? WHERE name = ?"
    target = os.fsencode(outside)
    forge(
        store,
        ("UPDATE item SET target = ? WHERE name = ?", (target, b"link")),
        (rename, (b"link/file", b"empty")),
    )
    with SeedReader(store) as reader, pytest.raises(OSError, match="exists"):
        reader.restore(tmp_path / "out")
    assert list(outside.iterdir()) == []


@needs_deserialize
@pytest.mark.parametrize("order", [(900, 901), (901, 900)], ids=["before", "behind"])
def test_no_link_is_made_below_a_link(store, tmp_path, order):
    outside = tmp_path / "outside"
    outside.mkdir()
    insert = "INSERT INTO item VALUES (?, ?, 3, 0, 511, 0, NULL, ?, NULL, NULL)"
    first, second = order
    forge(
        store,
        (insert, (first, b"door", os.fsencode(outside))),
        (insert, (second, b"door/planted", b"anything")),
    )
    with (
        SeedReader(store) as reader,
        pytest.raises((UnsafeNameError, FileExistsError)),
    ):
        reader.restore(tmp_path / "out")
    assert list(outside.iterdir()) == []


@needs_deserialize
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE item SET kind = 9 WHERE name = CAST('empty' AS BLOB)",
        "UPDATE item SET name = 'text' WHERE name = CAST('empty' AS BLOB)",
        "UPDATE item SET length = -1",
        "UPDATE item SET length = 'x'",
        "UPDATE item SET mode = -1",
        "UPDATE item SET mode = 1000000000000",
        "UPDATE item SET mtime_ns = 1.5",
        "UPDATE item SET digest = 'text' WHERE digest IS NOT NULL",
        "UPDATE item SET target = 5 WHERE kind = 3",
        "UPDATE item SET target = NULL WHERE kind = 3",
        "UPDATE item SET target = X'610062' WHERE kind = 3",
        "UPDATE item SET digest = zeroblob(32) WHERE digest IS NULL AND kind = 1",
        "UPDATE item SET chunk = NULL WHERE digest IS NOT NULL",
        "UPDATE item SET chunk = 999999 WHERE digest IS NOT NULL",
        "UPDATE item SET chunk_offset = 999999 WHERE digest IS NOT NULL",
        "UPDATE item SET chunk_offset = -5 WHERE digest IS NOT NULL",
        "UPDATE item SET length = length + 1000000 WHERE digest IS NOT NULL",
        "UPDATE item SET length = length - 1 WHERE digest IS NULL AND kind = 1 AND length > 0",
        "UPDATE item SET length = 0 WHERE digest IS NOT NULL",
        "UPDATE extent SET length = 0 WHERE offset = 65536",
        "UPDATE extent SET length = length + 1 WHERE offset = 65536",
        "UPDATE extent SET chunk_offset = 1",
        "UPDATE extent SET chunk = -1",
        "UPDATE chunk SET length = 1 << 40",
        "UPDATE chunk SET length = 0",
        "UPDATE chunk SET stored = 1 << 62",
        "UPDATE chunk SET offset = 1 << 62",
        "UPDATE chunk SET offset = -1",
        "UPDATE chunk SET stored = 0",
        "UPDATE chunk SET segment = 77",
        "UPDATE chunk SET digest = X'00'",
        "UPDATE segment SET name = X'00' WHERE id = 1",
        "UPDATE segment SET name = '../../../../etc/passwd' WHERE id = 1",
        "UPDATE segment SET length = 'long'",
        "DELETE FROM chunk",
        "DELETE FROM segment",
        "DROP TABLE extent",
        "DROP TABLE segment",
        "ALTER TABLE item RENAME COLUMN target TO elsewhere",
        "UPDATE meta SET value = 'x' WHERE key = 'chunk_bytes'",
        "DELETE FROM meta",
    ],
)
def test_forged_row_is_refused_with_an_error_of_ours(store, tmp_path, statement):
    forge(store, statement)
    with pytest.raises((OfflineSeedError, OSError, ValueError)) as caught:
        restore_all(store, tmp_path / "out")
    assert isinstance(caught.value, CatalogError | ChunkDamagedError | UnsafeNameError)


def restore_all(store, target):
    with SeedReader(store) as reader:
        for _ in reader.items():
            pass
        for found in reader.check():
            raise found_error(found)
        reader.restore(target)


def found_error(found):
    return ChunkDamagedError(f"{found.segment} at {found.offset}", segment=found.segment)


@needs_deserialize
def test_file_and_folder_of_one_name_do_not_share_a_place(store, tmp_path):
    forge(
        store,
        "INSERT INTO item VALUES (900, CAST('empty/below' AS BLOB), 1, 0, 420, 0,"
        " NULL, NULL, NULL, NULL)",
    )
    with SeedReader(store) as reader, pytest.raises(OSError, match=r"exists|directory"):
        reader.restore(tmp_path / "out")


def test_restore_makes_no_file_that_others_may_read_meanwhile(workshop, tmp_path):
    seen = []
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(noise(3 * CHUNK)), "secret", mode=0o600)
        writer.seal()

    class Watching:
        def read(self, name, offset, length):
            path = tmp_path / "out" / "secret"
            if path.exists():
                seen.append(stat.S_IMODE(path.stat().st_mode))
            return workshop.store.read(name, offset, length)

        def names(self, prefix):
            return workshop.store.names(prefix)

    with SeedReader(Watching()) as reader:
        reader.restore(tmp_path / "out")
    assert set(seen) == {0o600}


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX modes")
@pytest.mark.parametrize("asked", [False, True], ids=["by default", "asked for"])
def test_set_id_bits_are_restored_only_when_asked_for(workshop, tree, tmp_path, asked):
    modes = {"program": 0o4755, "group": 0o2711, "large": 0o6700, "folder": 0o3770}
    (tree / "program").write_bytes(b"x")
    (tree / "group").write_bytes(b"")
    (tree / "large").write_bytes(random.Random(1).randbytes(100_000))
    (tree / "folder").mkdir()
    for name, mode in modes.items():
        (tree / name).chmod(mode)
    workshop.stage(tree)
    with workshop.reader() as reader:
        assert {item.name: item.mode for item in reader.items()} == modes
        reader.restore(tmp_path / "restored", set_id_bits=asked)
    restored = {name: (tmp_path / "restored" / name).stat().st_mode & 0o7777 for name in modes}
    kept = 0o7777 if asked else 0o1777
    assert restored == {name: mode & kept for name, mode in modes.items()}
