"""
A seed's import job: created, shipped and seen, with a record of each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import final

import attrs

from offlineseed.drives import PreparedDrive
from offlineseed.errors import JobError, JobNotFoundError, JobStateError
from offlineseed.events import FindingSeen, JobChanged, OnEvent
from offlineseed.jobs import (
    DeliveryPackage,
    ImportJob,
    ImportJobs,
    JobAction,
    JobDrive,
    JobRegistry,
    JobState,
    LogLevel,
    ReturnAddress,
    ReturnShipping,
    Shipment,
    ShippingRecord,
    require_shipping,
    same_tracking_number,
    taken_tracking_numbers,
)
from offlineseed.staging import StagedJob
from offlineseed.workflow._documents import SeenJob
from offlineseed.workflow._folder import JobFolder

__all__ = ["ImportJobOfSeed", "JobRequest"]


def _drives(value: Iterable[PreparedDrive]) -> tuple[PreparedDrive, ...]:
    return tuple(value)


@final
@attrs.frozen(kw_only=True)
class JobRequest:
    """
    What an import job is to be created with.
    """

    drives: tuple[PreparedDrive, ...] = attrs.field(converter=_drives)
    """All drives, prepared."""
    region: str
    """The storage account's region."""
    return_address: ReturnAddress | None
    """Where the drives go afterwards."""
    return_shipping: ReturnShipping | None
    """By whom they come back."""
    storage_account: str
    """The account's resource id, or its plain name in the classic dialect."""
    log_level: LogLevel
    """How much the copy logs tell."""


@final
class ImportJobOfSeed:
    """
    The import job of one staged job.

    Every answer of the service is written to `job.json` and to this machine's registry before
    anything else happens, so that no machine forgets a job that exists.
    """

    def __init__(self, job: StagedJob, registry: JobRegistry | None) -> None:
        self._job = job
        self._registry = registry
        self._folder = JobFolder(job)

    def create(
        self, jobs: ImportJobs, request: JobRequest, *, now: dt.datetime, on_event: OnEvent
    ) -> ImportJob:
        """
        Create the import job, or find it: see `OfflineSeed.create_job`.
        """
        location = jobs.get_location(request.region)
        wanted = ImportJob(
            name=self._job.name,
            storage_account=request.storage_account,
            location=location.name,
            drives=[
                JobDrive(
                    drive_id=drive.drive_id,
                    recovery_password=drive.recovery_password,
                    manifest_file=drive.manifest_file,
                    manifest_hash=drive.manifest_hash,
                )
                for drive in request.drives
            ],
            return_address=request.return_address,
            return_shipping=request.return_shipping,
            log_level=request.log_level,
        )
        found = self._find(jobs, wanted)
        job = found or jobs.create_job(wanted)
        if job.shipping_information is None:
            # Some dialects tell the address with the location only.
            job = attrs.evolve(job, shipping_information=location.shipping_information)
        known = self._folder.read_job()
        if found is not None and known is not None:
            seen = known.seen(job, now)
        else:
            created = job.created_at or now
            seen = SeenJob(job=job, seen_at=now, created_at=created, updated_at=created)
            seen = seen.seen(job, now)
        if found is None:
            seen = attrs.evolve(seen, updated_at=now)
        self._keep(seen, known, on_event)
        return job

    def shipment(
        self,
        jobs: ImportJobs,
        package: DeliveryPackage,
        *,
        return_address: ReturnAddress | None,
        return_shipping: ReturnShipping | None,
    ) -> Shipment:
        """
        Return the shipment that these inputs make, with everything that it is checked against.
        """
        job = jobs.get_job(self._job.name)
        if package.drive_count is None:
            package = attrs.evolve(package, drive_count=len(job.drives))
        return Shipment(
            job=job,
            package=package,
            return_address=return_address,
            return_shipping=return_shipping,
            location=jobs.get_location(job.location) if job.location else None,
            taken_tracking_numbers=taken_tracking_numbers(
                self._registry,
                jobs.list_jobs(),
                own=(self._job.name, self._job.settings.staging_location),
            ),
        )

    def ship(
        self, jobs: ImportJobs, shipment: Shipment, *, now: dt.datetime, on_event: OnEvent
    ) -> ImportJob:
        """
        Give the shipping information: see `OfflineSeed.update_shipping`.
        """
        job = shipment.job
        if not _has_shipped(shipment):
            for finding in require_shipping(shipment):
                on_event(FindingSeen(finding=finding))
            job = jobs.update_shipping(
                job.name,
                shipment.package,
                return_address=shipment.return_address,
                return_shipping=shipment.return_shipping,
            )
        known = self._folder.read_shipping()
        if known is None or known.package != shipment.package:
            self._folder.write_shipping(
                ShippingRecord(
                    package=shipment.package,
                    return_address=shipment.effective_return_address,
                    return_shipping=shipment.effective_return_shipping,
                    entered_at=now,
                )
            )
        self._see(job, now=now, on_event=on_event)
        return job

    def refresh(self, jobs: ImportJobs, *, now: dt.datetime, on_event: OnEvent) -> SeenJob:
        """
        Ask the service for the job and keep what it says.

        A job that was done is gone after ninety days: then what was seen last is all there is.
        """
        try:
            job = jobs.get_job(self._job.name)
        except JobNotFoundError as error:
            known = self._folder.read_job()
            if known is not None and known.job.is_terminal:
                return known
            raise JobNotFoundError(
                f"the service has no import job {self._job.name!r} any more: it deletes one that "
                "has no tracking number for two weeks; create it again, with the same drives",
                name=self._job.name,
            ) from error
        return self._see(job, now=now, on_event=on_event)

    def _find(self, jobs: ImportJobs, wanted: ImportJob) -> ImportJob | None:
        """
        Return the job that the service has, where it is this one; None where it is to be made.
        """
        try:
            found = jobs.get_job(wanted.name)
        except JobNotFoundError:
            return None
        if found.cancel_requested:
            raise JobStateError(
                f"import job {wanted.name!r} was cancelled: delete it at the service and create it "
                "again, with the same drives",
                current=found.raw_state or str(found.state),
                wanted=JobAction.REPLACE.value,
            )
        if _has_same_drives(found, wanted):
            return found
        if self._folder.read_job() is None:
            names = ", ".join(drive.drive_id for drive in found.drives) or "none"
            raise JobError(
                f"the service already has an import job {wanted.name!r} with other drives "
                f"({names}): delete that one, or initiate this backup under another name"
            )
        return None

    def _see(self, job: ImportJob, *, now: dt.datetime, on_event: OnEvent) -> SeenJob:
        known = self._folder.read_job()
        if known is None:
            seen = SeenJob(
                job=job, seen_at=now, created_at=job.created_at or now, updated_at=job.created_at
            ).seen(job, now)
        else:
            if job.shipping_information is None:
                job = attrs.evolve(job, shipping_information=known.job.shipping_information)
            seen = known.seen(job, now)
        self._keep(seen, known, on_event)
        return seen

    def _keep(self, seen: SeenJob, known: SeenJob | None, on_event: OnEvent) -> None:
        self._folder.write_job(seen)
        if self._registry is not None:
            self._registry.put_job(seen.entry(self._job.settings.staging_location))
        if known is None or known.job.state != seen.job.state:
            on_event(JobChanged(job_name=seen.job.name, state=str(seen.job.state)))


def _has_same_drives(one: ImportJob, other: ImportJob) -> bool:
    def hashes(job: ImportJob) -> dict[str, str]:
        return {drive.drive_id.upper(): drive.manifest_hash.upper() for drive in job.drives}

    left, right = hashes(one), hashes(other)
    # Not every dialect tells the manifests' hashes.
    return left.keys() == right.keys() and all(
        not left[drive_id] or left[drive_id] == right[drive_id] for drive_id in left
    )


def _has_shipped(shipment: Shipment) -> bool:
    """
    Whether the service knows the package already: an interrupted run told it.
    """
    known = shipment.job.delivery_package
    return (
        shipment.job.state != JobState.CREATING
        and known is not None
        and known.carrier_name == shipment.package.carrier_name
        and same_tracking_number(known.tracking_number, shipment.package.tracking_number)
        and shipment.return_address in (None, shipment.job.return_address)
        and shipment.return_shipping in (None, shipment.job.return_shipping)
    )
