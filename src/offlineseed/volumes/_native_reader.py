"""
A finished native volume, or any BitLocker volume with NTFS that a recovery password opens.

The way back shares no code with the way out but the sector cipher: it parses what the other
renders, and finds files by the file system's own records.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import final

from offlineseed.bitlocker import RecoveryPassword, UnlockedVolume, open_volume
from offlineseed.errors import BitLockerFormatError, NtfsError, VolumeError
from offlineseed.ntfs import NtfsReader
from offlineseed.partitions import read_partitions
from offlineseed.volumes._directory_reader import is_system_name
from offlineseed.volumes._model import CacheBypass, Drive, VolumeFile
from offlineseed.volumes._names import require_relative_path
from offlineseed.volumes._uncached_io import UncachedReader

__all__ = ["NativeReader", "find_volume"]

_SIGNATURE = b"-FVE-FS-"
_PIECE_BYTES = 1024 * 1024
_STRENGTH = (CacheBypass.DIRECT, CacheBypass.DROPPED, CacheBypass.NONE)


def find_volume(read: Callable[[int, int], bytes], size_bytes: int) -> tuple[int, int] | None:
    """
    Return offset and length of the first BitLocker volume on a disk; None where there is none.

    Args:
        read: reads a range of the disk, shorter only where it ends.
        size_bytes: the disk's size.

    Raises:
        OSError: the disk can't be read.
    """
    found = read_partitions(read, size_bytes)
    if found.table is not None:
        for partition in found.table.partitions:
            if read(partition.offset_bytes, 11)[3:] == _SIGNATURE:
                return partition.offset_bytes, partition.length_bytes
        return None
    for other in found.partitions:
        if read(other.offset_bytes, 11)[3:] == _SIGNATURE:
            return other.offset_bytes, other.length_bytes
    return None


@final
class NativeReader:
    """
    The reader of `NativeVolumes`; see `VolumeReader`.
    """

    def __init__(
        self, drive: Drive, recovery_password: RecoveryPassword, *, threads: int = 1
    ) -> None:
        """
        Unlock the volume; takes half a second.

        Args:
            drive: the drive.
            recovery_password: unlocks it.
            threads: threads that read and decrypt, where much is read at once.

        Raises:
            VolumeError: there is no finished volume, or it is damaged.
            UnlockRefusedError: the recovery password does not open it.
            OSError: the drive can't be read.
        """
        self._disk = _SharedDisk(drive)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="offlineseed-decrypt")
        try:
            place = find_volume(self._disk.read, drive.size_bytes)
            if place is None:
                raise VolumeError(
                    f"drive {drive.drive_id}: there is no finished BitLocker volume on it;"
                    " prepare it, or go on with its preparation"
                )
            self._view = self._open_view(*place, recovery_password)
            self._ntfs = NtfsReader(self._read_view)
        except (BitLockerFormatError, NtfsError) as error:
            self.close()
            raise VolumeError(
                f"drive {drive.drive_id}: its volume can't be read: {error}"
            ) from error
        except BaseException:
            self.close()
            raise

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
        self._pool.shutdown()
        self._disk.close()

    def _open_view(
        self, offset: int, length: int, recovery_password: RecoveryPassword
    ) -> UnlockedVolume:
        def read(position: int, count: int) -> bytes:
            return self._disk.read(offset + position, min(count, length - position))

        return open_volume(read).unlock(recovery_password)

    def _read_view(self, offset: int, length: int) -> bytes:
        if length <= _PIECE_BYTES:
            return self._view.read(offset, length)
        data = bytearray(length)
        with memoryview(data) as out:
            starts = range(0, length, _PIECE_BYTES)
            pieces = [out[start : start + _PIECE_BYTES] for start in starts]
            # A list, so that every piece is done or has failed before the buffer is left.
            futures = [
                self._pool.submit(self._view.read_into, offset + start, piece)
                for start, piece in zip(starts, pieces, strict=True)
            ]
            wait(futures)
            for future, piece in zip(futures, pieces, strict=True):
                piece.release()
                future.result()
        return bytes(data)


@final
class _SharedDisk:
    """
    A drive that several threads read, each by a reader of its own.
    """

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._readers: list[UncachedReader] = []
        self._open()

    @property
    def cache_bypass(self) -> CacheBypass:
        with self._lock:
            return max((one.cache_bypass for one in self._readers), key=_STRENGTH.index)

    def read(self, offset: int, length: int) -> bytes:
        reader: UncachedReader = getattr(self._mine, "reader", None) or self._open()
        return reader.read(offset, length)

    def close(self) -> None:
        for reader in self._readers:
            reader.close()

    def _open(self) -> UncachedReader:
        try:
            reader = UncachedReader(self._drive.path)
        except FileNotFoundError as error:
            raise VolumeError(
                f"drive {self._drive.drive_id}: nothing is at its path; attach it"
            ) from error
        self._mine.reader = reader
        with self._lock:
            self._readers.append(reader)
        return reader
