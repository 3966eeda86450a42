"""
Reading files back from a volume: an own, simple path through records and run lists.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, final

import attrs

from offlineseed.errors import NtfsError
from offlineseed.ntfs._decode import DATA, Attribute, Record
from offlineseed.ntfs._decode_index import NameKey, parse_name_key
from offlineseed.ntfs._names import PROTECTED_DIRECTORY
from offlineseed.ntfs._volume import IndexNode, Read, ReadVolume, record_of, uppercase

__all__ = ["NtfsEntry", "NtfsReader"]

_ROOT: Final = 5
_FIRST_OF_USERS: Final = 24
_UPCASE: Final = 10
_DOS: Final = 2
_DEEPEST: Final = 32
_CACHED_DIRECTORIES: Final = 64
_CACHED_NODES: Final = 256
_DIRECTORY: Final = 0x10000000


@final
@attrs.frozen(kw_only=True)
class NtfsEntry:
    """
    A file on a volume.
    """

    path: str
    """Where it stands: relative, POSIX."""
    length: int
    """Bytes of its data, by the directory."""
    record: int
    """The number of its record."""


@final
class NtfsReader:
    """
    Lists and reads the files of a volume. Not for use by several threads at once.

    Args:
        read: Reads a range of the volume: offset and length in bytes; returns exactly that.

    Raises:
        NtfsError: the volume is not one of NTFS.
    """

    def __init__(self, read: Read) -> None:
        self._volume = ReadVolume(read)
        self._opened: tuple[str, Attribute] | None = None
        self._directory = lru_cache(maxsize=_CACHED_DIRECTORIES)(self._volume.record)
        self._node = lru_cache(maxsize=_CACHED_NODES)(self._read_node)
        table = self._volume.attribute(self._volume.record(_UPCASE), DATA)
        if table is None or table.length != 0x20000:
            raise NtfsError("the volume has no upper-case table", context="record 10")
        self._upcase = struct.unpack("<65536H", self._volume.value(table))

    def files(self) -> Iterator[NtfsEntry]:
        """
        Yield every file but the system's, directory by directory.

        Raises:
            NtfsError: a directory is damaged.
        """
        seen = bytearray(self._volume.records)
        queue = [("", _ROOT)]
        while queue:
            prefix, number = queue.pop()
            if number >= len(seen) or seen[number]:
                raise NtfsError(
                    "a directory stands in itself, or twice", context=f"record {number}"
                )
            seen[number] = 1
            for reference, key in self._names(self._volume.record(number)):
                child = record_of(reference)
                if key.namespace == _DOS or child < _FIRST_OF_USERS:
                    continue
                if not prefix and key.name == PROTECTED_DIRECTORY:
                    continue
                if key.attributes & _DIRECTORY:
                    queue.append((f"{prefix}{key.name}/", child))
                else:
                    yield NtfsEntry(path=prefix + key.name, length=key.length, record=child)

    def length(self, path: str) -> int:
        """
        Return the length of a file's data, by its record.

        Raises:
            KeyError: there is no such file.
            NtfsError: the volume is damaged on the way to it.
        """
        return self._open(path).length

    def read(self, path: str, offset: int, length: int) -> bytes:
        """
        Return a range of a file's data; shorter only where the file ends.

        Raises:
            KeyError: there is no such file.
            NtfsError: the volume is damaged on the way to it.
        """
        data = self._open(path)
        start = min(offset, data.length)
        return self._volume.read_value(data, start, min(length, data.length - start))

    def extents(self, path: str) -> tuple[tuple[int, int], ...]:
        """
        Return where a file's data lie: offsets and lengths in bytes, none where in the record.

        Raises:
            KeyError: there is no such file.
            NtfsError: the volume is damaged on the way to it.
        """
        cluster = self._volume.boot.cluster_bytes
        return tuple(
            (first * cluster, count * cluster)
            for first, count in self._open(path).runs
            if first is not None
        )

    def _names(self, directory: Record) -> Iterator[tuple[int, NameKey]]:
        # All names of a directory: those in its record, then block after block.
        volume = self._volume
        yield from self._names_of(volume.root_node(directory))
        allocation = volume.index_allocation(directory)
        if allocation is None:
            return
        bits = volume.index_bitmap(directory)
        for block in range(len(bits) * 8):
            if bits[block // 8] >> block % 8 & 1:
                node = volume.block_node(allocation, block * volume.boot.block_step)
                yield from self._names_of(node)

    @staticmethod
    def _names_of(node: IndexNode) -> Iterator[tuple[int, NameKey]]:
        for entry in node.entries:
            if not entry.is_last:
                yield entry.reference, parse_name_key(entry.key)

    def _open(self, path: str) -> Attribute:
        if self._opened is not None and self._opened[0] == path:
            return self._opened[1]
        record = self._directory(_ROOT)
        *directories, last = path.split("/")
        for name in directories:
            reference = self._find(record, name, path)
            record = self._directory(record_of(reference))
            self._require_own(record, reference, path)
            if not record.is_directory:
                raise KeyError(path)
        reference = self._find(record, last, path)
        record = self._volume.record(record_of(reference))
        self._require_own(record, reference, path)
        data = self._volume.attribute(record, DATA)
        if record.is_directory or data is None:
            raise KeyError(path)
        self._opened = path, data
        return data

    @staticmethod
    def _require_own(record: Record, reference: int, path: str) -> None:
        if not record.is_in_use or record.sequence != reference >> 48:
            raise NtfsError(
                f"the directory entry of {path} names a record that is not its own",
                context=f"record {record.number}",
            )

    def _find(self, directory: Record, name: str, path: str) -> int:
        # Down the tree, as Windows looks a name up.
        wanted = uppercase(name, self._upcase)
        block: int | None = None
        for _ in range(_DEEPEST):
            names, references, children = self._node(directory.number, block)
            place = bisect_left(names, wanted)
            if place < len(names) and names[place] == wanted:
                return references[place]
            block = children[place]
            if block is None:
                raise KeyError(path)
        raise NtfsError("an index is too deep", context=f"record {directory.number}")

    def _read_node(
        self, directory: int, block: int | None
    ) -> tuple[list[str], list[int], list[int | None]]:
        # A node's upper-case names, their references, and the children before each and at the end.
        record = self._directory(directory)
        if block is None:
            node = self._volume.root_node(record)
        else:
            allocation = self._volume.index_allocation(record)
            if allocation is None:
                raise NtfsError("an index has no blocks", context=f"record {directory}")
            node = self._volume.block_node(allocation, block)
        entries = node.entries[:-1]
        names = [uppercase(parse_name_key(entry.key).name, self._upcase) for entry in entries]
        return names, [entry.reference for entry in entries], [e.child for e in node.entries]
