"""
A whole disk, opened for writing by one: an image file, or a block device on Linux.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import final

from typing_extensions import Buffer

from offlineseed.errors import DriveNotEligibleError, VolumeError, VolumeFullError
from offlineseed.findings import Finding

__all__ = [
    "PAGE_BYTES",
    "SECTOR_BYTES",
    "DiskFile",
    "image_room",
    "is_block_device",
    "require_size",
]

PAGE_BYTES = 4096
"""What direct writes are aligned to: covers sectors of 512 and of 4096 bytes."""

SECTOR_BYTES = 512
"""A logical sector; the service takes no drive with another one."""

_BINARY = getattr(os, "O_BINARY", 0)
_DIRECT = getattr(os, "O_DIRECT", 0)
_READ_AGAIN = 0x125F  # BLKRRPART, linux/fs.h
_SECTOR_SIZE = 0x1268  # BLKSSZGET, linux/fs.h


def is_block_device(path: Path) -> bool:
    """
    Return whether a path is that of a block device; False where there is nothing.
    """
    try:
        return stat.S_ISBLK(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def image_room(path: Path) -> int:
    """
    Return the bytes that an image may grow to on its disk, what it takes already included.
    """
    place = path
    while not place.exists():
        place = place.parent
    if not hasattr(os, "statvfs"):
        import shutil  # noqa: PLC0415  # where there is no statvfs

        return shutil.disk_usage(place if place.is_dir() else place.parent).free
    disk = os.statvfs(place)
    taken = path.stat().st_blocks * 512 if place == path else 0
    return disk.f_bavail * disk.f_frsize + taken


def require_size(path: Path, found: int, wanted: int) -> None:
    """
    Refuse a disk that is not as large as the owner says.

    Raises:
        VolumeError: says both sizes.
    """
    if found != wanted:
        raise VolumeError(
            f"{path}: it has {found} bytes, not the {wanted} that the drive should have;"
            " check that it is the right one"
        )


@final
class DiskFile:
    """
    The bytes of a disk. Writes are durable once `sync` returned.

    Thread rule: any thread, several at once; whoever syncs waits for the writes first.
    """

    def __init__(self, path: Path, *, size_bytes: int, may_create: bool = False) -> None:
        """
        Open the disk, and keep others from writing to it.

        Args:
            path: a block device, or an image file.
            size_bytes: how large it is, by the owner's word.
            may_create: whether an image that is missing or empty is made, as one large hole.

        Raises:
            FileNotFoundError: it is not there.
            VolumeError: it has another size, or is mounted or being written.
            DriveNotEligibleError: its logical sectors do not have 512 bytes.
            OSError: it can't be opened.
        """
        self.path = path
        """Where it is."""
        self.size_bytes = size_bytes
        """How large it is."""
        self.is_device = is_block_device(path)
        """Whether it is a block device."""
        self._cursor = threading.Lock()
        self._direct = -1
        flags = os.O_RDWR | _BINARY | (os.O_EXCL if self.is_device else 0)
        if may_create and not self.is_device:
            flags |= os.O_CREAT
        try:
            self._fd = os.open(path, flags, 0o600)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise _in_use(path) from error
            raise
        try:
            self._lock()
            self._require_size(size_bytes, may_create=may_create)
            if self.is_device:
                self._require_sectors()
            if _DIRECT:
                with contextlib.suppress(OSError):
                    self._direct = os.open(path, os.O_WRONLY | _DIRECT)
        except BaseException:
            self.close()
            raise

    def read(self, offset: int, length: int) -> bytes:
        """
        Return a range; shorter only where the disk ends. Bytes that were written count.

        Raises:
            OSError: the disk can't be read there.
        """
        pieces = []
        while length:
            piece = self._read_some(offset, length)
            if not piece:
                break
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def write(self, offset: int, data: Buffer) -> None:
        """
        Write bytes anywhere.

        Raises:
            VolumeFullError: there is no space left for the image.
            OSError: the disk refuses.
        """
        with memoryview(data).cast("B") as view:
            self._write_all(self._fd, offset, view)

    def write_pages(self, offset: int, view: memoryview) -> None:
        """
        Write whole pages from page-aligned memory, past the page cache where that can be done.

        Raises:
            VolumeFullError: there is no space left for the image.
            OSError: the disk refuses.
        """
        if self._direct >= 0 and not offset % PAGE_BYTES and not len(view) % PAGE_BYTES:
            try:
                self._write_all(self._direct, offset, view)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
            else:
                return
        self._write_all(self._fd, offset, view)

    def sync(self) -> None:
        """
        Wait until the disk itself has everything that was written.

        Raises:
            OSError: it has not, and something may be lost.
        """
        if sys.platform == "darwin":
            import fcntl  # noqa: PLC0415  # Windows has none

            with contextlib.suppress(OSError):  # not every file system knows it
                fcntl.fcntl(self._fd, fcntl.F_FULLFSYNC)
                return
        os.fsync(self._fd)

    def blank(self, ranges: Iterable[tuple[int, int]]) -> None:
        """
        Make an image one large hole; write zeros to those ranges of a block device.

        Raises:
            OSError: the disk refuses.
        """
        if self.is_device:
            for offset, length in ranges:
                self.write(offset, bytes(length))
        else:
            os.ftruncate(self._fd, 0)
            os.ftruncate(self._fd, self.size_bytes)

    def announce_partitions(self) -> None:
        """
        Have the system read the partition table again; without effect where it can't.
        """
        if self.is_device and sys.platform == "linux":
            import fcntl  # noqa: PLC0415  # Windows has none

            with contextlib.suppress(OSError):
                fcntl.ioctl(self._fd, _READ_AGAIN)

    def close(self) -> None:
        """
        Let go of the disk without waiting for anything; may be called twice.
        """
        for fd in (self._direct, self._fd):
            if fd >= 0:
                os.close(fd)
        self._fd = self._direct = -1

    def _lock(self) -> None:
        if self.is_device or sys.platform == "win32":
            return
        import fcntl  # noqa: PLC0415  # Windows has none

        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _in_use(self.path) from error

    def _require_size(self, size_bytes: int, *, may_create: bool) -> None:
        found = os.lseek(self._fd, 0, os.SEEK_END)
        if not found and may_create and not self.is_device:
            os.ftruncate(self._fd, size_bytes)
        else:
            require_size(self.path, found, size_bytes)

    def _require_sectors(self) -> None:
        if sys.platform != "linux":
            return
        import fcntl  # noqa: PLC0415  # Windows has none

        answer = fcntl.ioctl(self._fd, _SECTOR_SIZE, bytes(4))
        (found,) = struct.unpack("=i", answer)
        if found != SECTOR_BYTES:
            message = (
                f"its logical sectors have {found} bytes, the service takes only {SECTOR_BYTES}"
            )
            raise DriveNotEligibleError(
                f"{self.path}: {message}",
                findings=[Finding(code="sector-size", subject=str(self.path), message=message)],
            )

    def _read_some(self, offset: int, length: int) -> bytes:
        if sys.platform != "win32":
            return os.pread(self._fd, length, offset)
        with self._cursor:
            os.lseek(self._fd, offset, os.SEEK_SET)
            return os.read(self._fd, length)

    def _write_all(self, fd: int, offset: int, view: memoryview) -> None:
        done = 0
        while done < len(view):
            try:
                done += self._write_some(fd, offset + done, view[done:])
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise VolumeFullError(
                        f"{self.path}: no space left for the image; make room on its disk",
                        needed_bytes=len(view) - done,
                    ) from error
                raise

    def _write_some(self, fd: int, offset: int, view: memoryview) -> int:
        if sys.platform != "win32":
            return os.pwrite(fd, view, offset)
        with self._cursor:
            os.lseek(fd, offset, os.SEEK_SET)
            return os.write(fd, view)


def _in_use(path: Path) -> VolumeError:
    return VolumeError(
        f"{path}: it is mounted, or another process is writing to it; unmount it, or wait"
    )
