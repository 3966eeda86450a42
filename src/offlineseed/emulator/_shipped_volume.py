"""
The volume on a shipped drive, as the datacentre reads it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol, final

__all__ = [
    "DirectoryVolume",
    "DriveUnreadableError",
    "FileNameRefusedError",
    "ShippedFile",
    "ShippedVolume",
    "path_parts",
]

_MOST_OF_A_NAME = 255
_MOST_OF_A_PATH = 32_767


class DriveUnreadableError(Exception):
    """
    The datacentre can't read a drive; never leaves the emulator.
    """

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status
        """The drive status code of the copy log."""


class FileNameRefusedError(Exception):
    """
    A path of the manifest is no path on a volume; never leaves the emulator.
    """

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status
        """`FileNameInvalid` or `FileNameTooLong`."""


class ShippedFile(Protocol):
    """
    An open file on the drive. Used by one thread.
    """

    @property
    def length(self) -> int:
        """
        Its length in bytes.
        """

    def read_at(self, offset: int, length: int) -> bytes:
        """
        Read a range; shorter where the file ends. Raises OSError.
        """

    def close(self) -> None:
        """
        Close it.
        """


class ShippedVolume(Protocol):
    """
    A volume that was opened. Used by several threads.
    """

    def open(self, path: str) -> ShippedFile:
        r"""
        Open a file by its path as the manifest writes it: `\folder\file`.

        Raises:
            FileNameRefusedError: no file can have that path.
            OSError: FileNotFoundError, PermissionError and others, as they come.
        """

    def close(self) -> None:
        """
        Close it.
        """


def path_parts(path: str) -> tuple[str, ...]:
    r"""
    Split a path of the manifest, `\folder\file` or `folder/file`, into its names.

    Raises:
        FileNameRefusedError: it is empty, leaves the volume, or is too long.
    """
    if len(path) > _MOST_OF_A_PATH:
        raise FileNameRefusedError("FileNameTooLong")
    # A run of separators counts as one: jobs have been seen with `\\DriveManifest.xml`.
    parts = tuple(part for part in path.replace("/", "\\").split("\\") if part)
    if not parts or any(part in (".", "..") or "\0" in part for part in parts):
        raise FileNameRefusedError("FileNameInvalid")
    if any(len(part.encode("utf-16-le", "surrogatepass")) > 2 * _MOST_OF_A_NAME for part in parts):
        raise FileNameRefusedError("FileNameTooLong")
    return parts


@final
class DirectoryVolume:
    """
    A folder that stands for a volume someone unlocked.
    """

    def __init__(self, path: Path) -> None:
        self._root = path.resolve(strict=True)

    def open(self, path: str) -> ShippedFile:
        file = self._root.joinpath(*path_parts(path))
        if not file.resolve().is_relative_to(self._root):
            # What a link leads to off the drive is not on the drive.
            raise FileNotFoundError(path)
        return _DirectoryFile(file)

    def close(self) -> None:
        """
        Nothing is held.
        """


class _DirectoryFile:
    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        status = os.fstat(self._file.fileno())
        if not stat.S_ISREG(status.st_mode):
            self._file.close()
            raise FileNotFoundError(path)
        self._length = status.st_size

    @property
    def length(self) -> int:
        return self._length

    def read_at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        data = self._file.read(length)
        while len(data) < length:
            more = self._file.read(length - len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        self._file.close()
