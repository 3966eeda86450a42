"""
Names, numbers and places of the system's own files.
"""

from __future__ import annotations

import struct
from typing import Final, final

from offlineseed.ntfs._attributes import (
    ARCHIVE,
    ATTRIBUTE_TABLE_BYTES,
    DIRECTORY,
    FILE_NAME,
    HIDDEN_SYSTEM,
    VIEW,
)
from offlineseed.ntfs._encoding import RECORD_BYTES, resident_attribute
from offlineseed.ntfs._geometry import BOOT_BYTES
from offlineseed.ntfs._index import pack_entry, pack_key
from offlineseed.ntfs._layout import SYSTEM_NAMES, NtfsLayout
from offlineseed.ntfs._places import UPCASE_BYTES
from offlineseed.ntfs._space import Run

__all__ = [
    "EXTEND_RECORD",
    "EXTEND_RECORDS",
    "ROOT_RECORD",
    "SECURE_RECORD",
    "SystemNames",
    "system_sequence",
]

ROOT_RECORD: Final = 5
SECURE_RECORD: Final = 9
EXTEND_RECORD: Final = 11
EXTEND_RECORDS: Final = {24: "$Quota", 25: "$ObjId", 26: "$Reparse"}
"""The files in `$Extend`, by record."""

_WIN32_AND_DOS: Final = 3


def system_sequence(record: int) -> int:
    """
    Return the sequence number of a system record.
    """
    if record == 0 or record >= min(EXTEND_RECORDS):
        return 1
    return record


def _reference(record: int) -> int:
    return record | system_sequence(record) << 48


@final
class SystemNames:
    """
    The names of the system's files on one layout, as their records and directories carry them.
    """

    def __init__(self, layout: NtfsLayout) -> None:
        geometry, places = layout.geometry, layout.places
        self._cluster = geometry.cluster_bytes
        self.times = struct.pack("<Q", layout.created) * 4
        """The four times of every system file, 32 bytes."""
        self.data: dict[int, tuple[int, Run]] = {
            0: (layout.records * RECORD_BYTES, places.mft),
            1: (geometry.mirror_records * RECORD_BYTES, places.mirror),
            2: (geometry.log_bytes, places.log),
            4: (ATTRIBUTE_TABLE_BYTES, places.attribute_table),
            6: (geometry.bitmap_bytes, places.bitmap),
            7: (BOOT_BYTES, (0, geometry.clusters_of(BOOT_BYTES))),
            10: (UPCASE_BYTES, places.upcase),
        }
        """By record, the length and place of those with data in clusters."""

    def attribute(self, record: int, *, instance: int) -> bytes:
        """
        Return the `$FILE_NAME` attribute of a system file.
        """
        value = pack_key(*self._fields(record))
        return resident_attribute(FILE_NAME, value, instance=instance, is_indexed=True)

    def entry(self, record: int) -> bytes:
        """
        Return the index entry of a system file.
        """
        return pack_entry(_reference(record), *self._fields(record))

    def _fields(self, record: int) -> tuple[int, bytes, int, int, int, bytes, int]:
        in_extend = record in EXTEND_RECORDS
        name = EXTEND_RECORDS[record] if in_extend else SYSTEM_NAMES[record]
        parent = _reference(EXTEND_RECORD if in_extend else ROOT_RECORD)
        length, (_, clusters) = self.data.get(record, (0, (0, 0)))
        attributes = HIDDEN_SYSTEM
        if in_extend:
            attributes |= VIEW | ARCHIVE
        elif record == SECURE_RECORD:
            attributes |= VIEW
        elif record in {ROOT_RECORD, EXTEND_RECORD}:
            attributes |= DIRECTORY
        return (
            parent, self.times, clusters * self._cluster, length, attributes,
            name.encode("utf-16-le"), _WIN32_AND_DOS,
        )  # fmt: skip
