"""
The first sector of a BitLocker volume.
"""

from __future__ import annotations

import struct
import uuid
from typing import final

import attrs

from offlineseed.errors import BitLockerFormatError

__all__ = ["BOOT_SECTOR_BYTES", "BootSector", "parse_boot_sector", "render_boot_sector"]

BOOT_SECTOR_BYTES = 512
"""Bytes in the boot sector."""

_JUMP_AND_SIGNATURE = b"\xeb\x58\x90-FVE-FS-"
_VISTA_SIGNATURE = b"\xeb\x52\x90-FVE-FS-"
_TO_GO_NAME = b"MSWIN4.1"
_GEOMETRY = struct.Struct("<HB7xBHHHI")  # from 0x0b: sector, cluster, …, media, tracks, heads, …
_GEOMETRY_OFFSET = 0x0B
_MEDIA = 0xF8
_FIXED = (
    # Fields of a FAT32 boot sector that a fixed volume fills in the same way always.
    (0x24, bytes.fromhex("e01f0000")),
    (0x30, bytes.fromhex("01000600")),
    (0x40, bytes.fromhex("800029")),
    (0x47, b"NO NAME    FAT32   "),
)
_CODE_OFFSET = 0x5A
_CODE = bytes.fromhex("faf4ebfd")  # cli; hlt; jump back: not a volume to start from
_GUID_OFFSET = 0xA0
_GUID = uuid.UUID("4967d63b-2e29-4ad8-8399-f6a339e3d001").bytes_le
_CONVERTING_GUID = uuid.UUID("92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8").bytes_le
_OFFSETS = struct.Struct("<QQQ")
_OFFSETS_OFFSET = 0xB0
_FILLER_OFFSET = 0x198  # zeros here would look like a partition table
_FILLER = b"x" * 80 + b"\xff" * 19 + bytes.fromhex("001f2c55aa")


@final
@attrs.frozen(kw_only=True)
class BootSector:
    """
    What the boot sector says.

    Source: libbde, "BitLocker Drive Encryption (BDE) format", volume header of Windows 7 and
    later; volumes made by Windows 7 to 11.
    """

    sector_bytes: int = 512
    """Bytes in a sector, as in the NTFS inside."""
    sectors_per_cluster: int = 8
    """Sectors in a cluster, as in the NTFS inside."""
    sectors_per_track: int = 63
    """A geometry that nobody uses."""
    heads: int = 255
    """A geometry that nobody uses."""
    hidden_sectors: int
    """The partition's first sector on the disk, as in the NTFS inside."""
    info_offsets: tuple[int, int, int]
    """Where the three copies of the metadata block are, in bytes from the volume's start."""


def render_boot_sector(boot: BootSector) -> bytes:
    """
    Return the 512 bytes of a boot sector.
    """
    sector = bytearray(BOOT_SECTOR_BYTES)

    def put(offset: int, data: bytes) -> None:
        sector[offset : offset + len(data)] = data

    put(0, _JUMP_AND_SIGNATURE)
    _GEOMETRY.pack_into(
        sector,
        _GEOMETRY_OFFSET,
        boot.sector_bytes,
        boot.sectors_per_cluster,
        _MEDIA,
        0,
        boot.sectors_per_track,
        boot.heads,
        boot.hidden_sectors,
    )
    for offset, data in _FIXED:
        put(offset, data)
    put(_CODE_OFFSET, _CODE)
    put(_GUID_OFFSET, _GUID)
    _OFFSETS.pack_into(sector, _OFFSETS_OFFSET, *boot.info_offsets)
    put(_FILLER_OFFSET, _FILLER)
    return bytes(sector)


def parse_boot_sector(data: bytes) -> BootSector:
    """
    Read the boot sector of a fixed volume of Windows 7 or later.

    Boot code, its messages and fields without meaning are not looked at.

    Raises:
        BitLockerFormatError: it is none, or one of a kind that is not for seeding.
    """
    if len(data) < BOOT_SECTOR_BYTES:
        raise _refuse(f"is {len(data)} bytes long, not {BOOT_SECTOR_BYTES}")
    if data.startswith(_VISTA_SIGNATURE):
        raise _refuse("is of Windows Vista; encrypt the volume with a later Windows")
    if data[3 : 3 + len(_TO_GO_NAME)] == _TO_GO_NAME and _GUID in data[:BOOT_SECTOR_BYTES]:
        raise _refuse("is of BitLocker To Go, which is for removable media")
    if not data.startswith(_JUMP_AND_SIGNATURE):
        raise _refuse("has no BitLocker signature")
    if data[_GUID_OFFSET : _GUID_OFFSET + 16] == _CONVERTING_GUID:
        raise _refuse("says that the volume is still being encrypted; let Windows finish")
    if data[_GUID_OFFSET : _GUID_OFFSET + 16] != _GUID:
        raise _refuse("has no BitLocker identifier")
    sector_bytes, sectors_per_cluster, _media, _zero, tracks, heads, hidden = _GEOMETRY.unpack_from(
        data, _GEOMETRY_OFFSET
    )
    return BootSector(
        sector_bytes=sector_bytes,
        sectors_per_cluster=sectors_per_cluster,
        sectors_per_track=tracks,
        heads=heads,
        hidden_sectors=hidden,
        info_offsets=_OFFSETS.unpack_from(data, _OFFSETS_OFFSET),
    )


def _refuse(fact: str) -> BitLockerFormatError:
    return BitLockerFormatError(f"the volume's first sector {fact}", context="boot sector")
