import io
import os
import random
import shutil
import subprocess
import threading

import pytest
import pyzstd

from offlineseed.errors import ChunkDamagedError, ItemNotFoundError
from offlineseed.seed import SeedReader
from offlineseed.testing import MemoryStore

KIB = 1024
CHUNK = 64 * KIB

pytestmark = pytest.mark.usefixtures("even_chunks")


def noise(length, seed=0):
    return random.Random(seed).randbytes(length)


CONTENTS = {
    "small": b"small content",
    "empty": b"",
    "large": noise(6 * CHUNK + 100),
    "sparse": noise(10, 1) + bytes(4 * CHUNK) + noise(2 * CHUNK, 2) + bytes(3 * CHUNK),
    "repeated": noise(CHUNK, 3) * 5,
    "other": noise(3000, 4),
}


@pytest.fixture
def store(workshop):
    store = MemoryStore()
    with workshop.writer(store=store) as writer:
        for name, content in CONTENTS.items():
            writer.add_stream(io.BytesIO(content), name)
        writer.seal()
    return store


@pytest.fixture
def reader(store):
    with SeedReader(store) as reader:
        yield reader


@pytest.mark.parametrize("name", CONTENTS)
def test_any_range_is_the_slice(reader, name):
    content = CONTENTS[name]
    chosen = random.Random(1)
    edges = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, len(content) - 1, len(content), len(content) + 9]
    ranges = [(max(0, offset), length) for offset in edges for length in (0, 1, CHUNK, 10**9)]
    ranges += [
        (chosen.randrange(len(content) + 1), chosen.randrange(3 * CHUNK)) for _ in range(100)
    ]
    for offset, length in ranges:
        assert reader.read(name, offset, length) == content[offset : offset + length]
    assert reader.read(name) == content
    assert reader.read(name, 3) == content[3:]


def test_negative_ranges_are_refused(reader):
    with pytest.raises(ValueError, match="not negative"):
        reader.read("small", -1)
    with pytest.raises(ValueError, match="not negative"):
        reader.read("small", 0, -1)


def test_item_that_is_not_there_is_named(reader):
    for act in (reader.read, reader.open, reader.catalog.item):
        with pytest.raises(ItemNotFoundError, match="'nothing'") as caught:
            act("nothing")
        assert caught.value.name == "nothing"


def test_pieces_are_of_at_most_a_chunk_or_a_mebibyte_of_zeros(reader):
    for name, content in CONTENTS.items():
        pieces = list(reader.pieces(reader.catalog.item(name)))
        assert b"".join(pieces) == content
        assert max(map(len, pieces), default=0) <= 1 << 20


def test_open_item_seeks_and_reads_like_a_file(reader):
    content = CONTENTS["sparse"]
    chosen = random.Random(2)
    with reader.open("sparse") as file:
        expected = io.BytesIO(content)
        assert file.readable()
        assert file.seekable()
        assert not file.writable()
        for _ in range(200):
            act = chosen.randrange(4)
            if act == 0:
                position = chosen.randrange(len(content) + 100)
                assert file.seek(position) == expected.seek(position)
            elif act == 1:
                back = -chosen.randrange(len(content))
                assert file.seek(back, os.SEEK_END) == expected.seek(back, os.SEEK_END)
            elif act == 2:
                length = chosen.randrange(2 * CHUNK)
                assert file.read(length) == expected.read(length)
            else:
                assert file.tell() == expected.tell()
        file.seek(0)
        assert file.read() == content
        assert file.read(1) == b""
        with pytest.raises(ValueError, match="negative"):
            file.seek(-1)


def test_open_item_is_read_by_lines(workshop):
    text = b"".join(b"line %d\n" % number for number in range(20_000))
    workshop.stage(streams=[("text", io.BytesIO(text))])
    with workshop.reader() as reader, reader.open("text") as file:
        assert list(file) == text.splitlines(keepends=True)


def test_several_threads_read_at_once(reader):
    wrong = []

    def read(seed):
        chosen = random.Random(seed)
        for _ in range(50):
            name = chosen.choice(list(CONTENTS))
            offset = chosen.randrange(len(CONTENTS[name]) + 1)
            if reader.read(name, offset, 70_000) != CONTENTS[name][offset : offset + 70_000]:
                wrong.append((name, offset))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


class Counting:
    def __init__(self, store):
        self.store = store
        self.reads = []

    def read(self, name, offset, length):
        self.reads.append((name, offset, length))
        return self.store.read(name, offset, length)

    def names(self, prefix):
        return self.store.names(prefix)

    def length(self, name):
        return self.store.length(name)


def test_chunks_behind_each_other_come_from_one_request(store):
    counting = Counting(store)
    with SeedReader(counting) as reader:
        counting.reads.clear()
        reader.read("large", 0, 3 * CHUNK)
        assert len(counting.reads) == 1


def test_items_are_listed_in_the_order_of_staging_and_by_prefix(workshop, tree):
    for name in ("b/x", "b/y/z", "b-", "b0", "b.", "a", "bb/x"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    workshop.stage(tree)
    with workshop.reader() as reader:
        names = [item.name for item in reader.items()]
        assert sorted(names) == [
            "a", "b", "b-", "b.", "b/x", "b/y", "b/y/z", "b0", "bb", "bb/x",
        ]  # fmt: skip
        assert [item.id for item in reader.items()] == sorted(item.id for item in reader.items())
        for prefix in ("b", "b/y", "bb", "a", "nothing"):
            assert [item.name for item in reader.items(prefix)] == [
                name for name in names if name == prefix or name.startswith(prefix + "/")
            ]


# Damage.


def flip(store, number):
    name = list(store.names("segments/"))[number]
    frame_offset = 1000
    store.stored(name)[frame_offset] ^= 16
    return name


def test_flipped_bit_in_a_segment_is_found_and_named(store):
    with SeedReader(store) as reader:
        assert list(reader.check()) == []
        name = flip(store, 0)
        (damage,) = reader.check()
        assert (damage.segment, damage.offset) == (name, 0)
        assert len(damage.expected) == 64
        assert damage.found != damage.expected


def test_damaged_chunk_yields_an_error_that_names_everything(store):
    with SeedReader(store) as reader:
        extents = list(reader.catalog.extents(reader.catalog.item("large")))
        place = extents[3].chunk
        name = reader.catalog.segment_names()[place.segment]
        store.stored(name)[place.offset + 100] ^= 1
        with pytest.raises(ChunkDamagedError, match=r"'large' can't be read at byte 196608") as it:
            reader.read("large")
        error = it.value
        assert (error.item, error.offset, error.segment, error.frame_offset) == (
            "large", 3 * CHUNK, name, place.offset,
        )  # fmt: skip
        assert error.expected == place.digest.hex()
        assert reader.read("large", 0, 3 * CHUNK) == CONTENTS["large"][: 3 * CHUNK]
        assert reader.read("large", 4 * CHUNK) == CONTENTS["large"][4 * CHUNK :]
        with pytest.raises(ChunkDamagedError) as it:
            reader.read("large", 3 * CHUNK + 50, 10)
        assert it.value.offset == 3 * CHUNK + 50


@pytest.mark.parametrize("position", range(0, 4000, 211))
def test_no_flipped_bit_is_handed_out(store, position):
    name = next(iter(store.names("segments/")))
    data = store.stored(name)
    data[position * len(data) // 4000] ^= 1 << position % 8
    with SeedReader(store) as reader:
        for item, content in CONTENTS.items():
            try:
                found = reader.read(item)
            except ChunkDamagedError as error:
                found = error
            assert found == content or (found.segment, found.item) == (name, item)


def test_segment_that_is_missing_or_cut_off_is_named(store):
    first, second = list(store.names("segments/"))[:2]
    del store.stored(first)[CHUNK + 500 :]
    store.remove(second)
    with SeedReader(store) as reader:
        damaged = list(reader.check())
        assert {damage.segment for damage in damaged} == {first, second}
        assert {damage.found for damage in damaged if damage.segment == second} == {
            "no such segment in the store"
        }
        with pytest.raises(ChunkDamagedError, match=first):
            reader.read("large")
        assert reader.read("empty") == b""


# Readers of other people.


def test_segment_is_read_by_another_seekable_reader_at_any_offset(store):
    with SeedReader(store) as reader:
        names = reader.catalog.segment_names()
        places = list(reader.catalog.chunks())
        contents = {}
        for place in places:
            contents.setdefault(names[place.segment], []).append(reader._fetcher.fetch(place))
    assert len(contents) > 1
    chosen = random.Random(8)
    for name in store.names("segments/"):
        content = b"".join(contents[name])
        with pyzstd.SeekableZstdFile(io.BytesIO(bytes(store.stored(name)))) as file:
            for offset in [0, len(content) - 1] + [
                chosen.randrange(len(content)) for _ in range(9)
            ]:
                file.seek(offset)
                assert file.read(5000) == content[offset : offset + 5000]


def test_segment_is_unpacked_by_the_zstd_tool(store):
    if shutil.which("zstd") is None:
        pytest.skip("the zstd tool is not installed")
    with SeedReader(store) as reader:
        names = reader.catalog.segment_names()
        contents = dict.fromkeys(names.values(), b"")
        for place in reader.catalog.chunks():
            contents[names[place.segment]] += reader._fetcher.fetch(place)
    for name, content in contents.items():
        data = bytes(store.stored(name))
        run = subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True)
        assert run.stdout == content
