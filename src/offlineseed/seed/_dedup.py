"""
Which contents are stored already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import final

from offlineseed.seed._catalog_writer import CatalogWriter

__all__ = ["Dedup"]

_BITS = 27
_MASK = (1 << _BITS) - 1
_MOST_REMEMBERED = 100_000


@final
class Dedup:
    """
    Finds chunks and small items that are stored already, in bounded memory.

    The first 100,000 contents are remembered as they are. Beyond that a Bloom filter of 16 MiB
    answers for new contents (one in 200 wrongly at ten million), and only what it does not rule out
    costs a look-up in the catalog, with what is not committed yet remembered beside it. Used by one
    thread at a time.

    Args:
        catalog: the generation's catalog.

    """

    def __init__(self, catalog: CatalogWriter) -> None:
        self._catalog = catalog
        self._filter: bytearray | None = None
        self._chunks: dict[bytes, int] = {}
        self._smalls: dict[bytes, tuple[int, int]] = {}
        self._is_complete = not catalog.has_earlier_contents

    def find_chunk(self, digest: bytes) -> int | None:
        """
        Return the row of a chunk with that content, or None and expect `add_chunk` of it.
        """
        if not self._is_complete:
            self._load()
        found = self._chunks.get(digest)
        if found is None and self._filter is not None and self._may_have(digest):
            return self._catalog.find_chunk(digest)
        return found

    def find_small(self, digest: bytes, length: int) -> tuple[int, int] | None:
        """
        Return `(chunk, offset in it)` of an equal small item, or None and expect `add_small` of it.
        """
        if not self._is_complete:
            self._load()
        found = self._smalls.get(digest)
        if found is None and self._filter is not None and self._may_have(digest):
            return self._catalog.find_small(digest, length)
        return found

    def add_chunk(self, digest: bytes, chunk: int) -> None:
        """
        Remember a chunk.
        """
        self._chunks[digest] = chunk
        if len(self._chunks) > _MOST_REMEMBERED:
            self._turn_to_filter()

    def add_small(self, digest: bytes, chunk: int, chunk_offset: int) -> None:
        """
        Remember a small item.
        """
        self._smalls[digest] = (chunk, chunk_offset)
        if len(self._smalls) > _MOST_REMEMBERED:
            self._turn_to_filter()

    def add_all_new(
        self, digests: Sequence[bytes], chunk: int, chunk_offsets: Iterable[int]
    ) -> bool:
        """
        Remember small items of one chunk at once, if all of them are new.

        The common case, fast. Returns False, and remembers none, where one may be
        known: ask for each.
        """
        if not self._is_complete:
            self._load()
        if self._filter is not None or len(set(digests)) < len(digests):
            return False
        if not self._smalls.keys().isdisjoint(digests):
            return False
        self._smalls.update(zip(digests, zip(repeat(chunk), chunk_offsets), strict=False))
        if len(self._smalls) > _MOST_REMEMBERED:
            self._turn_to_filter()
        return True

    def committed(self, digests: list[bytes]) -> None:
        """
        Hear that contents are committed: the catalog knows them now. Any thread may say so.
        """
        if self._filter is not None:
            for digest in digests:
                self._chunks.pop(digest, None)
                self._smalls.pop(digest, None)

    def _load(self) -> None:
        # Not before the first new content: an increment without any needs none of this.
        self._is_complete = True
        for digest, chunk, chunk_offset in self._catalog.known_digests():
            if self._filter is not None:
                self._may_have(digest)
            elif chunk_offset is None:
                self.add_chunk(digest, chunk)
            else:
                self.add_small(digest, chunk, chunk_offset)

    def _turn_to_filter(self) -> None:
        if self._filter is None:
            self._catalog.index_digests()
            remembered = (*self._chunks, *self._smalls)
            self._filter = bytearray(1 << (_BITS - 3))
            for digest in remembered:
                self._may_have(digest)

    def _may_have(self, digest: bytes) -> bool:
        bits = self._filter
        assert bits is not None
        number = int.from_bytes(digest[:14], "little")
        found = True
        for _ in range(4):
            position = number & _MASK
            number >>= _BITS
            mask = 1 << (position & 7)
            if not bits[position >> 3] & mask:
                found = False
                bits[position >> 3] |= mask
        return found
