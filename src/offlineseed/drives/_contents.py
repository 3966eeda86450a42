"""
What a drive's volume is created for: the plan's blobs and the manifest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import final

from offlineseed.drives._plan import DrivePlan, PlanDigest
from offlineseed.drives._source import BlobSource
from offlineseed.errors import DriveError, ManifestError
from offlineseed.findings import Severity
from offlineseed.manifest import (
    MANIFEST_FILE,
    BlobOutline,
    BlobType,
    DriveManifest,
    ImportDisposition,
    ManifestBlob,
    check_manifest_blob,
    file_path_of,
    manifest_length_bound,
    path_of_file_path,
)
from offlineseed.staging import StagedBlob
from offlineseed.volumes import VolumeFile

__all__ = ["PlannedContents"]


@final
class PlannedContents(Collection[VolumeFile]):
    """
    The files of a drive, worked out of the job's blobs each time: none are held in memory.

    Raises:
        DriveError: the job's blobs are not those that were planned.
        ManifestError: the service would refuse a blob.
    """

    def __init__(
        self,
        job: BlobSource,
        plan: DrivePlan,
        header: DriveManifest,
        import_disposition: ImportDisposition,
    ) -> None:
        self._job = job
        self._digest = PlanDigest()
        self.plan = plan
        """The plan."""
        self.header = header
        """The manifest without its blobs."""
        self.import_disposition = import_disposition
        """The disposition of every blob."""
        self.container = job.settings.container
        """Where the blobs will land."""
        bound = manifest_length_bound(header, (self._outline(blob) for blob in self.blobs()))
        self.manifest = VolumeFile(
            path=path_of_file_path(MANIFEST_FILE), length=bound, is_maximum=True
        )
        """The manifest, at the longest that it can become."""
        if self._digest.hexdigest() != plan.digest:
            raise DriveError(
                f"the staged blobs are not those that drive {plan.drive_id} was planned for;"
                " plan the drives again"
            )

    def blobs(self) -> Iterator[StagedBlob]:
        """
        Yield the plan's blobs, in their order.
        """
        return self.plan.select(self._job.blobs())

    def __len__(self) -> int:
        return self.plan.blobs + 1

    def __iter__(self) -> Iterator[VolumeFile]:
        for blob in self.blobs():
            yield volume_file(blob)
        yield self.manifest

    def __contains__(self, file: object) -> bool:
        return any(file == each for each in self)

    def _outline(self, blob: StagedBlob) -> BlobOutline:
        self._digest.add(blob)
        outline = BlobOutline(
            blob_path=f"{self.container}/{blob.path}",
            file_path=file_path_of(blob.path),
            length=blob.length,
            blob_type=blob.blob_type,
            import_disposition=self.import_disposition,
        )
        _require_acceptable(outline)
        return outline


def volume_file(blob: StagedBlob) -> VolumeFile:
    """
    Return the file that a blob is on its drive.
    """
    return VolumeFile(path=blob.path, length=blob.length)


def _require_acceptable(outline: BlobOutline) -> None:
    blob = ManifestBlob(
        blob_path=outline.blob_path,
        file_path=outline.file_path,
        length=outline.length,
        import_disposition=outline.import_disposition,
        page_ranges=() if outline.blob_type is BlobType.PAGE else None,
    )
    for finding in check_manifest_blob(blob):
        if finding.severity is Severity.ERROR:
            raise ManifestError(str(finding), context=outline.blob_path)
