"""
A finished volume in a folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import final

from offlineseed.errors import UnsafeNameError
from offlineseed.volumes._model import CacheBypass, VolumeFile
from offlineseed.volumes._names import require_portable_path
from offlineseed.volumes._uncached_io import UncachedReader

__all__ = ["DirectoryReader", "is_system_name"]

_SYSTEM = frozenset({"system volume information", "$recycle.bin", "lost+found"})
_STRENGTH = (CacheBypass.DIRECT, CacheBypass.DROPPED, CacheBypass.NONE)


def is_system_name(name: str) -> bool:
    """
    Return whether a name in a volume's root is the system's own, not content.
    """
    return name.lower() in _SYSTEM


@final
class DirectoryReader:
    """
    The reader of `DirectoryVolumes`; see `VolumeReader`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._path = ""
        self._file: UncachedReader | None = None
        self._bypass = CacheBypass.DIRECT

    @property
    def cache_bypass(self) -> CacheBypass:
        return self._bypass

    def files(self) -> Iterator[VolumeFile]:
        for path in sorted(self._root.iterdir()):
            if not is_system_name(path.name):
                yield from self._files_at(path)

    def read(self, path: str, offset: int, length: int) -> bytes:
        if self._file is None or path != self._path:
            self.close()
            self._file = UncachedReader(self._locate(path))
            self._path = path
        data = self._file.read(offset, length)
        self._bypass = max(self._bypass, self._file.cache_bypass, key=_STRENGTH.index)
        return data

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _locate(self, path: str) -> Path:
        require_portable_path(path)
        located = self._root / path
        if not located.parent.resolve().is_relative_to(self._root):
            raise UnsafeNameError(f"{path!r} would leave the volume by a link", name=path)
        return located

    def _files_at(self, path: Path) -> Iterator[VolumeFile]:
        if path.is_dir() and not path.is_symlink():
            for inner in sorted(path.iterdir()):
                yield from self._files_at(inner)
        else:
            relative = path.relative_to(self._root).as_posix()
            yield VolumeFile(path=relative, length=path.lstat().st_size)
