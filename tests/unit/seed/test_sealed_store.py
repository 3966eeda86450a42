"""
A generation that a store holds sealed is never written over, whoever tries.
"""

import io

import pytest

from offlineseed.errors import CatalogError, GenerationSealedError
from offlineseed.seed import (
    FolderStore,
    SeedReader,
    SeedWriter,
    fetch_catalog,
    publish_seal,
    read_seal,
    seal_name,
)
from offlineseed.seed._stores import put_object
from offlineseed.testing import MemoryStore


def write(store, catalog, content, **arguments):
    writer = SeedWriter(store, catalog, **arguments)
    writer.add_stream(io.BytesIO(content), "item")
    return writer.seal()


@pytest.mark.parametrize("make", [MemoryStore, None], ids=["memory", "folder"])
def test_writer_of_a_generation_that_is_sealed_elsewhere_is_refused(make, tmp_path):
    store = make() if make else FolderStore(tmp_path / "store")
    write(store, tmp_path / "0.sqlite", b"first")
    fetched = tmp_path / "baseline.sqlite"
    fetch_catalog(store, read_seal(store, 0), fetched)
    with SeedReader(store, generation=0) as reader:
        write(store, tmp_path / "1.sqlite", b"second", baseline=reader.catalog)
        # The work folder is lost, or another machine goes on from the same baseline.
        with pytest.raises(GenerationSealedError) as refused:
            SeedWriter(store, tmp_path / "lost" / "1.sqlite", baseline=reader.catalog)
    assert "latest generation" in str(refused.value)
    assert not (tmp_path / "lost").exists()
    with SeedReader(store, generation=1) as reader:
        assert reader.read("item") == b"second"
        assert list(reader.check()) == []


def test_seed_that_is_sealed_in_the_store_is_not_begun_again(tmp_path):
    store = MemoryStore()
    write(store, tmp_path / "0.sqlite", b"first")
    with pytest.raises(GenerationSealedError):
        SeedWriter(store, tmp_path / "other.sqlite")
    with SeedReader(store) as reader:
        assert reader.read("item") == b"first"


def test_seal_of_a_generation_that_another_sealed_meanwhile_is_refused(tmp_path):
    store = MemoryStore()
    slow = SeedWriter(store, tmp_path / "slow.sqlite")
    first = write(store, tmp_path / "fast.sqlite", b"fast")
    slow.add_stream(io.BytesIO(b""), "nothing")
    with pytest.raises(GenerationSealedError):
        slow.seal()
    assert read_seal(store, 0) == first
    with SeedReader(store) as reader:
        assert reader.read("item") == b"fast"


def test_seal_that_breaks_off_is_published_again_by_who_has_the_catalog(tmp_path):
    store = MemoryStore()
    seal = write(store, tmp_path / "0.sqlite", b"first")
    put_object(store, seal_name(0), store.stored(seal_name(0))[:50])
    with pytest.raises(GenerationSealedError):
        SeedWriter(store, tmp_path / "0.sqlite")
    assert publish_seal(store, tmp_path / "0.sqlite") == seal == read_seal(store, 0)


def test_seal_that_breaks_off_keeps_strangers_from_its_generation(tmp_path):
    store = MemoryStore()
    write(store, tmp_path / "0.sqlite", b"first")
    put_object(store, seal_name(0), store.stored(seal_name(0))[:50])
    with pytest.raises(CatalogError):
        SeedWriter(store, tmp_path / "other.sqlite")
