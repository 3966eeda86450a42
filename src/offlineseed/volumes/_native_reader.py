"""
A finished native volume, or any BitLocker volume with NTFS that a recovery password opens.

The way back shares no code with the way out but the sector cipher: other parsers, other paths
through the file system.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from offlineseed.bitlocker import RecoveryPassword, open_volume
from offlineseed.errors import BitLockerFormatError, NtfsError, VolumeError
from offlineseed.ntfs import NtfsReader
from offlineseed.partitions import read_partitions
from offlineseed.volumes._directory_reader import is_system_name
from offlineseed.volumes._model import CacheBypass, Drive, VolumeFile
from offlineseed.volumes._names import require_relative_path
from offlineseed.volumes._uncached_io import UncachedReader

__all__ = ["NativeReader", "find_volume"]

_SIGNATURE = b"-FVE-FS-"


def find_volume(disk: UncachedReader, size_bytes: int) -> tuple[int, int] | None:
    """
    Return offset and length of the first BitLocker volume on a disk; None where there is none.

    Raises:
        OSError: the disk can't be read.
    """
    found = read_partitions(disk.read, size_bytes)
    if found.table is not None:
        for partition in found.table.partitions:
            if disk.read(partition.offset_bytes, 11)[3:] == _SIGNATURE:
                return partition.offset_bytes, partition.length_bytes
        return None
    for other in found.partitions:
        if disk.read(other.offset_bytes, 11)[3:] == _SIGNATURE:
            return other.offset_bytes, other.length_bytes
    return None


@final
class NativeReader:
    """
    The reader of `NativeVolumes`; see `VolumeReader`.
    """

    def __init__(self, drive: Drive, recovery_password: RecoveryPassword) -> None:
        """
        Unlock the volume; takes half a second.

        Raises:
            VolumeError: there is no finished volume, or it is damaged.
            UnlockRefusedError: the recovery password does not open it.
            OSError: the drive can't be read.
        """
        disk = _open_disk(drive)
        try:
            place = find_volume(disk, drive.size_bytes)
            if place is None:
                raise VolumeError(
                    f"drive {drive.drive_id}: there is no finished BitLocker volume on it;"
                    " prepare it, or go on with its preparation"
                )
            self._ntfs = _open_files(disk, *place, recovery_password)
        except (BitLockerFormatError, NtfsError) as error:
            disk.close()
            raise VolumeError(
                f"drive {drive.drive_id}: its volume can't be read: {error}"
            ) from error
        except BaseException:
            disk.close()
            raise
        self._disk = disk

    @property
    def cache_bypass(self) -> CacheBypass:
        return self._disk.cache_bypass

    def files(self) -> Iterator[VolumeFile]:
        for entry in self._ntfs.files():
            if not is_system_name(entry.path.partition("/")[0]):
                yield VolumeFile(path=entry.path, length=entry.length)

    def read(self, path: str, offset: int, length: int) -> bytes:
        require_relative_path(path)
        try:
            return self._ntfs.read(path, offset, length)
        except KeyError as error:
            raise FileNotFoundError(f"there is no {path!r} on the volume") from error

    def close(self) -> None:
        self._disk.close()


def _open_disk(drive: Drive) -> UncachedReader:
    try:
        return UncachedReader(drive.path)
    except FileNotFoundError as error:
        raise VolumeError(f"drive {drive.drive_id}: nothing is at its path; attach it") from error


def _open_files(
    disk: UncachedReader, offset: int, length: int, recovery_password: RecoveryPassword
) -> NtfsReader:
    def read(position: int, count: int) -> bytes:
        return disk.read(offset + position, min(count, length - position))

    return NtfsReader(open_volume(read).unlock(recovery_password).read)
