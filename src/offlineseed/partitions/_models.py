"""
Partition tables as values.

Source: UEFI specification 2.10, chapter 5 (GUID Partition Table).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from enum import Enum
from typing import Any, final

import attrs

from offlineseed.errors import PartitionTableError
from offlineseed.findings import Finding

__all__ = [
    "BASIC_DATA",
    "ENTRY_BYTES",
    "ENTRY_COUNT",
    "FIRST_LBA",
    "SECTOR_BYTES",
    "DiskPartitions",
    "GptPartition",
    "PartitionFound",
    "PartitionScheme",
    "PartitionTable",
]

SECTOR_BYTES = 512
"""A sector; the service takes no drive with another logical sector size."""

FIRST_LBA = 2048
"""Where the data partition begins: 1 MiB, the alignment of every current partitioning tool."""

ENTRY_COUNT = 128
"""Partition entries in a table."""

ENTRY_BYTES = 128
"""The length of an entry."""

BASIC_DATA = uuid.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
"""The type of a partition that Windows gives a drive letter."""

_NAME_UNITS = 36


def _name_fits(_instance: Any, _attribute: attrs.Attribute[str], value: str) -> None:
    if len(value.encode("utf-16-le", "surrogatepass")) > 2 * _NAME_UNITS or "\0" in value:
        raise PartitionTableError(
            f"a partition's name has at most {_NAME_UNITS} characters and no NUL"
        )


def _lba(instance: Any, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int:
        raise TypeError(f"{attribute.name} is an int, not {type(value).__name__}")
    if not 0 <= value < 2**64:
        raise PartitionTableError(
            f"{attribute.name} is {value}, which has no place in the table",
            context=type(instance).__name__,
        )


@final
@attrs.frozen(kw_only=True)
class GptPartition:
    """
    A used entry of a GUID partition table.
    """

    number: int
    """Its place in the table, counted from 1."""
    type_guid: uuid.UUID
    """What it is for, such as `BASIC_DATA`."""
    unique_guid: uuid.UUID
    """Its own id."""
    first_lba: int = attrs.field(validator=_lba)
    """Its first sector."""
    last_lba: int = attrs.field(validator=_lba)
    """Its last sector, which belongs to it."""
    name: str = attrs.field(default="", validator=_name_fits)
    """Its name, at most 36 UTF-16 units."""
    attributes: int = attrs.field(default=0, validator=_lba)
    """Its attribute bits."""

    @property
    def offset_bytes(self) -> int:
        """
        Where it begins on the disk, in bytes.
        """
        return self.first_lba * SECTOR_BYTES

    @property
    def length_bytes(self) -> int:
        """
        Its length in bytes.
        """
        return (self.last_lba - self.first_lba + 1) * SECTOR_BYTES


def _gpt_partitions(value: Iterable[GptPartition]) -> tuple[GptPartition, ...]:
    return tuple(value)


@final
@attrs.frozen(kw_only=True)
class PartitionTable:
    """
    A GUID partition table of a disk with 512-byte sectors.
    """

    disk_bytes: int
    """The disk's size in bytes, a multiple of 512."""
    disk_guid: uuid.UUID
    """The disk's id."""
    partitions: tuple[GptPartition, ...] = attrs.field(default=(), converter=_gpt_partitions)
    """The used entries, by number."""

    @property
    def last_usable_lba(self) -> int:
        """
        The last sector that a partition may have: behind it lies the backup table.
        """
        return self.disk_bytes // SECTOR_BYTES - 2 - ENTRY_COUNT * ENTRY_BYTES // SECTOR_BYTES


class PartitionScheme(str, Enum):
    """
    How a disk is divided.
    """

    NONE = "none"
    """It is not."""
    MBR = "mbr"
    """By a master boot record."""
    GPT = "gpt"
    """By a GUID partition table."""


@final
@attrs.frozen(kw_only=True)
class PartitionFound:
    """
    A partition of a stranger's disk, or a volume that has the disk to itself.
    """

    scheme: PartitionScheme
    """By which table it is there; NONE for a volume that has the disk to itself."""
    number: int
    """Its number as tools show it; 0 for a volume that has the disk to itself."""
    kind: str
    """Its type: a GUID, a byte such as `0x07`, or the volume's format."""
    offset_bytes: int
    """Where it begins, in bytes."""
    length_bytes: int
    """Its length in bytes, as the table says."""
    name: str = ""
    """Its name, where the table has names."""

    def __str__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        return f"{self.number}: {self.kind}{name}, {self.length_bytes} bytes at {self.offset_bytes}"


@final
@attrs.frozen(kw_only=True)
class DiskPartitions:
    """
    What was found on a disk.
    """

    scheme: PartitionScheme
    """How the disk is divided."""
    partitions: tuple[PartitionFound, ...] = ()
    """Every partition that a table names, damaged tables included."""
    table: PartitionTable | None = None
    """The GUID partition table, where the primary or the backup is whole."""
    findings: tuple[Finding, ...] = ()
    """Everything wrong or unknown; the subject is the structure."""

    @property
    def is_blank(self) -> bool:
        """
        Whether nothing was found that an overwrite would destroy.
        """
        return self.scheme is PartitionScheme.NONE and not self.partitions and not self.findings
