import hashlib
import io
import os
import random
import threading
import tracemalloc

import pytest

from offlineseed.errors import CatalogError, UnsafeNameError
from offlineseed.seed import Catalog, ItemKind
from offlineseed.seed._catalog_writer import CatalogWriter
from offlineseed.seed._rows import Rows

CHUNK = 64 * 1024


def make_catalog(path, rows):
    writer = CatalogWriter(path, seed_id="a seed", chunk_bytes=CHUNK, started_ns=1, baseline=None)
    for part in rows:
        writer.commit(part)
    writer.seal()
    writer.close()
    return Catalog(path)


def small_rows(first, count):
    digest = hashlib.sha256(b"").digest()
    return Rows(
        items=[
            (
                number, b"folder %03d/item %06d" % (number // 1000, number), 1, 10, 0o644, number,
                digest, None, 1, 0,
            )
            for number in range(first, first + count)
        ]
    )  # fmt: skip


@pytest.mark.parametrize("count", [20_000, 100_000])
def test_items_are_listed_in_bounded_memory(tmp_path, count):
    chunk = Rows(chunks=[(1, bytes(32), 1, 0, 20, 10)], opened=[(1, "segments/g0000-000000.zst")])
    parts = (small_rows(first, 10_000) for first in range(1, count + 1, 10_000))
    with make_catalog(tmp_path / "c.sqlite", (chunk, *parts)) as catalog:
        tracemalloc.start()
        try:
            assert sum(1 for _ in catalog.items()) == count
            assert sum(1 for _ in catalog.items("folder 003")) == 1000
            assert catalog.item(f"folder 007/item {7777:06d}").id == 7777
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert catalog.totals() == (count, 10 * count)
    # A batch of rows, whatever their number.
    assert peak < 8 << 20


def test_extents_of_an_item_of_many_chunks_are_listed_in_bounded_memory(tmp_path):
    count = 50_000
    rows = Rows(
        items=[(1, b"large", 1, count * CHUNK, 0o644, 0, None, None, None, None)],
        chunks=[(number + 1, bytes(32), 1, number * 100, 100, CHUNK) for number in range(count)],
        extents=[(1, number * CHUNK, CHUNK, number + 1, 0) for number in range(count)],
        opened=[(1, "segments/g0000-000000.zst")],
    )
    with make_catalog(tmp_path / "c.sqlite", [rows]) as catalog:
        tracemalloc.start()
        try:
            assert sum(1 for _ in catalog.extents(catalog.item("large"))) == count
            assert sum(1 for _ in catalog.chunks()) == count
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        some = list(catalog.extents(catalog.item("large"), offset=3 * CHUNK + 5, end=5 * CHUNK + 1))
    assert peak < 8 << 20
    assert [extent.offset // CHUNK for extent in some] == [3, 4, 5]


def test_item_has_what_was_staged(workshop, tree):
    (tree / "folder").mkdir(mode=0o750)
    (tree / "link").symlink_to("folder")
    workshop.stage(tree, streams=[("small", io.BytesIO(b"abc")), ("empty", io.BytesIO(b""))])
    with workshop.catalog() as catalog:
        folder, link, small, empty = (
            catalog.item(name) for name in ("folder", "link", "small", "empty")
        )
        assert (folder.kind, folder.mode, folder.length) == (ItemKind.DIRECTORY, 0o750, 0)
        assert (link.kind, link.target, link.length) == (ItemKind.SYMLINK, "folder", 0)
        assert (small.kind, small.length, small.target) == (ItemKind.FILE, 3, None)
        assert small.digest == hashlib.sha256(b"abc").digest()
        assert (empty.length, empty.digest) == (0, None)
        assert list(catalog.extents(empty)) == []
        (extent,) = catalog.extents(small)
        assert (extent.offset, extent.length) == (0, 3)
        assert repr(catalog).endswith("generation=0)")


def test_directories_come_after_what_is_below_them(workshop, tree):
    for name in (b"a/b/c", b"a/b-", b"a/b0", b"a0", b"a-/x", b"\xff\xff/\xff\xff", b"\xff" * 20):
        os.makedirs(os.path.join(os.fsencode(tree), name))
    workshop.stage(tree)
    with workshop.catalog() as catalog:
        everything = [item.name for item in catalog.directories_from_below()]
        assert sorted(everything) == sorted(item.name for item in catalog.items())
        for number, name in enumerate(everything):
            assert not [later for later in everything[number:] if later.startswith(name + "/")]
        below = {item.name for item in catalog.directories_from_below("a")}
        assert below == {"a", "a/b", "a/b/c", "a/b-", "a/b0"}
        odd = os.fsdecode(b"\xff\xff")
        assert [item.name for item in catalog.directories_from_below(odd)] == [f"{odd}/{odd}", odd]


def test_names_asked_for_are_checked(workshop):
    workshop.stage()
    with workshop.catalog() as catalog:
        for act in (catalog.item, lambda name: list(catalog.items(name))):
            with pytest.raises(UnsafeNameError):
                act("../up")


def test_catalog_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no catalog"):
        Catalog(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        Catalog(tmp_path)


@pytest.mark.parametrize(
    "name", ["with space", "Größe", "100%", "a?mode=rw", "a#b", "new\nline", "file:x"]
)
def test_catalog_in_a_folder_of_an_odd_name_is_read(workshop, tmp_path, name):
    workshop.folder = tmp_path / name
    workshop.stage(streams=[("item", io.BytesIO(b"x"))])
    with workshop.catalog() as catalog:
        assert [item.name for item in catalog.items()] == ["item"]


def test_catalog_that_nobody_may_write_to_is_read(workshop):
    workshop.stage(streams=[("item", io.BytesIO(b"x"))])
    with workshop.catalog() as catalog:
        path = catalog.path
    path.chmod(0o444)
    with Catalog(path) as catalog:
        assert catalog.item("item").length == 1


def test_catalog_that_is_written_to_says_so(workshop):
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(b"x"), "item")
        with pytest.raises(CatalogError, match="another process"):
            workshop.catalog()


def test_several_threads_list_at_once(workshop):
    with workshop.writer() as writer:
        for number in range(3000):
            writer.add_stream(io.BytesIO(b"%d" % number), f"{number}")
        writer.seal()
    counts = []
    with workshop.catalog() as catalog:
        threads = [
            threading.Thread(target=lambda: counts.append(sum(1 for _ in catalog.items())))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts == [3000] * 4


def test_findings_are_listed_by_item(workshop, tree):
    chosen = random.Random(1)
    names = [f"{chosen.randrange(10**9)}" for _ in range(50)]
    with workshop.writer() as writer:
        for name in names:
            writer.add_file(tree / name)
        seal = writer.seal()
    assert seal.findings == 50
    with workshop.catalog() as catalog:
        assert [finding.subject for finding in catalog.findings()] == sorted(names)
