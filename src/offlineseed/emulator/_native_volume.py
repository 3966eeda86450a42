"""
Opens a shipped image or block device with libbde and libfsntfs.

These readers are other people's, and share no line with what wrote the drive: a round trip
through the datacentre proves that strangers can read it.
"""

from __future__ import annotations

import struct
import threading
from pathlib import Path
from types import ModuleType
from typing import IO, Any, final

from offlineseed._secret import Secret
from offlineseed.emulator._shipped_volume import (
    DriveUnreadableError,
    ShippedFile,
    path_parts,
)
from offlineseed.errors import AdapterUnavailableError

__all__ = ["NativeVolume", "open_native_volume"]

_SECTOR = 512
_MOST_ENTRIES = 256
_BASIC_DATA = bytes.fromhex("a2a0d0ebe5b9334487c068b6b72699c7")
"""The GPT type of a volume with data, as its bytes lie on the disk."""


def open_native_volume(path: Path, recovery_password: Secret) -> NativeVolume:
    """
    Find the first data volume of a disk, unlock it and open its file system.

    Raises:
        AdapterUnavailableError: libbde or libfsntfs is not installed.
        DriveUnreadableError: with the copy log's drive status.
    """
    try:
        import pybde  # noqa: PLC0415  # an extra
        import pyfsntfs  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise AdapterUnavailableError(
            "the datacentre reads images with libbde and libfsntfs: install the extra "
            "offlineseed[emulator]",
            missing=(error.name or "pybde",),
            install="pip install 'offlineseed[emulator]'",
        ) from error
    try:
        disk = path.open("rb")
    except OSError:
        raise DriveUnreadableError("DiskOperationFailed") from None
    try:
        return NativeVolume(disk, recovery_password, pybde, pyfsntfs)
    except BaseException:
        disk.close()
        raise


@final
class NativeVolume:
    """
    The NTFS volume in the BitLocker volume of a disk. Reads take turns: the readers want it so.
    """

    def __init__(
        self, disk: IO[bytes], recovery_password: Secret, pybde: ModuleType, pyfsntfs: ModuleType
    ) -> None:
        self._disk = disk
        self._lock = threading.Lock()
        try:
            start, length = _data_volume(disk)
        except OSError:
            raise DriveUnreadableError("DiskOperationFailed") from None
        self._window = _Window(disk, start, length)
        if self._window.read(11)[3:] != b"-FVE-FS-":
            raise DriveUnreadableError("BitLockerNotActivated")
        self._window.seek(0)
        self._locked: Any = pybde.volume()
        try:
            self._locked.set_recovery_password(recovery_password.reveal())
        except (OSError, ValueError):
            # Not even the form of a recovery password.
            raise DriveUnreadableError("BitLockerKeyInvalid") from None
        try:
            self._locked.open_file_object(self._window)
        except OSError:
            raise DriveUnreadableError("BitLockerFailed") from None
        try:
            if self._locked.is_locked():
                raise DriveUnreadableError("BitLockerKeyInvalid")
            self._volume: Any = pyfsntfs.volume()
            try:
                self._volume.open_file_object(self._locked)
            except OSError:
                raise DriveUnreadableError("VolumeNotNtfs") from None
        except BaseException:
            self._locked.close()
            raise

    def open(self, path: str) -> ShippedFile:
        parts = path_parts(path)
        with self._lock:
            entry = self._volume.get_file_entry_by_path("\\" + "\\".join(parts))
        if entry is None or not entry.has_default_data_stream():
            raise FileNotFoundError(path)
        return _NativeFile(entry, self._lock)

    def close(self) -> None:
        with self._lock:
            self._volume.close()
            self._locked.close()
            self._disk.close()


@final
class _NativeFile:
    def __init__(self, entry: Any, lock: threading.Lock) -> None:
        self._entry = entry
        self._lock = lock
        self._length = int(entry.get_size())

    @property
    def length(self) -> int:
        return self._length

    def read_at(self, offset: int, length: int) -> bytes:
        length = min(length, self._length - offset)
        pieces = []
        while length > 0:
            with self._lock:
                piece = bytes(self._entry.read_buffer_at_offset(length, offset))
            if not piece:
                break
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """
        Nothing is held: the volume is.
        """


@final
class _Window:
    """
    A part of a disk, as the file object that libbde takes.
    """

    def __init__(self, disk: IO[bytes], start: int, length: int) -> None:
        self._disk = disk
        self._start = start
        self._length = length
        self._offset = 0

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._length - self._offset)
        size = left if size < 0 else min(size, left)
        self._disk.seek(self._start + self._offset)
        data = self._disk.read(size)
        self._offset += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._offset = (0, self._offset, self._length)[whence] + offset
        return self._offset

    def tell(self) -> int:
        return self._offset

    def get_size(self) -> int:
        return self._length


def _data_volume(disk: IO[bytes]) -> tuple[int, int]:
    """
    Return where the first data volume starts and how long it is, from GPT, MBR, or no table.
    """
    disk_length = disk.seek(0, 2)
    disk.seek(0)
    first = disk.read(_SECTOR)
    if len(first) < _SECTOR:
        raise DriveUnreadableError("DiskNotFound")
    if first[3:11] == b"-FVE-FS-":
        return 0, disk_length
    header = disk.read(_SECTOR)
    if header[:8] == b"EFI PART":
        table, count, size = struct.unpack_from("<QII", header, 72)
        disk.seek(table * _SECTOR)
        for _ in range(min(count, _MOST_ENTRIES)):
            entry = disk.read(size)
            if entry[:16] == _BASIC_DATA:
                begin, end = struct.unpack_from("<QQ", entry, 32)
                return begin * _SECTOR, (end - begin + 1) * _SECTOR
        raise DriveUnreadableError("BitLockerVolumeNotFound")
    if first[510:] == b"\x55\xaa":
        for index in range(4):
            entry = first[446 + 16 * index :][:16]
            if entry[4] in (0x07, 0x0B, 0x0C):
                begin, sectors = struct.unpack_from("<II", entry, 8)
                return begin * _SECTOR, sectors * _SECTOR
    raise DriveUnreadableError("BitLockerVolumeNotFound")
