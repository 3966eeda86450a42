"""
Rendering a layout: everything on the volume but the caller's data, as pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, final

from offlineseed.ntfs._attributes import attribute_table
from offlineseed.ntfs._bits import index_bitmap, render_bits, set_bits
from offlineseed.ntfs._contents import ROOT
from offlineseed.ntfs._encoding import (
    RECORD_BYTES,
)
from offlineseed.ntfs._geometry import BOOT_BYTES, INDEX_BLOCK_BYTES
from offlineseed.ntfs._index import render_blocks
from offlineseed.ntfs._layout import (
    FIRST_RECORD,
    NtfsLayout,
    directory_shape,
    root_children,
)
from offlineseed.ntfs._pieces import Fill, Piece, Rendered, coalesce
from offlineseed.ntfs._places import mft_bitmap_bytes
from offlineseed.ntfs._records import Records
from offlineseed.ntfs._security import SDS_MIRROR_AT, render_sds_block, root_descriptor
from offlineseed.ntfs._space import Run
from offlineseed.ntfs._system import free_record, system_records
from offlineseed.ntfs._system_names import EXTEND_RECORDS
from offlineseed.ntfs._upcase import upcase_bytes

__all__ = ["render_volume"]

_USED_SYSTEM_RECORDS: Final = (*range(16), *EXTEND_RECORDS)


def render_volume(
    layout: NtfsLayout, final_lengths: Mapping[str, int] | None = None
) -> Iterator[Rendered]:
    """
    Yield everything on the volume but the caller's data, in pieces of about 1 MiB.

    The copy of the boot sector comes next to last, `$Boot` with the boot sector last: a volume
    whose writing was interrupted has none. Otherwise the order is not that of the offsets. Memory
    is bounded by the names of the largest directory.

    Args:
        layout: The layout.
        final_lengths: By path, the real length of each file whose length was a bound.

    Raises:
        KeyError: one of the paths was not laid out with a bound.
        ValueError: a real length is missing, negative or above its bound.
    """
    lengths = layout.final_lengths(final_lengths or {})
    return coalesce(_Renderer(layout, lengths).render())


@final
class _Renderer:
    def __init__(self, layout: NtfsLayout, final_lengths: Mapping[int, int]) -> None:
        self._layout = layout
        self._final_lengths = final_lengths
        self._records = Records(layout, final_lengths)

    def render(self) -> Iterator[Rendered]:
        layout = self._layout
        places = layout.places
        yield from self._whole(places.attribute_table, attribute_table())
        yield from self._whole(places.root_descriptor, root_descriptor())
        yield from self._whole(places.upcase, upcase_bytes())
        yield from self._security()
        yield Fill(self._offset(places.log[0]), places.log[1] * layout.geometry.cluster_bytes, 0xFF)
        yield from self._given_data()
        yield from self._indexes()
        yield from self._table()
        yield from self._whole(places.mft_bitmap, self._table_bitmap())
        yield from self._cluster_bitmap()
        boot = layout.boot_region()
        yield Piece(layout.geometry.backup_boot_offset, boot[:512])
        yield from self._whole((0, layout.geometry.clusters_of(BOOT_BYTES)), boot)

    def _offset(self, cluster: int) -> int:
        return cluster * self._layout.geometry.cluster_bytes

    def _whole(self, run: Run, data: bytes) -> Iterator[Rendered]:
        # Data, and zeros to the end of their clusters.
        start = self._offset(run[0])
        yield Piece(start, data)
        yield Fill(start + len(data), self._offset(run[1]) - len(data))

    def _security(self) -> Iterator[Rendered]:
        first, count = self._layout.places.security
        block = render_sds_block(self._layout.security)
        start = self._offset(first)
        yield Piece(start, block)
        yield Fill(start + len(block), SDS_MIRROR_AT - len(block))
        end = SDS_MIRROR_AT + len(block)
        yield Piece(start + SDS_MIRROR_AT, block)
        yield Fill(start + end, self._offset(count) - end)

    def _given_data(self) -> Iterator[Rendered]:
        for node, content in self._layout.contents.given.items():
            position = 0
            for run in self._layout.runs_of(node) if self._layout.first_clusters[node] else ():
                part = content[position : position + self._offset(run[1])]
                yield from self._whole(run, part)
                position += len(part)

    def _indexes(self) -> Iterator[Rendered]:
        layout = self._layout
        step = layout.geometry.index_block_step
        for directory in layout.contents.directory_order:
            blocks = layout.index_blocks[directory]
            if not blocks:
                continue
            if directory == ROOT:
                nodes = root_children(layout.contents)
            else:
                nodes = list(layout.contents.children(directory))
            shape = directory_shape(layout.contents, nodes)
            offset = self._offset(layout.index_places[directory])
            entry = self._records.entry_maker(directory)
            for data in render_blocks(shape, nodes, entry, step):
                yield Piece(offset, data)
                offset += len(data)
            clusters = layout.geometry.clusters_of(blocks * INDEX_BLOCK_BYTES)
            yield Fill(offset, self._offset(clusters) - blocks * INDEX_BLOCK_BYTES)
            if directory in layout.index_bitmap_places:
                bits = index_bitmap(blocks)
                place = layout.index_bitmap_places[directory]
                yield from self._whole((place, layout.geometry.clusters_of(len(bits))), bits)

    def _table(self) -> Iterator[Rendered]:
        layout = self._layout
        system = b"".join(system_records(layout, self._records.index_attributes(ROOT)))
        offset = self._offset(layout.places.mft[0])
        end = offset + self._offset(layout.places.mft[1])
        yield Piece(offset, system)
        mirrored = system[: layout.geometry.mirror_records * RECORD_BYTES]
        yield from self._whole(layout.places.mirror, mirrored)
        offset += len(system)
        for data in self._records.render():
            yield Piece(offset, data)
            offset += len(data)
        used = min(FIRST_RECORD, layout.records) + len(layout.contents)
        free = b"".join([free_record(layout, number) for number in range(used, layout.records)])
        yield Piece(offset, free)
        offset += len(free)
        yield Fill(offset, end - offset)

    def _table_bitmap(self) -> bytes:
        layout = self._layout
        bits = bytearray(mft_bitmap_bytes(layout.records))
        for record in _USED_SYSTEM_RECORDS:
            bits[record // 8] |= 1 << record % 8
        set_bits(bits, FIRST_RECORD, FIRST_RECORD + len(layout.contents))
        return bytes(bits)

    def _free_runs(self) -> list[Run]:
        # What the layout left free, and what files with a bound did not need, ascending.
        layout = self._layout
        free = list(layout.free)
        for node, length in self._final_lengths.items():
            spare = layout.geometry.clusters_of(length)
            for first, count in layout.runs_of(node):
                used = min(count, spare)
                spare -= used
                if used < count:
                    free.append((first + used, count - used))
        return sorted(free)

    def _cluster_bitmap(self) -> Iterator[Rendered]:
        layout = self._layout
        start = self._offset(layout.places.bitmap[0])
        size = layout.geometry.bitmap_bytes
        yield from render_bits(start, size, self._free_runs())
        yield Fill(start + size, self._offset(layout.places.bitmap[1]) - size)
