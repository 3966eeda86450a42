"""
What the reader hands to the pipeline, and what becomes of it.
"""

from __future__ import annotations

from typing import final

import attrs

from offlineseed.seed._rows import Rows

__all__ = ["Job"]


@final
@attrs.define(eq=False)
class Job:
    """
    A buffer's worth of work.
    """

    buffer: bytearray
    """The content, `chunk_bytes` at most. Goes back to the pool once it is written."""
    view: memoryview = attrs.field(init=False)
    """A view of the whole buffer."""
    used: int = 0
    """Bytes of it that count."""
    block: tuple[int, int] | None = None
    """`(item, offset)` where the buffer is a chunk of a large item."""
    smalls: list[tuple[int, bytes, int, int, int, int]] = attrs.Factory(list)
    """`(item, name, length, mode, mtime_ns, start in the buffer)` of small items, in order."""
    digests: list[bytes] = attrs.Factory(list)
    """SHA-256 of each small item; empty where it is still to be computed."""
    rows: Rows = attrs.Factory(Rows)
    """Rows that are complete once all jobs before are."""
    number: int = -1
    """Its place in the order of all jobs."""
    runs: list[tuple[int, int]] | None = None
    """The ranges of the buffer that make the new chunk; None before it is compared."""
    digest: bytes = b""
    """SHA-256 of the chunk; empty for a chunk of zeros."""
    chunk: int = 0
    """The chunk's row; 0 where nothing new is stored."""
    frame: bytes = b""
    """The chunk's frame."""
    checksum: int = 0
    """Low 32 bits of the chunk's XXH64."""
    flushes: bool = False
    """Whether this is no work, but asks for what came before it to be committed."""

    @view.default
    def _view_of_buffer(self) -> memoryview:
        return memoryview(self.buffer)
