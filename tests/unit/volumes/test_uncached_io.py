import os
import random
import tempfile
from pathlib import Path

import pytest

from offlineseed.errors import VolumeFullError
from offlineseed.volumes import CacheBypass
from offlineseed.volumes._uncached_io import BUFFER_BYTES, UncachedReader, UncachedWriter

MEMORY = Path("/dev/shm")  # a file system that knows no direct I/O, or only lately


@pytest.fixture(params=["disk", "memory"])
def path(request, tmp_path):
    if request.param == "disk":
        yield tmp_path / "file"
        return
    if not MEMORY.is_dir():
        pytest.skip("this machine has no /dev/shm")
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder) / "file"


@pytest.mark.parametrize(
    "length", [0, 1, 4095, 4096, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 5000], ids=str
)
def test_writer_leaves_exactly_the_bytes_that_were_written(path, length):
    content = random.Random(length).randbytes(length)
    writer = UncachedWriter(path, preallocate=length)
    writer.write(content[:1000])
    writer.write(content[1000:])
    writer.sync()
    writer.close()
    writer.close()
    assert path.read_bytes() == content
    reader = UncachedReader(path)
    assert reader.read(0, length + 100) == content
    reader.close()


def test_writer_over_an_old_longer_file_leaves_nothing_of_it(path):
    path.write_bytes(b"old" * 10_000)
    writer = UncachedWriter(path)
    writer.write(b"new")
    writer.sync()
    writer.close()
    assert path.read_bytes() == b"new"


def test_writer_that_asks_for_more_than_the_disk_has_reserves_nothing(tmp_path):
    # Beyond what any file may have, so that nothing is reserved even if the code is wrong.
    with pytest.raises(VolumeFullError) as caught:
        UncachedWriter(tmp_path / "file", preallocate=2**62)
    assert caught.value.needed_bytes == 2**62
    assert (tmp_path / "file").stat().st_blocks == 0


def test_reader_without_direct_io_says_that_pages_were_dropped(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_DIRECT", raising=False)
    (tmp_path / "file").write_bytes(b"bytes")
    reader = UncachedReader(tmp_path / "file")
    assert reader.read(1, 3) == b"yte"
    assert reader.cache_bypass is CacheBypass.DROPPED
    reader.close()


def test_reader_where_nothing_can_be_dropped_says_so(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_DIRECT", raising=False)
    monkeypatch.delattr(os, "posix_fadvise", raising=False)
    (tmp_path / "file").write_bytes(b"bytes")
    reader = UncachedReader(tmp_path / "file")
    assert reader.cache_bypass is CacheBypass.NONE
    reader.close()
