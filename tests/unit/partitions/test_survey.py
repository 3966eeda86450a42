import random
import struct
import uuid
import zlib

import pytest

from offlineseed.errors import ConsentError, PartitionTableError
from offlineseed.partitions import (
    BASIC_DATA,
    GptPartition,
    PartitionFound,
    PartitionScheme,
    PartitionTable,
    plan_data_partition,
    read_partitions,
    render_partition_table,
    require_overwritable,
)

MIB = 1024**2
SIZE = 8 * MIB
LAST = SIZE // 512 - 1


def write(table: PartitionTable) -> bytearray:
    disk = bytearray(table.disk_bytes)
    for offset, data in render_partition_table(table):
        disk[offset : offset + len(data)] = data
    return disk


def our_table(size=SIZE) -> PartitionTable:
    return plan_data_partition(
        size, disk_guid=uuid.UUID(int=1), partition_guid=uuid.UUID(int=2), name="data"
    )


def survey(disk, size=None):
    return read_partitions(
        lambda offset, length: bytes(disk[offset : offset + length]), size or len(disk)
    )


def codes(found) -> list[str]:
    return [finding.code for finding in found.findings]


def fix_header(disk, lba):
    """Make a header's checksum hold again after a change."""
    start = lba * 512
    struct.pack_into("<I", disk, start + 16, 0)
    struct.pack_into("<I", disk, start + 16, zlib.crc32(disk[start : start + 92]))


def mbr(*entries) -> bytes:
    sector = bytearray(512)
    for index, (kind, first, count) in enumerate(entries):
        struct.pack_into("<B3xB3xII", sector, 446 + 16 * index, 0, kind, first, count)
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


def test_survey_of_our_disk_gives_the_table_back():
    found = survey(write(our_table()))
    assert found.scheme is PartitionScheme.GPT
    assert found.table == our_table()
    assert found.findings == ()
    assert not found.is_blank
    (partition,) = found.partitions
    assert partition == PartitionFound(
        scheme=PartitionScheme.GPT,
        number=1,
        kind=str(BASIC_DATA),
        offset_bytes=MIB,
        length_bytes=6 * MIB,
        name="data",
    )
    assert str(partition) == f"1: {BASIC_DATA} 'data', {6 * MIB} bytes at {MIB}"


@pytest.mark.parametrize("size", [0, 100, 1024, 1536, MIB, SIZE])
def test_survey_of_zeros_is_blank(size):
    found = read_partitions(lambda offset, length: bytes(length), size)
    assert found.is_blank
    assert found.scheme is PartitionScheme.NONE


def test_survey_of_unknown_content_is_not_blank():
    found = survey(random.Random(1).randbytes(SIZE))
    assert codes(found) == ["content-unknown"]
    assert not found.is_blank


@pytest.mark.parametrize("lba", [1, 2, LAST, LAST - 32])
def test_survey_damage_in_one_half_is_found_and_the_other_is_used(lba):
    disk = write(our_table())
    disk[lba * 512 + 60] ^= 1
    found = survey(disk)
    assert found.table == our_table()
    (code,) = codes(found)
    assert code in ("gpt-header-checksum", "gpt-entries-checksum")
    assert found.findings[0].subject == ("primary GPT" if lba < 100 else "backup GPT")


def test_survey_both_halves_damaged_still_lists_the_partitions():
    disk = write(our_table())
    disk[512 + 60] ^= 1
    disk[LAST * 512 + 60] ^= 1
    found = survey(disk)
    assert found.table is None
    assert [p.offset_bytes for p in found.partitions] == [MIB]
    assert codes(found) == ["gpt-header-checksum"] * 2


@pytest.mark.parametrize("lba", [1, LAST])
def test_survey_missing_half_is_found(lba):
    disk = write(our_table())
    disk[lba * 512 : lba * 512 + 512] = bytes(512)
    found = survey(disk)
    assert found.scheme is PartitionScheme.GPT
    assert found.table == our_table()
    assert "gpt-half-missing" in codes(found)


def test_survey_of_a_disk_that_grew_finds_the_backup_where_it_was():
    disk = write(our_table()) + bytes(MIB)
    found = survey(disk)
    assert [p.offset_bytes for p in found.partitions] == [MIB]
    assert codes(found) == ["gpt-backup-place"]


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [
        (8, struct.pack("<I", 0x00020000), "gpt-revision-unknown"),
        (12, struct.pack("<I", 91), "gpt-header-length"),
        (12, struct.pack("<I", 0xFFFFFFFF), "gpt-header-length"),
        (24, struct.pack("<Q", 5), "gpt-header-place"),
        (32, struct.pack("<Q", 2**63), "gpt-other-place"),
        (40, struct.pack("<Q", 0), "gpt-usable-range"),
        (48, struct.pack("<Q", 2**64 - 1), "gpt-usable-range"),
        (72, struct.pack("<Q", 2**63), "gpt-entries-place"),
        (72, struct.pack("<Q", 0), "gpt-entries-place"),
        (80, struct.pack("<I", 0), "gpt-entries-shape"),
        (80, struct.pack("<I", 2**32 - 1), "gpt-entries-shape"),
        (84, struct.pack("<I", 130), "gpt-entries-shape"),
        (84, struct.pack("<I", 64), "gpt-entries-shape"),
        (88, struct.pack("<I", 1), "gpt-entries-checksum"),
    ],
)
def test_survey_header_field_that_makes_no_sense_is_found(offset, value, code):
    disk = write(our_table())
    disk[512 + offset : 512 + offset + len(value)] = value
    fix_header(disk, 1)
    found = survey(disk)
    assert code in codes(found)
    assert found.table == our_table()


def test_survey_halves_that_differ_are_found():
    disk = write(our_table())
    disk[512 + 56] ^= 1
    fix_header(disk, 1)
    assert codes(survey(disk)) == ["gpt-halves-differ"]


def test_survey_partitions_out_of_place_are_found():
    table = PartitionTable(
        disk_bytes=SIZE,
        disk_guid=uuid.UUID(int=1),
        partitions=[
            GptPartition(
                number=number,
                type_guid=BASIC_DATA,
                unique_guid=uuid.UUID(int=9),
                first_lba=2048 * number,
                last_lba=2048 * number + 2047,
            )
            for number in (1, 2)
        ],
    )
    disk = write(table)
    for entries, header in ((1024, 1), ((LAST - 32) * 512, LAST)):
        struct.pack_into("<QQ", disk, entries + 128 + 32, 3000, 2**40)
        struct.pack_into("<QQ", disk, entries + 32, 2048, 3000)
        crc = zlib.crc32(disk[entries : entries + 16384])
        struct.pack_into("<I", disk, header * 512 + 88, crc)
        fix_header(disk, header)
    found = survey(disk)
    assert set(codes(found)) == {"gpt-partition-place", "gpt-partition-id"}
    struct.pack_into("<QQ", disk, 1024 + 128 + 32, 3000, 4000)
    assert "gpt-partition-overlap" in codes(survey(disk))


def test_survey_hybrid_and_missing_protection_are_found():
    disk = write(our_table())
    disk[:512] = mbr((0xEE, 1, 2047), (0x07, 2048, 100))
    assert codes(survey(disk)) == ["mbr-hybrid"]
    disk[:512] = bytes(512)
    assert codes(survey(disk)) == ["mbr-not-protective"]


def test_survey_of_an_mbr_lists_primary_and_logical_partitions():
    disk = bytearray(SIZE)
    disk[:512] = mbr((0x07, 63, 1000), (0x05, 4096, 8000))
    disk[4096 * 512 : 4097 * 512] = mbr((0x83, 63, 500), (0x05, 1000, 500))
    disk[5096 * 512 : 5097 * 512] = mbr((0x82, 63, 400))
    found = survey(disk)
    assert found.scheme is PartitionScheme.MBR
    assert found.findings == ()
    assert [(p.number, p.kind, p.offset_bytes // 512) for p in found.partitions] == [
        (1, "0x07", 63),
        (2, "0x05", 4096),
        (5, "0x83", 4159),
        (6, "0x82", 5159),
    ]


def test_survey_of_an_mbr_chain_that_loops_ends():
    disk = bytearray(SIZE)
    disk[:512] = mbr((0x0F, 4096, 8000))
    disk[4096 * 512 : 4097 * 512] = mbr((0x83, 63, 500), (0x05, 0, 500))
    found = survey(disk)
    assert codes(found) == ["mbr-extended-chain"]
    assert len(found.partitions) == 129


def test_survey_of_an_mbr_off_the_disk_is_found():
    disk = bytearray(SIZE)
    disk[:512] = mbr((0x05, 2**31, 8000), (0x07, 63, 2**32 - 1))
    assert sorted(codes(survey(disk))) == [
        "mbr-extended-chain",
        "mbr-partition-place",
        "mbr-partition-place",
    ]


def test_survey_of_an_mbr_over_an_old_gpt_lists_both():
    disk = write(our_table())
    disk[: 34 * 512] = bytes(34 * 512)
    disk[:512] = mbr((0x07, 63, 1000))
    found = survey(disk)
    assert found.scheme is PartitionScheme.MBR
    assert [p.scheme for p in found.partitions] == [PartitionScheme.MBR, PartitionScheme.GPT]


@pytest.mark.parametrize(
    ("offset", "magic", "kind"),
    [
        (3, b"-FVE-FS-", "BitLocker"),
        (3, b"NTFS    ", "NTFS"),
        (82, b"FAT32   ", "FAT32"),
        (0, b"LUKS\xba\xbe", "LUKS"),
        (1080, b"\x53\xef", "ext2, ext3 or ext4"),
    ],
)
def test_survey_of_a_volume_without_partitions_names_it(offset, magic, kind):
    disk = bytearray(SIZE)
    disk[510:512] = b"\x55\xaa"
    disk[offset : offset + len(magic)] = magic
    found = survey(disk)
    assert found.scheme is PartitionScheme.NONE
    assert [(p.kind, p.length_bytes) for p in found.partitions] == [(kind, SIZE)]
    assert not found.is_blank


def test_survey_of_a_disk_with_large_sectors_is_found():
    disk = bytearray(SIZE)
    disk[4096:4104] = b"EFI PART"
    assert codes(survey(disk)) == ["sector-size-4096"]


def test_survey_of_a_disk_that_gives_too_little_is_refused():
    with pytest.raises(PartitionTableError, match="is its size right"):
        survey(bytearray(SIZE), SIZE + MIB)


def test_require_overwritable_blank_disk_needs_no_consent():
    require_overwritable(
        read_partitions(lambda offset, length: bytes(length), SIZE), drive_id="A", size_bytes=SIZE
    )


def test_require_overwritable_full_disk_needs_its_own_name():
    disk = survey(write(our_table()))
    require_overwritable(
        disk, drive_id="A", size_bytes=SIZE, consented_drive_id="A", consented_size_bytes=SIZE
    )
    for consent in (
        {},
        {"consented_drive_id": "A"},
        {"consented_drive_id": "B", "consented_size_bytes": SIZE},
        {"consented_drive_id": "A", "consented_size_bytes": SIZE - 512},
    ):
        with pytest.raises(ConsentError, match="'data'"):
            require_overwritable(disk, drive_id="A", size_bytes=SIZE, **consent)


def test_require_overwritable_consent_for_another_disk_is_refused_even_for_a_blank_one():
    blank = read_partitions(lambda offset, length: bytes(length), SIZE)
    with pytest.raises(ConsentError, match="nothing"):
        require_overwritable(
            blank, drive_id="A", size_bytes=SIZE, consented_drive_id="B", consented_size_bytes=SIZE
        )
