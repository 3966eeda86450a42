"""
Hashes of a manifest: blocks, page ranges, side files and the manifest itself.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import final

from offlineseed.errors import ManifestError
from offlineseed.manifest._models import BLOCK_BYTES, PAGE_BYTES, Block, PageRange

__all__ = ["MINIMUM_GAP_BYTES", "BlockHasher", "PageHasher", "block_id", "manifest_hash"]

MINIMUM_GAP_BYTES = 1024 * 1024
"""Shorter runs of zeros between data stay inside a page range, so that the list stays short."""

_SCAN_BYTES = 64 * 1024
_ZEROS = bytes(_SCAN_BYTES)
_ZERO_PAGE = bytes(PAGE_BYTES)


def manifest_hash(data: bytes) -> str:
    """
    Return the Base16 MD5, upper case, of a manifest's, metadata or properties file's bytes.
    """
    return hashlib.md5(data, usedforsecurity=False).hexdigest().upper()


def block_id(index: int) -> str:
    """
    Return the Base64 id of the block with that index, counted from 0, as the service's samples do.
    """
    return base64.b64encode(struct.pack("<I", index)).decode("ascii")


@final
class BlockHasher:
    """
    Hashes a stream into the block list of a block blob.

    Any split of the stream into writes gives the same blocks. Not thread safe; a thread may hash
    while another writes, MD5 releases the interpreter lock.

    Args:
        block_bytes: the length of every block but the last: 1 byte to 4 MiB.
        with_ids: give each block the id of its index.

    Raises:
        ManifestError: `block_bytes` is out of bounds.
    """

    def __init__(self, *, block_bytes: int = BLOCK_BYTES, with_ids: bool = True) -> None:
        if not 1 <= block_bytes <= BLOCK_BYTES:
            raise ManifestError(f"a block has 1 to {BLOCK_BYTES} bytes, not {block_bytes}")
        self._block_bytes = block_bytes
        self._with_ids = with_ids
        self._blocks: list[Block] = []
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._filled = 0
        self._length = 0

    @property
    def length(self) -> int:
        """
        Bytes hashed so far.
        """
        return self._length

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """
        Hash the next bytes; they are not kept.
        """
        view = memoryview(data).cast("B")
        position = 0
        while position < len(view):
            piece = view[position : position + self._block_bytes - self._filled]
            self._md5.update(piece)
            position += len(piece)
            self._filled += len(piece)
            self._length += len(piece)
            if self._filled == self._block_bytes:
                self._end_block()

    def finish(self) -> tuple[Block, ...]:
        """
        Return the block list: by offset, without gaps, empty for an empty stream.
        """
        if self._filled:
            self._end_block()
        return tuple(self._blocks)

    def _end_block(self) -> None:
        self._blocks.append(
            Block(
                offset=self._length - self._filled,
                length=self._filled,
                hash=self._md5.hexdigest(),
                id=block_id(len(self._blocks)) if self._with_ids else None,
            )
        )
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._filled = 0


@final
class PageHasher:
    """
    Hashes a stream into the page range list of a page blob; zero pages are left out as gaps.

    Zeros at either end never stand in a range. Runs of zeros between data do where they are shorter
    than `minimum_gap_bytes`: that bounds the list of a badly scattered image, which the service
    would otherwise write page by page. Any split of the stream gives the same ranges. Not thread
    safe.

    Args:
        range_bytes: the longest range: a multiple of 512 up to 4 MiB.
        minimum_gap_bytes: the shortest run of zeros that parts two ranges: a multiple of 512.

    Raises:
        ManifestError: an argument is out of bounds.
    """

    def __init__(
        self, *, range_bytes: int = BLOCK_BYTES, minimum_gap_bytes: int = MINIMUM_GAP_BYTES
    ) -> None:
        if not PAGE_BYTES <= range_bytes <= BLOCK_BYTES or range_bytes % PAGE_BYTES:
            raise ManifestError(
                f"a page range has 512 to {BLOCK_BYTES} bytes in steps of 512, not {range_bytes}"
            )
        if minimum_gap_bytes < PAGE_BYTES or minimum_gap_bytes % PAGE_BYTES:
            raise ManifestError(
                f"a gap between page ranges is a multiple of 512 bytes, not {minimum_gap_bytes}"
            )
        self._range_bytes = range_bytes
        self._minimum_gap = minimum_gap_bytes
        self._ranges: list[PageRange] = []
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._start = 0  # of the open range
        self._filled = 0  # bytes of the open range; 0 where none is open
        self._zeros = 0  # zero bytes seen since the last data
        self._is_joined = False  # whether those zeros follow data
        self._length = 0  # bytes taken apart so far, whole pages
        self._rest = b""

    @property
    def length(self) -> int:
        """
        Bytes given so far.
        """
        return self._length + len(self._rest)

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """
        Hash the next bytes; at most 511 of them are kept.
        """
        view = memoryview(data).cast("B")
        if self._rest:
            missing = PAGE_BYTES - len(self._rest)
            self._rest += bytes(view[:missing])
            view = view[missing:]
            if len(self._rest) < PAGE_BYTES:
                return
            self._scan(self._rest)
        whole = len(view) - len(view) % PAGE_BYTES
        for position in range(0, whole, _SCAN_BYTES):
            self._scan(bytes(view[position : min(position + _SCAN_BYTES, whole)]))
        self._rest = bytes(view[whole:])

    def finish(self) -> tuple[PageRange, ...]:
        """
        Return the page range list: by offset, without overlap, empty for a stream of zeros.

        Raises:
            ManifestError: the stream is no multiple of 512 bytes.
        """
        if self._rest:
            raise ManifestError(
                f"a page blob's length is a multiple of 512 bytes, not {self.length}: "
                "stage it as a block blob"
            )
        self._end_range()
        return tuple(self._ranges)

    def _scan(self, piece: bytes) -> None:
        # A piece with fewer zeros than a page has no zero page, and most pieces are of that kind.
        zeros = piece.count(0)
        if zeros == len(piece):
            self._skip(len(piece))
        elif zeros < PAGE_BYTES:
            self._take(piece)
        else:
            start = 0
            while start < len(piece):
                is_zero = piece[start : start + PAGE_BYTES] == _ZERO_PAGE
                end = start + PAGE_BYTES
                while end < len(piece) and is_zero == (piece[end : end + PAGE_BYTES] == _ZERO_PAGE):
                    end += PAGE_BYTES
                if is_zero:
                    self._skip(end - start)
                else:
                    self._take(piece[start:end])
                start = end

    def _skip(self, count: int) -> None:
        self._zeros += count
        self._length += count
        if self._is_joined and self._zeros >= self._minimum_gap:
            self._end_range()
            self._is_joined = False

    def _take(self, piece: bytes) -> None:
        if self._is_joined:
            while self._zeros:
                count = min(self._zeros, _SCAN_BYTES)
                self._add(memoryview(_ZEROS)[:count], self._length - self._zeros)
                self._zeros -= count
        self._zeros = 0
        self._is_joined = True
        self._add(memoryview(piece), self._length)
        self._length += len(piece)

    def _add(self, view: memoryview, offset: int) -> None:
        position = 0
        while position < len(view):
            if not self._filled:
                self._start = offset + position
            part = view[position : position + self._range_bytes - self._filled]
            self._md5.update(part)
            position += len(part)
            self._filled += len(part)
            if self._filled == self._range_bytes:
                self._end_range()

    def _end_range(self) -> None:
        if self._filled:
            self._ranges.append(
                PageRange(offset=self._start, length=self._filled, hash=self._md5.hexdigest())
            )
            self._md5 = hashlib.md5(usedforsecurity=False)
            self._filled = 0
