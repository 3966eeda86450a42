"""
Bitmaps, without holding the large ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from offlineseed.ntfs._encoding import round_up
from offlineseed.ntfs._pieces import Fill, Piece, Rendered
from offlineseed.ntfs._space import Run

__all__ = ["index_bitmap", "render_bits", "set_bits"]


def index_bitmap(blocks: int) -> bytes:
    """
    Return the bitmap of an index whose blocks are all in use.
    """
    return ((1 << blocks) - 1).to_bytes(round_up(blocks, 64) // 8, "little")


def set_bits(bits: bytearray, start: int, end: int) -> None:
    """
    Set the bits from `start` up to `end`.
    """
    first, last = round_up(start, 8), end // 8 * 8
    if first > last:
        first = last = end
    for bit in (*range(start, first), *range(last, end)):
        bits[bit // 8] |= 1 << bit % 8
    bits[first // 8 : last // 8] = b"\xff" * (last // 8 - first // 8)


def render_bits(offset: int, length: int, clear: Iterable[Run]) -> Iterator[Rendered]:
    """
    Yield a bitmap that has ones but for some runs.

    Args:
        offset: Where it lies, in bytes.
        length: Its length in bytes.
        clear: The runs of zeros: first bit and number of bits, ascending and apart.
    """
    bit = partial = 0
    for value, end in _stretches(clear, length * 8):
        if bit % 8:
            stop = min(end, round_up(bit, 8))
            if value and stop > bit:
                partial |= (1 << stop - bit) - 1 << bit % 8
            bit = max(bit, stop)
            if bit % 8:
                continue
            yield Piece(offset + bit // 8 - 1, bytes((partial,)))
            partial = 0
        if end > bit:
            whole = (end - bit) // 8
            yield Fill(offset + bit // 8, whole, 0xFF if value else 0)
            bit += whole * 8
            partial = (1 << end - bit) - 1 if value else 0
            bit = end


def _stretches(clear: Iterable[Run], bits: int) -> Iterator[tuple[bool, int]]:
    for first, count in clear:
        yield True, first
        yield False, first + count
    yield True, bits
