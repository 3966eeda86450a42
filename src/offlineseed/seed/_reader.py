"""
Reading a sealed generation: items, ranges, whole trees.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import final

import attrs
from typing_extensions import Buffer, Self

from offlineseed.errors import CatalogError, ChunkDamagedError, SegmentMissingError
from offlineseed.events import OnEvent, ignore_events
from offlineseed.seed._catalog import Catalog
from offlineseed.seed._fetch import ChunkFetcher, contiguous_runs, of_item
from offlineseed.seed._folder_store import FolderStore
from offlineseed.seed._model import Extent, Item
from offlineseed.seed._restore import RestoreReport, restore_items
from offlineseed.seed._seal import Seal, fetch_catalog, read_seal
from offlineseed.seed._stores import SegmentStore, sealed_generations

__all__ = ["DamagedFrame", "SeedReader"]

_ZEROS = bytes(1 << 20)


@final
@attrs.frozen(kw_only=True)
class DamagedFrame:
    """
    A frame of a segment that is not what the catalog says.
    """

    segment: str
    """The segment's name in the store."""
    offset: int
    """Where the frame begins, in bytes."""
    expected: str
    """SHA-256 of its content by the catalog, hex."""
    found: str
    """SHA-256 of what was read, hex, or why there is none."""


@final
class SeedReader:
    """
    Reads one sealed generation from a store: a staging folder, a landed container, a copy of it.

    The catalog is fetched into a temporary file and checked against the seal. Safe from several
    threads, except `close`.

    Args:
        store: holds segments, catalogs and seals.
        generation: which one; the latest by default.
        expected_digest: the seal's digest that the source kept; another one is refused.

    Raises:
        SegmentMissingError: the store has no sealed generation, or not this one.
        CatalogError: seal or catalog are damaged, or the digest is another.

    """

    def __init__(
        self,
        store: SegmentStore,
        *,
        generation: int | None = None,
        expected_digest: str | None = None,
    ) -> None:
        self.store = store
        """Where the seed lies."""
        if generation is None:
            generations = sealed_generations(store)
            if not generations:
                raise SegmentMissingError(
                    f"{store!r} holds no sealed seed: seal it first, or look elsewhere",
                    name="seals/",
                )
            generation = generations[-1]
        self.seal: Seal = read_seal(store, generation)
        """The generation's seal."""
        if expected_digest is not None and self.seal.digest != expected_digest:
            raise CatalogError(
                f"generation {generation} has the seal {self.seal.digest}, expected "
                f"{expected_digest}: this is not the seed that was sealed",
                context=f"generation {generation}",
            )
        self._folder = tempfile.TemporaryDirectory(prefix="offlineseed-")
        try:
            path = Path(self._folder.name) / "catalog.sqlite"
            fetch_catalog(store, self.seal, path)
            self.catalog = Catalog(path)
            """The generation's catalog."""
            try:
                self._fetcher = ChunkFetcher(store, self.catalog.segment_names())
            except BaseException:
                self.catalog.close()
                raise
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """
        Let go of the catalog.
        """
        self.catalog.close()
        self._folder.cleanup()

    def items(self, prefix: str = "") -> Iterator[Item]:
        """
        Yield the items, or those at and below a name, in the order in which they were staged.
        """
        return self.catalog.items(prefix)

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """
        Return a range of an item, or all of it; fewer bytes only at the item's end.

        Raises:
            ItemNotFoundError: there is no such item.
            ChunkDamagedError: a chunk in the range is damaged; nothing of the range is returned.
            ValueError: offset or length is negative.

        """
        item = self.catalog.item(name)
        if offset < 0 or (length is not None and length < 0):
            raise ValueError("offset and length of a range are not negative")
        end = item.length if length is None else min(item.length, offset + length)
        return b"".join(self.pieces(item, offset, end))

    def pieces(self, item: Item, offset: int = 0, end: int | None = None) -> Iterator[bytes]:
        """
        Yield an item's bytes from `offset` up to `end` in order, in pieces of at most a chunk.

        Chunks that lie behind each other come from one request of at most 8 MiB.
        """
        end = item.length if end is None else end
        extents = self.catalog.extents(item, offset=offset, end=end)
        position = offset
        for run in contiguous_runs((extent.chunk, extent) for extent in extents):
            contents = self._fetcher.fetch_run([place for place, _ in run])
            for (_, extent), content in zip(run, contents, strict=True):
                start = max(extent.offset, position)
                if isinstance(content, ChunkDamagedError):
                    raise of_item(content, item.name, start) from content
                yield from _zeros(start - position)
                stop = min(extent.offset + extent.length, end)
                yield _part(extent, content, start, stop)
                position = stop
        yield from _zeros(end - position)

    def open(self, name: str) -> io.BufferedReader:
        """
        Open an item as a seekable binary file.

        Reading on in order requests runs of chunks, of at most 8 MiB each; a read elsewhere fetches
        only the chunks that it needs.

        Raises:
            ItemNotFoundError: there is no such item.
        """
        return io.BufferedReader(_ItemFile(self, self.catalog.item(name)), 1 << 17)

    def restore(
        self,
        target: str | Path,
        *,
        prefix: str = "",
        salvage: bool = False,
        set_id_bits: bool = False,
        workers: int | None = None,
        on_event: OnEvent = ignore_events,
    ) -> RestoreReport:
        """
        Restore the items, or those at and below a name, with their modes and times.

        What is restored belongs to whoever restores.

        Args:
            target: a folder that is empty or does not exist yet.
            prefix: only items at and below this name; their whole names are kept.
            salvage: restore whatever is not damaged. Lost items are left out, lost ranges of large
                items are zeros; the report lists both.
            set_id_bits: restore the set-user-id and set-group-id bits, too. A program that had
                them runs as whoever restores then, not as its owner at the source.
            workers: threads besides the calling one, which helps; None for one per processor in
                all, and for eight where the store is not a local folder.
            on_event: gets an `ItemRestored` for each item, from the calling thread.

        Raises:
            FileExistsError: the target has something in it.
            ChunkDamagedError: a chunk is damaged, and this is no salvage.

        """
        return restore_items(
            self.catalog,
            self._fetcher,
            Path(target),
            prefix=prefix,
            salvage=salvage,
            set_id_bits=set_id_bits,
            is_remote=not isinstance(self.store, FolderStore),
            workers=workers,
            on_event=on_event,
        )

    def check(self) -> Iterator[DamagedFrame]:
        """
        Read every chunk that the generation needs and yield those that are damaged.
        """
        for run in contiguous_runs((place, None) for place in self.catalog.chunks()):
            places = [place for place, _ in run]
            for place, content in zip(places, self._fetcher.fetch_run(places), strict=True):
                if isinstance(content, ChunkDamagedError):
                    yield DamagedFrame(
                        segment=content.segment,
                        offset=place.offset,
                        expected=content.expected,
                        found=content.found,
                    )


@final
class _ItemFile(io.RawIOBase):
    """
    An item as a file. A read where the one before ended is the start of reading on: from then on
    whole runs of chunks are requested. Any other read fetches what it needs and no more.
    """

    def __init__(self, reader: SeedReader, item: Item) -> None:
        self._reader = reader
        self._item = item
        self._position = 0
        self._read_to = -1
        self._ahead: Iterator[bytes] | None = None
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._item.length}[whence]
        if base + offset < 0:
            raise ValueError("a position is not negative")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        end = min(self._item.length, self._position + len(view))
        view = view[: max(0, end - self._position)]
        filled = 0
        for piece in self._pieces(end):
            part = memoryview(piece)[: len(view) - filled]
            view[filled : filled + len(part)] = part
            filled += len(part)
            self._rest = memoryview(piece)[len(part) :]
        self._position += filled
        self._read_to = self._position
        return filled

    def _pieces(self, end: int) -> Iterator[bytes | memoryview]:
        if self._position >= end:
            return
        if self._position != self._read_to:
            self._ahead = None
            yield from self._reader.pieces(self._item, self._position, end)
            return
        if self._ahead is None:
            self._ahead = self._reader.pieces(self._item, self._position)
            self._rest = memoryview(b"")
        missing = end - self._position
        while missing:
            piece = self._rest or self._following()
            missing -= min(len(piece), missing)
            yield piece

    def _following(self) -> bytes:
        assert self._ahead is not None
        try:
            return next(self._ahead)
        except BaseException:
            # After an error reading begins anew.
            self._ahead = None
            self._read_to = -1
            raise


def _part(extent: Extent, content: bytes, start: int, stop: int) -> bytes:
    shift = extent.chunk_offset - extent.offset
    return content[start + shift : stop + shift]


def _zeros(length: int) -> Iterator[bytes]:
    while length > 0:
        piece = min(length, len(_ZEROS))
        yield _ZEROS[:piece]
        length -= piece
