"""
Where everything lies on a drive with a native volume. Pure.

Disk: protective MBR and GPT, one partition from 1 MiB to the last whole mebibyte. Partition:
BitLocker's structures, and the NTFS that reserves their places.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Iterator
from datetime import datetime, timezone
from typing import final

import attrs

from offlineseed.bitlocker import LEAST_VOLUME_BYTES, VolumeLayout, plan_layout
from offlineseed.errors import VolumeFullError
from offlineseed.ntfs import NtfsFile, NtfsLayout, ReservedExtent, plan_volume
from offlineseed.partitions import (
    FIRST_LBA,
    SECTOR_BYTES,
    PartitionTable,
    plan_data_partition,
)
from offlineseed.volumes._model import VolumeCapacity, VolumeFile

__all__ = ["NativePlaces", "NativePlan", "capacity_of", "plan_contents", "plan_places"]

_FORMAT = 1
_EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)
_NO_GUID = uuid.UUID(int=0)

# Never too little, so that what a planner takes for enough is enough. A file has a record of 1 KiB
# and an entry of at most 600 bytes in an index whose blocks are at least five sixths full. A
# folder has the same, and index blocks of its own that may be nearly empty.
_FILE_BYTES = 4096
_FOLDER_BYTES = 10 * 1024
_ROUNDING_BYTES = 64 * 1024  # last blocks and clusters of the system's own files


@final
@attrs.frozen(kw_only=True)
class NativePlaces:
    """
    What a disk's size decides.
    """

    disk_bytes: int
    """The disk in whole sectors."""
    volume_offset: int
    """Where the partition begins on the disk."""
    layout: VolumeLayout
    """Where BitLocker's structures lie in the partition."""

    def partition_table(self, volume_guid: uuid.UUID) -> PartitionTable:
        """
        Return the disk's table; its ids follow from the volume's, so that they are found again.
        """
        return _partition_table(self.disk_bytes, volume_guid)

    def reserved_extents(self) -> Iterator[ReservedExtent]:
        """
        Yield what the file system must leave to BitLocker.
        """
        for extent in self.layout.reserved_extents:
            yield ReservedExtent(name=extent.name, offset=extent.offset, length=extent.length)


@final
@attrs.frozen(kw_only=True)
class NativePlan:
    """
    What a drive's contents decide.
    """

    places: NativePlaces
    """Where the volume and BitLocker's structures lie."""
    ntfs: NtfsLayout
    """Where files lie in the volume."""
    mark: bytes
    """A sector that tells an unfinished volume for these contents from any other.

    It lies, encrypted, in the last sectors of the volume, which belong to no cluster."""

    @property
    def mark_offset(self) -> int:
        """
        Where the mark lies in the volume.
        """
        return self.ntfs.geometry.backup_boot_offset - SECTOR_BYTES


def plan_places(size_bytes: int) -> NativePlaces:
    """
    Place partition and BitLocker's structures on a disk.

    Raises:
        VolumeFullError: the disk is too small.
    """
    least = LEAST_VOLUME_BYTES + 2 * FIRST_LBA * SECTOR_BYTES
    if size_bytes < least:
        raise VolumeFullError(
            f"a drive of {size_bytes} bytes is too small for a BitLocker volume;"
            f" take one of at least {least} bytes",
            needed_bytes=least,
            free_bytes=size_bytes,
        )
    disk_bytes = size_bytes // SECTOR_BYTES * SECTOR_BYTES
    (partition,) = _partition_table(disk_bytes, _NO_GUID).partitions
    return NativePlaces(
        disk_bytes=disk_bytes,
        volume_offset=partition.offset_bytes,
        layout=plan_layout(partition.length_bytes),
    )


def plan_contents(
    places: NativePlaces,
    contents: Collection[VolumeFile],
    *,
    volume_guid: uuid.UUID,
    created: datetime,
    label: str,
) -> NativePlan:
    """
    Lay the volume out for its contents: the same arguments give the same plan.

    Raises:
        NameNotAllowedError: names that Windows could not open; all of them.
        VolumeFullError: the contents do not fit.
    """
    digest = hashlib.sha256(b"%d\n" % _FORMAT)

    def files() -> Iterator[NtfsFile]:
        for file in contents:
            record = json.dumps([file.path, file.length, file.is_maximum])
            digest.update(record.encode("ascii") + b"\n")
            yield NtfsFile(path=file.path, length=file.length, is_maximum=file.is_maximum)

    try:
        ntfs = _plan_ntfs(
            places,
            files(),
            created=created,
            serial=int.from_bytes(hashlib.sha256(volume_guid.bytes).digest()[:8], "little"),
            label=label,
        )
    except VolumeFullError as error:
        raise _full(places, contents) from error
    digest.update(repr((ntfs.places, ntfs.free)).encode("ascii"))
    mark = b"offlineseed: an unfinished volume\n" + digest.digest()
    return NativePlan(places=places, ntfs=ntfs, mark=mark.ljust(SECTOR_BYTES, b"\0"))


def capacity_of(places: NativePlaces) -> VolumeCapacity:
    """
    Return what a volume in these places holds.
    """
    ntfs = _plan_ntfs(places, iter(()), created=_EPOCH, serial=0, label="")
    return VolumeCapacity(
        usable_bytes=max(0, ntfs.free_bytes - _ROUNDING_BYTES),
        allocation_bytes=places.layout.cluster_bytes,
        file_bytes=_FILE_BYTES,
        folder_bytes=_FOLDER_BYTES,
    )


def _plan_ntfs(
    places: NativePlaces,
    files: Iterator[NtfsFile],
    *,
    created: datetime,
    serial: int,
    label: str,
) -> NtfsLayout:
    return plan_volume(
        places.layout.volume_bytes,
        files,
        created=created,
        serial=serial,
        label=label,
        reserved=places.reserved_extents(),
        cluster_bytes=places.layout.cluster_bytes,
        hidden_sectors=places.volume_offset // SECTOR_BYTES,
    )


def _partition_table(disk_bytes: int, volume_guid: uuid.UUID) -> PartitionTable:
    return plan_data_partition(
        disk_bytes,
        disk_guid=uuid.uuid5(volume_guid, "disk"),
        partition_guid=uuid.uuid5(volume_guid, "partition"),
    )


def _full(places: NativePlaces, contents: Collection[VolumeFile]) -> VolumeFullError:
    capacity = capacity_of(places)
    needed = sum(capacity.cost(file.length) for file in contents)
    free = capacity.usable_bytes
    return VolumeFullError(
        f"{len(contents)} files need {needed} bytes, the volume has {free};"
        " use a larger drive, or plan fewer blobs onto this one",
        needed_bytes=needed,
        free_bytes=free,
    )
