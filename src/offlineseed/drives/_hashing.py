"""
MD5s of a blob's blocks or page ranges, computed in other threads while the blob is copied.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Executor, Future
from typing import final

from offlineseed.manifest import BLOCK_BYTES, BlobType, Block, PageHasher, PageRange, block_id

__all__ = ["BlobHashing", "blocks_of"]


@final
class BlobHashing:
    """
    The hashing of one blob.

    Blocks do not depend on each other: several threads hash those of one blob. Page ranges begin
    and end where the zeros do: one thread hashes them in order.

    Thread rule: one thread at a time.
    """

    def __init__(self, blob_type: BlobType, *, blocks: Executor, pages: Executor) -> None:
        """
        Begin a blob.

        Args:
            blob_type: whether it gets blocks or page ranges.
            blocks: hashes blocks, in any order.
            pages: hashes page ranges: one thread, which keeps the order of what it is given.
        """
        self._blocks = blocks
        self._pages = pages
        self._page_hasher = PageHasher() if blob_type is BlobType.PAGE else None
        self._digests: list[str] = []
        self._length = 0

    def update(self, data: memoryview) -> Future[None]:
        """
        Hash the next whole block, or the last and shorter one.

        Returns:
            A future; until it is done the bytes must stay as they are.
        """
        self._length += len(data)
        if self._page_hasher is not None:
            return self._pages.submit(self._page_hasher.update, data)
        self._digests.append("")
        return self._blocks.submit(self._hash_block, len(self._digests) - 1, data)

    def finish(self) -> tuple[Block, ...] | tuple[PageRange, ...]:
        """
        Return the blob's blocks or page ranges, once every update is done.

        Raises:
            ManifestError: a page blob's length is no multiple of 512.
        """
        if self._page_hasher is not None:
            return self._page_hasher.finish()
        return blocks_of(self._digests, self._length)

    def _hash_block(self, index: int, data: memoryview) -> None:
        self._digests[index] = hashlib.md5(data, usedforsecurity=False).hexdigest()


def blocks_of(digests: list[str], length: int) -> tuple[Block, ...]:
    """
    Return the block list of a blob of this length with these MD5s, one for every 4 MiB.
    """
    return tuple(
        Block(
            offset=index * BLOCK_BYTES,
            length=min(BLOCK_BYTES, length - index * BLOCK_BYTES),
            hash=digest,
            id=block_id(index),
        )
        for index, digest in enumerate(digests)
    )
