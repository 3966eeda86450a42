"""
Copies one blob from a drive to its destination, and says what became of every part.
"""

from __future__ import annotations

import hashlib
from typing import final

import attrs
from azure.core.exceptions import AzureError, HttpResponseError

from offlineseed.emulator._destination import BlobTarget, BlobUpload, Destination
from offlineseed.emulator._manifest_reader import ManifestEntry
from offlineseed.emulator._place import Place
from offlineseed.emulator._shipped_volume import (
    FileNameRefusedError,
    ShippedFile,
    ShippedVolume,
)
from offlineseed.emulator._side_files import read_side_file
from offlineseed.errors import UnsafeNameError

__all__ = ["REFUSALS", "BlobOutcome", "copy_blob", "failed_blob", "request_status"]

REFUSALS = (AzureError, OSError, UnsafeNameError)
"""What a destination raises."""


@final
@attrs.frozen(kw_only=True)
class BlobOutcome:
    """
    What became of one blob, in the status codes of the copy log.
    """

    entry: ManifestEntry
    """The blob as the manifest has it."""
    status: str
    """The blob's status."""
    blob_path: str
    """Where it landed, or would have: another path where it was renamed."""
    disposition: str
    """The import disposition's status."""
    parts: tuple[str, ...]
    """A status for each part; empty where the blob was skipped."""
    metadata: str | None = None
    """The status of its metadata; None where it has none."""
    properties: str | None = None
    """The status of its properties; None where it has none."""

    @property
    def is_landed(self) -> bool:
        """
        Whether its content is at the destination, whole, because of this copy.
        """
        return self.disposition in ("Created", "Renamed", "Overwritten") and all(
            part == "Completed" for part in self.parts
        )


def request_status(error: Exception) -> str:
    """
    Return the blob status code for an error of the destination.
    """
    if isinstance(error, HttpResponseError):
        if error.status_code == 403:
            return "BlobRequestForbidden"
        if getattr(error, "error_code", "") == "LeaseIdMissing":
            return "LeasePresent"
    return "BlobRequestFailed"


def failed_blob(entry: ManifestEntry, status: str) -> BlobOutcome:
    """
    Return the outcome of a blob that failed before its first byte: everything else is cancelled.
    """
    return BlobOutcome(
        entry=entry,
        status=status,
        blob_path=entry.blob_path,
        disposition="Cancelled",
        parts=("Cancelled",) * len(entry.parts),
        metadata="Cancelled" if entry.metadata else None,
        properties="Cancelled" if entry.properties else None,
    )


def copy_blob(
    entry: ManifestEntry, place: Place, volume: ShippedVolume, destination: Destination
) -> BlobOutcome:
    """
    Copy one blob, with one part of it in memory at a time.

    Never raises for what a copy log has a status for.
    """
    try:
        file = volume.open(entry.file_path)
    except FileNotFoundError:
        return failed_blob(entry, "FileNotFound")
    except PermissionError:
        return failed_blob(entry, "FileAccessDenied")
    except FileNameRefusedError as refused:
        return failed_blob(entry, refused.status)
    except OSError:
        return failed_blob(entry, "IOFailed")
    try:
        return _copy_open(entry, place, file, volume, destination)
    finally:
        file.close()


def _copy_open(
    entry: ManifestEntry,
    place: Place,
    file: ShippedFile,
    volume: ShippedVolume,
    destination: Destination,
) -> BlobOutcome:
    metadata_status, metadata = read_side_file(volume, entry.metadata)
    properties_status, properties = read_side_file(volume, entry.properties)
    target = BlobTarget(
        container=place.container,
        name=place.name,
        length=entry.length,
        is_page=entry.is_page,
        metadata=metadata,
        properties=properties,
    )
    try:
        upload = destination.upload(target)
    except REFUSALS as error:
        return failed_blob(entry, request_status(error))
    try:
        statuses, refusal = _copy_parts(entry, file, upload)
        if refusal is None:
            refusal = _commit(entry, place, upload, statuses)
    finally:
        upload.abandon()
    if refusal is not None:
        status = request_status(refusal)
    elif all(s in ("Completed", None) for s in (*statuses, metadata_status, properties_status)):
        status = "Completed"
    else:
        status = "CompletedWithErrors"
    return BlobOutcome(
        entry=entry,
        status=status,
        blob_path=place.blob_path,
        disposition=place.disposition,
        parts=tuple(statuses),
        metadata=metadata_status,
        properties=properties_status,
    )


def _copy_parts(
    entry: ManifestEntry, file: ShippedFile, upload: BlobUpload
) -> tuple[list[str], Exception | None]:
    statuses: list[str] = []
    for index, part in enumerate(entry.parts):
        try:
            data = file.read_at(part.offset, part.length)
        except OSError:
            statuses.append("IOFailed")
            continue
        if len(data) < part.length:
            statuses.append("FileUnexpectedEnd")
        elif hashlib.md5(data, usedforsecurity=False).hexdigest().upper() != part.md5:
            statuses.append("Corrupted")
        else:
            try:
                upload.write(part.offset, data, part.block_id or _made_id(index))
            except REFUSALS as error:
                rest = len(entry.parts) - index - 1
                return [*_kept(entry, statuses), "BlobRequestFailed", *["Cancelled"] * rest], error
            statuses.append("Completed")
    return statuses, None


def _commit(
    entry: ManifestEntry, place: Place, upload: BlobUpload, statuses: list[str]
) -> Exception | None:
    """
    Commit what is good, and correct the statuses of blocks that are not in the full list.
    """
    good = [
        part.block_id or _made_id(index)
        for index, part in enumerate(entry.parts)
        if statuses[index] == "Completed"
    ]
    try:
        if len(good) == len(entry.parts):
            upload.commit(good)
            return None
        kept = upload.commit_some(good, is_new=place.disposition != "Overwritten")
    except REFUSALS as error:
        statuses[:] = _kept(entry, statuses)
        return error
    statuses[:] = [kept if status == "Completed" else status for status in statuses]
    return None


def _kept(entry: ManifestEntry, statuses: list[str]) -> list[str]:
    # Pages that were written are there; blocks wait for a commit that does not come.
    if entry.is_page:
        return statuses
    return ["Uncommitted" if status == "Completed" else status for status in statuses]


def _made_id(index: int) -> str:
    # Blocks without ids get four digits of Base64, 24 bits: enough for 50,000 blocks.
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return "".join(digits[index >> shift & 63] for shift in (18, 12, 6, 0))
