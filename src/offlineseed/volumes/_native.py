"""
BitLocker volumes with NTFS, made here: no other program, no privileges for images.
"""

from __future__ import annotations

import os
import secrets
import sys
import uuid
from collections.abc import Callable, Collection
from datetime import datetime, timedelta, timezone
from typing import final

import attrs

from offlineseed._durable import make_folder
from offlineseed.bitlocker import (
    CipherMethod,
    EncryptingVolume,
    Metadata,
    RecoveryPassword,
    VolumeSpec,
    encrypt_volume,
    parse_metadata_block,
    resume_volume,
)
from offlineseed.errors import (
    BitLockerFormatError,
    ConsentError,
    DriveChangedError,
    VolumeFullError,
)
from offlineseed.partitions import DiskPartitions, read_partitions, require_overwritable
from offlineseed.volumes._block_devices import drive_facts
from offlineseed.volumes._disk import (
    SECTOR_BYTES,
    DiskFile,
    image_room,
    is_block_device,
    require_size,
)
from offlineseed.volumes._model import Drive, VolumeCapacity, VolumeFile
from offlineseed.volumes._native_plan import (
    NativePlaces,
    NativePlan,
    capacity_of,
    plan_contents,
    plan_places,
)
from offlineseed.volumes._native_reader import NativeReader
from offlineseed.volumes._native_writer import NativeWriter

__all__ = ["NativeVolumes", "survey_disk"]

_LABEL_UNITS = 32
_MOST_THREADS = 4
_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=timezone.utc)


def _moment(filetime: int) -> datetime:
    return _FILETIME_EPOCH + timedelta(microseconds=filetime // 10)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _date(moment: datetime) -> str:
    return f"{moment.month}/{moment.day}/{moment.year}"


def _drives(value: Collection[Drive]) -> tuple[Drive, ...]:
    return tuple(value)


def survey_disk(drive: Drive) -> DiskPartitions:
    """
    Return what is on a drive: what `create` would destroy. Changes nothing.

    An image that is missing or empty has nothing on it.

    Raises:
        VolumeError: it has another size than the drive should have.
        OSError: it can't be read.
    """
    try:
        file = drive.path.open("rb", buffering=0)
    except FileNotFoundError:
        return read_partitions(lambda _offset, length: bytes(length), drive.size_bytes)
    with file:
        found = file.seek(0, os.SEEK_END)
        if not found:
            return read_partitions(lambda _offset, length: bytes(length), drive.size_bytes)
        require_size(drive.path, found, drive.size_bytes)

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        return read_partitions(read, drive.size_bytes)


@final
@attrs.frozen(kw_only=True)
class NativeVolumes:
    """
    The adapter that makes import drives out of nothing, on any system.

    `Drive.path` is an image file, made sparse where it is missing, or a block device on Linux
    with sectors of 512 bytes. The drive becomes a GPT disk with one NTFS volume that BitLocker
    protects and the recovery password unlocks.

    `create` refuses a drive with anything on it that is not among `erasable`, and a block device
    whose serial number is not the drive's id. What an unfinished volume needs to be taken up
    again lies on the drive itself, sealed by the recovery password.
    """

    cipher: CipherMethod = CipherMethod.XTS_128
    """How sectors are encrypted."""
    label: str = "SEED"
    """The volumes' name, at most 32 characters."""
    erasable: tuple[Drive, ...] = attrs.field(default=(), converter=_drives)
    """Drives whose owner agreed that all on them is lost, by id and size. Blank ones need no
    word."""
    threads: int = attrs.field(factory=lambda: min(os.cpu_count() or 1, _MOST_THREADS))
    """Threads that encrypt or decrypt, for each drive that is written or read."""
    random_bytes: Callable[[int], bytes] = attrs.field(default=secrets.token_bytes, repr=False)
    """Gives as many bytes as it is asked for, fit for keys."""
    now: Callable[[], datetime] = attrs.field(default=_now, repr=False)
    """Gives the time, aware."""

    def capacity(self, drive: Drive, /) -> VolumeCapacity:
        """
        Return what a new volume holds; by the drive's size alone. None on one that is too small.
        """
        try:
            places = plan_places(drive.size_bytes)
        except VolumeFullError:
            return VolumeCapacity(usable_bytes=0)
        return capacity_of(places)

    def create(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> NativeWriter:
        """
        Begin a volume; see `VolumeAdapter`.

        Raises:
            ConsentError: something is on the drive and it is not among `erasable`, or it is
                another drive than its id says.
        """
        places = plan_places(drive.size_bytes)
        created = self.now()
        spec = VolumeSpec.generate(
            places.layout,
            description=f"{drive.drive_id[:_LABEL_UNITS]} {self.label} {_date(created)}",
            created=created,
            method=self.cipher,
            hidden_sectors=places.volume_offset // SECTOR_BYTES,
            random_bytes=self.random_bytes,
        )
        plan = self._plan(places, contents, spec.volume_guid, created)
        self._require_overwritable(drive)
        _require_room(drive, plan)
        if not drive.path.exists():
            make_folder(drive.path.parent)
        disk = DiskFile(drive.path, size_bytes=drive.size_bytes, may_create=True)
        try:
            volume = encrypt_volume(spec, recovery_password)
            writer = self._writer(disk, plan, volume, spec.volume_guid)
        except BaseException:
            disk.close()
            raise
        try:
            writer.begin()
        except BaseException:
            writer.close()
            raise
        return writer

    def resume(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> NativeWriter:
        """
        Go on with a volume; see `VolumeAdapter`. Its keys and ids are found on the drive.
        """
        try:
            places = plan_places(drive.size_bytes)
            disk = DiskFile(drive.path, size_bytes=drive.size_bytes)
        except FileNotFoundError as error:
            raise _changed(drive, "nothing is at its path") from error
        except VolumeFullError as error:
            raise _changed(drive, str(error)) from error
        try:
            problem = _identity_problem(drive)
            if problem:
                raise _changed(drive, problem)
            volume, metadata = _find_unfinished(drive, disk, places, recovery_password)
            plan = self._plan(places, contents, metadata.volume_guid, _moment(metadata.created))
            writer = self._writer(disk, plan, volume, metadata.volume_guid)
        except VolumeFullError as error:
            disk.close()
            raise _changed(drive, "these contents do not fit on it") from error
        except BaseException:
            disk.close()
            raise
        try:
            if not writer.has_mark():
                raise _changed(drive, "it was begun for other contents")
            writer.restore_structures()
        except BaseException:
            writer.close()
            raise
        return writer

    def open(self, drive: Drive, recovery_password: RecoveryPassword) -> NativeReader:
        """
        Open a finished volume; see `VolumeAdapter`. Those that Windows made will do, too.
        """
        return NativeReader(drive, recovery_password, threads=self.threads)

    def _plan(
        self,
        places: NativePlaces,
        contents: Collection[VolumeFile],
        volume_guid: uuid.UUID,
        created: datetime,
    ) -> NativePlan:
        return plan_contents(
            places, contents, volume_guid=volume_guid, created=created, label=self.label
        )

    def _writer(
        self, disk: DiskFile, plan: NativePlan, volume: EncryptingVolume, volume_guid: uuid.UUID
    ) -> NativeWriter:
        return NativeWriter(disk, plan, volume, volume_guid=volume_guid, threads=self.threads)

    def _require_overwritable(self, drive: Drive) -> None:
        problem = _identity_problem(drive)
        if problem:
            raise ConsentError(f"drive {drive.drive_id}: {problem}; attach the right drive")
        names = {(one.drive_id, one.size_bytes) for one in self.erasable}
        consented = (drive.drive_id, drive.size_bytes) in names
        require_overwritable(
            survey_disk(drive),
            drive_id=drive.drive_id,
            size_bytes=drive.size_bytes,
            consented_drive_id=drive.drive_id if consented else None,
            consented_size_bytes=drive.size_bytes if consented else None,
        )


def _identity_problem(drive: Drive) -> str:
    if sys.platform != "linux" or not is_block_device(drive.path):
        return ""
    serial = drive_facts(drive.path).serial
    if serial and serial != drive.drive_id:
        return f"the drive at its path has the serial number {serial}"
    return ""


def _require_room(drive: Drive, plan: NativePlan) -> None:
    if is_block_device(drive.path):
        return
    needed = plan.places.layout.volume_bytes - plan.ntfs.free_bytes
    free = image_room(drive.path)
    if needed > free:
        raise VolumeFullError(
            f"drive {drive.drive_id}: its image will take {needed} bytes, its disk has {free};"
            " make room, or put the image elsewhere",
            needed_bytes=needed,
            free_bytes=free,
        )


def _find_unfinished(
    drive: Drive, disk: DiskFile, places: NativePlaces, recovery_password: RecoveryPassword
) -> tuple[EncryptingVolume, Metadata]:
    def read(offset: int, length: int) -> bytes:
        return disk.read(places.volume_offset + offset, length)

    if any(read(0, SECTOR_BYTES)):
        raise _changed(drive, "it holds something else, or a volume that is finished")
    try:
        volume = resume_volume(
            read,
            places.layout,
            recovery_password=recovery_password,
            hidden_sectors=places.volume_offset // SECTOR_BYTES,
        )
        block = parse_metadata_block(bytes(volume.structures[-1].data))
    except BitLockerFormatError as error:
        raise _changed(drive, "none that was begun can be found") from error
    return volume, block.metadata


def _changed(drive: Drive, fact: str) -> DriveChangedError:
    return DriveChangedError(
        f"drive {drive.drive_id} does not hold the unfinished volume that was begun for these"
        f" blobs: {fact}; attach the right drive, or prepare this one anew"
    )
