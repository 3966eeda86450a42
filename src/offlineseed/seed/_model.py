"""
The values of a seed: items, where their bytes lie, and the options of writing.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, final

import attrs

__all__ = ["ChunkPlace", "Extent", "Item", "ItemKind", "SeedOptions", "SegmentInfo"]

KIB = 1024
MIB = 1024 * KIB


class ItemKind(IntEnum):
    """
    What an item is; the numbers are those of the catalog.
    """

    FILE = 1
    """Bytes."""
    DIRECTORY = 2
    """A directory; has no bytes."""
    SYMLINK = 3
    """A symbolic link; has a target and no bytes."""


class Item(NamedTuple):
    """
    One item of a generation.

    A tuple and not an attrs value because listings make millions of them.
    """

    id: int
    """Its row; ascending in the order in which the generation was staged."""
    name: str
    """Relative POSIX path; bytes that are not UTF-8 as surrogate escapes."""
    kind: ItemKind
    """File, directory or symbolic link."""
    length: int
    """Bytes of content; 0 for directories and links."""
    mode: int
    """POSIX permission bits."""
    mtime_ns: int
    """Time of last modification in nanoseconds since 1970 (UTC)."""
    digest: bytes | None
    """SHA-256 of the content where it lies whole in one chunk, else None."""
    target: str | None
    """A symbolic link's target."""


class ChunkPlace(NamedTuple):
    """
    A chunk and where it is stored.
    """

    id: int
    """Its row."""
    digest: bytes
    """SHA-256 of its content."""
    segment: int
    """The segment's row."""
    offset: int
    """Where its frame begins in the segment, in bytes."""
    stored: int
    """Length of its frame in bytes."""
    length: int
    """Length of its content in bytes."""


class Extent(NamedTuple):
    """
    A range of an item that lies in a chunk. Ranges between extents are zeros.
    """

    offset: int
    """Where the range begins in the item, in bytes."""
    length: int
    """Its length in bytes."""
    chunk: ChunkPlace
    """The chunk."""
    chunk_offset: int
    """Where the range begins in the chunk's content, in bytes."""


class SegmentInfo(NamedTuple):
    """
    A segment of the catalog.
    """

    id: int
    """Its row."""
    name: str
    """Its name in the store."""
    generation: int
    """The generation that wrote it."""
    length: int | None
    """Its length in bytes, seek table included; None while it is open."""
    checksum: bytes | None
    """XXH3-128 of the whole segment, big-endian as xxhash prints it; None while it is open."""


def _power_of_two(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or not 64 * KIB <= value <= 16 * MIB or value & (value - 1):
        raise ValueError(
            f"{attribute.name} must be a power of two from 64 KiB to 16 MiB, got {value!r}"
        )


def _positive(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or value <= 0:
        raise ValueError(f"{attribute.name} must be a positive int, got {value!r}")


@final
@attrs.frozen(kw_only=True)
class SeedOptions:
    """
    How a generation is written.

    Raises:
        ValueError: a value is out of its range.
    """

    chunk_bytes: int = attrs.field(default=1 * MIB, validator=_power_of_two)
    """Greatest length of a chunk: a power of two from 64 KiB to 16 MiB, one in all generations."""
    segment_bytes: int = attrs.field(default=256 * MIB, validator=_positive)
    """Most bytes of a segment; at least four chunks."""
    level: int = 1
    """Zstandard compression level."""
    workers: int | None = None
    """Threads that hash and compress besides the calling one, which helps where it would wait; None
    for one per processor in all."""
    checkpoint_bytes: int = attrs.field(default=64 * MIB, validator=_positive)
    """Stored bytes after which what was staged is made durable and acknowledged."""
    checkpoint_seconds: float = 2.0
    """Seconds after which it is, if anything was staged."""
    compare_content: bool = False
    """In an increment, read every file instead of trusting length and mtime."""

    def __attrs_post_init__(self) -> None:
        if self.segment_bytes < 4 * self.chunk_bytes:
            raise ValueError("segment_bytes must hold at least four chunks")
        if self.segment_bytes > 4000 * MIB:
            raise ValueError(
                "segment_bytes must be below 4000 MiB: a drive's blob has 50,000 blocks"
            )
