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

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, final

from offlineseed.events import Event
from offlineseed.seed._catalog_writer import CatalogWriter
from offlineseed.seed._committer import Batch, Committer, Segment
from offlineseed.seed._dedup import Dedup
from offlineseed.seed._encoder import Compressors, Encoder, frame_room
from offlineseed.seed._job import Job
from offlineseed.seed._model import SeedOptions
from offlineseed.seed._rows import Rows
from offlineseed.seed._seekable import SeekEntry, render_seek_table, seek_table_length
from offlineseed.seed._stores import SegmentStore, segment_name

__all__ = ["Pipeline"]

_MOST_ROWS = 20_000


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
        _, last_chunk, self._last_segment = catalog.greatest_ids()
        dedup = Dedup(catalog)
        self._encoder = Encoder(dedup, chunk_bytes=options.chunk_bytes, last_chunk=last_chunk)
        self._segment_number = catalog.segments_written()
        self._segment: Segment | None = None
        self._unclosed: list[Segment] = []
        self._rows = Rows()
        self._rows_digests: list[bytes] = []
        self._unsynced = 0
        self._last_checkpoint = time.monotonic()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        """Events for the reader to pass on."""
        self._committer = Committer(catalog, dedup, self.events)

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
        # As many as buffers: a job that needs one has a buffer.
        self._outs: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
        for _ in range(buffers):
            self._buffers.put(bytearray(options.chunk_bytes + 1))
            self._outs.put(bytearray(frame_room(options.chunk_bytes)))
        self._jobs: deque[Job] = deque()  # each has a buffer, so there are few
        self._pack_workers = max(1, (os.cpu_count() or 1) - 1)
        self._commits: queue.Queue[Batch | None] = queue.Queue(2)
        self._threads = [
            threading.Thread(target=self._guard, args=(target,), name=name, daemon=True)
            for name, target in (
                *((f"seed-worker-{n}", partial(self._work, n)) for n in range(workers)),
                ("seed-writer", self._write_all),
                ("seed-committer", self._commit_all),
            )
        ]
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
        with self._state:
            self._jobs.append(job)
            self._state.notify_all()

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

    def _work(self, rank: int) -> None:
        compressors = Compressors(self._options)
        while True:
            job = self._next_job(rank)
            if job is None:
                return
            self._encoder.hash(job)
            with self._state:
                while self._turn != job.number:
                    if self._error is not None:
                        return
                    self._state.wait()
            runs = self._encoder.compare(job)
            with self._state:
                self._turn += 1
                self._state.notify_all()
            if job.chunk:
                self._encoder.compress(job, runs, compressors, self._outs.get())
            with self._state:
                self._done[job.number] = job
                self._state.notify_all()

    def _next_job(self, rank: int) -> Job | None:
        with self._state:
            while self._error is None:
                # Reading small files takes a processor of its own, so packs of them do without one.
                if self._jobs and (rank < self._pack_workers or not self._jobs[0].has_many_items):
                    return self._jobs.popleft()
                if self._stopping and not self._jobs:
                    return None
                self._state.wait()
        return None

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
        if job.out is not None:
            stored = job.stored
            segment = self._segment_for(stored)
            offset = segment.length
            segment.append(memoryview(job.out)[:stored])
            self._outs.put(job.out)
            segment.entries.append(SeekEntry(stored, job.used, job.checksum))
            self._rows.chunks.append((job.chunk, job.digest, segment.id, offset, stored, job.used))
            self._unsynced += stored
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

    def _segment_for(self, length: int) -> Segment:
        segment = self._segment
        if segment is not None:
            table = seek_table_length(len(segment.entries) + 1)
            if segment.length + length + table <= self._options.segment_bytes:
                return segment
            self._end_segment()
        self._last_segment += 1
        name = segment_name(self._catalog.generation, self._segment_number)
        self._segment_number += 1
        segment = Segment(self._last_segment, name, self._store.create(name))
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

    def _hand_over(self, segment: Segment | None, *, closes: bool) -> None:
        rows, digests = self._rows, self._rows_digests
        self._rows, self._rows_digests = Rows(), []
        self._unsynced = 0
        self._last_checkpoint = time.monotonic()
        self._queue_commit(Batch(segment, closes, rows, digests, self._flushes_written))

    def _queue_commit(self, batch: Batch | None) -> None:
        while self._error is None:
            try:
                self._commits.put(batch, timeout=0.5)
                return
            except queue.Full:
                continue

    # Committer.
    def _commit_all(self) -> None:
        while True:
            batch = self._commits.get()
            if batch is None or self._error is not None:
                return
            self._committer.take(batch)
            if batch.segment is not None and batch.closes:
                self._unclosed.remove(batch.segment)
            with self._state:
                self._flushes_done = batch.flushes
                self._state.notify_all()
