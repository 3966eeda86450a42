"""
Reading NTFS's indexes: names as directories carry them, and the entries of any index.

Every function raises `NtfsError` where the bytes make no sense.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import final

import attrs

from offlineseed.errors import NtfsError

__all__ = ["IndexEntry", "NameKey", "parse_index_entries", "parse_name_key"]

_NAME_KEY = struct.Struct("<Q32sQQIIBB")
_ENTRY = struct.Struct("<QHHHH")


@final
@attrs.frozen(kw_only=True)
class NameKey:
    """
    A name as a record and a directory's index carry it.
    """

    parent: int
    """Reference of the directory."""
    times: bytes
    """Creation, modification, change of the record, access: 32 bytes."""
    allocated: int
    """Bytes allocated for the data."""
    length: int
    """Bytes of the data."""
    attributes: int
    """File attributes."""
    namespace: int
    """0 POSIX, 1 Win32, 2 DOS, 3 Win32 and DOS."""
    name: str
    """The name."""


def parse_name_key(data: bytes) -> NameKey:
    """
    Parse a `$FILE_NAME` value.

    Raises:
        NtfsError: it is too short.
    """
    if len(data) < _NAME_KEY.size or len(data) < _NAME_KEY.size + 2 * data[64]:
        raise NtfsError("a file name is cut short")
    parent, times, allocated, length, attributes, _, units, space = _NAME_KEY.unpack_from(data)
    return NameKey(
        parent=parent,
        times=times,
        allocated=allocated,
        length=length,
        attributes=attributes,
        namespace=space,
        name=data[_NAME_KEY.size : _NAME_KEY.size + 2 * units].decode("utf-16-le", "surrogatepass"),
    )


@final
@attrs.frozen(kw_only=True)
class IndexEntry:
    """
    One entry of an index.
    """

    reference: int
    """Reference of the file, in an index of names."""
    key: bytes
    """The key; empty in the last entry."""
    data: bytes
    """The data, in an index of other things."""
    child: int | None
    """Number of the block with the entries before this one."""
    is_last: bool
    """Whether it closes its node."""


def parse_index_entries(
    data: bytes | bytearray, header_at: int, *, is_view: bool = False
) -> Iterator[IndexEntry]:
    """
    Yield the entries of a node, the one that closes it included.

    Args:
        data: The index root's value, or an index block without fix-ups.
        header_at: Where in it the node's header begins.
        is_view: Whether the index is one of other things than names.

    Raises:
        NtfsError: the entries make no sense.
    """
    if header_at + 16 > len(data):
        raise NtfsError("an index node is cut short")
    first, used, _, flags = struct.unpack_from("<IIIB", data, header_at)
    place, end = header_at + first, header_at + used
    if end > len(data) or first < 16:
        raise NtfsError("an index node's header is impossible")
    while True:
        if place + _ENTRY.size > end:
            raise NtfsError("an index node has no last entry")
        reference, length, key_length, entry_flags, _ = _ENTRY.unpack_from(data, place)
        child_bytes = 8 if entry_flags & 1 else 0
        if length < _ENTRY.size + key_length + child_bytes or length % 8 or place + length > end:
            raise NtfsError("an index entry's length is impossible")
        if bool(entry_flags & 1) != bool(flags & 1):
            raise NtfsError("an index entry has a child where its node has none, or none there")
        child = None
        if child_bytes:
            child = int.from_bytes(data[place + length - 8 : place + length], "little")
        is_last = bool(entry_flags & 2)
        key_at = place + _ENTRY.size
        value = b""
        if is_view and not is_last:
            value_at = place + (reference & 0xFFFF)
            value = bytes(data[value_at : value_at + (reference >> 16 & 0xFFFF)])
        yield IndexEntry(
            reference=reference,
            key=b"" if is_last else bytes(data[key_at : key_at + key_length]),
            data=value,
            child=child,
            is_last=is_last,
        )
        if is_last:
            return
        place += length
