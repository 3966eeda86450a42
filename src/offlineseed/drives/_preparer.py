"""
Preparing one drive: what it takes, and who may.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import final

import attrs

from offlineseed._secret import Secret
from offlineseed.bitlocker import RecoveryPassword
from offlineseed.drives._contents import PlannedContents
from offlineseed.drives._journal import Journal
from offlineseed.drives._keys import KeyStore
from offlineseed.drives._models import Consent, PreparedDrive, require_consent
from offlineseed.drives._plan import DrivePlan
from offlineseed.drives._preparation import Preparation
from offlineseed.drives._prepared import JOURNAL_FILE, load_prepared_drive, write_prepared
from offlineseed.drives._source import BlobSource
from offlineseed.errors import DriveError, DriveNotEligibleError, ManifestError
from offlineseed.events import DrivePrepared, FindingSeen, OnEvent, ignore_events
from offlineseed.findings import Finding, Severity
from offlineseed.manifest import DriveManifest, ImportDisposition, check_manifest
from offlineseed.volumes import Drive, VolumeAdapter

__all__ = ["DrivePreparer"]


def _all_eligible(drive: Drive) -> Iterable[Finding]:  # noqa: ARG001  # a check's shape
    return ()


@final
@attrs.frozen(kw_only=True)
class DrivePreparer:
    """
    Prepares drives: makes the volume, copies the blobs, writes the manifest, reads all back.

    What was done is in the drive's journal, in the staging location. A preparation that was
    interrupted, by whatever it was, is taken up by preparing again: it goes on behind the last
    whole blob and ends with the same files. A sealed drive is not touched again.

    Thread rule: any thread, different drives at once. A drive is prepared by one at a time.
    """

    volumes: VolumeAdapter
    """Makes and reads the volumes."""
    keys: KeyStore
    """Keeps the recovery passwords; before a volume is made, its recovery password is in here."""
    storage_account_key: Secret | None = None
    """For the manifest: the key of the job's storage account; this or `container_sas`."""
    container_sas: Secret | None = None
    """For the manifest: a SAS of the job's container."""
    import_disposition: ImportDisposition = ImportDisposition.RENAME
    """What the service does where a blob of that name exists."""
    client_creator: str = "offlineseed"
    """For the manifest: the program that wrote it."""
    check_drive: Callable[[Drive], Iterable[Finding]] = _all_eligible
    """Says what is wrong with a drive before it is touched; errors stop, warnings are reported."""
    hash_threads: int = attrs.field(factory=lambda: os.cpu_count() or 1)
    """Threads that compute MD5s, for each drive."""

    def prepare(
        self,
        job: BlobSource,
        plan: DrivePlan,
        *,
        drive: Drive,
        consent: Consent,
        recovery_password: RecoveryPassword | None = None,
        anew: bool = False,
        on_event: OnEvent = ignore_events,
    ) -> PreparedDrive:
        """
        Prepare a drive, or go on with it.

        Args:
            job: where the blobs and the records lie.
            plan: the drive's blobs.
            drive: the drive; what is on it is lost.
            consent: the owner's word for that.
            recovery_password: that of a volume which somebody else protected; None for a new one.
            anew: forget what was done and begin from the start, as for a drive that was replaced.
            on_event: gets `DriveStarted`, a `BlobCopied` and a `BlobVerified` for each blob,
                `FindingSeen` and `DrivePrepared`, from the calling thread. What it raises stops
                the preparation, to be taken up later.

        Raises:
            ConsentError: the consent is for another drive.
            DriveNotEligibleError: the drive must not be used.
            ManifestError: the service would refuse the manifest.
            SourceChangedError: a staged blob is not what staging recorded.
            DriveChangedError: the drive is not as the journal says; prepare it `anew`.
            JournalError: the journal is damaged, or is about another plan; prepare `anew`.
            VerificationError: what was read back is wrong; with the report.
            VolumeFullError: the blobs do not fit on the drive.
            DriveError: another process is preparing it, the recovery password is lost, or the
                plan is not for this drive and these blobs.
            OSError: a disk refuses.
        """
        require_consent(drive, consent)
        if plan.drive_id != drive.drive_id:
            raise DriveError(f"the plan is for drive {plan.drive_id}, not for {drive.drive_id}")
        folder = job.drive_folder(drive.drive_id)
        with closing(Journal(folder / JOURNAL_FILE)) as journal:
            if anew or not journal.state.has_volume:
                journal.clear()  # without a volume there is nothing to be true to
            self._bind(journal, job, plan, drive)
            if journal.state.sealed is None:
                header = self._header(drive)
                self._require_eligible(drive, on_event)
                Preparation(
                    volumes=self.volumes,
                    keys=self.keys,
                    drive=drive,
                    contents=PlannedContents(job, plan, header, self.import_disposition),
                    folder=folder,
                    journal=journal,
                    hash_threads=self.hash_threads,
                    on_event=on_event,
                ).run(recovery_password)
            write_prepared(folder, journal.state)
        prepared = load_prepared_drive(job, drive.drive_id, keys=self.keys)
        on_event(
            DrivePrepared(
                drive_id=drive.drive_id,
                manifest_hash=prepared.manifest_hash,
                total_bytes=prepared.total_bytes,
            )
        )
        return prepared

    def _bind(self, journal: Journal, job: BlobSource, plan: DrivePlan, drive: Drive) -> None:
        facts = {
            "format": 1,
            "drive_id": drive.drive_id,
            "size_bytes": drive.size_bytes,
            "plan": plan.digest,
            "container": job.settings.container,
        }
        if journal.state.drive is None:
            journal.append("drive", **facts)
        journal.require_about(facts)

    def _require_eligible(self, drive: Drive, on_event: OnEvent) -> None:
        findings = tuple(self.check_drive(drive))
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        if errors:
            raise DriveNotEligibleError(
                f"drive {drive.drive_id} can't be used: "
                + "; ".join(finding.message for finding in errors),
                findings=findings,
            )
        for finding in findings:
            on_event(FindingSeen(finding=finding))

    def _header(self, drive: Drive) -> DriveManifest:
        header = DriveManifest(
            drive_id=drive.drive_id,
            storage_account_key=self.storage_account_key,
            container_sas=self.container_sas,
            client_creator=self.client_creator,
        )
        for finding in check_manifest(header):
            if finding.severity is Severity.ERROR:
                raise ManifestError(str(finding), context="Drive")
        return header
