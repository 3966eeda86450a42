"""
Reading NTFS's structures: boot sector, records, attributes, run lists.

Shares nothing with the writing side, so that errors there do not cancel out. Every function
raises `NtfsError` where the bytes make no sense, and never anything else.
"""

from __future__ import annotations

import struct
from typing import Final, final

import attrs

from offlineseed.errors import NtfsError

__all__ = [
    "ATTRIBUTE_LIST",
    "BITMAP",
    "DATA",
    "FILE_NAME",
    "INDEX_ALLOCATION",
    "INDEX_ROOT",
    "STANDARD_INFORMATION",
    "Attribute",
    "BootSector",
    "Record",
    "decode_runs",
    "parse_boot_sector",
    "parse_record",
    "remove_fixups",
]

STANDARD_INFORMATION: Final = 0x10
ATTRIBUTE_LIST: Final = 0x20
FILE_NAME: Final = 0x30
DATA: Final = 0x80
INDEX_ROOT: Final = 0x90
INDEX_ALLOCATION: Final = 0xA0
BITMAP: Final = 0xB0

_END: Final = 0xFFFFFFFF
_RECORD = struct.Struct("<4sHHQHHHHIIQHHI")
_COMMON = struct.Struct("<IIBBHHH")
_RESIDENT = struct.Struct("<IHBB")
_NON_RESIDENT = struct.Struct("<QQHHIQQQ")


@final
@attrs.frozen(kw_only=True)
class BootSector:
    """
    What a boot sector says of its volume.
    """

    cluster_bytes: int
    """Bytes in a cluster."""
    sector_bytes: int
    """Bytes in a sector."""
    sectors: int
    """Sectors of the file system."""
    mft: int
    """First cluster of the master file table."""
    mirror: int
    """First cluster of the mirror of its first records."""
    record_bytes: int
    """Bytes in a record."""
    block_bytes: int
    """Bytes in an index block."""

    @property
    def clusters(self) -> int:
        """Whole clusters of the volume."""
        return self.sectors * self.sector_bytes // self.cluster_bytes

    @property
    def block_step(self) -> int:
        """What the numbers of index blocks grow by."""
        if self.block_bytes >= self.cluster_bytes:
            return self.block_bytes // self.cluster_bytes
        return self.block_bytes // self.sector_bytes

    @property
    def block_unit(self) -> int:
        """Bytes that one step in an index block's number stands for."""
        return self.block_bytes // self.block_step


def parse_boot_sector(data: bytes) -> BootSector:
    """
    Parse the first sector of a volume.

    Raises:
        NtfsError: it is none of NTFS.
    """
    if len(data) < 512 or data[3:11] != b"NTFS    " or data[510:512] != b"\x55\xaa":
        raise NtfsError("the volume has no NTFS boot sector; it is not whole, or not NTFS")
    sector, per_cluster = struct.unpack_from("<HB", data, 0x0B)
    sectors, mft, mirror, record, block = struct.unpack_from("<QQQbxxxb", data, 0x28)
    cluster = sector * per_cluster if per_cluster <= 128 else sector << (256 - per_cluster)
    if sector not in {512, 1024, 2048, 4096} or not cluster or cluster & (cluster - 1):
        raise NtfsError("the boot sector's sector or cluster size is impossible")
    sizes = []
    for coded in (record, block):
        size = coded * cluster if coded > 0 else 1 << -coded if coded >= -16 else 0
        if size % 512 or not 512 <= size <= 1 << 16:
            raise NtfsError("the boot sector's record or index block size is impossible")
        sizes.append(size)
    return BootSector(
        cluster_bytes=cluster,
        sector_bytes=sector,
        sectors=sectors,
        mft=mft,
        mirror=mirror,
        record_bytes=sizes[0],
        block_bytes=sizes[1],
    )


def remove_fixups(data: bytes, magic: bytes) -> bytearray:
    """
    Return a record or index block with its own bytes back at the ends of its strides.

    Raises:
        NtfsError: the magic is another, or the block is torn.
    """
    block = bytearray(data)
    if block[:4] != magic:
        raise NtfsError(f"the block begins with {bytes(block[:4])!r}, not {magic!r}")
    offset, count = struct.unpack_from("<HH", block, 4)
    strides = len(block) // 512
    if count != strides + 1 or offset % 2 or offset + 2 * count > 510:
        raise NtfsError("the block's fix-up array is impossible")
    mark = block[offset : offset + 2]
    for stride in range(strides):
        end = stride * 512 + 512
        if block[end - 2 : end] != mark:
            raise NtfsError("the block is torn: it was not written as a whole")
        place = offset + 2 + 2 * stride
        block[end - 2 : end] = block[place : place + 2]
    return block


@final
@attrs.frozen(kw_only=True)
class Attribute:
    """
    One attribute of a record.
    """

    kind: int
    """Its type."""
    name: str
    """Its name; empty for most."""
    flags: int
    """Compressed, encrypted or sparse."""
    instance: int
    """Its number in its record."""
    value: bytes | None
    """The value where it is resident."""
    runs: tuple[tuple[int | None, int], ...] = ()
    """Where the value lies otherwise: first cluster, or none for a hole, and count."""
    length: int = 0
    """Bytes of the value."""
    allocated: int = 0
    """Bytes allocated for it."""
    initialised: int = 0
    """Bytes from its start that were ever written."""
    lowest: int = 0
    """First cluster of the value that this attribute maps."""
    highest: int = -1
    """Last cluster of the value that this attribute maps."""


@final
@attrs.frozen(kw_only=True)
class Record:
    """
    One record of the master file table.
    """

    number: int
    """Its number."""
    sequence: int
    """How often the number was used."""
    links: int
    """Names that point at it."""
    is_in_use: bool
    """Whether it holds anything."""
    is_directory: bool
    """Whether it has an index of names."""
    base: int
    """Reference of the record that it continues; 0 where it stands for itself."""
    stored_number: int
    """The number that it carries itself."""
    used: int
    """Bytes of it in use, by its header."""
    end: int
    """Bytes of it in use, by its attributes and their end marker."""
    next_instance: int
    """Above the numbers of all its attributes."""
    attributes: tuple[Attribute, ...]
    """The attributes in the order in which they stand."""

    def find(self, kind: int, name: str = "") -> Attribute | None:
        """
        Return the first attribute of a type and name.
        """
        for attribute in self.attributes:
            if attribute.kind == kind and attribute.name == name:
                return attribute
        return None


def decode_runs(data: bytes) -> tuple[tuple[int | None, int], ...]:
    """
    Decode a run list.

    Raises:
        NtfsError: it makes no sense.
    """
    runs: list[tuple[int | None, int]] = []
    place = current = 0
    while place < len(data) and data[place]:
        length_size, delta_size = data[place] & 15, data[place] >> 4
        place += 1
        end = place + length_size + delta_size
        if not 1 <= length_size <= 8 or delta_size > 8 or end > len(data):
            raise NtfsError("a run list is damaged")
        count = int.from_bytes(data[place : place + length_size], "little", signed=True)
        if count <= 0:
            raise NtfsError("a run list has a run without clusters")
        if delta_size:
            current += int.from_bytes(data[place + length_size : end], "little", signed=True)
            if current < 0:
                raise NtfsError("a run list leads before the volume")
            runs.append((current, count))
        else:
            runs.append((None, count))
        place = end
    if place >= len(data):
        raise NtfsError("a run list does not end")
    return tuple(runs)


def _decode_name(data: bytes | bytearray) -> str:
    return bytes(data).decode("utf-16-le", "surrogatepass")


def _parse_attribute(data: bytearray, place: int, limit: int) -> tuple[Attribute, int]:
    kind, length, non_resident, units, name_at, flags, instance = _COMMON.unpack_from(data, place)
    smallest = 0x40 if non_resident else 0x18
    if length % 8 or length < smallest or place + length > limit:
        raise NtfsError("an attribute's length is impossible")
    if name_at + 2 * units > length:
        raise NtfsError("an attribute's name lies outside it")
    name = _decode_name(data[place + name_at : place + name_at + 2 * units]) if units else ""
    if not non_resident:
        size, value_at, _, _ = _RESIDENT.unpack_from(data, place + 16)
        if value_at + size > length:
            raise NtfsError("an attribute's value lies outside it")
        start = place + value_at
        attribute = Attribute(
            kind=kind,
            name=name,
            flags=flags,
            instance=instance,
            value=bytes(data[start : start + size]),
            length=size,
            allocated=-(-size // 8) * 8,
            initialised=size,
        )
        return attribute, place + length
    lowest, highest, runs_at, _, _, allocated, size, initialised = _NON_RESIDENT.unpack_from(
        data, place + 16
    )
    if runs_at >= length:
        raise NtfsError("an attribute's run list lies outside it")
    attribute = Attribute(
        kind=kind,
        name=name,
        flags=flags,
        instance=instance,
        value=None,
        runs=decode_runs(bytes(data[place + runs_at : place + length])),
        length=size,
        allocated=allocated,
        initialised=initialised,
        lowest=lowest,
        highest=highest if highest < 1 << 63 else highest - (1 << 64),
    )
    return attribute, place + length


def parse_record(data: bytes, number: int) -> Record:
    """
    Parse a record.

    Args:
        data: The record as it lies on the volume.
        number: Which one it is.

    Raises:
        NtfsError: it makes no sense.
    """
    try:
        record = remove_fixups(data, b"FILE")
        return _parse_record(record, number)
    except (struct.error, UnicodeDecodeError, IndexError) as e:
        raise NtfsError("the record ends early", context=f"record {number}") from e
    except NtfsError as e:
        raise NtfsError(str(e), context=f"record {number}") from e


def _parse_record(data: bytearray, number: int) -> Record:
    (_, _, _, _, sequence, links, place, flags, used, size, base, next_instance, _, stored) = (
        _RECORD.unpack_from(data)
    )
    if size != len(data) or not place + 8 <= used <= size or place % 8:
        raise NtfsError("the record's header is impossible")
    attributes = []
    while True:
        if place + 4 > used:
            raise NtfsError("the record's attributes do not end")
        if int.from_bytes(data[place : place + 4], "little") == _END:
            break
        attribute, place = _parse_attribute(data, place, used)
        attributes.append(attribute)
    return Record(
        number=number,
        sequence=sequence,
        links=links,
        is_in_use=bool(flags & 1),
        is_directory=bool(flags & 2),
        base=base,
        stored_number=stored,
        used=used,
        end=place + 8,
        next_instance=next_instance,
        attributes=tuple(attributes),
    )
