"""
From read buffers to durable rows: hash, compare, compress, write in order, commit.

```
reader ──▶ workers: hash ▶ compare, in order ▶ compress ▶ write, in order ──▶ committer
   ▲                                                              │
   └──────────────────── buffers, used again ◀────────────────────┘
```

Every queue is bounded, by the number of buffers or of batches, so memory is. The segments' bytes
are the same whatever the threads' timing: comparing and writing follow the order of the jobs, and
whichever thread is there does them. The reader is a worker, too, while it has no free buffer: as
many threads as processors do the work, none of them waits for the others' interpreter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, final

from offlineseed.events import Event
from offlineseed.seed._catalog_writer import CatalogWriter
from offlineseed.seed._committer import Batch, Committer, Segment
from offlineseed.seed._dedup import Dedup
from offlineseed.seed._encoder import Compressors, Encoder
from offlineseed.seed._job import Job
from offlineseed.seed._model import SeedOptions
from offlineseed.seed._rows import Rows
from offlineseed.seed._seekable import SeekEntry, render_seek_table, seek_table_length
from offlineseed.seed._stores import SegmentStore, segment_name

__all__ = ["Pipeline"]

_SPARE_BUFFERS = 6
_MOST_ROWS = 8192
_MOST_BATCHES = 3


@final
class Pipeline:
    """
    Runs the workers and the committer of one generation.

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
        self.events: SimpleQueue[Event] = SimpleQueue()
        """Events for the reader to pass on."""
        self._committer = Committer(catalog, dedup, self.events)

        self._error: BaseException | None = None
        self._stopping = False
        self._submitted = 0
        self._comparing, self._writing = _InOrder(), _InOrder()
        self._own_compressors = Compressors(options)
        # A None in a queue wakes up whoever waits there, to see that it is over.
        self._buffers: SimpleQueue[bytearray | None] = SimpleQueue()
        for _ in range(workers + _SPARE_BUFFERS):
            self._buffers.put(bytearray(options.chunk_bytes + 1))
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        self._batch_slots: SimpleQueue[None] = SimpleQueue()
        for _ in range(_MOST_BATCHES):
            self._batch_slots.put(None)
        self._flushed: SimpleQueue[None] = SimpleQueue()
        self._workers = [
            self._start(f"seed-worker-{number}", self._work) for number in range(workers)
        ]
        self._committing = self._start("seed-committer", self._commit_all)

    # The reader's side.

    def buffer(self) -> bytearray:
        """
        Wait for a free buffer: `chunk_bytes` and one byte long, its content undefined.
        """
        while self._buffers.empty() and self._help():
            pass
        buffer = self._buffers.get()
        self._raise_error(self._buffers)
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
        self._jobs.put(job)

    def flush(self) -> None:
        """
        Wait until everything submitted is written, and committed as far as the store is durable.
        """
        self.submit(Job(buffer=bytearray(), flushes=True))
        while self._help():
            pass
        self._flushed.get()
        self._raise_error()

    def close(self) -> None:
        """
        Flush, close the open segment and stop the threads.
        """
        self._stopping = True
        self.flush()
        self._end_threads()
        self._raise_error()

    def abort(self) -> None:
        """
        Stop the threads. What was committed stays, the rest is lost.
        """
        self._fail(RuntimeError("the writer was aborted"))
        self._end_threads()
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

    def _raise_error(self, waited_at: SimpleQueue[Any] | None = None) -> None:
        if self._error is not None:
            if waited_at is not None:
                # Whoever comes next must not wait either.
                waited_at.put(None)
            raise self._error

    # Threads.

    def _start(self, name: str, target: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                target()
            except BaseException as error:  # noqa: BLE001  # handed to the reader's thread
                self._fail(error)

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._wake_threads()
        self._buffers.put(None)
        self._batch_slots.put(None)
        self._flushed.put(None)

    def _wake_threads(self) -> None:
        for _ in self._workers:
            self._jobs.put(None)
        self._batches.put(None)

    def _end_threads(self) -> None:
        self._wake_threads()
        for thread in (*self._workers, self._committing):
            thread.join()

    # Workers, and the reader while it would wait.

    def _work(self) -> None:
        compressors = Compressors(self._options)
        while (job := self._jobs.get()) is not None and self._error is None:
            self._process(job, compressors)

    def _help(self) -> bool:
        # Does a job that waits, if there is one. A reader that slept instead would leave its
        # processor to another worker and then wait for it.
        try:
            job = self._jobs.get_nowait()
        except Empty:
            return False
        if job is None:
            # A worker's; the error behind it is raised by whatever comes next.
            self._jobs.put(None)
            return False
        try:
            self._process(job, self._own_compressors)
        except BaseException as error:
            self._fail(error)
            raise
        return True

    def _process(self, job: Job, compressors: Compressors) -> None:
        if job.runs is None:
            self._encoder.hash(job)
            is_turn = False
            for following in self._comparing.arrived(job):
                following.runs = self._encoder.compare(following)
                if following is job:
                    is_turn = True
                else:
                    self._jobs.put(following)
            if not is_turn:
                return
        if job.chunk:
            self._encoder.compress(job, compressors)
        for following in self._writing.arrived(job):
            self._write(following)

    # Writing, one job at a time.

    def _write(self, job: Job) -> None:
        if job.flushes:
            if self._stopping and self._segment is not None:
                self._end_segment(flushes=True)
            else:
                self._hand_over(self._segment, flushes=True)
            return
        if job.frame:
            stored = len(job.frame)
            segment = self._segment_for(stored)
            offset = segment.length
            segment.append(job.frame)
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
            or self._rows.item_count >= _MOST_ROWS
            or time.monotonic() - self._last_checkpoint >= self._options.checkpoint_seconds
        ):
            self._hand_over(self._segment)

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

    def _end_segment(self, *, flushes: bool = False) -> None:
        assert self._segment is not None
        self._segment.append(render_seek_table(self._segment.entries))
        self._hand_over(self._segment, closes=True, flushes=flushes)
        self._segment = None

    def _hand_over(
        self, segment: Segment | None, *, closes: bool = False, flushes: bool = False
    ) -> None:
        batch = Batch(segment, closes, self._rows, self._rows_digests, flushes)
        self._rows, self._rows_digests = Rows(), []
        self._unsynced = 0
        self._last_checkpoint = time.monotonic()
        self._batch_slots.get()
        self._raise_error(self._batch_slots)
        self._batches.put(batch)

    # Committer.

    def _commit_all(self) -> None:
        while (batch := self._batches.get()) is not None and self._error is None:
            self._committer.take(batch)
            if batch.segment is not None and batch.closes:
                self._unclosed.remove(batch.segment)
            self._batch_slots.put(None)
            if batch.flushes:
                self._flushed.put(None)


@final
class _InOrder:
    """
    Deals jobs out in their order, one at a time, to whichever thread is there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_busy = False
        self._waiting: dict[int, Job] = {}
        self._next = 0

    def arrived(self, job: Job) -> Iterator[Job]:
        """
        Yield the jobs, of this one and those that came too early, whose turn it is.

        None if another thread is at it: that one gets them all.
        """
        with self._lock:
            self._waiting[job.number] = job
            if self._is_busy:
                return
            self._is_busy = True
        while True:
            with self._lock:
                following = self._waiting.pop(self._next, None)
                if following is None:
                    self._is_busy = False
                    return
                self._next += 1
            yield following
