"""
The durable order: segment bytes first, then the rows that name them, then the acknowledgement.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import Any, final

import attrs
import xxhash

from offlineseed.events import Event, SeedCheckpoint, SegmentClosed
from offlineseed.seed._catalog_writer import CatalogWriter
from offlineseed.seed._dedup import Dedup
from offlineseed.seed._rows import Rows
from offlineseed.seed._seekable import SeekEntry
from offlineseed.seed._stores import SegmentWriter

__all__ = ["Batch", "Committer", "Segment"]


@final
@attrs.define(eq=False)
class Segment:
    """
    A segment in the making.
    """

    id: int
    """Its row."""
    name: str
    """Its name in the store."""
    writer: SegmentWriter
    """Where its bytes go."""
    length: int = 0
    """Bytes written so far."""
    entries: list[SeekEntry] = attrs.Factory(list)
    """Its frames."""
    checksum: Any = attrs.Factory(xxhash.xxh3_128)
    """XXH3-128 over the bytes written so far."""

    def append(self, data: bytes | memoryview) -> None:
        """
        Write bytes.
        """
        self.writer.write(data)
        self.checksum.update(data)
        self.length += len(data)


@final
@attrs.frozen(eq=False)
class Batch:
    """
    Rows to commit once the segment bytes that they name are durable.
    """

    segment: Segment | None
    """The segment that the newest rows name; None while there is none."""
    closes: bool
    """Whether the segment is complete."""
    rows: Rows
    """The rows."""
    digests: list[bytes]
    """The contents that they make known."""
    flushes: bool
    """Whether the reader waits for them."""


@final
class Committer:
    """
    Commits batches, in order. Used by one thread.

    Args:
        catalog: takes the rows.
        dedup: hears what is committed.
        events: gets what is acknowledged.

    """

    def __init__(self, catalog: CatalogWriter, dedup: Dedup, events: SimpleQueue[Event]) -> None:
        self._catalog = catalog
        self._dedup = dedup
        self._events = events
        self._rows = Rows()
        self._digests: list[bytes] = []
        self._end = 0
        self._items, self._content, self._stored = catalog.acknowledged()

    def take(self, batch: Batch) -> None:
        """
        Make a batch durable and commit it, or keep it until its segment is durable.
        """
        self._rows.extend(batch.rows)
        self._digests += batch.digests
        self._end = max((self._end, *(row[3] + row[4] for row in batch.rows.chunks)))
        segment = batch.segment
        if segment is not None and batch.closes:
            segment.writer.close()
            closed = (segment.length, segment.checksum.digest(), segment.id)
            self._rows.closed.append(closed)
        # A store that keeps nothing before a segment is closed has it acknowledged then.
        if segment is None or batch.closes or segment.writer.sync() >= self._end:
            rows, digests = self._rows, self._digests
            self._rows, self._digests = Rows(), []
            self._commit(rows, digests, segment if batch.closes else None)
            if batch.closes:
                self._end = 0

    def _commit(self, rows: Rows, digests: list[bytes], closed: Segment | None) -> None:
        if rows:
            self._catalog.commit(rows)
        self._dedup.committed(digests)
        self._items += rows.item_count
        self._content += rows.content_bytes
        self._stored += sum(row[4] for row in rows.chunks)
        if closed is not None:
            self._events.put(SegmentClosed(name=closed.name, length=closed.length))
        self._events.put(
            SeedCheckpoint(
                items=self._items, content_bytes=self._content, stored_bytes=self._stored
            )
        )
