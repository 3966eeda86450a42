import io
import json

import pytest
import xxhash

from offlineseed.errors import FormatError, UnsafeNameError
from offlineseed.manifest import BlobType


def add(job, content, path, blob_type=BlobType.BLOCK):
    return job.add_blob(io.BytesIO(content), path, blob_type=blob_type)


def test_blob_is_staged_as_it_is(job):
    content = b"x" * 3_000_000
    blob = add(job, content, "folder/Größe ❄.vhd")
    assert blob.source.read_bytes() == content
    assert (blob.path, blob.length, blob.blob_type) == (
        "folder/Größe ❄.vhd", 3_000_000, BlobType.BLOCK,
    )  # fmt: skip
    assert blob.checksum == f"xxh3-128:{xxhash.xxh3_128_hexdigest(content)}"
    assert list(job.blobs()) == [blob]


def test_blob_is_staged_from_a_file(job, tmp_path):
    (tmp_path / "file").write_bytes(bytes(1024))
    blob = job.add_blob(tmp_path / "file", "file.vhd", blob_type=BlobType.PAGE)
    assert blob.source.read_bytes() == bytes(1024)
    assert blob.blob_type is BlobType.PAGE


@pytest.mark.parametrize("length", [1, 511, 513, 1_048_577])
def test_page_blob_of_another_length_is_refused_and_leaves_nothing(job, length):
    with pytest.raises(ValueError, match="multiple of 512"):
        add(job, bytes(length), "disk.vhd", BlobType.PAGE)
    assert list(job.blobs()) == []
    assert not [path for path in (job.folder / "blobs").iterdir() if "blob" in path.name]


@pytest.mark.parametrize("length", [0, 512, 1_048_576])
def test_page_blob_of_whole_pages_is_taken(job, length):
    assert add(job, bytes(length), "disk.vhd", BlobType.PAGE).length == length


def test_blob_of_a_path_that_is_taken_replaces_it(job):
    add(job, b"first", "a")
    add(job, b"other", "b")
    add(job, b"second", "a")
    assert {blob.path: blob.source.read_bytes() for blob in job.blobs()} == {
        "a": b"second",
        "b": b"other",
    }
    assert len(list((job.folder / "blobs").glob("*.blob"))) == 2


def test_error_of_the_source_leaves_what_was_there(job, tmp_path):
    class Broken:
        def read(self, size, /):
            raise TimeoutError

    add(job, b"first", "a")
    with pytest.raises(TimeoutError):
        job.add_blob(Broken(), "a", blob_type=BlobType.BLOCK)
    with pytest.raises(FileNotFoundError):
        job.add_blob(tmp_path / "missing", "a", blob_type=BlobType.BLOCK)
    (blob,) = job.blobs()
    assert blob.source.read_bytes() == b"first"
    add(job, b"second", "b")
    assert not list((job.folder / "blobs").glob("*.partial"))


@pytest.mark.parametrize("path", ["", "/abs", "../up", "a/../b", "a//b", "a\0", "."])
def test_path_that_is_no_blobs_is_refused(job, path):
    with pytest.raises(UnsafeNameError):
        add(job, b"x", path)
    assert list(job.blobs()) == []


def test_path_below_the_seeds_own_is_refused(job):
    with pytest.raises(UnsafeNameError, match="seed"):
        add(job, b"x", "nightly/segments/g0000-000000.zst")


@pytest.mark.parametrize(
    "change",
    [
        lambda entries: "{",
        lambda entries: '{"a": 1}',
        lambda entries: json.dumps([entries[0] | {"blob_type": "Append"}]),
        lambda entries: json.dumps([entries[0] | {"file": "../../../etc/passwd"}]),
        lambda entries: json.dumps([entries[0] | {"path": "../up"}]),
        lambda entries: json.dumps([entries[0] | {"length": "1"}]),
        lambda entries: json.dumps([{"path": "a"}]),
    ],
    ids=["half", "no list", "type", "file", "path", "length", "missing"],
)
def test_index_that_is_damaged_is_refused(job, change):
    add(job, b"x", "a")
    index = job.folder / "blobs" / "index.json"
    index.write_text(change(json.loads(index.read_bytes())))
    with pytest.raises(FormatError, match=r"index\.json"):
        list(job.blobs())
