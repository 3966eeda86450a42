"""
What rendering yields: bytes at an offset, or a range of one byte over and over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias, final

import attrs

__all__ = ["PIECE_BYTES", "Fill", "Piece", "Rendered", "coalesce"]

PIECE_BYTES: Final = 1 << 20
"""Pieces grow to about this many bytes."""


@final
@attrs.frozen
class Piece:
    """
    Bytes that belong at a place.
    """

    offset: int
    """Where on the volume, in bytes."""
    data: bytes | bytearray
    """The bytes; the receiver may keep them, nobody changes them afterwards."""

    @property
    def length(self) -> int:
        """How many bytes."""
        return len(self.data)


@final
@attrs.frozen
class Fill:
    """
    A range that holds one byte over and over: zeros, or the ones of a log or bitmap.

    A receiver that knows the range to hold zeros already may pass over a fill of zeros. On a
    device that is encrypted, nothing holds zeros before they were written.
    """

    offset: int
    """Where on the volume, in bytes."""
    length: int
    """How many bytes."""
    value: int = 0
    """The byte, 0 or 255."""


Rendered: TypeAlias = Piece | Fill


def coalesce(rendered: Iterable[Rendered]) -> Iterator[Rendered]:
    """
    Join neighbours: pieces up to `PIECE_BYTES`, fills of one value without bound.

    Short fills between pieces become bytes of the piece, so that small writes grow large.
    """
    pending: bytearray | None = None
    start = 0
    fill: Fill | None = None
    for item in rendered:
        if not item.length:
            continue
        is_short = isinstance(item, Fill) and item.length < 1 << 14
        if isinstance(item, Fill) and not is_short:
            if pending is not None:
                yield Piece(start, pending)
                pending = None
            if fill is None:
                fill = item
            elif fill.offset + fill.length == item.offset and fill.value == item.value:
                fill = Fill(fill.offset, fill.length + item.length, fill.value)
            else:
                yield fill
                fill = item
            continue
        if fill is not None:
            yield fill
            fill = None
        data = bytes((item.value,)) * item.length if isinstance(item, Fill) else item.data
        if pending is not None and start + len(pending) == item.offset:
            if len(pending) + len(data) <= PIECE_BYTES:
                pending += data
                continue
            yield Piece(start, pending)
        elif pending is not None:
            yield Piece(start, pending)
        start, pending = item.offset, data if isinstance(data, bytearray) else bytearray(data)
    if fill is not None:
        yield fill
    if pending is not None:
        yield Piece(start, pending)
