"""
An unfinished volume in a folder.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import final

from typing_extensions import Buffer

from offlineseed._durable import make_folder, sync_folder
from offlineseed.errors import VolumeError
from offlineseed.volumes._model import VolumeFile
from offlineseed.volumes._names import require_portable_path
from offlineseed.volumes._uncached_io import UncachedWriter

__all__ = ["MARKER", "DirectoryFileWriter", "DirectoryWriter", "is_ours"]

MARKER = ".offlineseed-unfinished"
"""Stands in the root from `create` to `finish`."""

_PART = ".offlineseed-part"  # the one file that is not closed yet, whatever its name will be


def is_ours(path: str) -> bool:
    """
    Return whether a path is one of the two that an unfinished volume needs for itself.
    """
    return path in {MARKER, _PART}


@final
class DirectoryWriter:
    """
    The writer of `DirectoryVolumes`; see `VolumeWriter`.
    """

    def __init__(self, root: Path, contents: Collection[VolumeFile]) -> None:
        self._root = root
        self._contents = contents
        self._current: DirectoryFileWriter | None = None

    def open(self, file: VolumeFile, /) -> DirectoryFileWriter:
        require_portable_path(file.path)
        if self._current is not None and not self._current.is_over:
            raise VolumeError(f"{file.path!r} can't be opened before the last file is closed")
        self._current = DirectoryFileWriter(self._root, file)
        return self._current

    def keep(self, file: VolumeFile, /) -> bool:
        return _is_whole(self._root, file)

    def finish(self) -> None:
        self._close_current()
        for file in self._contents:
            if not _is_whole(self._root, file):
                raise VolumeError(f"{file.path!r} is not written; write it before `finish`")
        (self._root / _PART).unlink(missing_ok=True)
        sync_folder(self._root)
        (self._root / MARKER).unlink()
        sync_folder(self._root)

    def close(self) -> None:
        self._close_current()

    def _close_current(self) -> None:
        if self._current is not None:
            self._current.discard()


@final
class DirectoryFileWriter:
    """
    One file of a `DirectoryWriter`; see `VolumeFileWriter`.
    """

    def __init__(self, root: Path, file: VolumeFile) -> None:
        self._root = root
        self._file = file
        self.is_over = False
        """Whether it was closed or discarded."""
        path = root / file.path
        path.unlink(missing_ok=True)
        self._part = UncachedWriter(root / _PART, preallocate=0 if file.is_maximum else file.length)

    def write(self, data: Buffer, /) -> None:
        length = memoryview(data).nbytes
        if self._part.written + length > self._file.length:
            raise VolumeError(
                f"{self._file.path!r} would be longer than the {self._file.length} bytes that the"
                " volume was created for"
            )
        self._part.write(data)

    def close(self) -> None:
        if self.is_over:
            return
        written, file = self._part.written, self._file
        try:
            if written != file.length and not file.is_maximum:
                raise VolumeError(
                    f"{file.path!r} has {written} of its {file.length} bytes; write the rest"
                )
            self._part.sync()
        finally:
            self.discard()
        path = self._root / file.path
        make_folder(path.parent)
        (self._root / _PART).replace(path)
        sync_folder(path.parent)

    def discard(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._part.close()


def _is_whole(root: Path, file: VolumeFile) -> bool:
    try:
        length = (root / file.path).lstat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return False
    return length <= file.length if file.is_maximum else length == file.length
