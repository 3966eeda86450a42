"""
Restoring a tree: directories first, files in parallel in the order of the segments, links last.

Nothing is written through a symbolic link: the target is empty at the start, and links are made
when all files are there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import final

import attrs

from offlineseed.errors import ChunkDamagedError, UnsafeNameError
from offlineseed.events import ItemRestored, OnEvent
from offlineseed.seed._catalog import Catalog
from offlineseed.seed._fetch import ChunkFetcher, contiguous_runs, of_item
from offlineseed.seed._model import ChunkPlace, Extent, Item, ItemKind

__all__ = ["LostRange", "RestoreReport", "restore_items"]

_CREATE = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)
_UTIME_BY_DESCRIPTOR = os.utime in os.supports_fd
_MOST_RUN_BYTES = 4 << 20


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


@final
@attrs.define(eq=False)
class _LargeFile:
    item: Item
    path: bytes
    descriptor: int
    open_runs: int = 1
    lock: threading.Lock = attrs.Factory(threading.Lock)

    def release(self) -> bool:
        """
        Count a finished run, and the last one finishes the file.
        """
        with self.lock:
            self.open_runs -= 1
            if self.open_runs:
                return False
        _finish_file(self.descriptor, self.path, self.item)
        return True


@final
@attrs.define(eq=False)
class _Outcome:
    restored: list[Item] = attrs.Factory(list)
    lost: list[LostRange] = attrs.Factory(list)


_Group = list[tuple[ChunkPlace, list[tuple[Item, Extent]]]]


def restore_items(
    catalog: Catalog,
    fetcher: ChunkFetcher,
    target: Path,
    *,
    prefix: str,
    salvage: bool,
    workers: int | None,
    on_event: OnEvent,
) -> RestoreReport:
    """
    Restore items below an empty or new folder. See `SeedReader.restore`.
    """
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty: restore into a new or an empty folder")
    return _Restorer(catalog, fetcher, target, salvage=salvage, on_event=on_event).run(
        prefix, workers or os.cpu_count() or 1
    )


@final
class _Restorer:
    def __init__(
        self,
        catalog: Catalog,
        fetcher: ChunkFetcher,
        target: Path,
        *,
        salvage: bool,
        on_event: OnEvent,
    ) -> None:
        self._catalog = catalog
        self._fetcher = fetcher
        self._root = os.fsencode(target.resolve())
        self._salvage = salvage
        self._on_event = on_event
        self._folders: set[bytes] = {self._root}
        self._futures: set[Future[_Outcome]] = set()
        self._is_stopping = False
        self._items = self._bytes = 0
        self._lost: list[LostRange] = []

    def run(self, prefix: str, workers: int) -> RestoreReport:
        for item in self._catalog.items(prefix):
            if item.kind is ItemKind.DIRECTORY:
                self._make_folder(self._path(item.name))
        self._folders = {self._root}
        with ThreadPoolExecutor(workers, thread_name_prefix="seed-restore") as executor:
            try:
                self._restore_files(prefix, executor, 2 * workers)
                while self._futures:
                    self._collect(0)
            except BaseException:
                # What waits still has files to close: it is not cancelled, it does nothing else.
                self._is_stopping = True
                raise
        self._folders = {self._root}
        self._restore_links(prefix)
        self._finish_folders(prefix)
        return RestoreReport(items=self._items, content_bytes=self._bytes, lost=tuple(self._lost))

    def _restore_files(self, prefix: str, executor: ThreadPoolExecutor, most: int) -> None:
        group: _Group = []
        for item in self._catalog.items(prefix):
            if item.kind is not ItemKind.FILE:
                continue
            if item.digest is None:
                self._restore_large(item, executor, most)
                continue
            extent = self._catalog.whole_extent(item)
            if group and group[-1][0].id == extent.chunk.id:
                group[-1][1].append((item, extent))
                continue
            if group and not _continues(group, extent.chunk):
                self._submit(executor, most, self._write_group, group)
                group = []
            group.append((extent.chunk, [(item, extent)]))
        if group:
            self._submit(executor, most, self._write_group, group)

    def _restore_large(self, item: Item, executor: ThreadPoolExecutor, most: int) -> None:
        path = self._path(item.name)
        self._make_folder(os.path.dirname(path))  # noqa: PTH120  # bytes
        descriptor = os.open(path, _CREATE, 0o600)
        file = _LargeFile(item, path, descriptor)
        try:
            os.ftruncate(descriptor, item.length)
            extents = ((extent.chunk, extent) for extent in self._catalog.extents(item))
            for run in contiguous_runs(extents):
                with file.lock:
                    file.open_runs += 1
                try:
                    self._submit(executor, most, self._write_run, file, run)
                except BaseException:
                    file.release()
                    raise
        finally:
            is_last = file.release()
        if is_last:
            self._count(item)

    def _write_run(self, file: _LargeFile, run: list[tuple[ChunkPlace, Extent]]) -> _Outcome:
        outcome = _Outcome()
        try:
            if self._is_stopping:
                return outcome
            places = [place for place, _ in run]
            contents = self._fetcher.fetch_run(places, salvage=self._salvage)
            for (_, extent), content in zip(run, contents, strict=True):
                if isinstance(content, ChunkDamagedError):
                    self._lose(outcome, file.item, extent.offset, extent.length, content)
                else:
                    start = extent.chunk_offset
                    data = memoryview(content)[start : start + extent.length]
                    _write_at(file.descriptor, data, extent.offset)
        finally:
            is_last = file.release()
        if is_last:
            outcome.restored.append(file.item)
        return outcome

    def _write_group(self, group: _Group) -> _Outcome:
        outcome = _Outcome()
        if self._is_stopping:
            return outcome
        places = [place for place, _ in group]
        contents = self._fetcher.fetch_run(places, salvage=self._salvage)
        for (_, smalls), content in zip(group, contents, strict=True):
            if isinstance(content, ChunkDamagedError):
                for item, _ in smalls:
                    self._lose(outcome, item, 0, item.length, content)
                continue
            view = memoryview(content)
            for item, extent in smalls:
                self._write_small(item, view[extent.chunk_offset :][: extent.length])
                outcome.restored.append(item)
        return outcome

    def _write_small(self, item: Item, content: memoryview) -> None:
        path = self._path(item.name)
        self._make_folder(os.path.dirname(path))  # noqa: PTH120  # bytes
        descriptor = os.open(path, _CREATE, 0o600)
        try:
            while content:
                content = content[os.write(descriptor, content) :]
        except BaseException:
            os.close(descriptor)
            raise
        _finish_file(descriptor, path, item)

    def _lose(
        self, outcome: _Outcome, item: Item, offset: int, length: int, error: ChunkDamagedError
    ) -> None:
        named = of_item(error, item.name, offset)
        if not self._salvage:
            raise named from error
        outcome.lost.append(LostRange(name=item.name, offset=offset, length=length, error=named))

    def _submit(
        self,
        executor: ThreadPoolExecutor,
        most: int,
        work: Callable[..., _Outcome],
        *arguments: object,
    ) -> None:
        self._collect(most)
        self._futures.add(executor.submit(work, *arguments))

    def _collect(self, most: int) -> None:
        while self._futures and len(self._futures) >= most:
            done, self._futures = wait(self._futures, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = future.result()
                self._lost += outcome.lost
                for item in outcome.restored:
                    self._count(item)
            if not most:
                return

    def _count(self, item: Item) -> None:
        self._items += 1
        self._bytes += item.length
        self._on_event(ItemRestored(name=item.name, length=item.length))

    def _restore_links(self, prefix: str) -> None:
        for item in self._catalog.items(prefix):
            if item.kind is ItemKind.SYMLINK:
                path = self._path(item.name)
                self._require_real_folder(os.path.dirname(path), item)  # noqa: PTH120  # bytes
                os.symlink(os.fsencode(item.target or ""), path)  # noqa: PTH211  # bytes
                if os.utime in os.supports_follow_symlinks:
                    os.utime(path, ns=(item.mtime_ns, item.mtime_ns), follow_symlinks=False)
                self._count(item)

    def _finish_folders(self, prefix: str) -> None:
        # Deepest first: a folder's time changes when something is made in it.
        for item in self._catalog.directories_from_below(prefix):
            path = self._path(item.name)
            os.chmod(path, item.mode)  # noqa: PTH101  # bytes
            os.utime(path, ns=(item.mtime_ns, item.mtime_ns))
            self._count(item)

    def _make_folder(self, path: bytes) -> None:
        if path not in self._folders:
            os.makedirs(path, 0o700, exist_ok=True)  # noqa: PTH103  # bytes
            if len(self._folders) > 10_000:
                self._folders = {self._root}
            self._folders.add(path)

    def _require_real_folder(self, path: bytes, item: Item) -> None:
        # Links are made one after the other: a forged catalog may put one below another.
        if path not in self._folders:
            if os.path.realpath(path) != path:
                raise UnsafeNameError(
                    f"{item.name!r} is not restored: it lies below a symbolic link", name=item.name
                )
            self._make_folder(path)

    def _path(self, name: str) -> bytes:
        if os.name == "nt" and ("\\" in name or ":" in name):
            raise UnsafeNameError(
                f"{name!r} can't be restored here: it has a backslash or a colon", name=name
            )
        return self._root + b"/" + os.fsencode(name)


def _continues(group: _Group, place: ChunkPlace) -> bool:
    first, last = group[0][0], group[-1][0]
    return (
        place.segment == last.segment
        and place.offset == last.offset + last.stored
        and place.offset + place.stored - first.offset <= _MOST_RUN_BYTES
    )


def _write_at(descriptor: int, data: memoryview, offset: int) -> None:
    while data:
        if hasattr(os, "pwrite"):
            written = os.pwrite(descriptor, data, offset)
        else:
            with _SEEK_LOCK:
                os.lseek(descriptor, offset, os.SEEK_SET)
                written = os.write(descriptor, data)
        data = data[written:]
        offset += written


_SEEK_LOCK = threading.Lock()


def _finish_file(descriptor: int, path: bytes, item: Item) -> None:
    times = (item.mtime_ns, item.mtime_ns)
    try:
        if _UTIME_BY_DESCRIPTOR:
            os.fchmod(descriptor, item.mode)
            os.utime(descriptor, ns=times)
    finally:
        os.close(descriptor)
    if not _UTIME_BY_DESCRIPTOR:
        os.utime(path, ns=times)
