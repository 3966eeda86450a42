"""
The records and index entries of a volume's own files and directories.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final, final

from offlineseed.ntfs._attributes import (
    ARCHIVE,
    BITMAP,
    DATA,
    DIRECTORY,
    FILE_NAME,
    HIDDEN_SYSTEM,
    IN_USE,
    INDEX_ALLOCATION,
    IS_DIRECTORY,
    standard_information,
)
from offlineseed.ntfs._bits import index_bitmap
from offlineseed.ntfs._contents import ROOT
from offlineseed.ntfs._encoding import (
    END_MARKER,
    RECORD_BYTES,
    encode_record,
    non_resident_attribute,
    protect,
    resident_attribute,
    round_up,
)
from offlineseed.ntfs._geometry import INDEX_BLOCK_BYTES
from offlineseed.ntfs._index import index_root, pack_entry, pack_key
from offlineseed.ntfs._layout import (
    FIRST_RECORD,
    NtfsLayout,
    is_resident,
    name_attribute_bytes,
)
from offlineseed.ntfs._security import DIRECTORY_SECURITY, FILE_SECURITY, PROTECTED_SECURITY
from offlineseed.ntfs._space import Run
from offlineseed.ntfs._system_names import ROOT_RECORD, SystemNames

__all__ = ["Records"]

_FIRST_SEQUENCE: Final = 1 << 48
_BATCH: Final = 512
_FIRST_STRIDE_END: Final = 510
_USN: Final = b"\2\0"

# The parts of a file's record that are the same for all files.
_HEAD: Final = struct.pack("<4sHHQHHHH", b"FILE", 0x30, 3, 0, 1, 1, 0x38, IN_USE)
_MIDDLE: Final = struct.pack("<IQHH", RECORD_BYTES, 0, 3, 0)
_INFORMATION: Final = standard_information(bytes(32), ARCHIVE, FILE_SECURITY)
_BEFORE_TIMES: Final = _USN + bytes(6) + _INFORMATION[:24]
_AFTER_TIMES: Final = _INFORMATION[56:]
_DATA_MIDDLE: Final = struct.pack("<HHI", 0x40, 0, 0)


@cache
def _file_shape(name_bytes: int, runs_bytes: int) -> tuple[struct.Struct, bytes, bytes]:
    # One format packs the whole record of a file with a name and run list of these lengths.
    key = 0x42 + name_bytes
    name_attribute = name_attribute_bytes(name_bytes)
    shape = struct.Struct(
        f"<24sI16sI32s32s64sQ32sQQIIBB{name_bytes}s{name_attribute - 0x18 - key}x"
        f"24sQ8sQQQ{runs_bytes}s8s"
    )
    name_head = struct.pack(
        "<IIBBHHHIHBB", FILE_NAME, name_attribute, 0, 0, 0x18, 0, 1, key, 0x18, 1, 0
    )
    data_head = struct.pack("<IIBBHHHQ", DATA, 0x40 + runs_bytes, 1, 0, 0x40, 0, 2, 0)
    return shape, _AFTER_TIMES + name_head, data_head


@final
class Records:
    """
    Renders records and index entries of a layout's files and directories.

    Args:
        layout: The layout.
        final_lengths: By node, the real length of each file whose length was a bound.
    """

    def __init__(self, layout: NtfsLayout, final_lengths: Mapping[int, int]) -> None:
        self._layout = layout
        self._system_names = SystemNames(layout)
        contents = self._contents = layout.contents
        self._cluster = layout.geometry.cluster_bytes
        self._lengths = contents.lengths
        if final_lengths:
            self._lengths = contents.lengths[:]
            for node, length in final_lengths.items():
                self._lengths[node] = length
        self._numbers = array("I", bytes(4 * len(contents)))
        for number, node in enumerate(contents.order, FIRST_RECORD):
            self._numbers[node] = number
        self._resident = {node for node in contents.given if is_resident(contents, node)}
        # What the fast way can't do.
        self._special = self._resident | contents.protected | layout.split.keys()

    def entry_maker(self, directory: int) -> Callable[[int], bytes]:
        """
        Return what makes the index entries of a directory's nodes.
        """
        parent = self._reference_of_directory(directory)
        contents = self._contents
        times, numbers, lengths = contents.times, self._numbers, self._lengths
        name_of, special, cluster = contents.name_bytes, self._special, self._cluster
        known_time = contents.times[0] if len(contents) else 0
        known_times = struct.pack("<Q", known_time) * 4

        def entry(node: int) -> bytes:
            nonlocal known_time, known_times
            if node < 0:
                return self._system_names.entry(~node)
            time = times[node]
            if time != known_time:
                known_time, known_times = time, struct.pack("<Q", time) * 4
            length = lengths[node]
            if length < 0 or node in special:
                allocated, length, attributes = self._sizes(node)
            else:
                allocated, attributes = -(-length // cluster) * cluster, ARCHIVE
            return pack_entry(
                numbers[node] | _FIRST_SEQUENCE, parent, known_times, allocated, length,
                attributes, name_of(node),
            )  # fmt: skip

        return entry

    def index_attributes(self, directory: int) -> list[bytes]:
        """
        Return a directory's index root, and where it has blocks, their allocation and bitmap.
        """
        layout = self._layout
        geometry = layout.geometry
        root, bitmap, allocation = (3, 4, 5) if directory == ROOT else (2, 3, 4)
        blocks = layout.index_blocks[directory]
        if not blocks:
            entry = self.entry_maker(directory)
            entries = [entry(node) for node in self._contents.children(directory)]
            return [index_root(entries, geometry, instance=root)]
        first = layout.index_places[directory]
        size = blocks * INDEX_BLOCK_BYTES
        bits = index_bitmap(blocks)
        place = layout.index_bitmap_places.get(directory)
        return [
            # The top block is the last.
            index_root((), geometry, instance=root, child=(blocks - 1) * geometry.index_block_step),
            self._non_resident(
                INDEX_ALLOCATION, [(first, geometry.clusters_of(size))], size, allocation, "$I30"
            ),
            resident_attribute(BITMAP, bits, instance=bitmap, name="$I30")
            if place is None
            else self._non_resident(
                BITMAP, [(place, geometry.clusters_of(len(bits)))], len(bits), bitmap, "$I30"
            ),
        ]

    def render(self) -> Iterator[bytes]:
        """
        Yield the records in order, from the first of a user's, several at a time.
        """
        template = bytearray(RECORD_BYTES)
        for end in range(512, RECORD_BYTES + 1, 512):
            template[end - 2 : end] = _USN
        batch = bytes(template) * _BATCH
        order = self._contents.order
        for start in range(0, len(order), _BATCH):
            nodes = order[start : start + _BATCH]
            buffer = bytearray(batch[: len(nodes) * RECORD_BYTES])
            self._fill(buffer, nodes, start + FIRST_RECORD)
            yield bytes(buffer)

    def _fill(self, buffer: bytearray, nodes: array[int], number: int) -> None:
        contents, layout = self._contents, self._layout
        lengths, times, parents = self._lengths, contents.times, contents.parents
        firsts, special, name_of = layout.first_clusters, self._special, contents.name_bytes
        cluster = self._cluster
        known_time = known_parent = -1
        known_times, parent = b"", 0
        for offset, node in zip(range(0, len(buffer), RECORD_BYTES), nodes, strict=True):
            length = lengths[node]
            if length <= 0 or node in special:
                buffer[offset : offset + RECORD_BYTES] = self._record(node, number)
                number += 1
                continue
            if times[node] != known_time:
                known_time = times[node]
                known_times = struct.pack("<Q", known_time) * 4
            if parents[node] != known_parent:
                known_parent = parents[node]
                parent = self._reference_of_directory(known_parent)
            name = name_of(node)
            clusters = -(-length // cluster)
            allocated = clusters * cluster
            first = firsts[node]
            # A single run: both fields positive, with room for the sign.
            count_size = clusters.bit_length() // 8 + 1
            first_size = first.bit_length() // 8 + 1
            runs = (
                bytes((first_size << 4 | count_size,))
                + clusters.to_bytes(count_size, "little")
                + first.to_bytes(first_size, "little")
            )
            shape, name_head, data_head = _file_shape(len(name), 8 if len(runs) < 8 else 16)
            used = shape.size
            shape.pack_into(
                buffer, offset, _HEAD, used, _MIDDLE, number, _BEFORE_TIMES, known_times, name_head,
                parent, known_times, allocated, length, ARCHIVE, 0, len(name) // 2, 0, name,
                data_head, clusters - 1, _DATA_MIDDLE, allocated, length, length, runs, END_MARKER,
            )  # fmt: skip
            if used > _FIRST_STRIDE_END:
                buffer[offset + RECORD_BYTES - 2 : offset + RECORD_BYTES] = b"\0\0"
                protect(buffer, offset, RECORD_BYTES, 0x30, 2)
            number += 1

    def _reference_of_directory(self, directory: int) -> int:
        if directory == ROOT:
            return ROOT_RECORD | ROOT_RECORD << 48
        return self._numbers[self._contents.directory_nodes[directory]] | _FIRST_SEQUENCE

    def _sizes(self, node: int) -> tuple[int, int, int]:
        # Allocated bytes, length and file attributes, as a name has them.
        protected = node in self._contents.protected
        length = self._lengths[node]
        if length < 0:
            return 0, 0, DIRECTORY | (HIDDEN_SYSTEM if protected else 0)
        unit = 8 if node in self._resident else self._cluster
        attributes = ARCHIVE | (HIDDEN_SYSTEM if protected else 0)
        return round_up(length, unit), length, attributes

    def _record(self, node: int, number: int) -> bytes:
        contents = self._contents
        times = struct.pack("<Q", contents.times[node]) * 4
        allocated, length, attributes = self._sizes(node)
        is_directory = self._lengths[node] < 0
        security = DIRECTORY_SECURITY if is_directory else FILE_SECURITY
        if node in contents.protected:
            security = PROTECTED_SECURITY
        key = pack_key(
            self._reference_of_directory(contents.parents[node]), times, allocated, length,
            attributes, contents.name_bytes(node),
        )  # fmt: skip
        if is_directory:
            body = self.index_attributes(~self._lengths[node])
        else:
            body = [self._data(node, length)]
        return encode_record(
            number,
            [
                standard_information(times, attributes & ~DIRECTORY, security),
                resident_attribute(FILE_NAME, key, instance=1, is_indexed=True),
                *body,
            ],
            sequence=1,
            links=1,
            flags=IN_USE | (IS_DIRECTORY if is_directory else 0),
            next_instance=2 + len(body),
        )

    def _data(self, node: int, length: int) -> bytes:
        if node in self._resident:
            return resident_attribute(DATA, self._contents.given[node], instance=2)
        if not length:
            return resident_attribute(DATA, b"", instance=2)
        runs: list[Run] = []
        left = self._layout.geometry.clusters_of(length)
        for first, count in self._layout.runs_of(node):
            if left:
                runs.append((first, min(count, left)))
                left -= runs[-1][1]
        return self._non_resident(DATA, runs, length, 2)

    def _non_resident(
        self, kind: int, runs: list[Run], length: int, instance: int, name: str = ""
    ) -> bytes:
        return non_resident_attribute(
            kind, runs, length=length, cluster_bytes=self._cluster, instance=instance, name=name
        )
