"""
Looking items up in the order in which they are likely to be asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any, NamedTuple, final

__all__ = ["KnownItem", "KnownItems"]

_BATCH = 2000


class KnownItem(NamedTuple):
    """
    What a catalog knows of an item, as far as it tells whether the item changed.
    """

    id: int
    name: bytes
    kind: int
    length: int
    mode: int
    mtime_ns: int
    target: bytes | None


@final
class KnownItems:
    """
    The items of an earlier generation, or of this one before an interruption.

    A tree is walked in the same order every time, so the next name asked for is nearly always the
    next row: rows are read ahead, and only another name costs a look-up by index.

    Args:
        select: runs a query and returns its rows.
        table: the item table, with its schema.
        last: the greatest row that counts.
        make_index: called once, before the first look-up by name.

    """

    def __init__(
        self,
        select: Callable[[str, tuple[Any, ...]], list[Any]],
        table: str,
        last: int,
        make_index: Callable[[], None] | None = None,
    ) -> None:
        self._make_index = make_index
        self._select = select
        self._query = f"SELECT id, name, kind, length, mode, mtime_ns, target FROM {table} WHERE "
        self._last = last
        self._rows: list[Any] = []
        self._next = 0
        self._read_ahead(0)

    def get(self, name: bytes) -> KnownItem | None:
        """
        Return what is known of an item, or None.
        """
        if self._next < len(self._rows):
            row = self._rows[self._next]
            if row[1] == name:
                self._next += 1
                if self._next == len(self._rows):
                    self._read_ahead(row[0])
                return KnownItem(*row)
        if self._make_index is not None:
            self._make_index()
            self._make_index = None
        found = self._select(f"{self._query} name = ? AND id <= ?", (name, self._last))
        if not found:
            return None
        self._move_behind(found[0][0])
        return KnownItem(*found[0])

    def same(self, wanted: tuple[bytes, int, int, int, int, bytes | None]) -> int:
        """
        Return the row of the item that is all of `wanted`, or 0 if there is none.

        Args:
            wanted: the members of a `KnownItem` after `id`.

        """
        if self._next < len(self._rows):
            row = self._rows[self._next]
            if row[1:] == wanted:
                self._next += 1
                if self._next == len(self._rows):
                    self._read_ahead(row[0])
                return int(row[0])
        known = self.get(wanted[0])
        return known.id if known is not None and known[1:] == wanted else 0

    def _move_behind(self, row: int) -> None:
        if self._rows and self._rows[0][0] <= row < self._rows[-1][0]:
            self._next = bisect_left(self._rows, row + 1, key=_row_id)
        else:
            self._read_ahead(row)

    def _read_ahead(self, row: int) -> None:
        self._rows = self._select(
            f"{self._query} id > ? AND id <= ? ORDER BY id LIMIT {_BATCH}", (row, self._last)
        )
        self._next = 0


def _row_id(row: tuple[int, ...]) -> int:
    return row[0]
