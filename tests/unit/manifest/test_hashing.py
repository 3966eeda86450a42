import hashlib

import pytest

from offlineseed.errors import ManifestError
from offlineseed.manifest import (
    BLOCK_BYTES,
    Block,
    BlockHasher,
    PageHasher,
    PageRange,
    block_id,
    manifest_hash,
)

MIB = 1024 * 1024


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest().upper()


def ranges_of(data: bytes, **options) -> tuple[PageRange, ...]:
    hasher = PageHasher(**options)
    hasher.update(data)
    return hasher.finish()


def test_block_hasher_worked_example_gives_its_blocks():
    hasher = BlockHasher(block_bytes=6)
    hasher.update(b"0123456789")
    assert hasher.finish() == (
        Block(offset=0, length=6, id="AAAAAA==", hash="D6A9A933C8AAFC51E55AC0662B6E4D4A"),
        Block(offset=6, length=4, id="AQAAAA==", hash="46D045FF5190F6EA93739DA6C0AA19BC"),
    )


def test_block_hasher_default_parts_at_four_mebibytes():
    data = bytes(range(256)) * (BLOCK_BYTES // 256) + b"tail"
    hasher = BlockHasher()
    hasher.update(data)
    assert [(b.offset, b.length, b.hash) for b in hasher.finish()] == [
        (0, BLOCK_BYTES, md5(data[:BLOCK_BYTES])),
        (BLOCK_BYTES, 4, md5(b"tail")),
    ]
    assert hasher.length == BLOCK_BYTES + 4


def test_block_hasher_empty_stream_gives_no_blocks():
    hasher = BlockHasher()
    hasher.update(b"")
    assert hasher.finish() == ()


def test_block_hasher_without_ids_gives_none():
    hasher = BlockHasher(with_ids=False)
    hasher.update(b"x")
    assert [block.id for block in hasher.finish()] == [None]


def test_block_hasher_takes_any_buffer():
    hasher = BlockHasher(block_bytes=8)
    hasher.update(bytearray(b"0123"))
    hasher.update(memoryview(b"4567").cast("I"))
    assert [block.hash for block in hasher.finish()] == [md5(b"01234567")]


@pytest.mark.parametrize("size", [0, -1, BLOCK_BYTES + 1])
def test_block_hasher_block_size_out_of_bounds_is_refused(size):
    with pytest.raises(ManifestError, match="a block has"):
        BlockHasher(block_bytes=size)


def test_block_id_counts_little_endian():
    assert [block_id(index) for index in (0, 1, 2, 49_999)] == [
        "AAAAAA==",
        "AQAAAA==",
        "AgAAAA==",
        "T8MAAA==",
    ]


def test_manifest_hash_is_upper_case_md5():
    assert manifest_hash(b"") == "D41D8CD98F00B204E9800998ECF8427E"


def test_page_hasher_worked_example_gives_its_range():
    assert ranges_of(bytes(512) + b"A" * 512 + bytes(512)) == (
        PageRange(offset=512, length=512, hash="DC5086B847289BA8B8BDE149B8388175"),
    )


def test_page_hasher_zeros_only_gives_no_range():
    assert ranges_of(bytes(3 * MIB)) == ()


def test_page_hasher_long_zero_run_is_a_gap():
    data = b"A" * 512 + bytes(MIB) + b"B" * 1024 + bytes(512)
    assert ranges_of(data) == (
        PageRange(offset=0, length=512, hash=md5(b"A" * 512)),
        PageRange(offset=512 + MIB, length=1024, hash=md5(b"B" * 1024)),
    )


def test_page_hasher_short_zero_run_stays_in_the_range():
    data = b"A" * 512 + bytes(MIB - 512) + b"B" * 512
    assert ranges_of(data) == (PageRange(offset=0, length=len(data), hash=md5(data)),)


def test_page_hasher_smallest_gap_parts_every_zero_page():
    data = (b"A" * 512 + bytes(512)) * 3
    assert [r.offset for r in ranges_of(data, minimum_gap_bytes=512)] == [0, 1024, 2048]


def test_page_hasher_long_data_parts_at_the_longest_range():
    data = b"x" * (2 * BLOCK_BYTES + 512)
    assert [(r.offset, r.length) for r in ranges_of(data)] == [
        (0, BLOCK_BYTES),
        (BLOCK_BYTES, BLOCK_BYTES),
        (2 * BLOCK_BYTES, 512),
    ]


def test_page_hasher_page_with_one_byte_set_is_data():
    data = bytes(511) + b"\1" + bytes(MIB * 2) + b"\1" + bytes(511)
    assert [(r.offset, r.length) for r in ranges_of(data)] == [(0, 512), (512 + 2 * MIB, 512)]


def test_page_hasher_odd_length_is_refused():
    hasher = PageHasher()
    hasher.update(b"x" * 513)
    assert hasher.length == 513
    with pytest.raises(ManifestError, match="multiple of 512 bytes, not 513"):
        hasher.finish()


@pytest.mark.parametrize(
    "options",
    [
        {"range_bytes": 513},
        {"range_bytes": 0},
        {"range_bytes": BLOCK_BYTES + 512},
        {"minimum_gap_bytes": 0},
        {"minimum_gap_bytes": 1000},
    ],
    ids=str,
)
def test_page_hasher_argument_out_of_bounds_is_refused(options):
    with pytest.raises(ManifestError):
        PageHasher(**options)
