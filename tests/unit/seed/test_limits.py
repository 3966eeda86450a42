"""
The limits that `docs/explanation/formats.md` states, at their edges.
"""

import io
import subprocess
import sys

import pytest

from offlineseed.errors import UnsafeNameError
from offlineseed.seed import SeedOptions, SeedReader, SeedWriter
from offlineseed.testing import MemoryStore

KIB = 1024
MIB = 1024 * KIB

# In a process of its own: the peak of this one has seen other tests.
_MANY = """
import io, pathlib, re, sys
from offlineseed.seed import Catalog, FolderStore, SeedReader, SeedWriter

folder, count, act = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
store = FolderStore(folder / "store")

def stage(baseline=None):
    name = f"{1 if baseline else 0}.sqlite"
    with SeedWriter(store, folder / name, baseline=baseline) as writer:
        for n in range(count):
            item = f"home/user {n % 97}/mail {n // 1000:04}/message {n:07}.eml"
            writer.add_stream(io.BytesIO(b"%d" % n * 20), item)
        return writer.seal()

if act == "stage":
    assert stage().items == count
else:
    with SeedReader(store) as reader:
        if act == "read":
            assert sum(1 for _ in reader.items()) == count
            assert reader.read("home/user 5/mail 0000/message 0000005.eml") == b"5" * 20
            report = reader.restore(folder / "restored", prefix="home/user 5")
            assert report.items == sum(1 for n in range(count) if n % 97 == 5)
        else:
            assert stage(reader.catalog).stored_bytes == 0
peak = re.search(r"VmHWM:\\s*(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
print(int(peak[1]) // 1024)
"""


def peak_mib(*arguments):
    command = [sys.executable, "-c", _MANY, *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return int(run.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc for the peak of memory")
def test_catalog_of_a_hundred_thousand_items_takes_little_memory(tmp_path):
    count = 100_000
    assert peak_mib(tmp_path, count, "stage") < 200
    assert peak_mib(tmp_path, count, "read") < 120
    assert peak_mib(tmp_path, count, "increment") < 200


@pytest.mark.parametrize("chunk_bytes", [64 * KIB, 16 * MIB], ids=["shortest", "longest"])
@pytest.mark.parametrize("over", [-1, 0, 1])
def test_shortest_and_longest_chunks_take_items_of_their_length(tmp_path, chunk_bytes, over):
    content = bytes(range(1, 252)) * (chunk_bytes // 251 + 1)
    content = content[: chunk_bytes + over]
    store = MemoryStore()
    options = SeedOptions(chunk_bytes=chunk_bytes, segment_bytes=4 * chunk_bytes, workers=1)
    with SeedWriter(store, tmp_path / "catalog.sqlite", options=options) as writer:
        writer.add_stream(io.BytesIO(content), "item")
        writer.seal()
    with SeedReader(store) as reader:
        assert reader.read("item") == content
        assert sum(1 for _ in reader.catalog.chunks()) == (2 if over > 0 else 1)


def test_longest_name_is_taken_and_one_byte_more_refused(workshop):
    longest = "/".join(["x" * 254] * 257)
    assert len(longest) == 65_534
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(b"long"), longest + "y")
        with pytest.raises(UnsafeNameError, match="longer than 65535 bytes"):
            writer.add_stream(io.BytesIO(b"longer"), longest + "yz")
        assert writer.seal().items == 1
    with workshop.reader() as reader:
        assert reader.read(longest + "y") == b"long"
