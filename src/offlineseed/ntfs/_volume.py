"""
A volume that is read: its records, the streams that they map, and its indexes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeAlias, final

import attrs

from offlineseed.errors import NtfsError
from offlineseed.ntfs._decode import (
    ATTRIBUTE_LIST,
    BITMAP,
    DATA,
    INDEX_ALLOCATION,
    INDEX_ROOT,
    Attribute,
    BootSector,
    Record,
    parse_boot_sector,
    parse_record,
    remove_fixups,
)
from offlineseed.ntfs._decode_index import IndexEntry, parse_index_entries

__all__ = ["NAME_INDEX", "IndexNode", "Read", "ReadVolume", "record_of", "uppercase"]

Read: TypeAlias = Callable[[int, int], bytes]
"""Reads a range of the volume: offset and length in bytes; returns exactly that many bytes."""

NAME_INDEX: Final = "$I30"
_WINDOW: Final = 128 << 10
_WINDOWS: Final = 8
_LARGEST_VALUE: Final = 64 << 20
_RECORD_MASK: Final = (1 << 48) - 1


def record_of(reference: int) -> int:
    """
    Return the record number in a reference.
    """
    return reference & _RECORD_MASK


def uppercase(name: str, table: Sequence[int]) -> str:
    """
    Return a name's upper-case UTF-16 units, each a character, by a volume's own table.
    """
    if name.isascii():
        return name.upper()
    data = name.encode("utf-16-le", "surrogatepass")
    units = struct.unpack(f"<{len(data) // 2}H", data)
    return "".join([chr(table[unit]) for unit in units])


@final
@attrs.frozen(kw_only=True)
class IndexNode:
    """
    A node of an index: the root in its record, or a block.
    """

    block: int | None
    """The block's number; none for the root."""
    is_inner: bool
    """Whether it has children."""
    entries: tuple[IndexEntry, ...]
    """Its entries, the one that closes it last."""


@final
class ReadVolume:
    """
    Structures of a volume, read on demand.

    Args:
        read: Reads a range of the volume.

    Raises:
        NtfsError: the volume is not one, or its master file table can't be found.
    """

    def __init__(self, read: Read) -> None:
        self.read = read
        self.boot: BootSector = parse_boot_sector(read(0, 512))
        self._window = lru_cache(maxsize=_WINDOWS)(self._read_window)
        self._read_exactly(self.boot.sectors * self.boot.sector_bytes, self.boot.sector_bytes)
        first = self.boot.mft * self.boot.cluster_bytes
        table = parse_record(self._read_exactly(first, self.boot.record_bytes), 0).find(DATA)
        if table is None or table.value is not None:
            raise NtfsError("the master file table does not map itself", context="record 0")
        # The table's first part maps the records that map its rest.
        self._table = table
        self._table = self._merged(self.record(0), DATA, "") or table
        self._window.cache_clear()
        if self._table.length > self.boot.clusters * self.boot.cluster_bytes:
            raise NtfsError("the master file table is larger than the volume", context="record 0")

    @property
    def records(self) -> int:
        """Records in the master file table."""
        return self._table.length // self.boot.record_bytes

    def raw_record(self, number: int) -> bytes:
        """
        Return a record as it lies on the volume.

        Raises:
            NtfsError: the table has no such record.
        """
        size = self.boot.record_bytes
        offset = number * size
        if offset + size > self._table.length:
            raise NtfsError("the master file table has no such record", context=f"record {number}")
        start = offset // _WINDOW * _WINDOW
        return self._window(start)[offset - start : offset - start + size]

    def _read_window(self, start: int) -> bytes:
        return self.read_value(self._table, start, min(_WINDOW, self._table.length - start))

    def record(self, number: int) -> Record:
        """
        Return a record.

        Raises:
            NtfsError: there is none, or it makes no sense.
        """
        return parse_record(self.raw_record(number), number)

    def attribute(self, record: Record, kind: int, name: str = "") -> Attribute | None:
        """
        Return an attribute, put together where it continues in other records.

        Raises:
            NtfsError: the records do not fit together.
        """
        if record.find(ATTRIBUTE_LIST) is None:
            return record.find(kind, name)
        return self._merged(record, kind, name)

    def all_attributes(self, record: Record) -> Iterator[Attribute]:
        """
        Yield a record's attributes, those in other records too.

        Raises:
            NtfsError: the records do not fit together.
        """
        yield from record.attributes
        listed = record.find(ATTRIBUTE_LIST)
        if listed is None:
            return
        numbers = {record.number}
        data = self.value(listed)
        place = 0
        while place + 26 <= len(data):
            length, reference = (
                int.from_bytes(data[place + 4 : place + 6], "little"),
                int.from_bytes(data[place + 16 : place + 24], "little"),
            )
            number = record_of(reference)
            if number not in numbers:
                numbers.add(number)
                more = self.record(number)
                if record_of(more.base) != record.number:
                    raise NtfsError(
                        "an attribute list names a record of another file",
                        context=f"record {record.number}",
                    )
                yield from more.attributes
            if length < 26:
                raise NtfsError("an attribute list is damaged", context=f"record {record.number}")
            place += length

    def _merged(self, record: Record, kind: int, name: str) -> Attribute | None:
        parts = sorted(
            (
                attribute
                for attribute in self.all_attributes(record)
                if attribute.kind == kind and attribute.name == name
            ),
            key=lambda attribute: attribute.lowest,
        )
        if len(parts) < 2:
            return parts[0] if parts else None
        runs: list[tuple[int | None, int]] = []
        for part in parts:
            if part.lowest != sum(count for _, count in runs):
                raise NtfsError("an attribute has a gap", context=f"record {record.number}")
            runs += part.runs
        return attrs.evolve(parts[0], runs=tuple(runs), highest=parts[-1].highest)

    def read_value(self, attribute: Attribute, offset: int, length: int) -> bytes:
        """
        Return a range of an attribute's value.

        Raises:
            NtfsError: the range ends past the value, or the value can't be read.
        """
        if offset < 0 or length < 0 or offset + length > attribute.length:
            raise NtfsError("the range ends past the data")
        if attribute.value is not None:
            return attribute.value[offset : offset + length]
        if attribute.flags & 0x40FF:
            raise NtfsError("the data are compressed or encrypted, which is not read here")
        cluster = self.boot.cluster_bytes
        parts = []
        start = 0
        written = max(0, min(length, attribute.initialised - offset))
        zeros = length - written
        for first, count in attribute.runs:
            end = start + count * cluster
            if written and offset < end:
                size = min(written, end - offset)
                if first is None:
                    parts.append(bytes(size))
                else:
                    parts.append(self._read_exactly(first * cluster + offset - start, size))
                offset += size
                written -= size
            start = end
        if written:
            raise NtfsError("the run list is shorter than the data")
        return b"".join(parts) + bytes(zeros) if zeros or len(parts) != 1 else parts[0]

    def _read_exactly(self, offset: int, length: int) -> bytes:
        if offset + length > (self.boot.sectors + 1) * self.boot.sector_bytes:
            raise NtfsError("a run list leads past the volume's end")
        data = self.read(offset, length)
        if len(data) != length:
            raise NtfsError(f"the volume ends before byte {offset + length}")
        return data

    def value(self, attribute: Attribute) -> bytes:
        """
        Return a whole value, of structures only.

        Raises:
            NtfsError: it can't be read, or is absurdly large.
        """
        if attribute.length > _LARGEST_VALUE:
            raise NtfsError(f"a structure of {attribute.length} bytes is absurd")
        return self.read_value(attribute, 0, attribute.length)

    def root_node(self, record: Record, name: str = NAME_INDEX) -> IndexNode:
        """
        Return the root node of an index.

        Raises:
            NtfsError: there is none, or it makes no sense.
        """
        root = self.attribute(record, INDEX_ROOT, name)
        if root is None or root.value is None:
            raise NtfsError(f"there is no index {name}", context=f"record {record.number}")
        return self._node(root.value, 16, None, name)

    def block_node(self, allocation: Attribute, number: int, name: str = NAME_INDEX) -> IndexNode:
        """
        Return a block of an index.

        Raises:
            NtfsError: there is none of that number, or it makes no sense.
        """
        size = self.boot.block_bytes
        block = remove_fixups(
            self.read_value(allocation, number * self.boot.block_unit, size), b"INDX"
        )
        own = int.from_bytes(block[16:24], "little")
        if own != number:
            raise NtfsError(f"index block {number} says that it is {own}")
        return self._node(block, 0x18, number, name)

    def _node(
        self, data: bytes | bytearray, header_at: int, block: int | None, name: str
    ) -> IndexNode:
        try:
            entries = tuple(parse_index_entries(data, header_at, is_view=name != NAME_INDEX))
        except struct.error as e:
            raise NtfsError("an index node is cut short") from e
        return IndexNode(block=block, is_inner=entries[-1].child is not None, entries=entries)

    def index_allocation(self, record: Record, name: str = NAME_INDEX) -> Attribute | None:
        """
        Return the attribute with an index's blocks, where it has some.
        """
        return self.attribute(record, INDEX_ALLOCATION, name)

    def index_bitmap(self, record: Record, name: str = NAME_INDEX) -> bytes:
        """
        Return the bitmap of an index's blocks, as far as there are blocks.

        Raises:
            NtfsError: it can't be read, or the index is larger than the volume.
        """
        bitmap = self.attribute(record, BITMAP, name)
        allocation = self.index_allocation(record, name)
        if bitmap is None or allocation is None:
            return b""
        if allocation.length > self.boot.clusters * self.boot.cluster_bytes:
            raise NtfsError("an index is larger than the volume", context=f"record {record.number}")
        blocks = allocation.length // self.boot.block_bytes
        return self.read_value(bitmap, 0, min(bitmap.length, -(-blocks // 8)))
