import io
import random
import shutil
import subprocess

import pytest
import pyzstd
import xxhash
import zstandard

from offlineseed.errors import SegmentError
from offlineseed.seed import SeekEntry, parse_seek_table, render_seek_table
from offlineseed.seed._seekable import FOOTER_BYTES, seek_table_length, table_length_of_footer

ENTRIES = (SeekEntry(100, 1000, 0xFFFFFFFF), SeekEntry(9, 0, 1), SeekEntry(2**32 - 1, 2**32 - 1, 0))


@pytest.mark.parametrize("entries", [(), ENTRIES[:1], ENTRIES], ids=["none", "one", "several"])
def test_seek_table_rendered_is_parsed(entries):
    table = render_seek_table(entries)
    assert len(table) == seek_table_length(len(entries))
    assert table_length_of_footer(table[-FOOTER_BYTES:]) == len(table)
    assert parse_seek_table(table) == entries


def test_seek_table_without_checksums_is_parsed():
    table = (
        b"\x5e\x2a\x4d\x18" + (8 + 9).to_bytes(4, "little")
        + (7).to_bytes(4, "little") + (70).to_bytes(4, "little")
        + (1).to_bytes(4, "little") + b"\0" + b"\xb1\xea\x92\x8f"
    )  # fmt: skip
    assert parse_seek_table(table) == (SeekEntry(7, 70, None),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: table[:-1], "magic"),
        (lambda table: b"", "cut off"),
        (lambda table: table[-8:], "cut off"),
        (lambda table: table[1:], "its footer says"),
        (lambda table: b"\0" + table[1:], "header"),
        (lambda table: table[:4] + b"\1" + table[5:], "header"),
        (lambda table: table[:-5] + b"\x84" + table[-4:], "reserved"),
        (lambda table: table[:-9] + b"\xff\xff\xff\xff" + table[-5:], "descriptor"),
    ],
    ids=[
        "last byte", "nothing", "shorter than a footer", "first byte", "magic", "frame length",
        "reserved bit", "too many frames",
    ],
)  # fmt: skip
def test_seek_table_damaged_is_refused(change, reason):
    with pytest.raises(SegmentError, match=reason):
        parse_seek_table(change(render_seek_table(ENTRIES)))


@pytest.fixture
def segment():
    chosen = random.Random(3)
    contents = [chosen.randbytes(length) for length in (1, 100_000, 7, 65536, 300)]
    frames = [zstandard.compress(content) for content in contents]
    entries = [
        SeekEntry(len(frame), len(content), xxhash.xxh64_intdigest(content) & 0xFFFFFFFF)
        for frame, content in zip(frames, contents, strict=True)
    ]
    return b"".join(frames) + render_seek_table(entries), b"".join(contents)


def test_other_peoples_seekable_reader_reads_any_offset(segment):
    data, content = segment
    chosen = random.Random(4)
    with pyzstd.SeekableZstdFile(io.BytesIO(data)) as file:
        for offset in [0, 1, 100_001, len(content) - 1, len(content)] + [
            chosen.randrange(len(content)) for _ in range(50)
        ]:
            file.seek(offset)
            assert file.read(999) == content[offset : offset + 999]


def test_zstd_tool_passes_over_the_seek_table(segment):
    if shutil.which("zstd") is None:
        pytest.skip("the zstd tool is not installed")
    data, content = segment
    run = subprocess.run(["zstd", "-d", "-q"], input=data, stdout=subprocess.PIPE, check=True)
    assert run.stdout == content


def test_tables_of_another_writer_are_parsed():
    out = io.BytesIO()
    with pyzstd.SeekableZstdFile(out, "w", max_frame_content_size=1000) as file:
        file.write(b"x" * 5500)
    data = out.getvalue()
    length = table_length_of_footer(data[-FOOTER_BYTES:])
    entries = parse_seek_table(data[-length:])
    assert sum(entry.length for entry in entries) == 5500
    assert sum(entry.stored for entry in entries) + length == len(data)
