"""
Files written and read past the page cache, where the system can.

Direct I/O wants aligned memory, offsets and lengths, so bytes pass through one page-aligned
buffer here and callers need not care.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import sys
from pathlib import Path
from typing import final

from typing_extensions import Buffer

from offlineseed.errors import VolumeFullError
from offlineseed.volumes._model import CacheBypass

__all__ = ["BUFFER_BYTES", "UncachedReader", "UncachedWriter"]

BUFFER_BYTES = 4 * 1024 * 1024
"""One block of a blob: large enough that a disk is busy moving data, not starting requests."""

_ALIGNMENT = 4096  # covers drives of 512 and of 4096 bytes a sector
_BINARY = getattr(os, "O_BINARY", 0)
_NOT_A_LINK = getattr(os, "O_NOFOLLOW", 0)
_REFUSALS = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP}


@final
class UncachedWriter:
    """
    A new file, written front to back in large aligned writes.

    Thread rule: one thread at a time.
    """

    def __init__(self, path: Path, *, preallocate: int = 0) -> None:
        """
        Make the file, or empty the one that is there.

        Args:
            path: where; its folder exists.
            preallocate: bytes to reserve now, so that a full drive is noticed before the copy.

        Raises:
            VolumeFullError: there is no room for them.
            OSError: the file can't be made.
        """
        self._path = path
        self._fd, self._is_direct = _open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._buffer = mmap.mmap(-1, BUFFER_BYTES)
        self._filled = 0
        self.written = 0
        """Bytes that were accepted."""
        try:
            self._preallocate(preallocate)
        except BaseException:
            self.close()
            raise

    def write(self, data: Buffer) -> None:
        """
        Append bytes; they are on their way when a whole buffer of them has come.

        Raises:
            VolumeFullError: the drive has no space left.
            OSError: the drive refuses.
        """
        with memoryview(data).cast("B") as view:
            position = 0
            while position < len(view):
                count = min(len(view) - position, BUFFER_BYTES - self._filled)
                self._buffer[self._filled : self._filled + count] = view[
                    position : position + count
                ]
                position += count
                self._filled += count
                self.written += count
                if self._filled == BUFFER_BYTES:
                    self._flush(BUFFER_BYTES)

    def sync(self) -> None:
        """
        Write what is left, fix the file's length and wait until the drive has it all.

        Raises:
            VolumeFullError: the drive has no space left.
            OSError: the drive refuses.
        """
        padded = -(-self._filled // _ALIGNMENT) * _ALIGNMENT
        self._buffer[self._filled : padded] = bytes(padded - self._filled)
        self._flush(padded if self._is_direct else self._filled)
        os.ftruncate(self._fd, self.written)
        os.fsync(self._fd)
        if not self._is_direct:
            _drop_cached_pages(self._fd)

    def close(self) -> None:
        """
        Let go of the file without waiting for anything; may be called twice.
        """
        if self._fd >= 0:
            os.close(self._fd)
            self._buffer.close()
            self._fd = -1

    def _preallocate(self, length: int) -> None:
        if not length or not hasattr(os, "posix_fallocate"):
            return
        disk = os.fstatvfs(self._fd)
        if length > disk.f_bavail * disk.f_frsize:
            # Asked for more than there is, a file system may reserve all there is, then fail.
            raise _full(self._path, length)
        try:
            os.posix_fallocate(self._fd, 0, length)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                os.ftruncate(self._fd, 0)
                raise _full(self._path, length) from error
            if error.errno not in _REFUSALS:
                raise

    def _flush(self, length: int) -> None:
        with memoryview(self._buffer) as view:
            done = 0
            while done < length:
                done += self._write_some(view[done:length])
        self._filled = 0

    def _write_some(self, view: memoryview) -> int:
        try:
            return os.write(self._fd, view)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise _full(self._path, len(view)) from error
            if error.errno != errno.EINVAL or not self._is_direct:
                raise
        _make_cached(self._fd)
        self._is_direct = False
        return os.write(self._fd, view)


@final
class UncachedReader:
    """
    A file, read at any offset. `cache_bypass` says how sure it is that the drive was read.

    Thread rule: one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        """
        Open the file; a symbolic link is refused.

        Raises:
            OSError: the file can't be opened.
        """
        self._fd, self._is_direct = _open(path, os.O_RDONLY | _NOT_A_LINK)
        self._buffer = mmap.mmap(-1, BUFFER_BYTES)
        self.cache_bypass = CacheBypass.DIRECT
        """How the bytes were read so far, or will be."""
        if not self._is_direct:
            self._drop()

    def read(self, offset: int, length: int) -> bytes:
        """
        Return a range of the file: shorter only where the file ends before it.

        Raises:
            OSError: the drive can't be read there.
        """
        pieces = []
        while length > 0:
            skip = offset % _ALIGNMENT
            wanted = min(length, BUFFER_BYTES - skip)
            got = self._fill(offset - skip, -(-(skip + wanted) // _ALIGNMENT) * _ALIGNMENT)
            piece = self._buffer[skip : min(got, skip + wanted)]
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
            if len(piece) < wanted:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """
        Let go of the file; may be called twice.
        """
        if self._fd >= 0:
            os.close(self._fd)
            self._buffer.close()
            self._fd = -1

    def _fill(self, position: int, length: int) -> int:
        got = 0
        while got < length:
            with memoryview(self._buffer)[got:length] as view:
                try:
                    count = _read_at(self._fd, view, position + got)
                except OSError as error:
                    if error.errno != errno.EINVAL or not self._is_direct:
                        raise
                    _make_cached(self._fd)
                    self._is_direct = False
                    self._drop()
                    continue
            got += count
            if count == 0 or got % _ALIGNMENT:
                break
        return got

    def _drop(self) -> None:
        dropped = _drop_cached_pages(self._fd)
        self.cache_bypass = CacheBypass.DROPPED if dropped else CacheBypass.NONE


def _open(path: Path, flags: int) -> tuple[int, bool]:
    direct = getattr(os, "O_DIRECT", 0)
    if direct:
        with contextlib.suppress(OSError):
            return os.open(path, flags | direct | _BINARY, 0o666), True
    return os.open(path, flags | _BINARY, 0o666), False


def _make_cached(fd: int) -> None:
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415  # Windows has none

        flags = fcntl.fcntl(fd, fcntl.F_GETFL)
        fcntl.fcntl(fd, fcntl.F_SETFL, flags & ~getattr(os, "O_DIRECT", 0))


def _read_at(fd: int, view: memoryview, position: int) -> int:
    if sys.platform != "win32":
        return os.preadv(fd, [view], position)
    os.lseek(fd, position, os.SEEK_SET)
    data = os.read(fd, len(view))
    view[: len(data)] = data
    return len(data)


def _drop_cached_pages(fd: int) -> bool:
    if not hasattr(os, "posix_fadvise"):
        return False
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        return False
    return True


def _full(path: Path, needed: int) -> VolumeFullError:
    return VolumeFullError(
        f"no space left for {path.name!r}; use a larger drive, or plan fewer blobs onto this one",
        needed_bytes=needed,
    )
