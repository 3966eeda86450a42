"""
Making a disk with one data partition.
"""

from __future__ import annotations

import struct
import uuid
import zlib

from offlineseed.errors import PartitionTableError
from offlineseed.partitions._models import (
    BASIC_DATA,
    ENTRY_BYTES,
    ENTRY_COUNT,
    FIRST_LBA,
    SECTOR_BYTES,
    GptPartition,
    PartitionTable,
)

__all__ = ["plan_data_partition", "render_partition_table"]

_ENTRIES_SECTORS = ENTRY_COUNT * ENTRY_BYTES // SECTOR_BYTES
_FIRST_USABLE_LBA = 2 + _ENTRIES_SECTORS


def plan_data_partition(
    disk_bytes: int,
    *,
    disk_guid: uuid.UUID,
    partition_guid: uuid.UUID,
    name: str = "Basic data partition",
) -> PartitionTable:
    """
    Plan one basic data partition: from LBA 2048 to the last whole mebibyte before the backup table.

    Deterministic: the same arguments give the same table.

    Raises:
        PartitionTableError: the disk has no whole mebibyte for a partition or is no multiple of 512
            bytes, or the name is too long.
    """
    if type(disk_bytes) is not int or disk_bytes % SECTOR_BYTES:
        raise PartitionTableError(
            f"a disk of {disk_bytes} bytes: the size is a multiple of {SECTOR_BYTES}"
        )
    empty = PartitionTable(disk_bytes=disk_bytes, disk_guid=disk_guid)
    end_lba = (empty.last_usable_lba + 1) // FIRST_LBA * FIRST_LBA
    if end_lba <= FIRST_LBA:
        raise PartitionTableError(
            f"a disk of {disk_bytes} bytes has no room for a partition: take one of 3 MiB or more"
        )
    return PartitionTable(
        disk_bytes=disk_bytes,
        disk_guid=disk_guid,
        partitions=(
            GptPartition(
                number=1,
                type_guid=BASIC_DATA,
                unique_guid=partition_guid,
                first_lba=FIRST_LBA,
                last_lba=end_lba - 1,
                name=name,
            ),
        ),
    )


def render_partition_table(table: PartitionTable) -> tuple[tuple[int, bytes], ...]:
    """
    Return the bytes of a table as (offset, bytes) pieces: the disk's head, then its tail.

    The head is the first MiB: protective MBR, primary table, zeros. The tail is what follows the
    last partition's last whole mebibyte, at most 2 MiB: zeros, backup table. The zeros take away
    what another tool would recognise of the disk's former life.

    Raises:
        PartitionTableError: partitions overlap, or one lies outside what the table may divide.
    """
    _require_layout(table)
    sectors = table.disk_bytes // SECTOR_BYTES
    entries = _entries(table)
    entries_crc = zlib.crc32(entries)
    primary = _header(table, entries_crc, own=1, other=sectors - 1, entries_lba=2)
    backup = _header(
        table,
        entries_crc,
        own=sectors - 1,
        other=1,
        entries_lba=sectors - 1 - _ENTRIES_SECTORS,
    )
    head = _protective_mbr(sectors) + primary.ljust(SECTOR_BYTES, b"\0") + entries
    tail = entries + backup.ljust(SECTOR_BYTES, b"\0")
    first = min((p.first_lba for p in table.partitions), default=_FIRST_USABLE_LBA)
    end = max((p.last_lba for p in table.partitions), default=table.last_usable_lba) + 1
    head = head.ljust(min(first, FIRST_LBA) * SECTOR_BYTES, b"\0")
    start_lba = max(end, table.last_usable_lba + 1 - FIRST_LBA)
    tail = tail.rjust((sectors - start_lba) * SECTOR_BYTES, b"\0")
    return (0, head), (start_lba * SECTOR_BYTES, tail)


def _require_layout(table: PartitionTable) -> None:
    if table.disk_bytes % SECTOR_BYTES or table.last_usable_lba < _FIRST_USABLE_LBA:
        raise PartitionTableError(
            f"a disk of {table.disk_bytes} bytes can't carry a GUID partition table"
        )
    if len({p.number for p in table.partitions}) != len(table.partitions) or any(
        not 1 <= p.number <= ENTRY_COUNT for p in table.partitions
    ):
        raise PartitionTableError(f"partition numbers are 1 to {ENTRY_COUNT}, each once")
    end = _FIRST_USABLE_LBA
    for partition in sorted(table.partitions, key=lambda p: p.first_lba):
        if partition.first_lba < end or not (
            partition.first_lba <= partition.last_lba <= table.last_usable_lba
        ):
            raise PartitionTableError(
                f"partition {partition.number} (sectors {partition.first_lba} to "
                f"{partition.last_lba}) overlaps another, the table, or the disk's end"
            )
        end = partition.last_lba + 1


def _protective_mbr(sectors: int) -> bytes:
    # One partition of type 0xEE over the whole disk, for tools that know no GPT.
    size = min(sectors - 1, 0xFFFFFFFF)
    entry = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, size)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def _entries(table: PartitionTable) -> bytes:
    entries = bytearray(ENTRY_COUNT * ENTRY_BYTES)
    for partition in table.partitions:
        struct.pack_into(
            "<16s16sQQQ72s",
            entries,
            (partition.number - 1) * ENTRY_BYTES,
            partition.type_guid.bytes_le,
            partition.unique_guid.bytes_le,
            partition.first_lba,
            partition.last_lba,
            partition.attributes,
            partition.name.encode("utf-16-le", "surrogatepass"),
        )
    return bytes(entries)


def _header(
    table: PartitionTable, entries_crc: int, *, own: int, other: int, entries_lba: int
) -> bytes:
    def packed(crc: int) -> bytes:
        return struct.pack(
            "<8sIIIIQQQQ16sQIII",
            b"EFI PART",
            0x00010000,
            92,
            crc,
            0,
            own,
            other,
            _FIRST_USABLE_LBA,
            table.last_usable_lba,
            table.disk_guid.bytes_le,
            entries_lba,
            ENTRY_COUNT,
            ENTRY_BYTES,
            entries_crc,
        )

    return packed(zlib.crc32(packed(0)))
