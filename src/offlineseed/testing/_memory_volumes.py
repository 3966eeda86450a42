"""
A volume adapter that keeps everything in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import final

from typing_extensions import Buffer

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import (
    DriveChangedError,
    UnlockRefusedError,
    VolumeError,
    VolumeFullError,
)
from offlineseed.volumes import (
    CacheBypass,
    Drive,
    VolumeCapacity,
    VolumeFile,
    require_portable_path,
)

__all__ = ["MemoryVolumes"]


class _Volume:
    def __init__(
        self, contents: tuple[VolumeFile, ...], recovery_password: RecoveryPassword
    ) -> None:
        self.contents = contents
        self.recovery_password = recovery_password
        self.files: dict[str, bytearray] = {}
        self.is_finished = False


@final
class MemoryVolumes:
    """
    An adapter double: volumes in memory that heed recovery passwords and drive sizes.

    Thread rule: as for any adapter; different drives at once.
    """

    def __init__(self) -> None:
        self._volumes: dict[str, _Volume] = {}

    def stored(self, drive_id: str) -> dict[str, bytearray]:
        """
        Return the files of a drive's volume by path; change them to play a damaged drive.

        Raises:
            KeyError: the drive has no volume.
        """
        return self._volumes[drive_id].files

    def capacity(self, drive: Drive, /) -> VolumeCapacity:
        return VolumeCapacity(usable_bytes=drive.size_bytes, allocation_bytes=1, file_bytes=0)

    def create(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> MemoryVolumeWriter:
        for file in contents:
            require_portable_path(file.path)
        needed = sum(file.length for file in contents)
        if needed > drive.size_bytes:
            raise VolumeFullError(
                f"drive {drive.drive_id}: {needed} bytes do not fit into {drive.size_bytes}",
                needed_bytes=needed,
                free_bytes=drive.size_bytes,
            )
        volume = _Volume(tuple(contents), recovery_password)
        self._volumes[drive.drive_id] = volume
        return MemoryVolumeWriter(volume)

    def resume(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> MemoryVolumeWriter:
        volume = self._volumes.get(drive.drive_id)
        if volume is None or volume.is_finished or volume.contents != tuple(contents):
            raise DriveChangedError(
                f"drive {drive.drive_id}: it does not hold the unfinished volume of these contents"
            )
        self._require_password(drive, volume, recovery_password)
        return MemoryVolumeWriter(volume)

    def open(self, drive: Drive, recovery_password: RecoveryPassword) -> MemoryVolumeReader:
        volume = self._volumes.get(drive.drive_id)
        if volume is None or not volume.is_finished:
            raise VolumeError(f"drive {drive.drive_id}: it has no finished volume")
        self._require_password(drive, volume, recovery_password)
        return MemoryVolumeReader(volume)

    def _require_password(
        self, drive: Drive, volume: _Volume, recovery_password: RecoveryPassword
    ) -> None:
        if volume.recovery_password != recovery_password:
            raise UnlockRefusedError(
                f"drive {drive.drive_id}: this is not its recovery password; look it up again"
            )


@final
class MemoryVolumeWriter:
    """
    The writer of `MemoryVolumes`; see `VolumeWriter`.
    """

    def __init__(self, volume: _Volume) -> None:
        self._volume = volume
        self._current: MemoryFileWriter | None = None

    def open(self, file: VolumeFile, /) -> MemoryFileWriter:
        if self._current is not None and not self._current.is_over:
            raise VolumeError("the last file is still open")
        if file not in self._volume.contents:
            raise VolumeError(f"{file.path!r} is none of the volume's files")
        self._volume.files.pop(file.path, None)
        self._current = MemoryFileWriter(self._volume, file)
        return self._current

    def keep(self, file: VolumeFile, /) -> bool:
        data = self._volume.files.get(file.path)
        if data is None:
            return False
        return len(data) <= file.length if file.is_maximum else len(data) == file.length

    def finish(self) -> None:
        for file in self._volume.contents:
            if not self.keep(file):
                raise VolumeError(f"{file.path!r} is not written; write it before `finish`")
        self._volume.is_finished = True

    def close(self) -> None:
        if self._current is not None:
            self._current.discard()


@final
class MemoryFileWriter:
    """
    One file of a `MemoryVolumeWriter`; see `VolumeFileWriter`.
    """

    def __init__(self, volume: _Volume, file: VolumeFile) -> None:
        self._volume = volume
        self._file = file
        self._data = bytearray()
        self.is_over = False
        """Whether it was closed or discarded."""

    def write(self, data: Buffer, /) -> None:
        piece = memoryview(data).cast("B")
        if len(self._data) + len(piece) > self._file.length:
            raise VolumeError(f"{self._file.path!r} would be longer than {self._file.length} bytes")
        self._data += piece

    def close(self) -> None:
        if self.is_over:
            return
        self.is_over = True
        if len(self._data) != self._file.length and not self._file.is_maximum:
            raise VolumeError(
                f"{self._file.path!r} has {len(self._data)} of its {self._file.length} bytes"
            )
        self._volume.files[self._file.path] = self._data

    def discard(self) -> None:
        self.is_over = True


@final
class MemoryVolumeReader:
    """
    The reader of `MemoryVolumes`; see `VolumeReader`.
    """

    cache_bypass = CacheBypass.DIRECT

    def __init__(self, volume: _Volume) -> None:
        self._volume = volume

    def files(self) -> Iterator[VolumeFile]:
        for path, data in self._volume.files.items():
            yield VolumeFile(path=path, length=len(data))

    def read(self, path: str, offset: int, length: int) -> bytes:
        require_portable_path(path)
        if path not in self._volume.files:
            raise FileNotFoundError(f"{path!r} is not on the volume")
        return bytes(self._volume.files[path][offset : offset + length])

    def close(self) -> None:
        pass
