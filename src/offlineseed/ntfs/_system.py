"""
The system's own records, 0 to 63.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import final

from offlineseed.ntfs._attributes import (
    ARCHIVE,
    BITMAP,
    DATA,
    HIDDEN_SYSTEM,
    IN_EXTEND,
    IN_USE,
    IS_DIRECTORY,
    IS_VIEW,
    SECURITY_DESCRIPTOR,
    VIEW,
    VOLUME_INFORMATION,
    VOLUME_NAME,
    standard_information,
)
from offlineseed.ntfs._encoding import (
    HOLE,
    encode_record,
    non_resident_attribute,
    resident_attribute,
)
from offlineseed.ntfs._index import index_root
from offlineseed.ntfs._layout import FIRST_RECORD, NtfsLayout
from offlineseed.ntfs._places import ROOT_DESCRIPTOR_BYTES, mft_bitmap_bytes
from offlineseed.ntfs._security import (
    READ_ONLY_MASK,
    READ_WRITE_MASK,
    SDS_MIRROR_AT,
    SYSTEM_READ_ONLY_SECURITY,
    SYSTEM_READ_WRITE_SECURITY,
    embedded_descriptor,
)
from offlineseed.ntfs._space import Run
from offlineseed.ntfs._system_names import (
    EXTEND_RECORD,
    EXTEND_RECORDS,
    ROOT_RECORD,
    SECURE_RECORD,
    SystemNames,
    system_sequence,
)
from offlineseed.ntfs._system_views import empty_view, quota_views, security_views
from offlineseed.ntfs._upcase import UPCASE_CRC

__all__ = ["free_record", "system_records"]

_MFT, _VOLUME, _BAD_CLUSTERS, _UPCASE, _QUOTA, _OBJECT_IDS = 0, 3, 8, 10, 24, 25
_WITH_DESCRIPTOR = (4, 7)  # $AttrDef and $Boot carry their own
_SPARE, _NEVER_USED, _FREE = 12, 16, 27


def system_records(layout: NtfsLayout, root_index: Sequence[bytes]) -> list[bytes]:
    """
    Return the records before the first of a user's.

    Args:
        layout: The layout.
        root_index: The root directory's index root, index allocation and index bitmap.
    """
    records = _SystemRecords(layout)
    count = min(layout.records, FIRST_RECORD)
    return [records.render(number, root_index) for number in range(count)]


def free_record(layout: NtfsLayout, number: int) -> bytes:
    """
    Return a record that was never used.
    """
    is_like_mkntfs = layout.is_mkntfs and number < FIRST_RECORD
    return encode_record(
        number,
        (),
        sequence=number if is_like_mkntfs else 1,
        links=0,
        flags=0,
        next_instance=0,
        stored_number=0 if is_like_mkntfs else number,
    )


@final
class _SystemRecords:
    # The numbers of the attributes are mkntfs's.

    def __init__(self, layout: NtfsLayout) -> None:
        self._layout = layout
        self._names = SystemNames(layout)

    def render(self, number: int, root_index: Sequence[bytes]) -> bytes:
        if number >= _FREE:
            return free_record(self._layout, number)
        if number in EXTEND_RECORDS:
            return self._in_extend(number)
        if number >= _NEVER_USED:
            return self._never_used(number)
        if number >= _SPARE:
            return self._spare(number)
        special = {
            _MFT: self._mft,
            _VOLUME: self._volume,
            ROOT_RECORD: lambda: self._root(root_index),
            _BAD_CLUSTERS: self._bad_clusters,
            SECURE_RECORD: self._secure,
            _UPCASE: self._upcase,
            EXTEND_RECORD: self._extend,
        }
        return special[number]() if number in special else self._plain(number)

    def _record(
        self, number: int, *attributes: bytes, next_instance: int, flags: int = IN_USE
    ) -> bytes:
        return encode_record(
            number,
            attributes,
            sequence=system_sequence(number),
            links=1,
            flags=flags,
            next_instance=next_instance,
        )

    def _standard(self, security_id: int | None, attributes: int = HIDDEN_SYSTEM) -> bytes:
        return standard_information(self._names.times, attributes, security_id)

    def _name(self, number: int, *, instance: int) -> bytes:
        return self._names.attribute(number, instance=instance)

    def _data(self, number: int) -> bytes:
        length, run = self._names.data[number]
        return self._non_resident(DATA, run, length, instance=1)

    def _non_resident(
        self, kind: int, run: Run, length: int, *, instance: int, name: str = ""
    ) -> bytes:
        return non_resident_attribute(
            kind,
            [run],
            length=length,
            cluster_bytes=self._layout.geometry.cluster_bytes,
            instance=instance,
            name=name,
        )

    @staticmethod
    def _empty_data(*, instance: int) -> bytes:
        return resident_attribute(DATA, b"", instance=instance)

    @staticmethod
    def _descriptor(mask: int, *, instance: int) -> bytes:
        return resident_attribute(SECURITY_DESCRIPTOR, embedded_descriptor(mask), instance=instance)

    def _plain(self, number: int) -> bytes:
        # $MFTMirr, $LogFile, $Bitmap; $AttrDef and $Boot.
        if number not in _WITH_DESCRIPTOR:
            return self._record(
                number,
                self._standard(SYSTEM_READ_ONLY_SECURITY),
                self._name(number, instance=2),
                self._data(number),
                next_instance=3,
            )
        return self._record(
            number,
            self._standard(None),
            self._name(number, instance=2),
            self._descriptor(READ_ONLY_MASK, instance=3),
            self._data(number),
            next_instance=4,
        )

    def _mft(self) -> bytes:
        bitmap = self._layout.places.mft_bitmap
        return self._record(
            _MFT,
            self._standard(SYSTEM_READ_ONLY_SECURITY),
            self._name(_MFT, instance=2),
            self._data(_MFT),
            self._non_resident(BITMAP, bitmap, mft_bitmap_bytes(self._layout.records), instance=3),
            next_instance=4,
        )

    def _volume(self) -> bytes:
        information = struct.pack("<QBBH", 0, 3, 1, 0)  # NTFS 3.1, not dirty
        return self._record(
            _VOLUME,
            self._standard(None),
            self._name(_VOLUME, instance=1),
            self._descriptor(READ_WRITE_MASK, instance=2),
            resident_attribute(VOLUME_NAME, self._layout.label.encode("utf-16-le"), instance=4),
            resident_attribute(VOLUME_INFORMATION, information, instance=5),
            self._empty_data(instance=3),
            next_instance=6,
        )

    def _root(self, index: Sequence[bytes]) -> bytes:
        descriptor = self._layout.places.root_descriptor
        return self._record(
            ROOT_RECORD,
            self._standard(None, HIDDEN_SYSTEM | ARCHIVE),
            self._name(ROOT_RECORD, instance=1),
            self._non_resident(SECURITY_DESCRIPTOR, descriptor, ROOT_DESCRIPTOR_BYTES, instance=2),
            *index,
            next_instance=6,
            flags=IN_USE | IS_DIRECTORY,
        )

    def _bad_clusters(self) -> bytes:
        geometry = self._layout.geometry
        bad = non_resident_attribute(
            DATA,
            [(HOLE, geometry.clusters)],
            length=geometry.clusters * geometry.cluster_bytes,
            cluster_bytes=geometry.cluster_bytes,
            instance=1,
            name="$Bad",
            initialised=0,
        )
        return self._record(
            _BAD_CLUSTERS,
            self._standard(SYSTEM_READ_ONLY_SECURITY),
            self._name(_BAD_CLUSTERS, instance=3),
            self._empty_data(instance=2),
            bad,
            next_instance=4,
        )

    def _secure(self) -> bytes:
        layout = self._layout
        length = SDS_MIRROR_AT + layout.security[-1].end
        return self._record(
            SECURE_RECORD,
            self._standard(SYSTEM_READ_WRITE_SECURITY, HIDDEN_SYSTEM | VIEW),
            self._name(SECURE_RECORD, instance=1),
            self._non_resident(DATA, layout.places.security, length, instance=2, name="$SDS"),
            *security_views(layout.security, layout.geometry),
            next_instance=5,
            flags=IN_USE | IS_VIEW,
        )

    def _upcase(self) -> bytes:
        information = struct.pack("<IIQ16x", 0x20, 0, UPCASE_CRC)
        return self._record(
            _UPCASE,
            self._standard(SYSTEM_READ_ONLY_SECURITY),
            self._name(_UPCASE, instance=3),
            self._data(_UPCASE),
            resident_attribute(DATA, information, instance=2, name="$Info"),
            next_instance=4,
        )

    def _extend(self) -> bytes:
        by_name = sorted(EXTEND_RECORDS, key=lambda record: EXTEND_RECORDS[record].upper())
        entries = [self._names.entry(record) for record in by_name]
        return self._record(
            EXTEND_RECORD,
            self._standard(SYSTEM_READ_WRITE_SECURITY),
            self._name(EXTEND_RECORD, instance=1),
            index_root(entries, self._layout.geometry, instance=2),
            next_instance=3,
            flags=IN_USE | IS_DIRECTORY,
        )

    def _in_extend(self, number: int) -> bytes:
        geometry = self._layout.geometry
        if number == _QUOTA:
            views = quota_views(self._layout.created, geometry)
        else:
            views = [empty_view("$O" if number == _OBJECT_IDS else "$R", geometry)]
        return self._record(
            number,
            self._standard(SYSTEM_READ_WRITE_SECURITY, HIDDEN_SYSTEM | ARCHIVE | VIEW),
            self._name(number, instance=1),
            *views,
            next_instance=2 + len(views),
            flags=IN_USE | IN_EXTEND | IS_VIEW,
        )

    def _spare(self, number: int) -> bytes:
        return encode_record(
            number,
            [
                self._standard(None),
                self._descriptor(READ_WRITE_MASK, instance=2),
                self._empty_data(instance=1),
            ],
            sequence=system_sequence(number),
            links=0,
            flags=IN_USE,
            next_instance=3,
        )

    def _never_used(self, number: int) -> bytes:
        return encode_record(
            number,
            [self._standard(None)],
            sequence=system_sequence(number),
            links=0,
            flags=0,
            next_instance=1,
            stored_number=0 if self._layout.is_mkntfs else number,
        )
