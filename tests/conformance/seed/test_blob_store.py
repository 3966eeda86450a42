"""
The store in a container, against a real Azurite.
"""

import io
import random
import uuid

import pytest
from azure.storage.blob import BlobServiceClient

from offlineseed.errors import ChunkDamagedError
from offlineseed.seed import BlobStore, Catalog, SeedOptions, SeedReader, SeedWriter
from offlineseed.testing import SegmentStoreContract

KIB = 1024
OPTIONS = SeedOptions(chunk_bytes=64 * KIB, segment_bytes=512 * KIB, workers=2)


@pytest.fixture
def container(azurite):
    with BlobServiceClient.from_connection_string(azurite) as account:
        container = account.create_container(f"seed-{uuid.uuid4().hex}")
        yield container
        container.delete_container()


class TestBlobStore(SegmentStoreContract):
    @pytest.fixture
    def store(self, container):
        return BlobStore(container)


class TestBlobStoreWithPrefix(SegmentStoreContract):
    @pytest.fixture
    def store(self, container):
        container.upload_blob("nightlong/other", b"not of the seed")
        return BlobStore(container, prefix="/nightly/")


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "large").write_bytes(random.Random(1).randbytes(2_000_000))
    (root / "small").write_bytes(b"small")
    (root / "empty").write_bytes(b"")
    return root


def read_all(reader):
    return {item.name: reader.read(item.name) for item in reader.items()}


def test_seed_written_to_a_container_is_read_from_it(container, tree, tmp_path):
    store = BlobStore(container, prefix="nightly")
    with SeedWriter(store, tmp_path / "catalog" / "c.sqlite", options=OPTIONS) as writer:
        writer.add_tree(tree)
        writer.checkpoint()
        seal = writer.seal()
    with SeedReader(store, expected_digest=seal.digest) as reader:
        assert (
            reader.read("folder/large", 123_456, 700_000)
            == ((tree / "folder" / "large").read_bytes()[123_456:823_456])
        )
        assert read_all(reader)["small"] == b"small"
        assert list(reader.check()) == []
        assert reader.restore(tmp_path / "out").items == 4


def test_seed_interrupted_in_a_container_is_gone_on_with(container, tree, tmp_path):
    store = BlobStore(container)
    path = tmp_path / "catalog" / "c.sqlite"
    writer = SeedWriter(store, path, options=OPTIONS)
    writer.add_tree(tree)
    writer.add_stream(io.BytesIO(b"not added again"), "stream")
    writer.checkpoint()
    writer.abort()
    with SeedWriter(store, path, options=OPTIONS) as writer:
        writer.add_tree(tree)
        writer.seal()
    with SeedReader(store) as reader:
        assert reader.read("folder/large") == (tree / "folder" / "large").read_bytes()
        assert list(reader.check()) == []


def test_increment_written_to_a_container_sends_only_what_changed(container, tree, tmp_path):
    store = BlobStore(container)
    path = tmp_path / "catalog" / "c.sqlite"
    with SeedWriter(store, path, options=OPTIONS) as writer:
        writer.add_tree(tree)
        writer.seal()
    (tree / "small").write_bytes(b"changed")
    with (
        Catalog(path) as baseline,
        SeedWriter(
            store, tmp_path / "next" / "c.sqlite", baseline=baseline, options=OPTIONS
        ) as writer,
    ):
        writer.add_tree(tree)
        seal = writer.seal()
    assert seal.generation == 1
    assert seal.stored_bytes < 1000
    with SeedReader(store, generation=0) as reader:
        assert reader.read("small") == b"small"
    with SeedReader(store) as reader:
        assert reader.read("small") == b"changed"
        assert reader.read("folder/large") == (tree / "folder" / "large").read_bytes()


def test_damage_in_a_container_is_found_and_named(container, tree, tmp_path):
    store = BlobStore(container)
    with SeedWriter(store, tmp_path / "catalog" / "c.sqlite", options=OPTIONS) as writer:
        writer.add_tree(tree)
        writer.seal()
        name = next(iter(store.names("segments/")))
    data = bytearray(store.read(name, 0, store.length(name)))
    data[1000] ^= 1
    container.upload_blob(name, bytes(data), overwrite=True)
    with SeedReader(store) as reader:
        (damage,) = reader.check()
        assert damage.segment == name
        with pytest.raises(ChunkDamagedError) as caught:
            read_all(reader)
    assert (caught.value.segment, caught.value.frame_offset) == (name, damage.offset)
