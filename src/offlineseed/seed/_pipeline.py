"""
From read buffers to durable rows: hash, compare, compress, write in order, commit.

```
reader ──jobs──▶ workers: hash ▶ (in order) compare ▶ compress ──▶ writer, in order ──▶ committer
   ▲                                                                  │
   └───────────────────────── buffers, used again ◀───────────────────┘
```

Every queue is bounded, by the number of buffers or by its own length, so memory is. The segments'
bytes are the same whatever the threads' timing: comparing and writing follow the order of the jobs.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, final

import attrs
import xxhash
import zstandard

from offlineseed.events import Event, SeedCheckpoint, SegmentClosed
from offlineseed.seed._catalog_writer import CatalogWriter, Rows
from offlineseed.seed._dedup import Dedup
from offlineseed.seed._model import SeedOptions
from offlineseed.seed._seekable import SeekEntry, render_seek_table, seek_table_length
from offlineseed.seed._stores import SegmentStore, SegmentWriter, segment_name

__all__ = ["Job", "Pipeline"]

_MOST_ROWS = 20_000


@final
@attrs.define(eq=False)
class Job:
    """
    A buffer's worth of work.
    """

    buffer: bytearray
    """The content, `chunk_bytes` at most. Goes back to the pool once it is written."""
    used: int = 0
    """Bytes of it that count."""
    block: tuple[int, int] | None = None
    """`(item, offset)` where the buffer is a chunk of a large item."""
    smalls: list[tuple[int, bytes, int, int, int, int]] = attrs.Factory(list)
    """`(item, name, length, mode, mtime_ns, start in the buffer)` of small items, in order."""
    rows: Rows = attrs.Factory(Rows)
    """Rows that are complete once all jobs before are."""
    number: int = -1
    chunk: int = 0
    digest: bytes = b""
    digests: list[bytes] = attrs.Factory(list)
    frame: bytes | None = None
    checksum: int = 0


@final
@attrs.define(eq=False)
class _Segment:
    id: int
    name: str
    writer: SegmentWriter
    length: int = 0
    entries: list[SeekEntry] = attrs.Factory(list)
    checksum: Any = attrs.Factory(xxhash.xxh3_128)

    def append(self, data: bytes) -> None:
        self.writer.write(data)
        self.checksum.update(data)
        self.length += len(data)


@final
@attrs.frozen(eq=False)
class _Batch:
    segment: _Segment | None
    closes: bool
    rows: Rows
    digests: list[bytes]
    flushes: int


@final
class Pipeline:
    """
    Runs the workers, the writer and the committer of one generation.

    `submit`, `flush`, `close` and `abort` are the reader's: one thread. An error in any thread
    stops all of them and is raised by the next call.
    """

    def __init__(
        self,
        store: SegmentStore,
        catalog: CatalogWriter,
        options: SeedOptions,
        *,
        workers: int,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._options = options
        self._dedup = Dedup(catalog)
        self._zeros = bytes(options.chunk_bytes)
        _, self._last_chunk, self._last_segment = catalog.greatest_ids()
        self._segment_number = catalog.segments_written()
        self._segment: _Segment | None = None
        self._unclosed: list[_Segment] = []
        self._rows = Rows()
        self._rows_digests: list[bytes] = []
        self._unsynced = 0
        self._last_checkpoint = time.monotonic()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        """Events for the reader to pass on."""
        self._items, self._content, self._stored = catalog.acknowledged()

        self._error: BaseException | None = None
        self._stopping = False
        self._state = threading.Condition()
        self._submitted = 0
        self._turn = 0
        self._written = 0
        self._done: dict[int, Job] = {}
        self._flush_at = -1
        self._flushes = self._flushes_written = self._flushes_done = 0

        buffers = workers + 3
        self._buffers: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        for _ in range(buffers):
            self._buffers.put(bytearray(options.chunk_bytes + 1))
        self._jobs: queue.Queue[Job | None] = queue.Queue(buffers + 8)
        self._commits: queue.Queue[_Batch | None] = queue.Queue(2)
        self._threads = [
            threading.Thread(target=self._guard, args=(target,), name=name, daemon=True)
            for name, target in (
                *((f"seed-worker-{n}", self._work) for n in range(workers)),
                ("seed-writer", self._write_all),
                ("seed-committer", self._commit_all),
            )
        ]
        self._workers = workers
        for thread in self._threads:
            thread.start()

    # The reader's side.

    def buffer(self) -> bytearray:
        """
        Wait for a free buffer: `chunk_bytes` and one byte long, its content undefined.
        """
        buffer = self._buffers.get()
        if self._error is not None:
            # Whoever comes next must not wait either.
            self._buffers.put(None)
        self._raise_error()
        assert buffer is not None
        return buffer

    def put_back(self, buffer: bytearray) -> None:
        """
        Give a buffer back unused.
        """
        self._buffers.put(buffer)

    def submit(self, job: Job) -> None:
        """
        Take a job over, with its buffer.
        """
        self._raise_error()
        job.number = self._submitted
        self._submitted += 1
        while True:
            try:
                self._jobs.put(job, timeout=0.5)
                return
            except queue.Full:
                self._raise_error()

    def flush(self) -> None:
        """
        Wait until everything submitted is written, and committed as far as the store is durable.
        """
        with self._state:
            self._flush_at = self._submitted
            self._flushes += 1
            self._state.notify_all()
            while self._flushes_done < self._flushes and self._error is None:
                self._state.wait()
        self._raise_error()

    def close(self) -> None:
        """
        Flush, close the open segment and stop the threads.
        """
        with self._state:
            self._stopping = True
        self.flush()
        for _ in range(self._workers):
            self._jobs.put(None)
        self._join()
        self._raise_error()

    def abort(self) -> None:
        """
        Stop the threads. What was committed stays, the rest is lost.
        """
        self._fail(RuntimeError("the writer was aborted"))
        self._join()
        for segment in self._unclosed:
            segment.writer.abort()
        self._unclosed.clear()
        self._segment = None

    @property
    def has_failed(self) -> bool:
        """
        Tell whether a thread met an error.
        """
        return self._error is not None

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    # Threads.

    def _guard(self, target: Callable[[], None]) -> None:
        try:
            target()
        except BaseException as error:  # noqa: BLE001  # handed to the reader's thread
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        with self._state:
            if self._error is None:
                self._error = error
            self._state.notify_all()
        # Whoever waits at a queue wakes up and sees the error.
        self._buffers.put(None)
        for _ in range(self._workers):
            self._put_or_drop(self._jobs)
        self._put_or_drop(self._commits)

    @staticmethod
    def _put_or_drop(full: queue.Queue[Any]) -> None:
        while True:
            try:
                full.put_nowait(None)
                return
            except queue.Full:
                try:
                    full.get_nowait()
                except queue.Empty:
                    continue

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    # Workers.

    def _work(self) -> None:
        compressor = _compressor(self._options)
        while True:
            job = self._jobs.get()
            if job is None or self._error is not None:
                return
            self._hash(job)
            with self._state:
                while self._turn != job.number:
                    if self._error is not None:
                        return
                    self._state.wait()
            runs = self._compare(job)
            with self._state:
                self._turn += 1
                self._state.notify_all()
            if job.chunk:
                self._compress(job, runs, compressor)
            with self._state:
                self._done[job.number] = job
                self._state.notify_all()

    def _hash(self, job: Job) -> None:
        buffer = job.buffer
        view = memoryview(buffer)
        if job.block is not None:
            if not self._is_zero(buffer, job.used):
                job.digest = hashlib.sha256(view[: job.used]).digest()
            return
        sha256 = hashlib.sha256
        job.digests = [
            sha256(view[start : start + length]).digest()
            for _, _, length, _, _, start in job.smalls
        ]

    def _is_zero(self, buffer: bytearray, used: int) -> bool:
        if buffer[0] or buffer[used - 1]:
            return False
        if used == len(self._zeros):
            return buffer.startswith(self._zeros)
        return buffer.startswith(self._zeros[:used])

    def _compare(self, job: Job) -> list[tuple[int, int]]:
        # One thread at a time, in the order of the jobs.
        rows, dedup = job.rows, self._dedup
        if job.block is not None:
            if not job.digest:
                return []
            item, offset = job.block
            chunk = dedup.find_chunk(job.digest)
            if chunk is None:
                chunk = self._last_chunk = job.chunk = self._last_chunk + 1
                dedup.add_chunk(job.digest, chunk)
            rows.extents.append((item, offset, job.used, chunk, 0))
            return [(0, job.used)]
        runs: list[tuple[int, int]] = []
        packed = 0
        new_chunk = self._last_chunk + 1
        for small, digest in zip(job.smalls, job.digests, strict=True):
            item, name, length, mode, mtime_ns, start = small
            place = dedup.find_small(digest, length)
            if place is None:
                place = (new_chunk, packed)
                dedup.add_small(digest, new_chunk, packed)
                if runs and runs[-1][1] == start:
                    runs[-1] = (runs[-1][0], start + length)
                else:
                    runs.append((start, start + length))
                packed += length
            rows.items.append((item, name, 1, length, mode, mtime_ns, digest, None, *place))
        if packed:
            self._last_chunk = job.chunk = new_chunk
        return runs

    def _compress(
        self, job: Job, runs: list[tuple[int, int]], compressor: zstandard.ZstdCompressor
    ) -> None:
        view = memoryview(job.buffer)
        content: memoryview | bytes
        if len(runs) == 1:
            content = view[runs[0][0] : runs[0][1]]
        else:
            content = b"".join([view[start:end] for start, end in runs])
        if not job.digest:
            whole = len(runs) == 1 and len(job.digests) == 1
            job.digest = job.digests[0] if whole else hashlib.sha256(content).digest()
        job.used = len(content)
        job.checksum = xxhash.xxh64_intdigest(content) & 0xFFFFFFFF
        job.frame = compressor.compress(content)

    # Writer.

    def _write_all(self) -> None:
        while True:
            with self._state:
                job = None
                while self._error is None:
                    job = self._done.pop(self._written, None)
                    is_flush = self._flush_at == self._written
                    if job is not None or (is_flush and self._flushes_written < self._flushes):
                        break
                    self._state.wait()
                if self._error is not None:
                    return
                if job is None:
                    self._flushes_written = self._flushes
            if job is not None:
                self._write(job)
                self._written += 1
            else:
                self._checkpoint()
                if self._stopping:
                    self._queue_commit(None)
                    return

    def _write(self, job: Job) -> None:
        if job.frame is not None:
            segment = self._segment_for(len(job.frame))
            offset = segment.length
            segment.append(job.frame)
            segment.entries.append(SeekEntry(len(job.frame), job.used, job.checksum))
            self._rows.chunks.append(
                (job.chunk, job.digest, segment.id, offset, len(job.frame), job.used)
            )
            self._unsynced += len(job.frame)
            if job.block is not None:
                self._rows_digests.append(job.digest)
        self._buffers.put(job.buffer)
        self._rows.extend(job.rows)
        self._rows_digests += job.digests
        if (
            self._unsynced >= self._options.checkpoint_bytes
            or len(self._rows.items) >= _MOST_ROWS
            or time.monotonic() - self._last_checkpoint >= self._options.checkpoint_seconds
        ):
            self._hand_over(self._segment, closes=False)

    def _segment_for(self, length: int) -> _Segment:
        segment = self._segment
        if segment is not None:
            table = seek_table_length(len(segment.entries) + 1)
            if segment.length + length + table <= self._options.segment_bytes:
                return segment
            self._end_segment()
        self._last_segment += 1
        name = segment_name(self._catalog.generation, self._segment_number)
        self._segment_number += 1
        segment = _Segment(self._last_segment, name, self._store.create(name))
        self._segment = segment
        self._unclosed.append(segment)
        self._rows.opened.append((segment.id, name))
        return segment

    def _end_segment(self) -> None:
        assert self._segment is not None
        self._segment.append(render_seek_table(self._segment.entries))
        self._hand_over(self._segment, closes=True)
        self._segment = None

    def _checkpoint(self) -> None:
        if self._stopping and self._segment is not None:
            self._end_segment()
        else:
            self._hand_over(self._segment, closes=False)

    def _hand_over(self, segment: _Segment | None, *, closes: bool) -> None:
        rows, digests = self._rows, self._rows_digests
        self._rows, self._rows_digests = Rows(), []
        self._unsynced = 0
        self._last_checkpoint = time.monotonic()
        self._queue_commit(_Batch(segment, closes, rows, digests, self._flushes_written))

    def _queue_commit(self, batch: _Batch | None) -> None:
        while self._error is None:
            try:
                self._commits.put(batch, timeout=0.5)
                return
            except queue.Full:
                continue

    # Committer.

    def _commit_all(self) -> None:
        rows, digests, end = Rows(), [], 0  # type: Rows, list[bytes], int
        while True:
            batch = self._commits.get()
            if batch is None or self._error is not None:
                return
            rows.extend(batch.rows)
            digests += batch.digests
            end = max((end, *(row[3] + row[4] for row in batch.rows.chunks)))
            segment = batch.segment
            if segment is not None and batch.closes:
                segment.writer.close()
                self._unclosed.remove(segment)
                rows.closed.append((segment.length, segment.checksum.digest(), segment.id))
            # A store that keeps nothing before a segment is closed has it acknowledged then.
            if segment is None or batch.closes or segment.writer.sync() >= end:
                self._commit(rows, digests, segment if batch.closes else None)
                rows, digests = Rows(), []
                end = 0 if batch.closes else end
            with self._state:
                self._flushes_done = batch.flushes
                self._state.notify_all()

    def _commit(self, rows: Rows, digests: list[bytes], closed: _Segment | None) -> None:
        if rows:
            self._catalog.commit(rows)
        self._dedup.committed(digests)
        self._items += rows.item_count
        self._content += rows.content_bytes
        self._stored += sum(row[4] for row in rows.chunks)
        if closed is not None:
            self.events.put(SegmentClosed(name=closed.name, length=closed.length))
        self.events.put(
            SeedCheckpoint(
                items=self._items, content_bytes=self._content, stored_bytes=self._stored
            )
        )


def _compressor(options: SeedOptions) -> zstandard.ZstdCompressor:
    # Level 1 with a hash table of 128 KiB and a window over the whole chunk: 2 to 15 % smaller than
    # zstd's own level 1, at the same speed while the table fits the processor's second cache.
    more = {"hash_log": 15} if options.level == 1 else {}
    parameters = zstandard.ZstdCompressionParameters.from_level(
        options.level,
        source_size=options.chunk_bytes,
        window_log=options.chunk_bytes.bit_length() - 1,
        write_content_size=True,
        write_checksum=False,
        **more,
    )
    return zstandard.ZstdCompressor(compression_params=parameters)
