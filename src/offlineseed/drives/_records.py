"""
A copied blob in the journal and in the manifest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from offlineseed.drives._hashing import blocks_of
from offlineseed.errors import JournalError
from offlineseed.manifest import (
    BLOCK_BYTES,
    BlobType,
    Block,
    ImportDisposition,
    ManifestBlob,
    PageRange,
    file_path_of,
)
from offlineseed.staging import StagedBlob

__all__ = ["blob_members", "manifest_blob"]

_MD5_DIGITS = 32


def blob_members(
    blob: StagedBlob, ranges: Iterable[Block] | Iterable[PageRange]
) -> dict[str, object]:
    """
    Return the members of the journal's record of a blob.

    A block blob has `md5`, the hashes of its blocks one after another; a page blob has `pages`,
    an [offset, length, MD5] for each range.
    """
    members: dict[str, object] = {"path": blob.path, "length": blob.length}
    if blob.blob_type is BlobType.PAGE:
        members["pages"] = [[range_.offset, range_.length, range_.hash] for range_ in ranges]
    else:
        members["md5"] = "".join(range_.hash for range_ in ranges)
    return members


def manifest_blob(
    record: dict[str, Any], *, container: str, import_disposition: ImportDisposition
) -> ManifestBlob:
    """
    Return what the manifest says of a blob that the journal has a record of.

    Raises:
        JournalError: the record has neither blocks nor page ranges that fit its length.
    """
    path, length = record["path"], record["length"]
    blocks, page_ranges = None, None
    try:
        if "pages" in record:
            page_ranges = tuple(
                PageRange(offset=offset, length=size, hash=md5)
                for offset, size, md5 in record["pages"]
            )
        else:
            digits = record["md5"]
            if len(digits) != _MD5_DIGITS * -(-length // BLOCK_BYTES):
                raise ValueError(digits)
            digests = [
                digits[start : start + _MD5_DIGITS] for start in range(0, len(digits), _MD5_DIGITS)
            ]
            blocks = blocks_of(digests, length)
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(
            f"the journal's record of {path} is damaged; prepare the drive anew", context=path
        ) from error
    return ManifestBlob(
        blob_path=f"{container}/{path}",
        file_path=file_path_of(path),
        length=length,
        import_disposition=import_disposition,
        blocks=blocks,
        page_ranges=page_ranges,
    )
