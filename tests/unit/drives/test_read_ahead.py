import hashlib
import os
import random
import threading

import pytest

from offlineseed.drives._read_ahead import BlobEnd, BlobPiece, BlobReader, BlobStart
from offlineseed.errors import SourceChangedError
from offlineseed.manifest import BLOCK_BYTES, BlobType
from offlineseed.staging import StagedBlob


def make_blob(path, length, *, checksum=""):
    path.write_bytes(random.Random(length).randbytes(length))
    return StagedBlob(
        path=path.name, source=path, length=length, blob_type=BlobType.BLOCK, checksum=checksum
    )


def test_reader_gives_starts_pieces_and_ends_in_order(tmp_path):
    lengths = (0, 1, BLOCK_BYTES, BLOCK_BYTES + 1, 0, 12 * BLOCK_BYTES)
    blobs = [make_blob(tmp_path / str(number), length) for number, length in enumerate(lengths)]
    seen, content, hashes = [], b"", {}
    with BlobReader(blobs, hash_threads=2) as reader:
        for part in reader:
            if isinstance(part, BlobStart):
                content = b""
            elif isinstance(part, BlobPiece):
                content += bytes(part.data)
                reader.release(part)
            else:
                assert isinstance(part, BlobEnd)
                assert content == part.blob.source.read_bytes()
                seen.append(part.blob)
                hashes[part.blob.path] = [block.hash for block in part.hashing.finish()]
    assert seen == blobs
    for blob in blobs:
        data = blob.source.read_bytes()
        assert hashes[blob.path] == [
            hashlib.md5(data[start : start + BLOCK_BYTES]).hexdigest().upper()
            for start in range(0, len(data), BLOCK_BYTES)
        ]


def test_reader_of_a_file_written_while_it_is_read_says_so(tmp_path):
    blob = make_blob(tmp_path / "long", 20 * BLOCK_BYTES)  # longer than what is read ahead

    def read_all():
        with BlobReader([blob], hash_threads=1) as reader:
            for part in reader:
                if isinstance(part, BlobPiece):
                    os.utime(blob.source, ns=(1, 1))
                    reader.release(part)

    with pytest.raises(SourceChangedError) as caught:
        read_all()
    assert caught.value.path == "long"


def test_reader_of_a_missing_file_passes_the_error(tmp_path):
    blob = make_blob(tmp_path / "gone", 5)
    blob.source.unlink()

    def read_all():
        with BlobReader([blob], hash_threads=1) as reader:
            list(reader)

    with pytest.raises(FileNotFoundError):
        read_all()


def test_reader_left_early_stops_its_threads(tmp_path):
    before = threading.active_count()
    blobs = [make_blob(tmp_path / str(number), 3 * BLOCK_BYTES) for number in range(5)]
    blobs += [make_blob(tmp_path / "empty", 0)] * 100
    for stop_after in (0, 1, 3):
        with BlobReader(blobs, hash_threads=2) as reader:
            for number, _ in enumerate(reader):
                if number == stop_after:
                    break
    assert threading.active_count() == before
