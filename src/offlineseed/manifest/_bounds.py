"""
How long a manifest can get, known before a byte is hashed.

A volume is created for its contents, the manifest among them, and the manifest's hashes are known
last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import attrs

from offlineseed.manifest._hashing import MINIMUM_GAP_BYTES, block_id
from offlineseed.manifest._models import (
    BLOCK_BYTES,
    PAGE_BYTES,
    BlobList,
    BlobType,
    Block,
    DriveManifest,
    ImportDisposition,
    ManifestBlob,
    PageRange,
)
from offlineseed.manifest._writer import blob_text, block_line, range_line, render_manifest
from offlineseed.manifest._xml import escape_text

__all__ = ["BlobOutline", "manifest_length_bound"]

_RANGE = PageRange(offset=0, length=0, hash="0" * 32)
_BLOCK = Block(offset=0, length=0, hash="0" * 32, id=block_id(0))
# Without the digits of offset and length.
_RANGE_LENGTH = len(range_line(_RANGE)) - len("00")
_BLOCK_LENGTH = len(block_line(_BLOCK)) - len("00")
_ID_LENGTH = len(block_line(_BLOCK)) - len(block_line(attrs.evolve(_BLOCK, id=None)))


@final
@attrs.frozen(kw_only=True)
class BlobOutline:
    """
    What is known of a blob before it is read.
    """

    blob_path: str
    """Container, slash, blob name."""
    file_path: str
    """Path on the drive, with backslashes."""
    length: int
    """Length in bytes."""
    blob_type: BlobType = BlobType.BLOCK
    """Block blob or page blob."""
    import_disposition: ImportDisposition | str | None = None
    """What happens to a blob of that name."""


def manifest_length_bound(
    manifest: DriveManifest,
    outlines: Iterable[BlobOutline],
    *,
    block_bytes: int = BLOCK_BYTES,
    minimum_gap_bytes: int = MINIMUM_GAP_BYTES,
    with_ids: bool = True,
) -> int:
    """
    Return how many bytes the manifest has at most once these blobs are hashed.

    The bound holds for one blob list, blobs without client data or side files of their own, and
    hashers made with the same `block_bytes` (page blobs: `range_bytes`), `minimum_gap_bytes` and
    `with_ids`. For block blobs it is a few bytes a block above the truth; for page blobs it takes
    the worst scatter of zeros.

    Args:
        manifest: the header that the `ManifestWriter` gets; its blob lists count as they are, so a
            list's side files and attributes are given as a list without blobs.
        outlines: one for each blob; any number, taken one by one.
        block_bytes: the length of a block and of the longest page range.
        minimum_gap_bytes: the shortest run of zeros that parts two page ranges.
        with_ids: whether blocks have ids.

    Raises:
        ManifestError: a name has a character that XML can't carry.
    """
    lists = manifest.blob_lists or (BlobList(),)
    total = len(render_manifest(attrs.evolve(manifest, blob_lists=lists)))
    frames: dict[tuple[BlobType, ImportDisposition | str | None], int] = {}
    for outline in outlines:
        kind = (outline.blob_type, outline.import_disposition)
        if kind not in frames:
            frames[kind] = _frame_length(*kind)
        digits = len(str(outline.length))
        if outline.blob_type is BlobType.BLOCK:
            count = -(-outline.length // block_bytes)
            entry = _BLOCK_LENGTH if with_ids else _BLOCK_LENGTH - _ID_LENGTH
        else:
            count = _range_count(outline.length, block_bytes, minimum_gap_bytes)
            entry = _RANGE_LENGTH
        entry += digits + len(str(min(outline.length, block_bytes)))
        total += (
            frames[kind]
            + len(escape_text(outline.blob_path, context="BlobPath").encode("utf-8"))
            + len(escape_text(outline.file_path, context="FilePath").encode("utf-8"))
            + digits
            + count * entry
        )
    return total


def _range_count(length: int, range_bytes: int, minimum_gap_bytes: int) -> int:
    # Every run of data but the last has a gap behind it; every run may end with one short range.
    return -(-length // (PAGE_BYTES + minimum_gap_bytes)) + length // range_bytes


def _frame_length(blob_type: BlobType, disposition: ImportDisposition | str | None) -> int:
    is_page = blob_type is BlobType.PAGE
    blob = ManifestBlob(
        blob_path="",
        file_path="",
        length=0,
        import_disposition=disposition,
        blocks=None if is_page else (_BLOCK,),
        page_ranges=(_RANGE,) if is_page else None,
    )
    entry = range_line(_RANGE) if is_page else block_line(_BLOCK)
    return len(blob_text(blob).encode("utf-8")) - len("0") - len(entry)
