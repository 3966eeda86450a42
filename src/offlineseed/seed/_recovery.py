"""
After a crash: segments that were left open are checked and closed.
"""

from __future__ import annotations

import hashlib

import xxhash
import zstandard

from offlineseed.errors import SegmentError
from offlineseed.seed._catalog_writer import CatalogWriter
from offlineseed.seed._rows import OpenSegment, Rows
from offlineseed.seed._seekable import SeekEntry, render_seek_table
from offlineseed.seed._stores import SegmentStore

__all__ = ["finish_open_segments"]


def finish_open_segments(catalog: CatalogWriter, store: SegmentStore) -> None:
    """
    Cut every open segment after its last acknowledged frame, check its frames and close it.

    Raises:
        SegmentMissingError: the store does not have the acknowledged bytes.
        SegmentError: an acknowledged frame is damaged.
    """
    for segment in catalog.open_segments():
        writer = store.recover(segment.name, segment.length)
        try:
            checksum, entries = _check(catalog, store, segment)
            table = render_seek_table(entries)
            writer.write(table)
            checksum.update(table)
            writer.close()
        except BaseException:
            writer.abort()
            raise
        length = segment.length + len(table)
        catalog.commit(Rows(closed=[(length, checksum.digest(), segment.id)]))


def _check(
    catalog: CatalogWriter, store: SegmentStore, segment: OpenSegment
) -> tuple[xxhash.xxh3_128, list[SeekEntry]]:
    decompressor = zstandard.ZstdDecompressor()
    checksum = xxhash.xxh3_128()
    entries = []
    rows = catalog.select(
        "SELECT digest, offset, stored, length FROM chunk WHERE segment = ? ORDER BY offset",
        (segment.id,),
    )
    for digest, offset, stored, length in rows:
        frame = store.read(segment.name, offset, stored)
        try:
            content = decompressor.decompress(frame, max_output_size=length)
        except zstandard.ZstdError:
            content = b""
        if hashlib.sha256(content).digest() != digest:
            raise SegmentError(
                f"{segment.name} lost acknowledged data: the frame at {offset} is damaged; remove "
                "the generation and stage it again",
                context=segment.name,
            )
        checksum.update(frame)
        entries.append(SeekEntry(stored, length, xxhash.xxh64_intdigest(content) & 0xFFFFFFFF))
    return checksum, entries
