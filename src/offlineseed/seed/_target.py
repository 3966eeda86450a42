"""
The folder that a tree is restored into.

Nothing is written through a symbolic link: the folder is empty at the start, links are made when
all files are there, and none is made below another.
"""

from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import final

import attrs
from typing_extensions import Self

from offlineseed.errors import UnsafeNameError
from offlineseed.seed._model import Item

__all__ = ["LargeFile", "Target"]

_CREATE = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)
_OPEN_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.utime in os.supports_fd
_MOST_FOLDERS = 50_000
_SEEK_LOCK = threading.Lock()


@final
@attrs.define(eq=False)
class LargeFile:
    """
    A file that several threads write. Whoever acquires it releases it; the last one finishes it.
    """

    item: Item
    path: bytes
    descriptor: int
    mode_bits: int
    _users: int = 1
    _lock: threading.Lock = attrs.Factory(threading.Lock)

    def acquire(self) -> None:
        """
        Count a user.
        """
        with self._lock:
            self._users += 1

    def release(self) -> bool:
        """
        Count a user out. The last one sets mode and time, closes the file and hears True.
        """
        with self._lock:
            self._users -= 1
            if self._users:
                return False
        _finish_file(self.descriptor, self.path, self.item, self.mode_bits)
        return True

    def write(self, data: memoryview, offset: int) -> None:
        """
        Write a range. Any thread may.
        """
        while data:
            if hasattr(os, "pwrite"):
                written = os.pwrite(self.descriptor, data, offset)
            else:
                with _SEEK_LOCK:
                    os.lseek(self.descriptor, offset, os.SEEK_SET)
                    written = os.write(self.descriptor, data)
            data = data[written:]
            offset += written


@final
class Target:
    """
    Makes folders, files and links below a root. Used as a context manager.

    Any thread may write files and finish folders; one makes folders and links.

    Args:
        root: the folder; it exists.
        set_id_bits: whether modes keep their set-user-id and set-group-id bits.

    """

    def __init__(self, root: Path, *, set_id_bits: bool = False) -> None:
        # Owners are not restored: a program of somebody's would run as whoever restores it.
        self._mode_bits = 0o7777 if set_id_bits else 0o7777 & ~(stat.S_ISUID | stat.S_ISGID)
        self._root = os.fsencode(root.resolve())
        self._made = {self._root}
        self._real = {self._root}
        self._folders: dict[int, tuple[bytes, int | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for _, descriptor in self._folders.values():
            if descriptor is not None:
                os.close(descriptor)

    def make_folder(self, item: Item) -> None:
        """
        Make a directory, with no more than the owner's rights until it is finished.
        """
        self._require_made(self._path(item))

    def finish_folder(self, item: Item) -> None:
        """
        Set a directory's mode and time, when all is made in it.
        """
        path = self._path(item)
        os.chmod(path, item.mode & self._mode_bits)  # noqa: PTH101  # bytes
        os.utime(path, ns=(item.mtime_ns, item.mtime_ns))

    def write_small(self, item: Item, content: memoryview) -> None:
        """
        Make a file with its content.
        """
        path = self._path(item)
        descriptor = self._create(path)
        try:
            while content:
                content = content[os.write(descriptor, content) :]
        except BaseException:
            os.close(descriptor)
            raise
        _finish_file(descriptor, path, item, self._mode_bits)

    def open_large(self, item: Item) -> LargeFile:
        """
        Make a file of its full length, of zeros.
        """
        path = self._path(item)
        descriptor = self._create(path)
        try:
            if item.length:
                os.ftruncate(descriptor, item.length)
        except BaseException:
            os.close(descriptor)
            raise
        return LargeFile(item, path, descriptor, self._mode_bits)

    def make_link(self, item: Item) -> None:
        """
        Make a symbolic link. All files are there.

        Raises:
            UnsafeNameError: it would lie below another link.
        """
        path = self._path(item)
        folder = path.rpartition(b"/")[0]
        if folder not in self._real:
            # A forged catalog may put a link below another.
            if os.path.realpath(folder) != folder:
                raise UnsafeNameError(
                    f"{item.name!r} is not restored: it lies below a symbolic link", name=item.name
                )
            self._require_made(folder)
            self._real.add(folder)
        os.symlink(os.fsencode(item.target or ""), path)  # noqa: PTH211  # bytes
        if os.utime in os.supports_follow_symlinks:
            os.utime(path, ns=(item.mtime_ns, item.mtime_ns), follow_symlinks=False)

    def _create(self, path: bytes) -> int:
        # Most files follow another one of their folder: a name in it is found faster than a path.
        folder, _, name = path.rpartition(b"/")
        thread = threading.get_ident()
        known, descriptor = self._folders.get(thread, (b"", None))
        if folder != known:
            self._require_made(folder)
            if descriptor is not None:
                del self._folders[thread]
                os.close(descriptor)
            descriptor = os.open(folder, _OPEN_FOLDER) if _BY_DESCRIPTOR else None
            self._folders[thread] = (folder, descriptor)
        if descriptor is None:
            return os.open(path, _CREATE, 0o600)
        return os.open(name, _CREATE, 0o600, dir_fd=descriptor)

    def _require_made(self, path: bytes) -> None:
        missing = []
        while path not in self._made:
            missing.append(path)
            path = path.rpartition(b"/")[0]
        for folder in reversed(missing):
            if len(self._made) > _MOST_FOLDERS:
                self._made = {self._root}
            # One that was made and forgotten is there.
            with suppress(FileExistsError):
                os.mkdir(folder, 0o700)  # noqa: PTH102  # bytes
            self._made.add(folder)

    def _path(self, item: Item) -> bytes:
        name = item.name
        if os.name == "nt" and ("\\" in name or ":" in name):
            raise UnsafeNameError(
                f"{name!r} can't be restored here: it has a backslash or a colon", name=name
            )
        return self._root + b"/" + os.fsencode(name)


def _finish_file(descriptor: int, path: bytes, item: Item, mode_bits: int) -> None:
    times = (item.mtime_ns, item.mtime_ns)
    try:
        if _BY_DESCRIPTOR:
            os.fchmod(descriptor, item.mode & mode_bits)
            os.utime(descriptor, ns=times)
    finally:
        os.close(descriptor)
    if not _BY_DESCRIPTOR:
        os.utime(path, ns=times)
