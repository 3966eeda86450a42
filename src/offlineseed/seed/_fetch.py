"""
Getting chunks out of a store, each checked against its digest before a byte is handed out.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, final

import zstandard

from offlineseed.errors import ChunkDamagedError, SegmentMissingError
from offlineseed.seed._model import ChunkPlace
from offlineseed.seed._stores import SegmentStore

__all__ = ["ChunkFetcher", "contiguous_runs"]

_CACHE_BYTES = 32 << 20
_RUN_BYTES = 8 << 20

T = TypeVar("T")


@final
class ChunkFetcher:
    """
    Reads chunks of one generation. Safe from several threads.

    Args:
        store: holds the segments.
        segments: their names by row.

    """

    def __init__(self, store: SegmentStore, segments: dict[int, str]) -> None:
        self._store = store
        self._segments = segments
        self._local = threading.local()
        self._lock = threading.Lock()
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached_bytes = 0

    def fetch(self, place: ChunkPlace) -> bytes:
        """
        Return one chunk's content.

        Raises:
            ChunkDamagedError: what the store holds is not the chunk. Names no item.
        """
        with self._lock:
            content = self._cache.get(place.id)
            if content is not None:
                self._cache.move_to_end(place.id)
                return content
        content = self.decode(place, self._read(place, place.stored))
        with self._lock:
            if place.id not in self._cache:
                self._cache[place.id] = content
                self._cached_bytes += len(content)
                while self._cached_bytes > _CACHE_BYTES:
                    _, dropped = self._cache.popitem(last=False)
                    self._cached_bytes -= len(dropped)
        return content

    def fetch_run(
        self, places: Sequence[ChunkPlace], *, salvage: bool = False
    ) -> Iterator[bytes | ChunkDamagedError]:
        """
        Yield the contents of chunks that lie behind each other in a segment, from one request.

        A damaged chunk yields its error; the others are not affected.

        Args:
            places: the chunks.
            salvage: take what the medium can't read for damage, chunk by chunk.

        """
        first, last = places[0], places[-1]
        if len(places) == 1:
            try:
                yield self.fetch(first)
            except ChunkDamagedError as error:
                yield error
            except OSError as error:
                if not salvage:
                    raise
                yield self._damaged(first, f"a read error ({error})")
            return
        try:
            data = self._read(first, last.offset + last.stored - first.offset)
        except ChunkDamagedError as error:
            yield from [error] * len(places)
            return
        except OSError:
            if not salvage:
                raise
            for place in places:
                yield from self.fetch_run([place], salvage=True)
            return
        view = memoryview(data)
        for place in places:
            start = place.offset - first.offset
            try:
                yield self.decode(place, view[start : start + place.stored])
            except ChunkDamagedError as error:
                yield error

    def decode(self, place: ChunkPlace, frame: bytes | memoryview) -> bytes:
        """
        Return a chunk's content from its frame.

        Raises:
            ChunkDamagedError: the frame is not the chunk's. Names no item.
        """
        decompressor = getattr(self._local, "decompressor", None)
        if decompressor is None:
            decompressor = self._local.decompressor = zstandard.ZstdDecompressor()
        try:
            parameters = zstandard.get_frame_parameters(frame)
            if parameters.content_size != place.length:
                raise self._damaged(place, f"a frame of {parameters.content_size} bytes")
            content: bytes = decompressor.decompress(frame, max_output_size=place.length)
        except zstandard.ZstdError as error:
            raise self._damaged(place, f"no zstd frame ({error})") from error
        found = hashlib.sha256(content).digest()
        if found != place.digest:
            raise self._damaged(place, found.hex())
        return content

    def _read(self, place: ChunkPlace, length: int) -> bytes:
        name = self._segments.get(place.segment)
        if name is None:
            raise self._damaged(place, "a segment that the catalog does not list")
        try:
            data = self._store.read(name, place.offset, length)
        except SegmentMissingError as error:
            raise self._damaged(place, "no such segment in the store") from error
        if len(data) < length and len(data) < place.stored:
            raise self._damaged(place, "the segment ends before it")
        return data

    def _damaged(self, place: ChunkPlace, found: str) -> ChunkDamagedError:
        segment = self._segments.get(place.segment, f"segment {place.segment}")
        return ChunkDamagedError(
            f"{segment} is damaged: the frame at byte {place.offset} should hold content of "
            f"SHA-256 {place.digest.hex()}, found {found}; take this segment from another copy",
            segment=segment,
            frame_offset=place.offset,
            expected=place.digest.hex(),
            found=found,
        )


def contiguous_runs(
    pieces: Iterable[tuple[ChunkPlace, T]], *, most_bytes: int = _RUN_BYTES
) -> Iterator[list[tuple[ChunkPlace, T]]]:
    """
    Group chunks that lie behind each other in one segment, up to `most_bytes` stored a group.
    """
    run: list[tuple[ChunkPlace, T]] = []
    for piece in pieces:
        place = piece[0]
        if run:
            first, last = run[0][0], run[-1][0]
            if (
                place.segment != last.segment
                or place.offset != last.offset + last.stored
                or place.offset + place.stored - first.offset > most_bytes
            ):
                yield run
                run = []
        run.append(piece)
    if run:
        yield run


def of_item(error: ChunkDamagedError, item: str, offset: int) -> ChunkDamagedError:
    """
    Return the error with the item that was being read and where in it the damage begins.
    """
    return ChunkDamagedError(
        f"{item!r} can't be read at byte {offset}: {error}",
        item=item,
        offset=offset,
        segment=error.segment,
        frame_offset=error.frame_offset,
        expected=error.expected,
        found=error.found,
    )
