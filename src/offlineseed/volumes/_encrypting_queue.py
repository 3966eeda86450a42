"""
Encrypting and writing in worker threads, with buffers that are used over and over.
"""

from __future__ import annotations

import mmap
import queue
import threading
from typing import final

from offlineseed.bitlocker import EncryptingVolume
from offlineseed.volumes._disk import DiskFile

__all__ = ["SLOT_BYTES", "EncryptingQueue"]

SLOT_BYTES = 4 * 1024 * 1024
"""One block of a blob: large enough that a disk is busy moving data, not starting requests."""

_SPARE_SLOTS = 2  # one that is filled, one that waits for a worker


@final
class EncryptingQueue:
    """
    Takes plaintext in buffers of its own, encrypts it in place and writes it to its place.

    Memory is bounded by the buffers: who asks for one waits until a worker gives it back.

    Thread rule: one thread takes and puts; the workers are its own.
    """

    def __init__(
        self, disk: DiskFile, volume: EncryptingVolume, *, volume_offset: int, threads: int
    ) -> None:
        self._disk = disk
        self._volume = volume
        self._volume_offset = volume_offset
        self._error: BaseException | None = None
        self._free: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
        self._tasks: queue.SimpleQueue[tuple[memoryview, int, int] | None] = queue.SimpleQueue()
        self._slots = threads + _SPARE_SLOTS
        for _ in range(self._slots):
            self._free.put(memoryview(mmap.mmap(-1, SLOT_BYTES)))
        self._workers = [
            threading.Thread(target=self._work, name="offlineseed-encrypt", daemon=True)
            for _ in range(threads)
        ]
        for worker in self._workers:
            worker.start()

    def take(self) -> memoryview:
        """
        Return a buffer of `SLOT_BYTES` to fill; each is given back by `put` or `give_back`.

        Raises:
            OSError: what a worker came upon, or another error of its. Nothing is written any more.
        """
        slot = self._free.get()
        if self._error is not None:
            self._free.put(slot)
            raise self._error
        return slot

    def put(self, slot: memoryview, offset: int, length: int) -> None:
        """
        Have the first bytes of a buffer encrypted and written to an offset of the volume's view.
        """
        self._tasks.put((slot, offset, length))

    def give_back(self, slot: memoryview) -> None:
        """
        Return a buffer unused.
        """
        self._free.put(slot)

    def flush(self) -> None:
        """
        Wait until all that was put is written, and durable.

        Raises:
            OSError: as `take`.
        """
        slots = [self._free.get() for _ in range(self._slots)]
        for slot in slots:
            self._free.put(slot)
        if self._error is not None:
            raise self._error
        self._disk.sync()

    def close(self) -> None:
        """
        End the workers, after what they have begun; may be called twice.
        """
        self._error = self._error or ValueError("the volume's writer is closed")
        for _ in self._workers:
            self._tasks.put(None)
        for worker in self._workers:
            worker.join()
        self._workers = []

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            slot, offset, length = task
            try:
                if self._error is None:
                    self._write(offset, slot[:length])
            except BaseException as error:  # noqa: BLE001  # raised again by take and flush
                self._error = error
            finally:
                self._free.put(slot)

    def _write(self, offset: int, data: memoryview) -> None:
        for piece in self._volume.encrypt(offset, data, out=data):
            with memoryview(piece.data) as view:
                self._disk.write_pages(self._volume_offset + piece.offset, view)
