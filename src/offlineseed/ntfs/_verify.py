"""
The verifier: a volume's structures against each other.

No public checker sees all of this: none looks at the order of a directory's entries, or at the
sizes that they repeat. It reads metadata only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from offlineseed.errors import NtfsError
from offlineseed.findings import Finding
from offlineseed.ntfs._decode import DATA
from offlineseed.ntfs._upcase import upcase_bytes
from offlineseed.ntfs._verify_index import verify_directories
from offlineseed.ntfs._verify_records import RecordTable
from offlineseed.ntfs._verify_report import Report
from offlineseed.ntfs._verify_system import (
    verify_boot_sectors,
    verify_cluster_bitmap,
    verify_mirror,
    verify_record_bitmap,
    verify_security,
    verify_volume_flags,
)
from offlineseed.ntfs._volume import Read, ReadVolume

__all__ = ["verify_volume"]

_UPCASE_RECORD = 10


def verify_volume(read: Read) -> tuple[Finding, ...]:
    """
    Check a volume; return everything that is wrong with it, nothing where all is well.

    Boot sectors, records and their fix-ups, run lists against the bitmap, the bitmap of records,
    the mirror, the order and shape of every directory, what directories repeat of their files, and
    the security descriptors. Errors of `read` pass through. Memory grows by some 40 bytes a file.

    Args:
        read: Reads a range of the volume: offset and length in bytes; returns exactly that.
    """
    report = Report()
    try:
        volume = ReadVolume(read)
        upcase = _read_upcase(volume, report)
    except NtfsError as e:
        report.error("volume-unreadable", e.context or "volume", str(e))
        return report.findings()
    table = RecordTable(volume, report, upcase)
    table.read()
    checks: list[tuple[str, Callable[[], None]]] = [
        ("boot sector", lambda: verify_boot_sectors(volume, report)),
        ("$Volume", lambda: verify_volume_flags(volume, report)),
        ("$MFTMirr", lambda: verify_mirror(volume, report)),
        ("$MFT", lambda: verify_record_bitmap(volume, report, table)),
        ("$Bitmap", lambda: verify_cluster_bitmap(volume, report, table)),
        ("$Secure", lambda: verify_security(volume, report, table)),
        ("directories", lambda: verify_directories(volume, report, table, upcase)),
    ]
    for subject, check in checks:
        try:
            check()
        except NtfsError as e:
            report.error("system-file-damaged", subject, str(e))
    return report.findings()


def _read_upcase(volume: ReadVolume, report: Report) -> tuple[int, ...]:
    table = volume.attribute(volume.record(_UPCASE_RECORD), DATA)
    if table is None or table.length != len(upcase_bytes()):
        raise NtfsError("the volume has no upper-case table", context="record 10")
    data = volume.value(table)
    if data != upcase_bytes():
        report.warn("upcase-unknown", "$UpCase", "the upper-case table is not that of Windows 7")
    return struct.unpack("<65536H", data)
