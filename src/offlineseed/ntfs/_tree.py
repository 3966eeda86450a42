"""
The shape of a directory's B+tree, built from the bottom up out of the entries' lengths alone.

Every key stands once: an entry that no longer fits into a block is the separator between that
block and the next, and moves up a level. Blocks are numbered leaves first, the top block last.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, final

import attrs

__all__ = ["ENTRY_ROOM", "Level", "TreeShape", "shape_tree"]

ENTRY_ROOM: Final = 4032
"""Bytes for entries in an index block of 4096, end entry included."""
_LEAF_ROOM: Final = ENTRY_ROOM - 0x10
_INNER_ROOM: Final = ENTRY_ROOM - 0x18
_CHILD_BYTES: Final = 8


@final
@attrs.frozen(kw_only=True, eq=False)
class Level:
    """
    The blocks of one level, from left to right.

    Between block `i` and block `i + 1` stands one entry that moved up.
    """

    first_block: int
    """Number of the leftmost block."""
    positions: Sequence[int]
    """Positions of the entries that came to this level, in order."""
    ends: Sequence[int]
    """For each block, where in `positions` it ends; the entry there moves up."""

    def blocks(self) -> Iterator[tuple[int, int]]:
        """
        Yield where in `positions` each block begins and ends.
        """
        start = 0
        for end in self.ends:
            yield start, end
            start = end + 1


@final
@attrs.frozen(kw_only=True, eq=False)
class TreeShape:
    """
    A whole tree.
    """

    levels: tuple[Level, ...]
    """From the leaves to the single top block."""

    @property
    def blocks(self) -> int:
        """Blocks in all."""
        return sum(len(level.ends) for level in self.levels)


def _pack_level(
    lengths: Sequence[int], positions: Sequence[int], *, room: int, extra: int
) -> Sequence[int]:
    ends = array("I")
    used = 0
    for index, position in enumerate(positions):
        need = lengths[position] + extra
        if used + need > room:
            ends.append(index)
            used = 0
        else:
            used += need
    last = len(positions)
    if ends and ends[-1] == last - 1:
        # Nothing follows the last separator: an empty block is not allowed.
        ends[-1] -= 1
    ends.append(last)
    return ends


def shape_tree(lengths: Sequence[int]) -> TreeShape:
    """
    Return the tree for entries of these lengths, which stand in the order of their keys.

    Args:
        lengths: Bytes of each entry without a child pointer.
    """
    positions: Sequence[int] = range(len(lengths))
    ends = _pack_level(lengths, positions, room=_LEAF_ROOM, extra=0)
    levels = [Level(first_block=0, positions=positions, ends=ends)]
    while len(ends) > 1:
        positions = array("I", [positions[end] for end in ends[:-1]])
        first_block = levels[-1].first_block + len(ends)
        ends = _pack_level(lengths, positions, room=_INNER_ROOM, extra=_CHILD_BYTES)
        levels.append(Level(first_block=first_block, positions=positions, ends=ends))
    return TreeShape(levels=tuple(levels))
