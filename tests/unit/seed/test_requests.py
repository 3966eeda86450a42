"""
What reading asks of a container: counted at the wire, with Azure's own client.
"""

import io
import random
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import attrs
import pytest
from azure.storage.blob import ContainerClient

from offlineseed.seed import BlobStore, SeedOptions, SeedReader, SeedWriter, segment_name
from offlineseed.testing import MemoryStore

CHUNK = 64 * 1024
MIB = 1 << 20
LARGE = random.Random(1).randbytes(30 * MIB)
SMALLS = {f"small {number}": random.Random(number).randbytes(9000) for number in range(40)}


@attrs.define
class Container:
    """
    A container over HTTP, as far as reading blobs goes.
    """

    store: MemoryStore
    requests: list = attrs.field(factory=list)
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    def segments_read(self):
        """
        `(first, length)` of each request for the first segment.
        """
        return [
            (first, length) for name, first, length in self.requests if name == segment_name(0, 0)
        ]


def handler(container):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            name = self.path.partition("?")[0].removeprefix("/account/seeds/nightly/")
            bounds = self.headers.get("x-ms-range") or self.headers["Range"]
            first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", bounds).groups())
            whole = container.store.length(name)
            data = container.store.read(name, first, last - first + 1)
            with container.lock:
                container.requests.append((name, first, len(data)))
            self.send_response(206)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Range", f"bytes {first}-{first + len(data) - 1}/{whole}")
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            self.send_header("x-ms-blob-type", "BlockBlob")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments):
            pass

    return Handler


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    store = MemoryStore()
    options = SeedOptions(chunk_bytes=CHUNK, segment_bytes=64 * MIB, workers=2)
    path = tmp_path_factory.mktemp("seed") / "catalog.sqlite"
    with (
        pytest.MonkeyPatch.context() as patch,
        SeedWriter(store, path, options=options) as writer,
    ):
        patch.setattr("offlineseed.seed._source.find_cut", lambda buffer, have, chunk_bytes: have)
        writer.add_stream(io.BytesIO(LARGE), "large")
        for name, content in SMALLS.items():
            writer.add_stream(io.BytesIO(content), name)
        # Chunks 0 and 3 of the large one again, and zeros: no run.
        again = LARGE[:CHUNK] + bytes(5 * CHUNK) + LARGE[3 * CHUNK : 4 * CHUNK]
        writer.add_stream(io.BytesIO(again), "scattered")
        writer.seal()
    return store


@pytest.fixture
def container(stored):
    return Container(stored)


@pytest.fixture
def reader(container):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(container))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/account/seeds"
    try:
        with (
            ContainerClient.from_container_url(url) as client,
            SeedReader(BlobStore(client, prefix="nightly"), generation=0) as reader,
        ):
            container.requests.clear()
            yield reader
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_opening_takes_a_request_for_the_seal_and_one_for_a_small_catalog(stored, container):
    with SeedReader(Counting(stored, container.requests), generation=0):
        pass
    assert [name for name, _, _ in container.requests] == [
        "seals/g0000.json",
        "catalogs/g0000.sqlite.zst",
    ]


@attrs.define
class Counting:
    store: object
    requests: list

    def read(self, name, offset, length):
        self.requests.append((name, offset, length))
        return self.store.read(name, offset, length)


def test_range_of_a_large_item_takes_one_request_for_its_chunks_and_no_byte_more(reader, container):
    offset, length = 7 * CHUNK + 100, 20 * CHUNK
    assert reader.read("large", offset, length) == LARGE[offset : offset + length]
    places = [extent.chunk for extent in reader.catalog.extents(reader.catalog.item("large"))]
    first, last = places[7], places[27]
    assert container.segments_read() == [(first.offset, last.offset + last.stored - first.offset)]


def test_byte_of_a_large_item_takes_its_chunk_once(reader, container):
    for _ in range(3):
        assert reader.read("large", 5 * CHUNK, 1) == LARGE[5 * CHUNK : 5 * CHUNK + 1]
    [(_, length)] = container.segments_read()
    assert length < CHUNK + 100


def test_whole_item_takes_a_request_for_each_eight_mebibytes(reader, container):
    pieces = reader.pieces(reader.catalog.item("large"))
    next(pieces)
    # What is read ahead is one run.
    assert len(container.requests) == 1
    assert sum(map(len, pieces)) == len(LARGE) - CHUNK
    lengths = [length for _, length in container.segments_read()]
    assert len(lengths) == 4
    assert max(lengths) <= 8 * MIB


def test_chunks_that_lie_apart_take_a_request_each_and_zeros_none(reader, container):
    content = reader.read("scattered")
    assert content[:CHUNK] + content[-CHUNK:] == LARGE[:CHUNK] + LARGE[3 * CHUNK : 4 * CHUNK]
    assert len(container.requests) == 2


def test_small_items_of_one_chunk_take_one_request(reader, container):
    for name in list(SMALLS)[:6]:
        assert reader.read(name) == SMALLS[name]
    assert len(container.requests) == 1


@pytest.mark.parametrize("size", [1000, 100_000, 5 * MIB])
def test_open_item_that_is_read_on_takes_few_requests(reader, container, size):
    with reader.open("large") as file:
        assert b"".join(iter(lambda: file.read(size), b"")) == LARGE
    # The first read can't know what follows.
    assert len(container.requests) <= 4 + 2
    assert sum(length for _, length in container.segments_read()) < len(LARGE) + 6 * MIB


def test_open_item_that_is_read_here_and_there_fetches_only_that(reader, container):
    chosen = random.Random(3)
    with reader.open("large") as file:
        for _ in range(20):
            offset = file.seek(chosen.randrange(len(LARGE) - 100))
            assert file.read(100) == LARGE[offset : offset + 100]
    # A buffer of 128 KiB touches three chunks.
    assert sum(length for _, length in container.segments_read()) <= 20 * 3 * (CHUNK + 100)


def test_restore_takes_a_request_for_each_run(reader, container, tmp_path):
    reader.restore(tmp_path / "restored", workers=3)
    assert (tmp_path / "restored" / "large").read_bytes() == LARGE
    # Four of the large item, one of the small ones together, two of the scattered one.
    assert len(container.segments_read()) <= 4 + 1 + 2
