"""
What lies on a disk, and whether it may be overwritten.
"""

from __future__ import annotations

from collections.abc import Callable

from offlineseed.errors import ConsentError, PartitionTableError
from offlineseed.findings import Finding, Severity
from offlineseed.partitions._gpt import GptHalf, check_halves, read_gpt_half
from offlineseed.partitions._mbr import PROTECTIVE_KIND, mbr_entries, read_mbr
from offlineseed.partitions._models import (
    FIRST_LBA,
    SECTOR_BYTES,
    DiskPartitions,
    PartitionFound,
    PartitionScheme,
)

__all__ = ["read_partitions", "require_overwritable"]

# Formats that may have a disk to themselves: (offset, magic, what it is).
_WHOLE_DISK_FORMATS = (
    (3, b"-FVE-FS-", "BitLocker"),
    (3, b"NTFS    ", "NTFS"),
    (3, b"EXFAT   ", "exFAT"),
    (3, b"ReFS", "ReFS"),
    (54, b"FAT", "FAT"),
    (82, b"FAT32", "FAT32"),
    (0, b"LUKS\xba\xbe", "LUKS"),
    (0, b"XFSB", "XFS"),
    (512, b"LABELONE", "LVM"),
    (1080, b"\x53\xef", "ext2, ext3 or ext4"),
    (65600, b"_BHRfS_M", "Btrfs"),
)
_4KN_HEADER_BYTES = 4096


def read_partitions(read: Callable[[int, int], bytes], disk_bytes: int) -> DiskPartitions:
    """
    Find what a disk has: partitions by MBR or GPT, or a volume that has the disk to itself.

    Damage never raises: it is a finding, and what a damaged table still names is listed. Reads at
    most some 3 MiB.

    Args:
        read: gives that many bytes from that offset; what it raises passes through.
        disk_bytes: the disk's size.

    Raises:
        PartitionTableError: `read` gave another number of bytes.
    """

    def exactly(offset: int, length: int) -> bytes:
        data = bytes(read(offset, length))
        if len(data) != length:
            raise PartitionTableError(
                f"the disk gave {len(data)} of {length} bytes at {offset}: is its size right?"
            )
        return data

    head = exactly(0, min(disk_bytes, FIRST_LBA * SECTOR_BYTES))
    if len(head) < 3 * SECTOR_BYTES:
        return DiskPartitions(scheme=PartitionScheme.NONE, findings=_unknown_content(head))
    last_lba = disk_bytes // SECTOR_BYTES - 1
    primary, primary_findings = read_gpt_half(exactly, disk_bytes, lba=1, name="primary GPT")
    backup, backup_findings = read_gpt_half(exactly, disk_bytes, lba=last_lba, name="backup GPT")
    if backup is None and primary and primary.is_sound and primary.other_lba != last_lba:
        # The disk has grown since.
        backup, backup_findings = read_gpt_half(
            exactly, disk_bytes, lba=primary.other_lba, name="backup GPT"
        )
    entries = mbr_entries(head)
    volume = _whole_disk_volume(head, disk_bytes)
    if primary or (backup and volume is None and not _has_own_partitions(entries)):
        gpt = _gpt(primary, backup, last_lba)
        return DiskPartitions(
            scheme=PartitionScheme.GPT,
            partitions=gpt.partitions,
            table=gpt.table,
            findings=(
                *primary_findings,
                *backup_findings,
                *gpt.findings,
                *_protective_findings(entries),
            ),
        )
    findings = list(backup_findings)
    if backup is not None:
        # Somebody made another table or volume and left the old table's end behind.
        found = _found_in_gpt(backup)
    elif head[_4KN_HEADER_BYTES : _4KN_HEADER_BYTES + 8] == b"EFI PART":
        findings.append(_4kn_finding())
        found = ()
    else:
        found = ()
    volumes = () if volume is None else (volume,)
    if entries is not None and _has_own_partitions(entries):
        partitions, mbr_findings = read_mbr(exactly, disk_bytes, entries)
        return DiskPartitions(
            scheme=PartitionScheme.MBR,
            partitions=(*partitions, *volumes, *found),
            findings=(*findings, *mbr_findings),
        )
    if not volumes and not findings:
        findings += _unknown_content(head)
    return DiskPartitions(
        scheme=PartitionScheme.NONE, partitions=(*volumes, *found), findings=tuple(findings)
    )


def require_overwritable(
    disk: DiskPartitions,
    *,
    drive_id: str,
    size_bytes: int,
    consented_drive_id: str | None = None,
    consented_size_bytes: int | None = None,
) -> None:
    """
    Refuse to overwrite a disk that has anything on it unless the consent names exactly this disk.

    A blank disk needs no consent, but a consent that names another disk is refused in any case.

    Raises:
        ConsentError: says what is on the disk.
    """
    is_named = (consented_drive_id, consented_size_bytes) == (drive_id, size_bytes)
    if is_named or (disk.is_blank and consented_drive_id is None and consented_size_bytes is None):
        return
    what = "; ".join(
        (*(str(partition) for partition in disk.partitions), *(str(f) for f in disk.findings))
    )
    raise ConsentError(
        f"drive {drive_id!r} of {size_bytes} bytes would be overwritten, and the consent does not "
        f"name it by this id and size. It has: {what or 'nothing'}"
    )


def _has_own_partitions(entries: list[tuple[int, int, int]] | None) -> bool:
    return any(kind not in (0, PROTECTIVE_KIND) for kind, _, _ in entries or ())


def _gpt(primary: GptHalf | None, backup: GptHalf | None, last_lba: int) -> DiskPartitions:
    halves = [half for half in (primary, backup) if half is not None]
    best = next((half for half in halves if half.is_sound), halves[0])
    return DiskPartitions(
        scheme=PartitionScheme.GPT,
        partitions=_found_in_gpt(best),
        table=best.table if best.is_sound else None,
        findings=tuple(check_halves(primary, backup, last_lba)),
    )


def _found_in_gpt(half: GptHalf) -> tuple[PartitionFound, ...]:
    return tuple(
        PartitionFound(
            scheme=PartitionScheme.GPT,
            number=partition.number,
            kind=str(partition.type_guid),
            offset_bytes=partition.offset_bytes,
            length_bytes=max(0, partition.length_bytes),
            name=partition.name,
        )
        for partition in half.table.partitions
    )


def _protective_findings(entries: list[tuple[int, int, int]] | None) -> tuple[Finding, ...]:
    kinds = [kind for kind, _, _ in entries or () if kind]
    if kinds == [PROTECTIVE_KIND]:
        return ()
    if PROTECTIVE_KIND in kinds:
        return (
            Finding(
                code="mbr-hybrid",
                subject="MBR",
                message="the MBR has partitions of its own beside the protective one",
                severity=Severity.WARNING,
            ),
        )
    return (
        Finding(
            code="mbr-not-protective",
            subject="MBR",
            message="the MBR does not protect the GUID partition table from tools that know none",
        ),
    )


def _whole_disk_volume(head: bytes, disk_bytes: int) -> PartitionFound | None:
    for offset, magic, kind in _WHOLE_DISK_FORMATS:
        if head[offset : offset + len(magic)] == magic:
            return PartitionFound(
                scheme=PartitionScheme.NONE,
                number=0,
                kind=kind,
                offset_bytes=0,
                length_bytes=disk_bytes,
            )
    return None


def _4kn_finding() -> Finding:
    return Finding(
        code="sector-size-4096",
        subject="primary GPT",
        message="the table is of a disk with 4096-byte sectors, which the service does not take",
    )


def _unknown_content(head: bytes) -> tuple[Finding, ...]:
    if head.count(0) == len(head):
        return ()
    return (
        Finding(
            code="content-unknown",
            subject="disk",
            message="its first mebibyte is not empty and of no known format",
            severity=Severity.WARNING,
        ),
    )
