"""
Values about drives and the files of their volumes.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, final

import attrs

from offlineseed.volumes._names import require_relative_path

__all__ = ["CacheBypass", "Drive", "VolumeCapacity", "VolumeFile"]


def _check_count(_: Any, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or value < 0:
        raise ValueError(f"{attribute.name} is a whole number of at least 0, not {value!r}")


def _check_size(_: Any, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or value < 1:
        raise ValueError(f"{attribute.name} is a whole number of at least 1, not {value!r}")


def _check_drive_id(_: Any, __: attrs.Attribute[str], value: str) -> None:
    is_word = isinstance(value, str) and value and value.isprintable() and " " not in value
    if not is_word or any(mark in value for mark in '/\\:*?"<>|') or not value.strip("."):
        raise ValueError(
            f"{value!r} is no drive id: give the hardware serial number, without spaces"
        )


def _check_path(_: Any, __: attrs.Attribute[str], value: str) -> None:
    require_relative_path(value)


@final
@attrs.frozen(kw_only=True)
class Drive:
    """
    A physical disk, or what stands for one.

    Raises:
        ValueError: the drive id or size has the wrong shape.
    """

    drive_id: str = attrs.field(validator=_check_drive_id)
    """Its hardware serial number, without spaces; also names its folder in the staging location."""
    path: Path = attrs.field(converter=Path)
    """Where an adapter reaches it: a block device, an image file, a volume's root folder."""
    size_bytes: int = attrs.field(validator=_check_count)
    """The whole drive's size in bytes, as its label or device says."""


@final
@attrs.frozen(kw_only=True)
class VolumeFile:
    """
    One file of a volume: what a volume is created for, and what a reader lists.

    Raises:
        UnsafeNameError: the path is not relative, or would leave the volume.
    """

    path: str = attrs.field(validator=_check_path)
    """Relative to the volume's root, POSIX: no leading slash, no empty part, no `.` and `..`."""
    length: int = attrs.field(validator=_check_count)
    """Its length in bytes; an upper bound of it where `is_maximum`."""
    is_maximum: bool = False
    """Whether the final length is fixed only at `close`, as the drive manifest's is."""


@final
@attrs.frozen(kw_only=True)
class VolumeCapacity:
    """
    How much a drive's volume holds, and how files count against it.

    The sum of `cost` over all files, the manifest among them, may reach `usable_bytes`.
    """

    usable_bytes: int = attrs.field(validator=_check_count)
    """Bytes that files and their bookkeeping may take."""
    allocation_bytes: int = attrs.field(default=4096, validator=_check_size)
    """A file takes a multiple of this: the cluster size."""
    file_bytes: int = attrs.field(default=4096, validator=_check_count)
    """Bookkeeping of each file in bytes, its place in its folder included; never too little."""
    folder_bytes: int = attrs.field(default=0, validator=_check_count)
    """Bookkeeping of each folder on a file's way, as if no other file were in it."""

    def cost(self, length: int, *, folders: int = 0) -> int:
        """
        Return how many of the usable bytes a file of this length takes, that many folders deep.
        """
        allocated = -(-length // self.allocation_bytes) * self.allocation_bytes
        return allocated + self.file_bytes + folders * self.folder_bytes


class CacheBypass(str, Enum):
    """
    How sure it is that bytes which were read came from the drive, not from memory.
    """

    DIRECT = "direct"
    """Read by direct I/O: the page cache took no part."""
    DROPPED = "dropped"
    """The file's cached pages were dropped before it was read; the system may have kept some."""
    NONE = "none"
    """Nothing could be done: what was read may never have reached the drive."""
