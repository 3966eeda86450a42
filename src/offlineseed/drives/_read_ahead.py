"""
Reading staged blobs in a thread of its own, hashing on the way, in bounded memory.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeAlias, final

import attrs
import xxhash

from offlineseed.drives._hashing import BlobHashing
from offlineseed.errors import SourceChangedError
from offlineseed.manifest import BLOCK_BYTES
from offlineseed.staging import StagedBlob

__all__ = ["BlobEnd", "BlobPiece", "BlobReader", "BlobStart"]

_BUFFERS = 8
"""Blocks in flight: one being read, one written, the others hashed or waiting. 32 MiB."""


@final
@attrs.frozen
class BlobStart:
    """
    A blob begins.
    """

    blob: StagedBlob
    """The blob."""


@final
@attrs.frozen
class BlobPiece:
    """
    The next bytes of the blob: a whole block, or the last one.
    """

    data: memoryview
    """The bytes; valid until `BlobReader.release`."""
    buffer: bytearray
    """The buffer that they lie in."""
    hashed: Future[None]
    """Done when the bytes are hashed."""


@final
@attrs.frozen
class BlobEnd:
    """
    The blob was read whole and is what staging recorded.
    """

    blob: StagedBlob
    """The blob."""
    hashing: BlobHashing
    """Gives its blocks or page ranges, once all its pieces are released."""


BlobPart: TypeAlias = BlobStart | BlobPiece | BlobEnd


@final
class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


@final
class _Over:
    pass


@final
class BlobReader:
    """
    An iterator over the parts of blobs: for each blob a start, its pieces and an end.

    One thread reads, others hash; the caller's thread writes. Every piece must be released.
    Leaving the context stops all of them, wherever they are.

    Thread rule: one thread at a time.
    """

    def __init__(self, blobs: Iterable[StagedBlob], *, hash_threads: int) -> None:
        self._blobs = blobs
        self._free: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(bytearray(BLOCK_BYTES))
        # Blobs without a byte take no buffer: the queue bounds them.
        self._parts: queue.Queue[BlobPart | _Failure | _Over] = queue.Queue(4 * _BUFFERS)
        self._is_stopped = threading.Event()
        self._blocks = ThreadPoolExecutor(hash_threads, thread_name_prefix="offlineseed-md5")
        self._pages = ThreadPoolExecutor(1, thread_name_prefix="offlineseed-pages")
        self._thread = threading.Thread(target=self._run, name="offlineseed-read", daemon=True)

    def __enter__(self) -> BlobReader:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_stopped.set()
        self._free.put(None)
        while self._thread.is_alive():
            try:
                self._parts.get(timeout=0.05)  # so that a thread that waits to put can go on
            except queue.Empty:
                continue
        self._thread.join()
        self._blocks.shutdown(cancel_futures=True)
        self._pages.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[BlobPart]:
        """
        Yield the parts.

        Raises:
            SourceChangedError: a blob is not what staging recorded; its end was not yielded.
            OSError: a blob can't be read.
        """
        while True:
            part = self._parts.get()
            if isinstance(part, _Over):
                return
            if isinstance(part, _Failure):
                raise part.error
            yield part

    def release(self, piece: BlobPiece) -> None:
        """
        Give back a piece's buffer, once its bytes are written; waits until they are hashed.
        """
        piece.hashed.result()
        piece.data.release()
        self._free.put(piece.buffer)

    def _run(self) -> None:
        try:
            for blob in self._blobs:
                if self._is_stopped.is_set():
                    return
                self._read(blob)
        except _StoppedError:
            return
        except BaseException as error:  # noqa: BLE001  # it is the caller's to handle
            self._put(_Failure(error))
        else:
            self._put(_Over())

    def _read(self, blob: StagedBlob) -> None:
        self._put(BlobStart(blob))
        hashing = BlobHashing(blob.blob_type, blocks=self._blocks, pages=self._pages)
        checksum = xxhash.xxh3_128()
        with blob.source.open("rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            left = blob.length
            while left:
                buffer = self._take_buffer()
                data = memoryview(buffer)[: min(left, BLOCK_BYTES)]
                _fill(blob, file.fileno(), data, blob.length - left)
                checksum.update(data)
                self._put(BlobPiece(data, buffer, hashing.update(data)))
                left -= len(data)
            if os.read(file.fileno(), 1):
                raise _changed(blob, f"{blob.length} bytes", "more")
            after = os.fstat(file.fileno())
        found = f"xxh3-128:{checksum.hexdigest()}"
        if blob.checksum and blob.checksum != found:
            raise _changed(blob, blob.checksum, found)
        if not blob.checksum and before.st_mtime_ns != after.st_mtime_ns:
            raise _changed(blob, "a file at rest", "it was written while it was copied")
        self._put(BlobEnd(blob, hashing))

    def _take_buffer(self) -> bytearray:
        buffer = self._free.get()
        if buffer is None:
            raise _StoppedError
        return buffer

    def _put(self, part: BlobPart | _Failure | _Over) -> None:
        while True:
            if self._is_stopped.is_set():
                raise _StoppedError
            try:
                self._parts.put(part, timeout=0.1)
            except queue.Full:
                continue
            return


class _StoppedError(Exception):
    pass


def _fill(blob: StagedBlob, fd: int, data: memoryview, position: int) -> None:
    with memoryview(data) as view:
        done = 0
        while done < len(view):
            count = _read_into(fd, view[done:])
            if not count:
                raise _changed(blob, f"{blob.length} bytes", f"{position + done} bytes")
            done += count


def _read_into(fd: int, view: memoryview) -> int:
    if hasattr(os, "readv"):
        return os.readv(fd, [view])
    data = os.read(fd, len(view))
    view[: len(data)] = data
    return len(data)


def _changed(blob: StagedBlob, expected: str, found: str) -> SourceChangedError:
    return SourceChangedError(
        f"{blob.path} is not what staging recorded: expected {expected}, found {found};"
        " stage it again",
        path=blob.path,
        expected=expected,
        found=found,
    )
