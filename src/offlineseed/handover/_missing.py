"""
What a drive did not bring, by its copy log and by what is at the destination.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from typing import final

import attrs

from offlineseed.findings import Finding
from offlineseed.jobs import BlobCopyResult, CopyLog
from offlineseed.manifest import (
    BlobList,
    BlobType,
    Block,
    DriveManifest,
    ManifestBlob,
    PageRange,
)
from offlineseed.verify import LandedBlobs, verify_landed

__all__ = ["MissingBlob", "blobs_of", "find_missing", "landed_names"]

_NOBODYS = DriveManifest(drive_id="")
_LAID_DOWN = ("created", "renamed", "overwritten")


@final
@attrs.frozen(kw_only=True)
class MissingBlob:
    """
    A blob of a drive that has not landed whole.
    """

    blob: ManifestBlob
    """What the manifest says of it."""
    result: BlobCopyResult | None = None
    """What the copy log says of it; None where it says nothing."""

    @property
    def target(self) -> str:
        """
        The blob path to repair: where the service began to lay it down.
        """
        if self.result is not None and self._disposition == "renamed":
            return self.result.blob_path
        return self.blob.blob_path

    @property
    def name(self) -> str:
        """
        The target's name inside its container.
        """
        return self.target.partition("/")[2]

    @property
    def parts(self) -> tuple[Block | PageRange, ...]:
        """
        Its blocks or page ranges, by offset.
        """
        return self.blob.blocks or self.blob.page_ranges or ()

    def uploaded(self) -> Mapping[tuple[int, int], str]:
        """
        Return what the log says was uploaded: the status of each part, by its offset and length.
        """
        parts = self.result.parts if self.result is not None else ()
        return {
            (part.offset, part.length): part.status.casefold() for part in parts if part.is_uploaded
        }

    def is_whole(self, landed: LandedBlobs) -> bool:
        """
        Whether it is at its target all the same, as after an earlier repair. Reads all of it.
        """
        manifest = attrs.evolve(_NOBODYS, blob_lists=[BlobList(blobs=[self.blob])])
        renamed = {self.blob.blob_path: self.target}
        return verify_landed(landed, [manifest], renamed=renamed, threads=1).is_ok

    def was_repaired(self, landed: LandedBlobs) -> bool:
        """
        Whether an earlier repair completed it. Reads it only where that is likely.

        A block blob has its length once all its blocks are there; a page blob has it from the
        start, and is cheaper repaired again than read.
        """
        if self.blob.blob_type is BlobType.PAGE:
            return False
        found = landed.find(self.name)
        return found is not None and found.length == self.blob.length and self.is_whole(landed)

    def obstacle(self, landed: LandedBlobs) -> Finding | None:
        """
        Return a finding where another blob is at the target, which is not to be replaced unasked.
        """
        found = landed.find(self.name)
        if found is None or self._disposition in _LAID_DOWN:
            return None
        if self.result is not None and not self._disposition:
            # A later log does not tell whether the service began to lay it down. What it leaves of
            # a page blob has its length, what it leaves of a block blob is shorter.
            is_page = self.blob.blob_type is BlobType.PAGE
            is_same_type = found.blob_type in (None, self.blob.blob_type)
            begun = found.length == self.blob.length if is_page else found.length < self.blob.length
            if is_same_type and begun:
                return None
        return Finding(
            code="blob-in-the-way",
            subject=self.target,
            message=(
                "another blob of this name is there, and the drive's was not laid down: delete the "
                "other one, or allow it to be overwritten, and repair again"
            ),
        )

    @property
    def _disposition(self) -> str:
        return "" if self.result is None else self.result.disposition_status.casefold()


def blobs_of(manifest: DriveManifest) -> Iterator[ManifestBlob]:
    """
    Yield a manifest's blobs, in its order.
    """
    for blob_list in manifest.blob_lists:
        yield from blob_list.blobs


def find_missing(
    manifest: DriveManifest, log: CopyLog | None, landed: LandedBlobs, pool: Executor
) -> Iterator[MissingBlob]:
    """
    Yield what has not landed, in the manifest's order.

    Args:
        manifest: the drive's manifest.
        log: its copy log; None where there is none.
        landed: the destination; asked about blobs that the log is silent about.
        pool: asks it, several times at once.
    """
    results = _results(manifest, log)
    # An error log says nothing of what landed. One that breaks off, or of a drive that failed as a
    # whole, says nothing of what was never tried either.
    is_telling = (
        log is not None and log.is_complete and log.status.casefold().startswith("completed")
    )

    def has_landed(missing: MissingBlob) -> bool:
        if missing.result is not None:
            return missing.result.has_landed
        return is_telling or missing.is_whole(landed)

    blobs = [
        MissingBlob(blob=blob, result=results.get(blob.file_path)) for blob in blobs_of(manifest)
    ]
    for missing, is_there in zip(blobs, pool.map(has_landed, blobs), strict=True):
        if not is_there:
            yield missing


def landed_names(manifest: DriveManifest, logs: Iterable[CopyLog]) -> dict[str, str]:
    """
    Return under which other blob paths a drive's blobs landed, for `verify_landed`'s `renamed`.

    Only a verbose log names blobs that landed whole.
    """
    return {
        blob.blob_path: result.blob_path
        for log in logs
        for blob, result in _matches(manifest, log)
        if result.disposition_status.casefold() == "renamed"
    }


def _results(manifest: DriveManifest, log: CopyLog | None) -> Mapping[str, BlobCopyResult]:
    if log is None:
        return {}
    return {blob.file_path: result for blob, result in _matches(manifest, log)}


def _matches(
    manifest: DriveManifest, log: CopyLog
) -> Iterator[tuple[ManifestBlob, BlobCopyResult]]:
    # A renamed blob keeps its file path; a later log has blob paths only.
    by_file = {blob.file_path: blob for blob in blobs_of(manifest)}
    by_blob = {blob.blob_path: blob for blob in by_file.values()}
    for result in log.blobs:
        blob = by_file.get(result.file_path) or by_blob.get(result.blob_path)
        if blob is not None:
            yield blob, result
