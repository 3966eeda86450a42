import struct
import uuid
import zlib

import pytest

from offlineseed.errors import PartitionTableError
from offlineseed.partitions import (
    BASIC_DATA,
    GptPartition,
    PartitionTable,
    plan_data_partition,
    render_partition_table,
)

MIB = 1024**2
DISK_GUID = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
PARTITION_GUID = uuid.UUID("fedcba98-7654-3210-fedc-ba9876543210")


def plan(disk_bytes, **options) -> PartitionTable:
    return plan_data_partition(
        disk_bytes, disk_guid=DISK_GUID, partition_guid=PARTITION_GUID, **options
    )


def image(table: PartitionTable) -> bytearray:
    disk = bytearray(b"\xaa" * table.disk_bytes)
    for offset, data in render_partition_table(table):
        disk[offset : offset + len(data)] = data
    return disk


def test_plan_partition_is_aligned_at_both_ends():
    (partition,) = plan(64 * MIB).partitions
    assert partition.type_guid == BASIC_DATA
    assert partition.offset_bytes == MIB
    assert partition.length_bytes == 62 * MIB
    assert partition.name == "Basic data partition"


@pytest.mark.parametrize(
    ("disk_bytes", "end"),
    [
        (3 * MIB, 2 * MIB),
        (10 * MIB + 33 * 512, 10 * MIB),
        (10 * MIB + 32 * 512, 9 * MIB),
        (8_001_563_222_016, 8_001_562_869_760),
    ],
)
def test_plan_partition_ends_at_the_last_whole_mebibyte(disk_bytes, end):
    (partition,) = plan(disk_bytes).partitions
    assert partition.offset_bytes + partition.length_bytes == end
    assert partition.last_lba <= plan(disk_bytes).last_usable_lba


@pytest.mark.parametrize("disk_bytes", [0, 512, 2 * MIB, 2 * MIB + 32 * 512, 64 * MIB + 1, -512])
def test_plan_disk_of_impossible_size_is_refused(disk_bytes):
    with pytest.raises(PartitionTableError):
        plan(disk_bytes)


def test_plan_name_too_long_is_refused():
    with pytest.raises(PartitionTableError, match="36 characters"):
        plan(64 * MIB, name="x" * 37)


def test_render_is_deterministic_and_touches_only_what_is_no_partition():
    table = plan(64 * MIB)
    head, tail = render_partition_table(table)
    assert render_partition_table(plan(64 * MIB)) == (head, tail)
    assert (head[0], len(head[1])) == (0, MIB)
    assert (tail[0], len(tail[1])) == (63 * MIB, MIB)


def test_render_bytes_are_those_of_the_specification():
    disk = image(plan(64 * MIB))
    sectors = 64 * MIB // 512
    assert disk[510:512] == b"\x55\xaa"
    assert disk[446:462] == struct.pack(
        "<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, sectors - 1
    )
    assert not any(disk[:446])
    assert not any(disk[462:510])
    entries = disk[1024 : 1024 + 16384]
    for lba, other, entries_lba in ((1, sectors - 1, 2), (sectors - 1, 1, sectors - 33)):
        header = disk[lba * 512 : lba * 512 + 512]
        assert header[:8] == b"EFI PART"
        crc = struct.unpack_from("<I", header, 16)[0]
        assert crc == zlib.crc32(header[:16] + bytes(4) + header[20:92])
        assert struct.unpack_from("<QQQQ", header, 24) == (lba, other, 34, sectors - 34)
        assert header[56:72] == DISK_GUID.bytes_le
        assert struct.unpack_from("<QIII", header, 72) == (
            entries_lba,
            128,
            128,
            zlib.crc32(entries),
        )
        assert not any(header[92:])
        assert disk[entries_lba * 512 : entries_lba * 512 + 16384] == entries
    assert entries[:16] == BASIC_DATA.bytes_le == bytes.fromhex("a2a0d0ebe5b9334487c068b6b72699c7")
    assert entries[16:32] == PARTITION_GUID.bytes_le
    assert struct.unpack_from("<QQQ", entries, 32) == (2048, 63 * MIB // 512 - 1, 0)
    assert entries[56:128].decode("utf-16-le").rstrip("\0") == "Basic data partition"
    assert not any(entries[128:])


def test_render_disk_beyond_two_tebibytes_caps_the_protective_partition():
    (_, head), _tail = render_partition_table(plan(4 * 1024**4))
    assert struct.unpack_from("<I", head, 458) == (0xFFFFFFFF,)


def entry(number, first, last) -> GptPartition:
    return GptPartition(
        number=number,
        type_guid=BASIC_DATA,
        unique_guid=uuid.UUID(int=number),
        first_lba=first,
        last_lba=last,
    )


@pytest.mark.parametrize(
    "partitions",
    [
        [entry(1, 33, 100)],
        [entry(1, 2048, 2047)],
        [entry(1, 2048, 64 * 2048 - 34 + 1)],
        [entry(1, 2048, 4095), entry(2, 4095, 5000)],
        [entry(1, 2048, 4095), entry(1, 4096, 5000)],
        [entry(129, 2048, 4095)],
        [entry(0, 2048, 4095)],
    ],
)
def test_render_partition_out_of_place_is_refused(partitions):
    table = PartitionTable(disk_bytes=64 * MIB, disk_guid=DISK_GUID, partitions=partitions)
    with pytest.raises(PartitionTableError):
        render_partition_table(table)


@pytest.mark.parametrize("lba", [-1, 2**64])
def test_partition_sector_that_has_no_place_is_refused(lba):
    with pytest.raises(PartitionTableError):
        entry(1, lba, lba)
