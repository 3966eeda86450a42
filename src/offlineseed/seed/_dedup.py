"""
Which contents are stored already.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from offlineseed.seed._catalog_writer import CatalogWriter

__all__ = ["Dedup"]

_BITS = 27
_MASK = (1 << _BITS) - 1


@final
class Dedup:
    """
    Finds chunks and small items that are stored already, in bounded memory.

    New contents are the common case: a Bloom filter of 16 MiB answers for them (one in 200 wrongly
    at ten million contents), and only what it does not rule out costs a look-up in the catalog.
    What is not committed yet is remembered here. Used by one thread at a time.
    """

    def __init__(self, catalog: CatalogWriter, *, has_baseline: bool) -> None:
        self._catalog = catalog
        self._has_baseline = has_baseline
        self._filter = bytearray(1 << (_BITS - 3))
        self._chunks: dict[bytes, int] = {}
        self._smalls: dict[bytes, tuple[int, int]] = {}
        if catalog.was_interrupted:
            for digest in catalog.digests():
                self._may_have(digest)

    def find_chunk(self, digest: bytes) -> int | None:
        """
        Return the row of a chunk with that content, or None and expect `add_chunk` of it.
        """
        if not self._may_have(digest):
            return None
        return self._chunks.get(digest) or self._catalog.find_chunk(digest)

    def find_small(self, digest: bytes, length: int) -> tuple[int, int] | None:
        """
        Return `(chunk, offset in it)` of an equal small item, or None and expect `add_small` of it.
        """
        if not self._may_have(digest):
            return None
        return self._smalls.get(digest) or self._catalog.find_small(digest, length)

    def add_chunk(self, digest: bytes, chunk: int) -> None:
        """
        Remember a chunk until it is committed.
        """
        self._chunks[digest] = chunk

    def add_small(self, digest: bytes, chunk: int, chunk_offset: int) -> None:
        """
        Remember a small item until it is committed.
        """
        self._smalls[digest] = (chunk, chunk_offset)

    def forget(self, digests: Iterable[bytes]) -> None:
        """
        Forget contents that are committed: the catalog knows them now. Any thread may.
        """
        for digest in digests:
            self._chunks.pop(digest, None)
            self._smalls.pop(digest, None)

    def _may_have(self, digest: bytes) -> bool:
        number = int.from_bytes(digest[:14], "little")
        bits = self._filter
        seen = self._has_baseline
        found = True
        for _ in range(4):
            position = number & _MASK
            number >>= _BITS
            mask = 1 << (position & 7)
            if not bits[position >> 3] & mask:
                found = False
                bits[position >> 3] |= mask
        return found or seen
