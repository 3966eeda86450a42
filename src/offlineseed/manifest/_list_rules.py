"""
Rules for block lists and page range lists.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from offlineseed.manifest._limits import ManifestLimits
from offlineseed.manifest._models import PAGE_BYTES, BlobType, ManifestBlob

__all__ = [
    "block_count",
    "block_coverage",
    "block_ids",
    "block_ids_all_or_none",
    "block_ids_of_long_blob",
    "block_lengths",
    "hashes",
    "is_hash",
    "list_there",
    "range_alignment",
    "range_lengths",
    "range_order",
]

_MD5 = re.compile(r"[0-9A-F]{32}")
_ID_BYTES = 64
_LONG_BLOB_BYTES = 64 * 1024**2


def is_hash(text: str) -> bool:
    """
    Whether this is a Base16 MD5, upper case as the models keep it.
    """
    return _MD5.fullmatch(text) is not None


def list_there(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Point out content that would be imported unchecked.
    """
    if blob.blocks is None and blob.page_ranges is None:
        yield "there is no block list and no page range list: the service can't check the content"


def block_count(blob: ManifestBlob, limits: ManifestLimits) -> Iterator[str]:
    """
    Bound the number of blocks.
    """
    if blob.blocks is not None and len(blob.blocks) > limits.blocks:
        yield f"{len(blob.blocks)} blocks: a blob may have {limits.blocks}"


def block_lengths(blob: ManifestBlob, limits: ManifestLimits) -> Iterator[str]:
    """
    Require 1 byte to 4 MiB a block.
    """
    for block in blob.blocks or ():
        if not 1 <= block.length <= limits.block_bytes:
            yield (
                f"the block at {block.offset} has {block.length} bytes: "
                f"it may have 1 to {limits.block_bytes}"
            )


def block_coverage(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Require order by offset, without gap or overlap, from the first byte to the last.
    """
    if blob.blocks is None:
        return
    end = 0
    for block in blob.blocks:
        if block.offset != end:
            what = "a gap before" if block.offset > end else "an overlap or wrong order at"
            yield f"{what} the block at {block.offset}: the one before it ends at {end}"
        end = block.offset + block.length
    if end != blob.length:
        yield f"the blocks end at {end}, the blob at {blob.length}"


def block_ids_all_or_none(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Require an id for every block or for none.
    """
    without = sum(block.id is None for block in blob.blocks or ())
    if without and without != len(blob.blocks or ()):
        yield f"{without} of {len(blob.blocks or ())} blocks have no id: all have one, or none"


def block_ids(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Require Base64, at most 64 bytes, one length, and one id for one content.
    """
    lengths: set[int] = set()
    contents: dict[str, str] = {}
    for block in blob.blocks or ():
        if block.id is None:
            continue
        try:
            decoded = base64.b64decode(block.id, validate=True)
        except (binascii.Error, ValueError):
            yield f"the id of the block at {block.offset} is not Base64"
            continue
        if not 1 <= len(decoded) <= _ID_BYTES:
            yield (
                f"the id of the block at {block.offset} has {len(decoded)} bytes: "
                f"it may have 1 to {_ID_BYTES}"
            )
        lengths.add(len(decoded))
        if contents.setdefault(block.id, block.hash) != block.hash:
            yield f"the id of the block at {block.offset} is that of another block"
    if len(lengths) > 1:
        yield f"the block ids have {len(lengths)} different lengths: all have the same"


def block_ids_of_long_blob(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Point out missing ids beyond 64 MiB: the format's text implies that they are needed.
    """
    if blob.length > _LONG_BLOB_BYTES and blob.blocks and all(b.id is None for b in blob.blocks):
        yield f"the blocks have no ids: a blob of more than {_LONG_BLOB_BYTES} bytes needs them"


def range_alignment(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Require whole pages.
    """
    for page_range in blob.page_ranges or ():
        if page_range.offset % PAGE_BYTES or page_range.length % PAGE_BYTES:
            yield (
                f"the page range at {page_range.offset} of {page_range.length} bytes: "
                f"both are multiples of {PAGE_BYTES}"
            )


def range_lengths(blob: ManifestBlob, limits: ManifestLimits) -> Iterator[str]:
    """
    Require one page to 4 MiB a range.
    """
    for page_range in blob.page_ranges or ():
        if not 1 <= page_range.length <= limits.block_bytes:
            yield (
                f"the page range at {page_range.offset} has {page_range.length} bytes: "
                f"it may have 512 to {limits.block_bytes}"
            )


def range_order(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Require order by offset, without overlap, within the blob.
    """
    end = 0
    for page_range in blob.page_ranges or ():
        if page_range.offset < end:
            yield (
                f"the page range at {page_range.offset} overlaps or is out of order: "
                f"the one before it ends at {end}"
            )
        end = page_range.offset + page_range.length
        if end > blob.length:
            yield f"the page range at {page_range.offset} ends at {end}, the blob at {blob.length}"


def hashes(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Require a Base16 MD5 for every block, range and side file.
    """
    kind = "page range" if blob.blob_type is BlobType.PAGE else "block"
    for part in blob.blocks or blob.page_ranges or ():
        if not is_hash(part.hash):
            yield f"the hash of the {kind} at {part.offset} is no Base16 MD5"
    for side in (blob.metadata_path, blob.properties_path):
        if side is not None and not is_hash(side.hash):
            yield f"the hash of {side.path!r} is no Base16 MD5"
