"""
The system's own records, 0 to 63.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from offlineseed.ntfs._encoding import (
    HOLE,
    RECORD_BYTES,
    encode_record,
    non_resident_attribute,
    resident_attribute,
)
from offlineseed.ntfs._geometry import BOOT_BYTES
from offlineseed.ntfs._index import (
    COLLATE_SECURITY_HASH,
    COLLATE_SID,
    COLLATE_UINT32,
    COLLATE_UINT32S,
    index_root,
    pack_entry,
    pack_key,
)
from offlineseed.ntfs._layout import FIRST_RECORD, SYSTEM_NAMES, NtfsLayout
from offlineseed.ntfs._places import (
    ATTRIBUTE_TABLE_BYTES,
    ROOT_DESCRIPTOR_BYTES,
    UPCASE_BYTES,
    mft_bitmap_bytes,
)
from offlineseed.ntfs._security import (
    ADMINISTRATORS_SID,
    READ_ONLY_MASK,
    READ_WRITE_MASK,
    SDS_MIRROR_AT,
    SYSTEM_READ_ONLY_SECURITY,
    SYSTEM_READ_WRITE_SECURITY,
    embedded_descriptor,
    security_hash_index,
    security_id_index,
)
from offlineseed.ntfs._space import Run
from offlineseed.ntfs._upcase import UPCASE_CRC

__all__ = [
    "EXTEND_RECORDS",
    "ROOT_RECORD",
    "attribute_table",
    "standard_information",
    "system_entry",
    "system_records",
]

ROOT_RECORD: Final = 5
EXTEND_RECORDS: Final = {24: "$Quota", 25: "$ObjId", 26: "$Reparse"}
"""The files in `$Extend`, by record."""

_EXTEND_RECORD: Final = 11
_STANDARD: Final = 0x10
_NAME: Final = 0x30
_DESCRIPTOR: Final = 0x50
_VOLUME_NAME: Final = 0x60
_VOLUME_INFORMATION: Final = 0x70
_DATA: Final = 0x80
_INDEX_ALLOCATION: Final = 0xA0
_BITMAP: Final = 0xB0
_HIDDEN_SYSTEM: Final = 0x06
_DIRECTORY: Final = 0x10000000
_VIEW: Final = 0x20000000
_IN_USE: Final = 1
_IS_DIRECTORY: Final = 2
_IN_EXTEND: Final = 4
_IS_VIEW: Final = 8
_WIN32_AND_DOS: Final = 3

# name, type, flags, least and greatest length
_ATTRIBUTE_KINDS: Final = (
    ("$STANDARD_INFORMATION", 0x10, 0x40, 0x30, 0x48),
    ("$ATTRIBUTE_LIST", 0x20, 0x80, 0, -1),
    ("$FILE_NAME", 0x30, 0x42, 0x44, 0x242),
    ("$OBJECT_ID", 0x40, 0x40, 0, 0x100),
    ("$SECURITY_DESCRIPTOR", 0x50, 0x80, 0, -1),
    ("$VOLUME_NAME", 0x60, 0x40, 2, 0x100),
    ("$VOLUME_INFORMATION", 0x70, 0x40, 0xC, 0xC),
    ("$DATA", 0x80, 0, 0, -1),
    ("$INDEX_ROOT", 0x90, 0x40, 0, -1),
    ("$INDEX_ALLOCATION", 0xA0, 0x80, 0, -1),
    ("$BITMAP", 0xB0, 0x80, 0, -1),
    ("$REPARSE_POINT", 0xC0, 0x80, 0, 0x4000),
    ("$EA_INFORMATION", 0xD0, 0x40, 8, 8),
    ("$EA", 0xE0, 0, 0, 0x10000),
    ("$LOGGED_UTILITY_STREAM", 0x100, 0x80, 0, 0x10000),
)


def attribute_table() -> bytes:
    """
    Return `$AttrDef`.
    """
    rows = [
        struct.pack("<128sIIIIqq", name.encode("utf-16-le"), kind, 0, 0, flags, least, greatest)
        for name, kind, flags, least, greatest in _ATTRIBUTE_KINDS
    ]
    return b"".join(rows).ljust(ATTRIBUTE_TABLE_BYTES, b"\0")


def standard_information(times: bytes, attributes: int, security_id: int | None) -> bytes:
    """
    Return a `$STANDARD_INFORMATION` attribute: the short form where there is no security id.
    """
    value = times + struct.pack("<I12x", attributes)
    if security_id is not None:
        value += struct.pack("<IIQQ", 0, security_id, 0, 0)
    return resident_attribute(_STANDARD, value, instance=0)


def _sequence(record: int) -> int:
    if record == 0 or record >= 24:
        return 1
    return record


def _reference(record: int) -> int:
    return record | _sequence(record) << 48


class _SystemFiles:
    """
    What the system's files look like on one layout.
    """

    def __init__(self, layout: NtfsLayout) -> None:
        self._layout = layout
        self._cluster = layout.geometry.cluster_bytes
        self.times = struct.pack("<Q", layout.created) * 4

    def name_fields(self, record: int) -> tuple[int, bytes, int, int, int, bytes, int]:
        """
        Return the fields of a system file's name, as `pack_key` takes them.
        """
        in_extend = record in EXTEND_RECORDS
        name = EXTEND_RECORDS[record] if in_extend else SYSTEM_NAMES[record]
        parent = _reference(_EXTEND_RECORD if in_extend else ROOT_RECORD)
        length, clusters = self._unnamed_data(record)
        attributes = _HIDDEN_SYSTEM
        if in_extend:
            attributes |= _VIEW | 0x20
        elif record == 9:
            attributes |= _VIEW
        elif record in {ROOT_RECORD, _EXTEND_RECORD}:
            attributes |= _DIRECTORY
        return (
            parent, self.times, clusters * self._cluster, length, attributes,
            name.encode("utf-16-le"), _WIN32_AND_DOS,
        )  # fmt: skip

    def _unnamed_data(self, record: int) -> tuple[int, int]:
        runs = self._data_runs().get(record)
        return (0, 0) if runs is None else (runs[0], runs[1][1])

    def _data_runs(self) -> dict[int, tuple[int, Run]]:
        geometry, places = self._layout.geometry, self._layout.places
        return {
            0: (self._layout.records * RECORD_BYTES, places.mft),
            1: (geometry.mirror_records * RECORD_BYTES, places.mirror),
            2: (geometry.log_bytes, places.log),
            4: (ATTRIBUTE_TABLE_BYTES, places.attribute_table),
            6: (geometry.bitmap_bytes, places.bitmap),
            7: (BOOT_BYTES, (0, geometry.clusters_of(BOOT_BYTES))),
            10: (UPCASE_BYTES, places.upcase),
        }

    def _data(self, record: int, *, instance: int = 1) -> bytes:
        length, run = self._data_runs()[record]
        return non_resident_attribute(
            _DATA, [run], length=length, cluster_bytes=self._cluster, instance=instance
        )

    def _empty_data(self, *, instance: int) -> bytes:
        return resident_attribute(_DATA, b"", instance=instance)

    def _name(self, record: int, *, instance: int) -> bytes:
        value = pack_key(*self.name_fields(record))
        return resident_attribute(_NAME, value, instance=instance, is_indexed=True)

    def _standard(self, security_id: int | None, attributes: int = _HIDDEN_SYSTEM) -> bytes:
        return standard_information(self.times, attributes, security_id)

    def _descriptor(self, mask: int, *, instance: int) -> bytes:
        return resident_attribute(_DESCRIPTOR, embedded_descriptor(mask), instance=instance)

    def _record(
        self, number: int, *attributes: bytes, next_instance: int, flags: int = _IN_USE
    ) -> bytes:
        return encode_record(
            number,
            attributes,
            sequence=_sequence(number),
            links=0 if 12 <= number < 24 else 1,
            flags=flags,
            next_instance=next_instance,
        )

    def record(self, number: int, root_index: Sequence[bytes]) -> bytes:
        """
        Return a system record.

        Args:
            number: The record's number.
            root_index: The root directory's index root, index allocation and index bitmap.
        """
        if number >= 27:
            return self.free_record(number)
        if number >= 24:
            return self._extend_file(number)
        if number >= 16:
            return self._spare(number)
        if number >= 12:
            return self._record(
                number,
                self._standard(None),
                self._descriptor(READ_WRITE_MASK, instance=2),
                self._empty_data(instance=1),
                next_instance=3,
            )
        return self._named(number, root_index)

    def free_record(self, number: int) -> bytes:
        """
        Return a record that was never used.
        """
        return encode_record(
            number,
            (),
            sequence=1,
            links=0,
            flags=0,
            next_instance=0,
            stored_number=0 if self._layout.is_mkntfs else number,
        )

    def _spare(self, number: int) -> bytes:
        return encode_record(
            number,
            [self._standard(None)],
            sequence=number,
            links=0,
            flags=0,
            next_instance=1,
            stored_number=0 if self._layout.is_mkntfs else number,
        )

    def _named(self, number: int, root_index: Sequence[bytes]) -> bytes:
        layout = self._layout
        geometry = layout.geometry
        read_only = self._standard(SYSTEM_READ_ONLY_SECURITY)
        if number == 0:
            bitmap = non_resident_attribute(
                _BITMAP,
                [layout.places.mft_bitmap],
                length=mft_bitmap_bytes(layout.records),
                cluster_bytes=self._cluster,
                instance=3,
            )
            return self._record(
                0, read_only, self._name(0, instance=2), self._data(0), bitmap, next_instance=4
            )
        if number in {1, 2, 6}:
            return self._record(
                number, read_only, self._name(number, instance=2), self._data(number),
                next_instance=3,
            )  # fmt: skip
        if number == 3:
            information = struct.pack("<QBBH", 0, 3, 1, 0)
            return self._record(
                3,
                self._standard(None),
                self._name(3, instance=1),
                self._descriptor(READ_WRITE_MASK, instance=2),
                resident_attribute(_VOLUME_NAME, layout.label.encode("utf-16-le"), instance=4),
                resident_attribute(_VOLUME_INFORMATION, information, instance=5),
                self._empty_data(instance=3),
                next_instance=6,
            )
        if number in {4, 7}:
            return self._record(
                number,
                self._standard(None),
                self._name(number, instance=2),
                self._descriptor(READ_ONLY_MASK, instance=3),
                self._data(number),
                next_instance=4,
            )
        if number == ROOT_RECORD:
            descriptor = non_resident_attribute(
                _DESCRIPTOR,
                [layout.places.root_descriptor],
                length=ROOT_DESCRIPTOR_BYTES,
                cluster_bytes=self._cluster,
                instance=2,
            )
            return self._record(
                number,
                self._standard(None, _HIDDEN_SYSTEM | 0x20),
                self._name(number, instance=1),
                descriptor,
                *root_index,
                next_instance=6,
                flags=_IN_USE | _IS_DIRECTORY,
            )
        if number == 8:
            bad = non_resident_attribute(
                _DATA,
                [(HOLE, geometry.clusters)],
                length=geometry.clusters * self._cluster,
                cluster_bytes=self._cluster,
                instance=1,
                name="$Bad",
                initialised=0,
            )
            return self._record(
                number,
                read_only,
                self._name(number, instance=3),
                self._empty_data(instance=2),
                bad,
                next_instance=4,
            )
        if number == 9:
            return self._secure()
        if number == 10:
            information = struct.pack("<IIQ16x", 0x20, 0, UPCASE_CRC)
            return self._record(
                number,
                read_only,
                self._name(number, instance=3),
                self._data(number),
                resident_attribute(_DATA, information, instance=2, name="$Info"),
                next_instance=4,
            )
        entries = [
            pack_entry(_reference(record), *self.name_fields(record))
            for record in sorted(EXTEND_RECORDS, key=lambda record: EXTEND_RECORDS[record].upper())
        ]
        return self._record(
            _EXTEND_RECORD,
            self._standard(SYSTEM_READ_WRITE_SECURITY),
            self._name(_EXTEND_RECORD, instance=1),
            index_root(entries, geometry, instance=2),
            next_instance=3,
            flags=_IN_USE | _IS_DIRECTORY,
        )

    def _view(self, name: str, entries: Sequence[bytes], collation: int, instance: int) -> bytes:
        return index_root(
            entries,
            self._layout.geometry,
            instance=instance,
            name=name,
            kind=0,
            collation=collation,
        )

    def _secure(self) -> bytes:
        layout = self._layout
        stream = non_resident_attribute(
            _DATA,
            [layout.places.security],
            length=SDS_MIRROR_AT + layout.security[-1].end,
            cluster_bytes=self._cluster,
            instance=2,
            name="$SDS",
        )
        hashes, ids = security_hash_index(layout.security), security_id_index(layout.security)
        return self._record(
            9,
            self._standard(SYSTEM_READ_WRITE_SECURITY, _HIDDEN_SYSTEM | _VIEW),
            self._name(9, instance=1),
            stream,
            self._view("$SDH", hashes, COLLATE_SECURITY_HASH, 3),
            self._view("$SII", ids, COLLATE_UINT32, 4),
            next_instance=5,
            flags=_IN_USE | _IS_VIEW,
        )

    def _extend_file(self, number: int) -> bytes:
        if number == 24:
            owners, quotas = self._quota_entries()
            views = [
                self._view("$O", owners, COLLATE_SID, 3),
                self._view("$Q", quotas, COLLATE_UINT32, 2),
            ]
        else:
            views = [self._view("$O" if number == 25 else "$R", (), COLLATE_UINT32S, 2)]
        return self._record(
            number,
            self._standard(SYSTEM_READ_WRITE_SECURITY, _HIDDEN_SYSTEM | 0x20 | _VIEW),
            self._name(number, instance=1),
            *views,
            next_instance=2 + len(views),
            flags=_IN_USE | _IN_EXTEND | _IS_VIEW,
        )

    def _quota_entries(self) -> tuple[list[bytes], list[bytes]]:
        owner_id, default_id = 0x100, 1
        # The last field is padding, with what mkntfs leaves there.
        owner = struct.pack(
            "<HHIHHHH16sII", 0x20, 4, 0, 0x28, 16, 0, 0, ADMINISTRATORS_SID, owner_id, 0x20
        )
        values = struct.pack("<IIQQqqQ", 2, 1, 0, self._layout.created, -1, -1, 0)
        quotas = [
            struct.pack("<HHIHHHHI", 0x14, 0x30, 0, 0x48, 4, 0, 0, default_id) + values + bytes(4),
            struct.pack("<HHIHHHHI", 0x14, 0x40, 0, 0x58, 4, 0, 0, owner_id)
            + values
            + ADMINISTRATORS_SID
            + bytes(4),
        ]
        return [owner], quotas


def system_entry(layout: NtfsLayout, record: int) -> bytes:
    """
    Return the root directory's index entry of a system file.
    """
    return pack_entry(_reference(record), *_SystemFiles(layout).name_fields(record))


def system_records(layout: NtfsLayout, root_index: Sequence[bytes]) -> list[bytes]:
    """
    Return the records before the first of a user's.

    Args:
        layout: The layout.
        root_index: The root directory's index root, index allocation and index bitmap.
    """
    files = _SystemFiles(layout)
    count = min(layout.records, FIRST_RECORD)
    return [files.record(number, root_index) for number in range(count)]


def free_record(layout: NtfsLayout, number: int) -> bytes:
    """
    Return a record that was never used.
    """
    return _SystemFiles(layout).free_record(number)
