"""
Restoring a tree: files in the order in which they were staged, with their directories; links last.

Worker threads fetch chunks, check them and write what is in them, and so does the calling thread
where it would wait. Whoever decoded a chunk writes its small files, and its ranges of large ones.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar, final

import attrs

from offlineseed.errors import ChunkDamagedError
from offlineseed.events import ItemRestored, OnEvent, ignore_events
from offlineseed.seed._catalog import Catalog
from offlineseed.seed._fetch import ChunkFetcher, contiguous_runs, of_item
from offlineseed.seed._model import ChunkPlace, Extent, Item, ItemKind
from offlineseed.seed._target import LargeFile, Target

__all__ = ["LostRange", "RestoreReport", "restore_items"]

_FOLDERS_AT_ONCE = 500
_AHEAD = 12
_REQUEST_BYTES = 1 << 20
_REMOTE_WORKERS = 8
_REMOTE_AHEAD = 4
_REMOTE_REQUEST_BYTES = 8 << 20

T = TypeVar("T")


@final
@attrs.frozen(kw_only=True)
class LostRange:
    """
    A range of an item that a salvage could not restore.
    """

    name: str
    """The item."""
    offset: int
    """Where it begins, in bytes."""
    length: int
    """Its length in bytes; an item that is left out is lost from 0 to its end."""
    error: ChunkDamagedError
    """What was damaged."""


@final
@attrs.frozen(kw_only=True)
class RestoreReport:
    """
    What a restore wrote.
    """

    items: int
    """Items that stand at their places."""
    content_bytes: int
    """Their bytes."""
    lost: tuple[LostRange, ...] = ()
    """What a salvage could not restore."""


_Group = list[tuple[ChunkPlace, list[tuple[Item, Extent]]]]


def restore_items(
    catalog: Catalog,
    fetcher: ChunkFetcher,
    target: Path,
    *,
    prefix: str,
    salvage: bool,
    set_id_bits: bool,
    is_remote: bool,
    workers: int | None,
    on_event: OnEvent,
) -> RestoreReport:
    """
    Restore items below an empty or new folder. See `SeedReader.restore`.

    From a remote store few large requests are made, many at once. From a local one each chunk is
    read by itself: its content is still in the processor's cache when it is written.
    """
    if is_remote:
        workers = workers or _REMOTE_WORKERS
        most_pending, request_bytes = workers + _REMOTE_AHEAD, _REMOTE_REQUEST_BYTES
    else:
        # The calling thread helps, so it is one of them.
        workers = workers or max(1, (os.cpu_count() or 1) - 1)
        most_pending, request_bytes = workers + _AHEAD, _REQUEST_BYTES
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty: restore into a new or an empty folder")
    with (
        Target(target, set_id_bits=set_id_bits) as place,
        ThreadPoolExecutor(workers, thread_name_prefix="seed-restore") as executor,
    ):
        return _Restorer(
            catalog,
            fetcher,
            place,
            executor,
            most_pending=most_pending,
            request_bytes=request_bytes,
            salvage=salvage,
            on_event=on_event,
        ).run(prefix)


@final
class _Restorer:
    def __init__(
        self,
        catalog: Catalog,
        fetcher: ChunkFetcher,
        target: Target,
        executor: ThreadPoolExecutor,
        *,
        most_pending: int,
        request_bytes: int,
        salvage: bool,
        on_event: OnEvent,
    ) -> None:
        self._catalog = catalog
        self._fetcher = fetcher
        self._target = target
        self._executor = executor
        self._most_pending = most_pending
        self._request_bytes = request_bytes
        self._salvage = salvage
        self._on_event = on_event
        self._pending: deque[tuple[_Work[Any], Callable[[Any], None]]] = deque()
        self._is_stopping = False
        self._items = self._bytes = 0
        self._lost: list[LostRange] = []

    def run(self, prefix: str) -> RestoreReport:
        try:
            self._restore_files(prefix)
            self._collect(0)
        except BaseException:
            # What waits still has files to close: it is not cancelled, it does nothing else.
            self._is_stopping = True
            raise
        # Folders were made with the first file in them: file systems then keep both together.
        for item in self._catalog.items(prefix, kind=ItemKind.DIRECTORY):
            self._target.make_folder(item)
        for item in self._catalog.items(prefix, kind=ItemKind.SYMLINK):
            self._target.make_link(item)
            self._count(item)
        self._finish_folders(prefix)
        return RestoreReport(items=self._items, content_bytes=self._bytes, lost=tuple(self._lost))

    def _finish_folders(self, prefix: str) -> None:
        # Now that all is made, for a folder's time changes when something is made in it.
        has_closed = False
        folders: list[Item] = []
        for item in self._catalog.items(prefix, kind=ItemKind.DIRECTORY):
            if item.mode & stat.S_IRWXU != stat.S_IRWXU:
                has_closed = True
                continue
            folders.append(item)
            if len(folders) >= _FOLDERS_AT_ONCE:
                self._await(partial(self._finish_each, folders), self._count_each)
                folders = []
        self._collect(0)
        self._count_each(self._finish_each(folders))
        if has_closed:
            # Nobody may pass through these then: deepest first.
            below = self._catalog.directories_from_below(prefix)
            closed = (item for item in below if item.mode & stat.S_IRWXU != stat.S_IRWXU)
            self._count_each(self._finish_each(closed))

    def _finish_each(self, folders: Iterable[Item]) -> list[Item]:
        finished = []
        for item in folders:
            self._target.finish_folder(item)
            finished.append(item)
        return finished

    def _restore_files(self, prefix: str) -> None:
        group: _Group = []
        for item, extent in self._catalog.files(prefix):
            if extent is None:
                self._restore_large(item)
            elif group and group[-1][0].id == extent.chunk.id:
                group[-1][1].append((item, extent))
            else:
                if group and not self._continues(group, extent.chunk):
                    self._restore_group(group)
                    group = []
                group.append((extent.chunk, [(item, extent)]))
        if group:
            self._restore_group(group)

    def _continues(self, group: _Group, place: ChunkPlace) -> bool:
        last = group[-1][0]
        return (
            place.segment == last.segment
            and place.offset == last.offset + last.stored
            and sum(other.length for other, _ in group) + place.length <= self._request_bytes
        )

    def _restore_group(self, group: _Group) -> None:
        def hear(lost: list[tuple[Item, ChunkDamagedError]]) -> None:
            named = {item.id for item, _ in lost}
            for item, error in lost:
                self._lose(item, 0, item.length, error)
            for _, smalls in group:
                for item, _ in smalls:
                    if item.id not in named:
                        self._count(item)

        self._await(partial(self._write_group, group), hear)

    def _write_group(self, group: _Group) -> list[tuple[Item, ChunkDamagedError]]:
        lost: list[tuple[Item, ChunkDamagedError]] = []
        if self._is_stopping:
            return lost
        contents = self._fetcher.fetch_run([place for place, _ in group], salvage=self._salvage)
        for (_, smalls), content in zip(group, contents, strict=True):
            if isinstance(content, ChunkDamagedError):
                lost += ((item, content) for item, _ in smalls)
                continue
            view = memoryview(content)
            for item, extent in smalls:
                start = extent.chunk_offset
                self._target.write_small(item, view[start : start + extent.length])
        return lost

    def _restore_large(self, item: Item) -> None:
        file = self._target.open_large(item)

        def hear(outcome: tuple[bool, list[LostRange]]) -> None:
            is_whole, lost = outcome
            self._lost += lost
            if is_whole:
                self._count(item)

        try:
            extents = ((extent.chunk, extent) for extent in self._catalog.extents(item))
            for run in contiguous_runs(extents, most_bytes=self._request_bytes):
                file.acquire()
                self._await(partial(self._write_run, file, run), hear)
        finally:
            if file.release():
                self._count(item)

    def _write_run(
        self, file: LargeFile, run: list[tuple[ChunkPlace, Extent]]
    ) -> tuple[bool, list[LostRange]]:
        lost: list[LostRange] = []
        try:
            for (_, extent), content in self._run_contents(run):
                if isinstance(content, ChunkDamagedError):
                    lost.append(self._lost_range(file.item, extent.offset, extent.length, content))
                else:
                    start = extent.chunk_offset
                    file.write(memoryview(content)[start : start + extent.length], extent.offset)
        finally:
            is_whole = file.release()
        return is_whole, lost

    def _run_contents(
        self, run: list[tuple[ChunkPlace, Extent]]
    ) -> Iterator[tuple[tuple[ChunkPlace, Extent], bytes | ChunkDamagedError]]:
        if not self._is_stopping:
            places = [place for place, _ in run]
            contents = self._fetcher.fetch_run(places, salvage=self._salvage)
            yield from zip(run, contents, strict=True)

    def _await(self, function: Callable[[], T], hear: Callable[[T], None]) -> None:
        self._pending.append((_Work(self._executor, function), hear))
        self._collect(self._most_pending)

    def _collect(self, most: int) -> None:
        while len(self._pending) > most:
            work, hear = self._pending.popleft()
            while not work.is_done and any(later.do() for later, _ in self._pending):
                pass
            hear(work.result())

    def _lose(self, item: Item, offset: int, length: int, error: ChunkDamagedError) -> None:
        self._lost.append(self._lost_range(item, offset, length, error))

    def _lost_range(
        self, item: Item, offset: int, length: int, error: ChunkDamagedError
    ) -> LostRange:
        named = of_item(error, item.name, offset)
        if not self._salvage:
            raise named from error
        return LostRange(name=item.name, offset=offset, length=length, error=named)

    def _count_each(self, items: Iterable[Item]) -> None:
        for item in items:
            self._count(item)

    def _count(self, item: Item) -> None:
        self._items += 1
        self._bytes += item.length
        if self._on_event is not ignore_events:
            self._on_event(ItemRestored(name=item.name, length=item.length))


@final
class _Work(Generic[T]):
    """
    What a thread of a pool does, or whoever would wait for it.
    """

    def __init__(self, executor: ThreadPoolExecutor, function: Callable[[], T]) -> None:
        self._function = function
        self._future = executor.submit(function)
        self._own: Future[T] | None = None

    @property
    def is_done(self) -> bool:
        return self._own is not None or self._future.done()

    def do(self) -> bool:
        """
        Do it here, unless a thread of the pool has begun it or it was done. Tells whether.
        """
        if self._own is not None or not self._future.cancel():
            return False
        self._own = Future()
        try:
            self._own.set_result(self._function())
        except BaseException as error:  # noqa: BLE001  # raised where the result is asked for
            self._own.set_exception(error)
        return True

    def result(self) -> T:
        """
        Return what it gave, or raise what it raised; wait for it or do it.
        """
        self.do()
        return (self._own or self._future).result()
