"""
Reading GUID partition tables that may be damaged, or were never meant to be read.
"""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Callable, Iterator
from typing import final

import attrs

from offlineseed.findings import Finding, Severity
from offlineseed.partitions._models import SECTOR_BYTES, GptPartition, PartitionTable

__all__ = ["GptHalf", "check_halves", "read_gpt_half"]

_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_MAXIMUM_ENTRIES_BYTES = 1024 * 1024


@final
@attrs.frozen(kw_only=True)
class GptHalf:
    """
    The primary or the backup table as far as it can be read.
    """

    is_sound: bool
    """Whether both checksums hold and all places make sense."""
    table: PartitionTable
    """What it says, sound or not; without partitions where the entries can't be read."""
    first_usable_lba: int
    """The first sector that a partition may have."""
    last_usable_lba: int
    """The last sector that a partition may have."""
    other_lba: int
    """Where it says that the other half is."""
    entries_crc: int
    """The entries' checksum by the header."""


def read_gpt_half(
    read: Callable[[int, int], bytes], disk_bytes: int, *, lba: int, name: str
) -> tuple[GptHalf | None, list[Finding]]:
    """
    Read the half whose header is at that sector; None where there is no header at all.

    Returns at most 1 MiB worth of entries; the findings' subject is `name`.
    """
    findings: list[Finding] = []

    def found(code: str, message: str) -> None:
        findings.append(Finding(code=code, subject=name, message=message))

    sector = read(lba * SECTOR_BYTES, SECTOR_BYTES)
    (
        signature,
        revision,
        header_bytes,
        crc,
        _reserved,
        own_lba,
        other_lba,
        first_usable,
        last_usable,
        disk_guid,
        entries_lba,
        count,
        entry_bytes,
        entries_crc,
    ) = _HEADER.unpack_from(sector)
    if signature != b"EFI PART":
        return None, findings
    last_lba = disk_bytes // SECTOR_BYTES - 1
    if revision >> 16 != 1:
        found("gpt-revision-unknown", f"the revision is {revision:#010x}, known is 0x00010000")
    if not _HEADER.size <= header_bytes <= SECTOR_BYTES:
        found("gpt-header-length", f"the header has {header_bytes} bytes, it may have 92 to 512")
    elif zlib.crc32(sector[:16] + bytes(4) + sector[20:header_bytes]) != crc:
        found("gpt-header-checksum", "the header's checksum does not hold: it is damaged")
    if own_lba != lba:
        found("gpt-header-place", f"the header says it is at sector {own_lba}, it is at {lba}")
    if not 0 < other_lba <= last_lba:
        found("gpt-other-place", f"the other half would be at sector {other_lba}, off the disk")
    if not 2 <= first_usable <= last_usable <= last_lba:
        found("gpt-usable-range", f"sectors {first_usable} to {last_usable} are no usable range")
    entries = b""
    if (
        entry_bytes < _ENTRY.size
        or entry_bytes & (entry_bytes - 1)
        or not 1 <= count * entry_bytes <= _MAXIMUM_ENTRIES_BYTES
    ):
        found("gpt-entries-shape", f"{count} entries of {entry_bytes} bytes are no table")
    elif entries_lba < 2 or (
        entries_lba * SECTOR_BYTES + count * entry_bytes > disk_bytes - disk_bytes % SECTOR_BYTES
    ):
        found("gpt-entries-place", f"the entries would be at sector {entries_lba}, off the disk")
    else:
        entries = read(entries_lba * SECTOR_BYTES, count * entry_bytes)
        if zlib.crc32(entries) != entries_crc:
            found("gpt-entries-checksum", "the entries' checksum does not hold: they are damaged")
    half = GptHalf(
        is_sound=not findings,
        table=PartitionTable(
            disk_bytes=disk_bytes,
            disk_guid=uuid.UUID(bytes_le=disk_guid),
            partitions=_partitions(entries, entry_bytes),
        ),
        first_usable_lba=first_usable,
        last_usable_lba=last_usable,
        other_lba=other_lba,
        entries_crc=entries_crc,
    )
    findings += _check_partitions(half, name)
    return half, findings


def _partitions(entries: bytes, entry_bytes: int) -> Iterator[GptPartition]:
    for index in range(len(entries) // entry_bytes if entries else 0):
        kind, unique, first, last, attributes, name = _ENTRY.unpack_from(
            entries, index * entry_bytes
        )
        if any(kind):
            yield GptPartition(
                number=index + 1,
                type_guid=uuid.UUID(bytes_le=kind),
                unique_guid=uuid.UUID(bytes_le=unique),
                first_lba=first,
                last_lba=last,
                name=name.decode("utf-16-le", "surrogatepass").partition("\0")[0],
                attributes=attributes,
            )


def _check_partitions(half: GptHalf, name: str) -> Iterator[Finding]:
    def finding(code: str, message: str) -> Finding:
        return Finding(code=code, subject=name, message=message)

    end = half.first_usable_lba
    seen: set[uuid.UUID] = set()
    for partition in sorted(half.table.partitions, key=lambda p: (p.first_lba, p.number)):
        what = f"partition {partition.number}"
        if (
            not half.first_usable_lba
            <= partition.first_lba
            <= partition.last_lba
            <= (half.last_usable_lba)
        ):
            yield finding(
                "gpt-partition-place",
                f"{what} has the sectors {partition.first_lba} to {partition.last_lba}, "
                f"usable are {half.first_usable_lba} to {half.last_usable_lba}",
            )
        elif partition.first_lba < end:
            yield finding("gpt-partition-overlap", f"{what} overlaps the one before it")
        end = max(end, partition.last_lba + 1)
        if partition.unique_guid in seen:
            yield finding("gpt-partition-id", f"{what} has the id of another partition")
        seen.add(partition.unique_guid)


def check_halves(
    primary: GptHalf | None, backup: GptHalf | None, last_lba: int
) -> Iterator[Finding]:
    """
    Compare the two halves of a table with each other and with the disk.
    """
    for half, name, other in (
        (primary, "primary GPT", "backup"),
        (backup, "backup GPT", "primary"),
    ):
        if half is None:
            yield Finding(
                code="gpt-half-missing",
                subject=name,
                message=f"there is no header, the {other} has one: the table was damaged",
            )
    if primary is None or backup is None or not (primary.is_sound and backup.is_sound):
        return
    if primary.other_lba != last_lba:
        yield Finding(
            code="gpt-backup-place",
            subject="primary GPT",
            message=(
                f"the backup is said to be at sector {primary.other_lba}, the last is {last_lba}"
            ),
            severity=Severity.WARNING,
        )
    if (primary.table.disk_guid, primary.entries_crc) != (
        backup.table.disk_guid,
        backup.entries_crc,
    ):
        yield Finding(
            code="gpt-halves-differ",
            subject="backup GPT",
            message="the primary and the backup table say different things",
        )
