import hashlib
import io
import json
import random
import shutil
import sqlite3
import subprocess
import tracemalloc

import attrs
import pytest
import zstandard

from offlineseed.errors import CatalogError, SegmentMissingError
from offlineseed.seed import (
    Catalog,
    FolderStore,
    SeedReader,
    SeedWriter,
    catalog_name,
    fetch_catalog,
    publish_seal,
    read_seal,
    seal_name,
    sealed_generations,
)
from offlineseed.testing import MemoryStore


@pytest.fixture
def memory(workshop):
    """
    A store with a seed in it.
    """
    store = MemoryStore()
    with workshop.writer(store=store) as writer:
        writer.add_stream(io.BytesIO(b"content"), "item")
        writer.add_stream(io.BytesIO(random.Random(1).randbytes(200_000)), "large")
        writer.seal()
    return store


def replace(store, name, data):
    store.stored(name)[:] = data


def test_seal_is_read_as_it_was_written(workshop, memory):
    seal = read_seal(memory, 0)
    assert (seal.generation, seal.parent, seal.items, seal.findings) == (0, None, 2, 0)
    assert seal.content_bytes == 200_007
    assert seal.stored_bytes == sum(memory.length(name) for name in memory.names("segments/"))
    assert sealed_generations(memory) == (0,)
    assert publish_seal(memory, workshop.path()) == seal


def test_seal_digest_is_that_of_the_catalog_as_the_zstd_tool_unpacks_it(memory):
    if shutil.which("zstd") is None:
        pytest.skip("the zstd tool is not installed")
    stored = bytes(memory.stored(catalog_name(0)))
    run = subprocess.run(["zstd", "-dcq"], input=stored, stdout=subprocess.PIPE, check=True)
    assert hashlib.sha256(run.stdout).hexdigest() == read_seal(memory, 0).digest


def test_seal_that_is_missing_is_named(memory):
    with pytest.raises(SegmentMissingError) as caught:
        read_seal(memory, 7)
    assert caught.value.name == seal_name(7)
    with pytest.raises(SegmentMissingError):
        SeedReader(memory, generation=7)
    with pytest.raises(SegmentMissingError, match="no sealed seed"):
        SeedReader(MemoryStore())


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"format": None},
        {"version": "x"},
        {"version": None},
        {"digest": 5},
        {"generation": "0"},
        {"generation": True},
        {"generation": 1},
        {"items": -1},
        {"content_bytes": 1.5},
        {"parent": 3},
        {"seed_id": None},
    ],
    ids=str,
)
def test_seal_with_a_wrong_value_is_refused(memory, change):
    document = json.loads(memory.stored(seal_name(0))) | change
    replace(memory, seal_name(0), json.dumps(document).encode())
    with pytest.raises(CatalogError, match=r"seals/g0000\.json"):
        read_seal(memory, 0)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b"[" * 60_000, b"{}" + b" " * 70_000],
    ids=["nothing", "half", "list", "null", "number", "no text", "deep", "long"],
)
def test_seal_that_is_no_seal_is_refused(memory, data):
    replace(memory, seal_name(0), data)
    with pytest.raises(CatalogError):
        read_seal(memory, 0)


def test_seal_of_a_newer_minor_version_is_read_with_a_warning(memory):
    document = json.loads(memory.stored(seal_name(0))) | {"version": "1.9", "more": [1]}
    before = read_seal(memory, 0)
    replace(memory, seal_name(0), json.dumps(document).encode())
    with pytest.warns(UserWarning, match=r"seals/g0000.json is of format version 1\.9"):
        assert read_seal(memory, 0) == before


def test_seal_of_a_newer_major_version_is_refused_by_name(memory):
    document = json.loads(memory.stored(seal_name(0))) | {"version": "2.0"}
    replace(memory, seal_name(0), json.dumps(document).encode())
    with pytest.raises(CatalogError, match=r"version 2\.0.*newer offlineseed"):
        read_seal(memory, 0)


def test_flipped_bit_in_the_catalog_is_found_and_named(memory, tmp_path):
    seal = read_seal(memory, 0)
    data = bytes(memory.stored(catalog_name(0)))
    found = 0
    for position in range(0, len(data), 37):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        replace(memory, catalog_name(0), damaged)
        try:
            fetch_catalog(memory, seal, tmp_path / "fetched")
        except CatalogError as error:
            found += "catalogs/g0000.sqlite.zst" in str(error)
    # A bit that zstd does not use changes nothing: the content still has the seal's digest.
    assert found >= len(range(0, len(data), 37)) - 2


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-20],
        lambda data: data[:100],
        lambda data: b"",
        lambda data: zstandard.compress(b"another"),
    ],
    ids=["the end", "most", "all", "another"],
)
def test_catalog_cut_off_or_exchanged_is_found(memory, tmp_path, change):
    data = bytes(memory.stored(catalog_name(0)))
    replace(memory, catalog_name(0), change(data))
    with pytest.raises(CatalogError, match=r"catalogs/g0000\.sqlite\.zst"):
        SeedReader(memory)


def test_catalog_that_is_missing_is_named(memory):
    memory.remove(catalog_name(0))
    with pytest.raises(CatalogError, match="not its catalog"):
        SeedReader(memory)


@pytest.mark.filterwarnings("ignore:.*newer than:UserWarning")
def test_flipped_bit_anywhere_in_the_seal_is_found_or_harmless(memory):
    seal = read_seal(memory, 0)
    data = bytes(memory.stored(seal_name(0)))
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        replace(memory, seal_name(0), damaged)
        try:
            with SeedReader(memory, generation=0, expected_digest=seal.digest) as reader:
                assert reader.read("item") == b"content"
        except CatalogError:
            continue


def test_seal_of_another_seed_is_refused_by_the_digest_that_the_source_kept(memory, workshop):
    digest = read_seal(memory, 0).digest
    forged = MemoryStore()
    workshop.path().unlink()
    with workshop.writer(store=forged) as writer:
        writer.add_stream(io.BytesIO(b"forged"), "item")
        writer.seal()
    with pytest.raises(CatalogError, match="not the seed that was sealed"):
        SeedReader(forged, expected_digest=digest)
    with SeedReader(memory, expected_digest=digest) as reader:
        assert reader.read("item") == b"content"


def test_catalog_that_unpacks_to_very_much_takes_little_memory(memory, tmp_path):
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(1 << 30))
    assert len(bomb) < 200_000
    replace(memory, catalog_name(0), bomb)
    seal = attrs.evolve(read_seal(memory, 0), stored_catalog_bytes=1 << 60)
    tracemalloc.start()
    try:
        with pytest.raises(CatalogError):
            fetch_catalog(memory, seal, tmp_path / "fetched")
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert (tmp_path / "fetched").stat().st_size < 16 << 20


# Versions of catalogs.


def change_version(path, **values):
    with sqlite3.connect(path) as connection:
        for key, value in values.items():
            connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    connection.close()


def test_catalog_of_a_newer_minor_version_is_read_with_a_warning(workshop):
    workshop.stage(streams=[("item", io.BytesIO(b"x"))])
    with workshop.catalog() as catalog:
        path = catalog.path
    change_version(path, version_minor=3)
    with pytest.warns(UserWarning, match=r"version 1\.3"), Catalog(path) as catalog:
        assert [item.name for item in catalog.items()] == ["item"]


def test_catalog_of_a_newer_major_version_is_refused_by_name(workshop):
    workshop.stage(streams=[("item", io.BytesIO(b"x"))])
    with workshop.catalog() as catalog:
        path = catalog.path
    change_version(path, version_major=2)
    with pytest.raises(CatalogError, match=r"version 2\..*newer offlineseed"):
        Catalog(path)


@pytest.mark.parametrize("key", ["version_major", "version_minor", "generation", "chunk_bytes"])
def test_catalog_with_a_wrong_number_in_its_meta_is_refused(workshop, key):
    workshop.stage(streams=[("item", io.BytesIO(b"x"))])
    with workshop.catalog() as catalog:
        path = catalog.path
    change_version(path, **{key: "one"})
    with pytest.raises(CatalogError):
        Catalog(path)


def test_digest_of_the_writers_own_catalog_is_the_seals(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.txt").write_bytes(b"a" * 1000)
    store = FolderStore(tmp_path / "store")
    writer = SeedWriter(store, tmp_path / "catalog.sqlite")
    writer.add_tree(source)
    seal = writer.seal()
    with Catalog(tmp_path / "catalog.sqlite") as baseline:
        assert baseline.item("a.txt").length == 1000  # looking up makes an index
        assert baseline.digest == seal.digest
        following = SeedWriter(store, tmp_path / "next.sqlite", baseline=baseline)
        following.add_tree(source)
        assert following.seal().parent == seal.digest
    assert publish_seal(store, tmp_path / "catalog.sqlite") == seal


def test_digest_of_a_catalog_in_the_making_is_refused(tmp_path):
    with SeedWriter(FolderStore(tmp_path / "store"), tmp_path / "catalog.sqlite") as writer:
        writer.add_stream(io.BytesIO(b"x"), "x")
    with Catalog(tmp_path / "catalog.sqlite") as catalog, pytest.raises(CatalogError):
        catalog.digest  # noqa: B018
