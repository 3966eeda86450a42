"""
The second pass of a verification: every directory's index, its order and what it repeats.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, final

from offlineseed.errors import NtfsError
from offlineseed.ntfs._decode import Attribute, Record
from offlineseed.ntfs._decode_index import IndexEntry, NameKey, parse_name_key
from offlineseed.ntfs._verify_records import FIRST_OF_USERS, RecordTable, name_digest
from offlineseed.ntfs._verify_report import Report
from offlineseed.ntfs._volume import NAME_INDEX, IndexNode, ReadVolume, record_of, uppercase

__all__ = ["verify_directories", "walk_index"]

_DEEPEST: Final = 32


@final
class _Walk:
    """
    A walk over one index in the order of its keys, which checks the tree on the way.
    """

    def __init__(self, volume: ReadVolume, report: Report, record: Record, name: str) -> None:
        self._volume = volume
        self._report = report
        self._subject = f"record {record.number} {name}"
        self._record = record
        self._name = name
        self._allocation: Attribute | None = volume.index_allocation(record, name)
        self._bits = volume.index_bitmap(record, name)
        self._used: set[int] = set()
        self._leaf_depth: int | None = None

    def entries(self) -> Iterator[IndexEntry]:
        root = self._volume.root_node(self._record, self._name)
        yield from self._node(root, 0)
        step = self._volume.boot.block_step
        for place, byte in enumerate(self._bits):
            if not byte:
                continue
            for bit in range(8):
                block = place * 8 + bit
                if byte >> bit & 1 and block * step not in self._used:
                    self._error("index-block-lost", f"block {block} is taken, but not in the tree")

    def _error(self, code: str, message: str) -> None:
        self._report.error(code, self._subject, message)

    def _node(self, node: IndexNode, depth: int) -> Iterator[IndexEntry]:
        if not node.is_inner:
            if self._leaf_depth is None:
                self._leaf_depth = depth
            if depth != self._leaf_depth:
                self._error("index-depth", "the leaves of the tree are not equally deep")
            if depth and len(node.entries) == 1:
                self._error("index-leaf-empty", f"the leaf in block {node.block} is empty")
        for entry in node.entries:
            if entry.child is not None:
                child = self._child(entry.child, depth + 1)
                if child is not None:
                    yield from self._node(child, depth + 1)
            if not entry.is_last:
                yield entry

    def _child(self, number: int, depth: int) -> IndexNode | None:
        block, rest = divmod(number, self._volume.boot.block_step)
        if self._allocation is None or rest or depth > _DEEPEST:
            self._error("index-child", f"a child is said to be in block {number}, which can't be")
            return None
        if number in self._used:
            self._error("index-block-twice", f"block {number} stands in the tree twice")
            return None
        self._used.add(number)
        if block // 8 >= len(self._bits) or not self._bits[block // 8] >> block % 8 & 1:
            self._error("index-block-free", f"block {number} is in the tree, but free by its bit")
        try:
            return self._volume.block_node(self._allocation, number, self._name)
        except NtfsError as e:
            self._error("index-block-damaged", f"block {number}: {e}")
            return None


def walk_index(
    volume: ReadVolume, report: Report, record: Record, name: str
) -> Iterator[IndexEntry]:
    """
    Yield an index's entries in the order in which they stand, checking the tree on the way.

    Raises:
        NtfsError: the index can't be walked at all.
    """
    return _Walk(volume, report, record, name).entries()


@final
class _Directories:
    def __init__(
        self, volume: ReadVolume, report: Report, table: RecordTable, upcase: Sequence[int]
    ) -> None:
        self._volume = volume
        self._report = report
        self._table = table
        self._upcase = upcase
        self._seen = array("H", bytes(2 * len(table.sequences)))

    def verify(self) -> None:
        for number in self._table.directories:
            try:
                self._verify_one(number)
            except NtfsError as e:
                self._report.error("index-damaged", f"record {number}", str(e))
        for number, names in enumerate(self._table.name_counts):
            if self._seen[number] != names:
                self._report.error(
                    "name-references",
                    f"record {number}",
                    f"the record has {names} names, directories list {self._seen[number]}",
                )

    def _verify_one(self, number: int) -> None:
        record = self._volume.record(number)
        subject = f"record {number} {NAME_INDEX}"
        own = number | record.sequence << 48
        previous: tuple[str, str] | None = None
        for entry in walk_index(self._volume, self._report, record, NAME_INDEX):
            key = parse_name_key(entry.key)
            order = (uppercase(key.name, self._upcase), key.name)
            if previous is not None and order <= previous:
                self._report.error("index-order", subject, f"{key.name!r} stands out of order")
            elif previous is not None and order[0] == previous[0]:
                self._report.warn(
                    "index-case", subject, f"{key.name!r} differs from another name only in case"
                )
            previous = order
            if key.parent != own:
                self._report.error(
                    "index-parent", subject, f"{key.name!r} says that it is in another directory"
                )
            self._verify_entry(entry.reference, key, subject)

    def _verify_entry(self, reference: int, key: NameKey, subject: str) -> None:
        table, number = self._table, record_of(reference)
        if number >= len(self._seen) or not table.sequences[number]:
            self._report.error("entry-dangling", subject, f"{key.name!r} names no record in use")
            return
        if table.sequences[number] != reference >> 48:
            self._report.error(
                "entry-sequence", subject, f"{key.name!r} names an earlier user of record {number}"
            )
            return
        self._seen[number] = min(self._seen[number] + 1, 0xFFFF)
        note = self._report.warn if number < FIRST_OF_USERS else self._report.error
        digest = name_digest(key, key.allocated, key.length)
        known = self._table.more_digests.get(number) or {table.digests[number]}
        if digest not in known and number not in table.unsized:
            note("entry-differs", subject, f"{key.name!r} is not what record {number} says of it")
        if hash(key.times) != table.time_digests[number]:
            self._report.warn(
                "entry-times", subject, f"the times of {key.name!r} are not those of its record"
            )


def verify_directories(
    volume: ReadVolume, report: Report, table: RecordTable, upcase: Sequence[int]
) -> None:
    """
    Check the index of every directory against the records, and the records against the indexes.
    """
    _Directories(volume, report, table, upcase).verify()
