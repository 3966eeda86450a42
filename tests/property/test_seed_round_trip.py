"""
Any tree comes back as it was; any split of reads gives the same seed; no name escapes.
"""

import io
import os
import random
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from offlineseed.errors import SegmentError, UnsafeNameError
from offlineseed.seed import (
    SeedOptions,
    SeedReader,
    SeedWriter,
    SeekEntry,
    parse_seek_table,
    render_seek_table,
)
from offlineseed.seed._names import decode_name, encode_name
from offlineseed.testing import MemoryStore

KIB = 1024
CHUNK = 64 * KIB
OPTIONS = SeedOptions(chunk_bytes=CHUNK, segment_bytes=256 * KIB, workers=2)
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

NAMES = st.one_of(
    st.text("ab", min_size=1, max_size=2).map(str.encode),
    st.binary(min_size=1, max_size=12).map(lambda name: name.replace(b"/", b"-")),
    st.text(min_size=1, max_size=8).map(
        lambda name: name.encode("utf-8", "replace").replace(b"/", b"-")
    ),
).filter(lambda name: name not in (b".", b"..") and b"\0" not in name)
MTIMES = st.integers(-(10**18), 4 * 10**18)
MODES = st.integers(0, 0o1777)


@st.composite
def contents(draw):
    """
    A few runs of zeros, of noise and of repetitions, about as long as chunks.
    """
    runs = draw(
        st.lists(
            st.tuples(
                st.sampled_from("zxr"),
                st.one_of(
                    st.integers(0, 300),
                    st.sampled_from([CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]),
                ),
                st.integers(0, 2),
            ),
            max_size=4,
        )
    )
    return b"".join(
        bytes(length)
        if kind == "z"
        else random.Random(seed).randbytes(length)
        if kind == "x"
        else b"abc"[seed : seed + 1] * length
        for kind, length, seed in runs
    )


NODES = st.recursive(
    st.one_of(
        contents().map(lambda content: ("file", content)),
        st.binary(min_size=1, max_size=30)
        .filter(lambda target: b"\0" not in target)
        .map(lambda target: ("link", target)),
    ),
    lambda below: st.dictionaries(NAMES, st.tuples(below, MODES, MTIMES), max_size=4).map(
        lambda entries: ("folder", entries)
    ),
    max_leaves=10,
)
TREES = st.dictionaries(NAMES, st.tuples(NODES, MODES, MTIMES), max_size=5)


def make(folder, entries):
    for name, ((kind, what), mode, mtime_ns) in entries.items():
        path = os.path.join(folder, name)
        if kind == "link":
            os.symlink(what, path)
            os.utime(path, ns=(0, mtime_ns), follow_symlinks=False)
            continue
        if kind == "folder":
            os.mkdir(path)
            make(path, what)
        else:
            with open(path, "wb") as file:
                file.write(what)
        os.chmod(path, mode)
        os.utime(path, ns=(0, mtime_ns))


@settings(max_examples=60)
@given(TREES)
def test_any_tree_staged_and_restored_is_the_same(snapshot, tree):
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        (folder / "tree").mkdir()
        make(os.fsencode(folder / "tree"), tree)
        store = MemoryStore()
        with SeedWriter(store, folder / "catalog" / "c.sqlite", options=OPTIONS) as writer:
            writer.add_tree(folder / "tree")
            seal = writer.seal()
        with SeedReader(store, expected_digest=seal.digest) as reader:
            assert list(reader.check()) == []
            report = reader.restore(folder / "out")
        assert snapshot(folder / "out") == snapshot(folder / "tree")
        assert report.items == seal.items
        assert seal.findings == 0


class Split:
    def __init__(self, content, sizes):
        self.content = io.BytesIO(content)
        self.sizes = sizes
        self.turn = -1

    def read(self, size, /):
        self.turn += 1
        return self.content.read(min(size, self.sizes[self.turn % len(self.sizes)]))


def stage(folder, items, **options):
    store = MemoryStore()
    catalog = folder / f"{random.random()}" / "c.sqlite"
    with SeedWriter(store, catalog, options=SeedOptions(
        chunk_bytes=CHUNK, segment_bytes=256 * KIB, **options
    )) as writer:  # fmt: skip
        for name, stream in items:
            writer.add_stream(stream, name, mtime_ns=0)
        writer.seal()
    return store


@settings(max_examples=40)
@given(
    st.lists(contents(), min_size=1, max_size=4),
    st.lists(
        st.one_of(st.integers(1, 2 * CHUNK), st.sampled_from([1000, CHUNK, CHUNK + 1])),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 3),
)
def test_any_split_of_reads_gives_the_same_segments(items, sizes, workers):
    # A byte at a time is slow and no other case.
    sizes = [max(size, 37) for size in sizes]
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        whole = stage(
            folder, [(f"{n}", io.BytesIO(item)) for n, item in enumerate(items)], workers=2
        )
        split = stage(
            folder, [(f"{n}", Split(item, sizes)) for n, item in enumerate(items)], workers=workers
        )
    segments = list(whole.names("segments/"))
    assert segments == list(split.names("segments/"))
    for segment in segments:
        assert whole.stored(segment) == split.stored(segment)


@settings(max_examples=40)
@given(
    contents(),
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 10**6), st.sampled_from([CHUNK - 1, CHUNK, CHUNK + 1])),
            st.integers(0, 2 * CHUNK),
        ),
        min_size=1,
        max_size=20,
    ),
)
def test_any_range_is_the_slice(content, ranges):
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        store = stage(Path(name), [("item", io.BytesIO(content))])
    with SeedReader(store) as reader, reader.open("item") as file:
        for offset, length in ranges:
            assert reader.read("item", offset, length) == content[offset : offset + length]
            file.seek(offset)
            assert file.read(length) == content[offset : offset + length]


@given(st.one_of(st.text(), st.lists(st.sampled_from(["..", ".", "", "a", "~"])).map("/".join)))
@example("..")
@example("a/../..")
@example("\ud800")
def test_no_name_escapes_its_root(name):
    try:
        encoded = encode_name(name)
    except UnsafeNameError:
        return
    assert decode_name(encoded) == name
    place = os.path.normpath(os.path.join(b"/root", encoded))
    assert place.startswith(b"/root/")
    assert place == b"/root/" + encoded


@given(st.binary(min_size=1, max_size=40))
def test_name_of_any_bytes_comes_back_or_is_refused(name):
    try:
        assert encode_name(decode_name(name)) == name
    except UnsafeNameError:
        assert b"\0" in name or {b"", b".", b".."} & set(name.split(b"/"))


NUMBERS = st.integers(0, 2**32 - 1)


@given(st.lists(st.builds(SeekEntry, NUMBERS, NUMBERS, NUMBERS), max_size=30))
def test_seek_table_rendered_and_parsed_is_the_same(entries):
    assert parse_seek_table(render_seek_table(entries)) == tuple(entries)


@settings(max_examples=300)
@given(
    st.lists(st.builds(SeekEntry, NUMBERS, NUMBERS, NUMBERS), max_size=5),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4),
    st.integers(0, 40),
)
def test_seek_table_mutated_is_refused_or_read(entries, changes, cut):
    table = bytearray(render_seek_table(entries))
    for position, value in changes:
        table[position % len(table)] = value
    try:
        parsed = parse_seek_table(bytes(table[cut:]))
    except SegmentError:
        return
    assert len(parsed) <= len(table) // 8


@given(st.binary(max_size=200))
def test_any_bytes_are_no_seek_table_or_a_right_one(data):
    try:
        entries = parse_seek_table(data)
    except SegmentError:
        return
    assert len(entries) * 8 <= len(data)
