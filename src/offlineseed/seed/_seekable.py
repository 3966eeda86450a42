"""
The Zstandard seekable format: the seek table that closes a segment.

A seek table is a skippable frame, so every zstd decoder passes over it. Its entries give, for each
frame in order, the compressed length, the content length and the low 32 bits of the content's
XXH64.

Source: facebook/zstd, contrib/seekable_format/zstd_seekable_compression_format.md, version 0.1.0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from offlineseed.errors import SegmentError

__all__ = [
    "FOOTER_BYTES",
    "SeekEntry",
    "parse_seek_table",
    "render_seek_table",
    "seek_table_length",
]

_SKIPPABLE_MAGIC = 0x184D2A5E
_SEEKABLE_MAGIC = 0x8F92EAB1
_CHECKSUM_FLAG = 0x80
_RESERVED_BITS = 0x7C
_HEADER = struct.Struct("<II")
_ENTRY = struct.Struct("<III")
_ENTRY_PLAIN = struct.Struct("<II")
_FOOTER = struct.Struct("<IBI")

FOOTER_BYTES = _FOOTER.size
"""Length of the footer, which tells how long the whole table is."""
MAX_FRAMES = 0x8000000
"""Frames that a table may list, by the format."""


class SeekEntry(NamedTuple):
    """
    One frame.
    """

    stored: int
    """Length of the compressed frame, in bytes."""
    length: int
    """Length of its content, in bytes."""
    checksum: int | None
    """Low 32 bits of the content's XXH64 (seed 0); None where the table has none."""


def seek_table_length(frames: int) -> int:
    """
    Return the length in bytes of a seek table with checksums for so many frames.
    """
    return _HEADER.size + frames * _ENTRY.size + _FOOTER.size


def render_seek_table(entries: Iterable[SeekEntry]) -> bytes:
    """
    Render a seek table with checksums.
    """
    body = b"".join(
        _ENTRY.pack(stored, length, checksum or 0) for stored, length, checksum in entries
    )
    frames = len(body) // _ENTRY.size
    return b"".join(
        (
            _HEADER.pack(_SKIPPABLE_MAGIC, len(body) + _FOOTER.size),
            body,
            _FOOTER.pack(frames, _CHECKSUM_FLAG, _SEEKABLE_MAGIC),
        )
    )


def table_length_of_footer(footer: bytes) -> int:
    """
    Return the whole table's length in bytes from its last `FOOTER_BYTES` bytes.

    Raises:
        SegmentError: this is not the footer of a seek table.
    """
    if len(footer) != _FOOTER.size:
        raise SegmentError("too short for a seek table's footer: the segment is cut off")
    frames, descriptor, magic = _FOOTER.unpack(footer)
    if magic != _SEEKABLE_MAGIC:
        raise SegmentError(
            f"the segment does not end with a seek table: magic 0x{magic:08X}, "
            f"expected 0x{_SEEKABLE_MAGIC:08X}",
            context="footer",
        )
    if descriptor & _RESERVED_BITS or frames > MAX_FRAMES:
        raise SegmentError("the seek table's descriptor has reserved bits set", context="footer")
    entry = _ENTRY if descriptor & _CHECKSUM_FLAG else _ENTRY_PLAIN
    return _HEADER.size + int(frames) * entry.size + _FOOTER.size


def parse_seek_table(table: bytes) -> tuple[SeekEntry, ...]:
    """
    Parse a whole seek table: the last `table_length_of_footer(...)` bytes of a segment.

    Raises:
        SegmentError: the bytes are not a seek table.
    """
    length = table_length_of_footer(table[-_FOOTER.size :])
    if length != len(table):
        raise SegmentError(
            f"the seek table is {len(table)} bytes long, its footer says {length}", context="footer"
        )
    magic, frame_length = _HEADER.unpack_from(table)
    if magic != _SKIPPABLE_MAGIC or frame_length != length - _HEADER.size:
        raise SegmentError("the seek table's frame header is damaged", context="header")
    body = table[_HEADER.size : -_FOOTER.size]
    if table[-5] & _CHECKSUM_FLAG:
        return tuple(SeekEntry(*entry) for entry in _ENTRY.iter_unpack(body))
    return tuple(
        SeekEntry(stored, length, None) for stored, length in _ENTRY_PLAIN.iter_unpack(body)
    )
