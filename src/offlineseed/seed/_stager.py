"""
Turns items into jobs: small items share buffers, large ones take a buffer a chunk.
"""

from __future__ import annotations

from hashlib import sha256
from typing import final

from offlineseed.seed._job import Job
from offlineseed.seed._model import ItemKind
from offlineseed.seed._pipeline import Pipeline

__all__ = ["Stager"]

_MOST_ROWS = 4096
_TINY_BYTES = 16 << 10
"""Items up to this length are hashed by the reader: to hand them over takes longer."""
_LONG_CHUNKS = 64


@final
class Stager:
    """
    Packs what a reader brings. Used by one thread.

    Args:
        pipeline: takes the jobs.
        chunk_bytes: greatest length of a chunk; an item of up to that length is small.
        last_item: the greatest item row in use.
    """

    def __init__(self, pipeline: Pipeline, *, chunk_bytes: int, last_item: int) -> None:
        self._pipeline = pipeline
        self._chunk_bytes = chunk_bytes
        self._item = last_item
        self._pack: Job | None = None

    def room_for(self, length: int) -> memoryview:
        """
        Return where a small item of `length` bytes can be read to, one byte longer to see growth.

        What is read is put by the next call of `put_small`; if there is none, nothing is.
        """
        pack = self._pack or self._open_pack()
        used = pack.used
        if used + length > self._chunk_bytes or len(pack.smalls) >= _MOST_ROWS:
            self.flush()
            pack, used = self._open_pack(), 0
        return pack.view[used : used + length + 1]

    def put_small(self, name: bytes, length: int, mode: int, mtime_ns: int) -> None:
        """
        Add the small item whose bytes were read to where `room_for` said.
        """
        if length == 0:
            self.put_plain(name, ItemKind.FILE, mode, mtime_ns)
            return
        pack = self._pack or self._open_pack()
        self._item = item = self._item + 1
        start = pack.used
        pack.used = end = start + length
        pack.smalls.append((item, name, length, mode, mtime_ns, start))
        pack.digests.append(sha256(pack.view[start:end]).digest() if length <= _TINY_BYTES else b"")

    def put_plain(
        self,
        name: bytes,
        kind: ItemKind,
        mode: int,
        mtime_ns: int,
        *,
        target: bytes | None = None,
    ) -> None:
        """
        Add an item without bytes: an empty file, a directory, a symbolic link.
        """
        self._item += 1
        self._put_row((self._item, name, int(kind), 0, mode, mtime_ns, None, target, None, None), 0)

    def begin_large(self) -> int:
        """
        Begin a large item and return its row.
        """
        self._item += 1
        return self._item

    def buffer(self) -> bytearray:
        """
        Wait for a buffer to read a large item's chunk into.
        """
        return self._pipeline.buffer()

    def put_block(self, item: int, offset: int, buffer: bytearray, length: int) -> None:
        """
        Add a chunk of a large item. The buffer belongs to the pipeline from now on.
        """
        self._pipeline.submit(Job(buffer=buffer, used=length, block=(item, offset)))

    def put_back(self, buffer: bytearray) -> None:
        """
        Give a buffer back unused.
        """
        self._pipeline.put_back(buffer)

    def end_large(self, item: int, name: bytes, length: int, mode: int, mtime_ns: int) -> None:
        """
        Complete a large item: all its chunks were added.
        """
        self._put_row((item, name, 1, length, mode, mtime_ns, None, None, None, None), length)
        if length >= _LONG_CHUNKS * self._chunk_bytes:
            # So long to read that it is worth acknowledging at once.
            self.flush()

    def keep(self, row: int, length: int) -> None:
        """
        Take an item of the baseline over as it is.
        """
        self._item = item = self._item + 1
        delta = item - row
        rows = (self._pack or self._open_pack()).rows
        kept = rows.kept
        if kept and kept[-1][1] == row - 1 and kept[-1][2] == delta:
            kept[-1] = (kept[-1][0], row, delta)
        else:
            kept.append((row, row, delta))
        rows.item_count = count = rows.item_count + 1
        rows.content_bytes += length
        if count >= _MOST_ROWS:
            self.flush()

    def put_finding(self, name: bytes, code: str, message: str) -> None:
        """
        Record what was seen of an item.
        """
        self._open_pack().rows.findings.append((name, code, message))

    def flush(self) -> None:
        """
        Submit what is packed so far.
        """
        pack, self._pack = self._pack, None
        if pack is not None:
            pack.rows.item_count += len(pack.smalls)
            pack.rows.content_bytes += pack.used
            self._pipeline.submit(pack)

    def _put_row(self, row: tuple[object, ...], length: int) -> None:
        rows = self._open_pack().rows
        rows.items.append(row)
        rows.item_count += 1
        rows.content_bytes += length
        if len(rows.items) >= _MOST_ROWS:
            self.flush()

    def _open_pack(self) -> Job:
        if self._pack is None:
            self._pack = Job(buffer=self._pipeline.buffer())
        return self._pack
