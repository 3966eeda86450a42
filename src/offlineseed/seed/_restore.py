"""
Restoring a tree: files in the order of the segments, with their directories; links last.

Worker threads fetch and check chunks; small files are made by one thread, in order, as a file
system takes them fastest; the ranges of large files are written by the workers.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import final

import attrs

from offlineseed.errors import ChunkDamagedError
from offlineseed.events import ItemRestored, OnEvent
from offlineseed.seed._catalog import Catalog
from offlineseed.seed._fetch import ChunkFetcher, contiguous_runs, of_item
from offlineseed.seed._model import ChunkPlace, Extent, Item, ItemKind
from offlineseed.seed._target import LargeFile, Target

__all__ = ["LostRange", "RestoreReport", "restore_items"]

_MOST_GROUP_BYTES = 8 << 20


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
    workers: int | None,
    on_event: OnEvent,
) -> RestoreReport:
    """
    Restore items below an empty or new folder. See `SeedReader.restore`.
    """
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty: restore into a new or an empty folder")
    with Target(target, set_id_bits=set_id_bits) as place:
        restorer = _Restorer(catalog, fetcher, place, salvage=salvage, on_event=on_event)
        return restorer.run(prefix, workers or os.cpu_count() or 1)


@final
class _Restorer:
    def __init__(
        self,
        catalog: Catalog,
        fetcher: ChunkFetcher,
        target: Target,
        *,
        salvage: bool,
        on_event: OnEvent,
    ) -> None:
        self._catalog = catalog
        self._fetcher = fetcher
        self._target = target
        self._salvage = salvage
        self._on_event = on_event
        self._pending: deque[Callable[[], None]] = deque()
        self._is_stopping = False
        self._items = self._bytes = 0
        self._lost: list[LostRange] = []

    def run(self, prefix: str, workers: int) -> RestoreReport:
        with ThreadPoolExecutor(workers, thread_name_prefix="seed-restore") as executor:
            try:
                self._restore_files(prefix, executor, 2 * workers)
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
        # Deepest first: a folder's time changes when something is made in it.
        for item in self._catalog.directories_from_below(prefix):
            self._target.finish_folder(item)
            self._count(item)
        return RestoreReport(items=self._items, content_bytes=self._bytes, lost=tuple(self._lost))

    def _restore_files(self, prefix: str, executor: ThreadPoolExecutor, most: int) -> None:
        group: _Group = []
        for item, extent in self._catalog.files(prefix):
            if extent is None:
                self._restore_large(item, executor, most)
            elif group and group[-1][0].id == extent.chunk.id:
                group[-1][1].append((item, extent))
            else:
                if group and not _continues(group, extent.chunk):
                    self._restore_group(group, executor, most)
                    group = []
                group.append((extent.chunk, [(item, extent)]))
        if group:
            self._restore_group(group, executor, most)

    def _restore_group(self, group: _Group, executor: ThreadPoolExecutor, most: int) -> None:
        future = executor.submit(self._fetch_all, [place for place, _ in group])

        def write() -> None:
            for (_, smalls), content in zip(group, future.result(), strict=True):
                if isinstance(content, ChunkDamagedError):
                    for item, _ in smalls:
                        self._lose(item, 0, item.length, content)
                    continue
                view = memoryview(content)
                for item, extent in smalls:
                    start = extent.chunk_offset
                    self._target.write_small(item, view[start : start + extent.length])
                    self._count(item)

        self._await(write, most)

    def _fetch_all(self, places: list[ChunkPlace]) -> list[bytes | ChunkDamagedError]:
        if self._is_stopping:
            return []
        return list(self._fetcher.fetch_run(places, salvage=self._salvage))

    def _restore_large(self, item: Item, executor: ThreadPoolExecutor, most: int) -> None:
        file = self._target.open_large(item)
        try:
            extents = ((extent.chunk, extent) for extent in self._catalog.extents(item))
            for run in contiguous_runs(extents):
                file.acquire()
                self._await_run(executor.submit(self._write_run, file, run), item, most)
        finally:
            if file.release():
                self._count(item)

    def _await_run(
        self, future: Future[tuple[bool, list[LostRange]]], item: Item, most: int
    ) -> None:
        def hear() -> None:
            is_whole, lost = future.result()
            self._lost += lost
            if is_whole:
                self._count(item)

        self._await(hear, most)

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

    def _await(self, hear: Callable[[], None], most: int) -> None:
        self._pending.append(hear)
        self._collect(most)

    def _collect(self, most: int) -> None:
        while len(self._pending) > most:
            self._pending.popleft()()

    def _lose(self, item: Item, offset: int, length: int, error: ChunkDamagedError) -> None:
        self._lost.append(self._lost_range(item, offset, length, error))

    def _lost_range(
        self, item: Item, offset: int, length: int, error: ChunkDamagedError
    ) -> LostRange:
        named = of_item(error, item.name, offset)
        if not self._salvage:
            raise named from error
        return LostRange(name=item.name, offset=offset, length=length, error=named)

    def _count(self, item: Item) -> None:
        self._items += 1
        self._bytes += item.length
        self._on_event(ItemRestored(name=item.name, length=item.length))


def _continues(group: _Group, place: ChunkPlace) -> bool:
    last = group[-1][0]
    return (
        place.segment == last.segment
        and place.offset == last.offset + last.stored
        and sum(other.length for other, _ in group) + place.length <= _MOST_GROUP_BYTES
    )
