"""
An unfinished native volume.

What lies on the drive, and in which order it becomes durable:

1. `begin`: nothing that anybody would recognise: no partition table, no boot sector;
2. `begin`: BitLocker's metadata with the sealed keys, and the mark of an unfinished volume, so
   that `resume` finds all it needs on the drive itself;
3. each file's data, when the file is closed;
4. `finish`: the NTFS around the data;
5. `finish`: the partition table;
6. `finish`: the boot sector of the BitLocker volume, which alone makes it one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import final

from typing_extensions import Buffer

from offlineseed.bitlocker import EncryptingVolume, StoredPiece
from offlineseed.errors import VolumeError
from offlineseed.ntfs import FilePlace, Fill, render_volume
from offlineseed.partitions import render_partition_table
from offlineseed.volumes._disk import SECTOR_BYTES, DiskFile
from offlineseed.volumes._encrypting_queue import SLOT_BYTES, EncryptingQueue
from offlineseed.volumes._model import VolumeFile
from offlineseed.volumes._native_plan import NativePlan

__all__ = ["NativeFileWriter", "NativeWriter"]


@final
class NativeWriter:
    """
    The writer of `NativeVolumes`; see `VolumeWriter`.
    """

    def __init__(
        self,
        disk: DiskFile,
        plan: NativePlan,
        volume: EncryptingVolume,
        *,
        volume_guid: uuid.UUID,
        threads: int,
    ) -> None:
        self._disk = disk
        self._plan = plan
        self._volume = volume
        self._table = plan.places.partition_table(volume_guid)
        self._lengths: dict[str, int] = {}  # of files whose length was a bound
        self._whole = bytearray(plan.ntfs.node_count)
        self._current: NativeFileWriter | None = None
        self._upcoming = plan.ntfs.files()
        self._next = next(self._upcoming, None)
        self._queue = EncryptingQueue(
            disk, volume, volume_offset=plan.places.volume_offset, threads=threads
        )

    def begin(self) -> None:
        """
        Take away what is on the disk, and make it one with an unfinished volume.

        Raises:
            OSError: the disk refuses.
        """
        ranges = [(offset, len(data)) for offset, data in render_partition_table(self._table)]
        ranges.append((self._place(self._volume.boot_sector), SECTOR_BYTES))
        self._disk.blank(ranges)
        self._disk.sync()
        self.restore_structures()

    def restore_structures(self) -> None:
        """
        Write everything that an unfinished volume is known by; for one that has it, again.

        Raises:
            OSError: the disk refuses.
        """
        for piece in self._volume.structures:
            self._write_stored(piece)
        # Files map these places, and the one that is not BitLocker's alone would read as noise.
        for extent in self._volume.layout.reserved_extents:
            for piece in self._volume.encrypt(extent.offset, bytes(extent.length)):
                self._write_stored(piece)
        for piece in self._volume.encrypt(self._plan.mark_offset, self._plan.mark):
            self._write_stored(piece)
        self._disk.sync()

    def has_mark(self) -> bool:
        """
        Return whether the disk has the unfinished volume that this writer is for.

        Raises:
            OSError: the disk can't be read.
        """
        return all(
            self._disk.read(self._place(piece), SECTOR_BYTES) == bytes(piece.data)
            for piece in self._volume.encrypt(self._plan.mark_offset, self._plan.mark)
        )

    def open(self, file: VolumeFile, /) -> NativeFileWriter:
        if self._current is not None and not self._current.is_over:
            raise VolumeError(f"{file.path!r} can't be opened before the last file is closed")
        place = self._find(file)
        if place is None:
            raise VolumeError(
                f"{file.path!r} of {file.length} bytes is none of the files that the volume was"
                " created for"
            )
        self._whole[place.number] = False
        self._current = NativeFileWriter(self, self._queue, place)
        return self._current

    def keep(self, file: VolumeFile, /) -> bool:
        # Of a file whose length was a bound, nothing on the drive says how long it became.
        place = None if file.is_maximum else self._find(file)
        if place is None:
            return False
        self._whole[place.number] = True
        return True

    def finish(self) -> None:
        self._close_current()
        for place in self._plan.ntfs.files():
            if not self._whole[place.number]:
                raise VolumeError(f"{place.path!r} is not written; write it before `finish`")
        self._write_ntfs()
        self._queue.flush()
        for offset, data in render_partition_table(self._table):
            self._disk.write(offset, data)
        self._disk.sync()
        self._write_stored(self._volume.boot_sector)
        self._disk.sync()
        self._disk.announce_partitions()

    def close(self) -> None:
        self._close_current()
        self._queue.close()
        self._disk.close()

    def mark_whole(self, place: FilePlace, length: int) -> None:
        """
        Take down that a file is whole and durable, and how long it became.
        """
        self._whole[place.number] = True
        if place.is_maximum:
            self._lengths[place.path] = length

    def _find(self, file: VolumeFile) -> FilePlace | None:
        # Files come in the order of the contents, nearly always.
        place = self._next
        if place is not None and place.path == file.path:
            self._next = next(self._upcoming, None)
        else:
            try:
                place = self._plan.ntfs.find(file.path)
            except KeyError:
                return None
        is_it = (place.length, place.is_maximum) == (file.length, file.is_maximum)
        return place if is_it else None

    def _write_ntfs(self) -> None:
        # Pieces that follow each other are joined: alone they may not be whole sectors.
        slot: memoryview | None = None
        start = filled = 0
        for rendered in render_volume(self._plan.ntfs, self._lengths):
            position = 0
            while position < rendered.length:
                offset = rendered.offset + position
                if slot is not None and (filled == SLOT_BYTES or offset != start + filled):
                    self._queue.put(slot, start, filled)
                    slot = None
                if slot is None:
                    slot = self._queue.take()
                    start, filled = offset, 0
                count = min(SLOT_BYTES - filled, rendered.length - position)
                if isinstance(rendered, Fill):
                    slot[filled : filled + count] = bytes((rendered.value,)) * count
                else:
                    part = memoryview(rendered.data)[position : position + count]
                    slot[filled : filled + count] = part
                filled += count
                position += count
        if slot is not None:
            self._queue.put(slot, start, filled)

    def _write_stored(self, piece: StoredPiece) -> None:
        self._disk.write(self._place(piece), piece.data)

    def _place(self, piece: StoredPiece) -> int:
        return self._plan.places.volume_offset + piece.offset

    def _close_current(self) -> None:
        if self._current is not None:
            self._current.discard()


@final
class NativeFileWriter:
    """
    One file of a `NativeWriter`; see `VolumeFileWriter`.
    """

    def __init__(self, writer: NativeWriter, queue: EncryptingQueue, place: FilePlace) -> None:
        self._writer = writer
        self._queue = queue
        self._place = place
        self._pieces = _pieces(place)
        self._slot: memoryview | None = None
        self._offset = 0
        self._room = 0
        self._filled = 0
        self._written = 0
        self.is_over = False
        """Whether it was closed or discarded."""

    def write(self, data: Buffer, /) -> None:
        with memoryview(data).cast("B") as view:
            if self.is_over:
                raise VolumeError(f"{self._place.path!r} is closed")
            if self._written + len(view) > self._place.length:
                raise VolumeError(
                    f"{self._place.path!r} would be longer than the {self._place.length} bytes"
                    " that the volume was created for"
                )
            position = 0
            while position < len(view):
                slot = self._slot or self._take()
                count = min(len(view) - position, self._room - self._filled)
                slot[self._filled : self._filled + count] = view[position : position + count]
                position += count
                self._filled += count
                self._written += count
                if self._filled == self._room:
                    self._put(self._filled)

    def close(self) -> None:
        if self.is_over:
            return
        place = self._place
        try:
            if self._written != place.length and not place.is_maximum:
                raise VolumeError(
                    f"{place.path!r} has {self._written} of its {place.length} bytes;"
                    " write the rest"
                )
            if self._slot is not None:
                # Zeros to the end of the last cluster, which is not beyond the piece.
                padded = min(-(-self._filled // _LARGEST_CLUSTER) * _LARGEST_CLUSTER, self._room)
                self._slot[self._filled : padded] = bytes(padded - self._filled)
                self._put(padded)
            if self._written:
                self._queue.flush()
        finally:
            self.discard()
        self._writer.mark_whole(place, self._written)

    def discard(self) -> None:
        self.is_over = True
        if self._slot is not None:
            self._queue.give_back(self._slot)
            self._slot = None

    def _take(self) -> memoryview:
        slot = self._queue.take()
        self._slot = slot
        self._offset, self._room = next(self._pieces)
        self._filled = 0
        return slot

    def _put(self, length: int) -> None:
        assert self._slot is not None
        self._queue.put(self._slot, self._offset, length)
        self._slot = None


_LARGEST_CLUSTER = 64 * 1024


def _pieces(place: FilePlace) -> Iterator[tuple[int, int]]:
    # Where the file's data go, in ranges that fit into a buffer.
    for extent in place.extents:
        for start in range(0, extent.length, SLOT_BYTES):
            yield extent.offset + start, min(SLOT_BYTES, extent.length - start)
