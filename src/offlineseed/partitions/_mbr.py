"""
Reading master boot records, extended partitions included.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from offlineseed.findings import Finding, Severity
from offlineseed.partitions._models import SECTOR_BYTES, PartitionFound, PartitionScheme

__all__ = ["PROTECTIVE_KIND", "mbr_entries", "read_mbr"]

PROTECTIVE_KIND = 0xEE
"""The type that stands for a GUID partition table."""

_EXTENDED_KINDS = (0x05, 0x0F, 0x85)
_MAXIMUM_LOGICAL = 128


def mbr_entries(sector: bytes) -> list[tuple[int, int, int]] | None:
    """
    Return the four entries of a boot record as (type, first sector, sectors).

    None where the sector is no master boot record: a volume's boot sector has the same signature,
    but rarely four bytes that are status bytes.
    """
    if sector[510:512] != b"\x55\xaa":
        return None
    entries = []
    for offset in range(446, 510, 16):
        status, kind, first, count = struct.unpack_from("<B3xB3xII", sector, offset)
        if status not in (0x00, 0x80):
            return None
        entries.append((kind, first, count))
    return entries


def read_mbr(
    read: Callable[[int, int], bytes], disk_bytes: int, entries: list[tuple[int, int, int]]
) -> tuple[list[PartitionFound], list[Finding]]:
    """
    List the partitions of a master boot record; logical ones have numbers from 5.

    Follows at most 128 links of an extended partition.
    """
    found: list[PartitionFound] = []
    findings: list[Finding] = []
    for number, (kind, first, count) in enumerate(entries, 1):
        if not kind or kind == PROTECTIVE_KIND:
            continue
        found.append(_partition(number, kind, first, count))
        if kind in _EXTENDED_KINDS:
            logical = _logical(read, disk_bytes, first, findings)
            found += [
                _partition(5 + index, *entry) for index, entry in enumerate(logical, _count(found))
            ]
    findings += [
        Finding(
            code="mbr-partition-place",
            subject="MBR",
            message=f"partition {p.number} ends at {p.offset_bytes + p.length_bytes}, "
            f"the disk at {disk_bytes}",
            severity=Severity.WARNING,
        )
        for p in found
        if p.offset_bytes + p.length_bytes > disk_bytes
    ]
    return found, findings


def _count(found: list[PartitionFound]) -> int:
    return sum(partition.number >= 5 for partition in found)


def _partition(number: int, kind: int, first: int, count: int) -> PartitionFound:
    return PartitionFound(
        scheme=PartitionScheme.MBR,
        number=number,
        kind=f"{kind:#04x}",
        offset_bytes=first * SECTOR_BYTES,
        length_bytes=count * SECTOR_BYTES,
    )


def _logical(
    read: Callable[[int, int], bytes], disk_bytes: int, base: int, findings: list[Finding]
) -> Iterator[tuple[int, int, int]]:
    lba = base
    for _ in range(_MAXIMUM_LOGICAL):
        record = None
        if 0 < lba < disk_bytes // SECTOR_BYTES:
            record = mbr_entries(read(lba * SECTOR_BYTES, SECTOR_BYTES))
        if record is None:
            findings.append(_chain_finding(f"there is no boot record at sector {lba}"))
            return
        kind, first, count = record[0]
        if kind:
            yield kind, lba + first, count
        next_kind, step, _count_of_next = record[1]
        if not next_kind:
            return
        lba = base + step
    findings.append(_chain_finding(f"the chain has more than {_MAXIMUM_LOGICAL} links"))


def _chain_finding(message: str) -> Finding:
    return Finding(
        code="mbr-extended-chain", subject="MBR", message=f"extended partition: {message}"
    )
