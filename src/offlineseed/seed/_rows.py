"""
Rows on their way into a catalog.
"""

from __future__ import annotations

from typing import Any, NamedTuple, final

import attrs

__all__ = ["OpenSegment", "Rows"]


class OpenSegment(NamedTuple):
    """
    A segment that an interruption left open.
    """

    id: int
    name: str
    length: int
    """Acknowledged bytes."""


@final
@attrs.define
class Rows:
    """
    Rows that are committed together.
    """

    items: list[tuple[Any, ...]] = attrs.Factory(list)
    """`(id, name, kind, length, mode, mtime_ns, digest, target, chunk, chunk_offset)`"""
    chunks: list[tuple[Any, ...]] = attrs.Factory(list)
    """`(id, digest, segment, offset, stored, length)`"""
    extents: list[tuple[Any, ...]] = attrs.Factory(list)
    """`(item, offset, length, chunk, chunk_offset)`"""
    kept: list[tuple[int, int, int]] = attrs.Factory(list)
    """`(first, last, delta)`: the baseline's items first to last, unchanged, as rows id + delta."""
    opened: list[tuple[int, str]] = attrs.Factory(list)
    """`(id, name)` of segments that these chunks begin."""
    closed: list[tuple[int, bytes, int]] = attrs.Factory(list)
    """`(length, checksum, id)` of segments that became whole and visible."""
    findings: list[tuple[bytes, str, str]] = attrs.Factory(list)
    """`(item, code, message)`"""
    item_count: int = 0
    """Items that these rows complete."""
    content_bytes: int = 0
    """Content of those items."""

    def extend(self, other: Rows) -> None:
        """
        Take another's rows over.
        """
        self.items += other.items
        self.chunks += other.chunks
        self.extents += other.extents
        self.kept += other.kept
        self.opened += other.opened
        self.closed += other.closed
        self.findings += other.findings
        self.item_count += other.item_count
        self.content_bytes += other.content_bytes

    def __bool__(self) -> bool:
        return bool(
            self.items or self.chunks or self.extents or self.kept or self.closed or self.findings
        )
