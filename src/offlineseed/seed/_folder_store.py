"""
A store in a folder: the staging location, or a container's contents on a local disk.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NoReturn, final

from offlineseed._durable import make_folder, sync_folder
from offlineseed.errors import SegmentMissingError, StagingFullError

__all__ = ["FolderStore"]

_PARTIAL = ".partial"
_CHECK_EVERY = 32 * 1024 * 1024
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@final
class FolderStore:
    """
    A `SegmentStore` in a folder.

    An object in the making is `<name>.partial` beside its place; closing it fsyncs it, renames it
    and fsyncs the folder.

    Args:
        root: the folder; made when the first object is.
        reserve_bytes: free space that is left to others; below it writing stops with
            StagingFullError.

    """

    def __init__(self, root: str | os.PathLike[str], *, reserve_bytes: int = 16 << 20) -> None:
        self.root = Path(root)
        """The folder."""
        self.reserve_bytes = reserve_bytes
        """Free space that is left to others."""
        self._had_root = False

    def __repr__(self) -> str:
        return f"FolderStore({str(self.root)!r})"

    def create(self, name: str) -> _FileWriter:
        path = self._path(name)
        if self._had_root and not self.root.is_dir():
            # A share that is gone: making its folder again would split the seed.
            raise FileNotFoundError(
                errno.ENOENT, "the folder vanished: bring it back and go on", str(self.root)
            )
        make_folder(path.parent)
        self._had_root = True
        return _FileWriter(path, 0, self.reserve_bytes)

    def recover(self, name: str, length: int) -> _FileWriter:
        path = self._path(name)
        partial = path.with_name(path.name + _PARTIAL)
        if not partial.exists() and path.exists():
            # The crash came between the rename and the catalog's record of it.
            path.rename(partial)
        if not partial.exists() or partial.stat().st_size < length:
            raise SegmentMissingError(
                f"{partial} should hold {length} acknowledged bytes and does not: "
                "the staging location lost data; remove the job and stage again",
                name=name,
            )
        # An object that was whole and in no catalog when an earlier crash came.
        path.unlink(missing_ok=True)
        return _FileWriter(path, length, self.reserve_bytes)

    def read(self, name: str, offset: int, length: int) -> bytes:
        path = self._path(name)
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            try:
                descriptor = os.open(path.with_name(path.name + _PARTIAL), os.O_RDONLY)
            except FileNotFoundError as error:
                raise _missing(self, name) from error
        try:
            if hasattr(os, "pread"):
                data = os.pread(descriptor, length, offset)
                while 0 < len(data) < length:
                    more = os.pread(descriptor, length - len(data), offset + len(data))
                    if not more:
                        break
                    data += more
                return data
            with os.fdopen(os.dup(descriptor), "rb") as file:
                file.seek(offset)
                return file.read(length)
        finally:
            os.close(descriptor)

    def length(self, name: str) -> int:
        try:
            return self._path(name).stat().st_size
        except FileNotFoundError as error:
            raise _missing(self, name) from error

    def names(self, prefix: str) -> Iterator[str]:
        folder = prefix.rpartition("/")[0]
        base = self.root / folder if folder else self.root
        found: list[str] = []
        for directory, _, files in os.walk(base):
            relative = PurePosixPath(Path(directory).relative_to(self.root).as_posix())
            found += [str(relative / file) for file in files if not file.endswith(_PARTIAL)]
        yield from sorted(name for name in found if name.startswith(prefix))

    def _path(self, name: str) -> Path:
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or name.startswith("/") or "\\" in name or ":" in name:
            raise ValueError(f"{name!r} is no object's name")
        return self.root.joinpath(*parts)


@final
class _FileWriter:
    def __init__(self, path: Path, length: int, reserve_bytes: int) -> None:
        self._path = path
        self._partial = path.with_name(path.name + _PARTIAL)
        self._reserve = reserve_bytes
        self._length = length
        self._next_check = length
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(self._partial, flags, 0o666)
        self._has_durable_name = False
        try:
            os.ftruncate(self._descriptor, length)
            os.lseek(self._descriptor, length, os.SEEK_SET)
        except BaseException:
            self.abort()
            raise

    def write(self, data: bytes | memoryview) -> None:
        if self._length >= self._next_check:
            self._require_space(len(data))
            self._next_check = self._length + _CHECK_EVERY
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._descriptor, view)
            except OSError as error:
                _raise_full(error, self._partial, len(view))
            self._length += written
            view = view[written:]

    def sync(self) -> int:
        length = self._length
        try:
            getattr(os, "fdatasync", os.fsync)(self._descriptor)
            if not self._has_durable_name:
                sync_folder(self._partial.parent)
                self._has_durable_name = True
        except OSError as error:
            _raise_full(error, self._partial, 0)
        return length

    def close(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            _raise_full(error, self._partial, 0)
        finally:
            self.abort()
        self._partial.replace(self._path)
        sync_folder(self._path.parent)

    def abort(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def _require_space(self, length: int) -> None:
        free = shutil.disk_usage(self._partial.parent).free
        needed = length + self._reserve
        if free < needed:
            raise StagingFullError(
                f"{self._partial.parent} has {free} bytes free and needs at least {needed}: make "
                "room and go on; what was acknowledged is safe",
                needed_bytes=needed,
                free_bytes=free,
            )


def _raise_full(error: OSError, path: Path, length: int) -> NoReturn:
    if error.errno not in _NO_SPACE:
        raise error
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError:
        free = 0
    raise StagingFullError(
        f"{path.parent} is full: make room and go on; what was acknowledged is safe",
        needed_bytes=max(length, 1),
        free_bytes=free,
    ) from error


def _missing(store: FolderStore, name: str) -> SegmentMissingError:
    return SegmentMissingError(
        f"{store.root} has no {name}: give the folder that the seed was written or landed in",
        name=name,
    )
