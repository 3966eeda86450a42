"""
The article's workflow as one object, which goes on wherever its staging location is reached.

This is the face: each method says what a step does and leaves the doing to the modules beside it.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import final

import attrs
from azure.storage.blob import ContainerClient

from offlineseed.drives import Consent, DrivePreparer, KeyStore, PreparedDrive
from offlineseed.errors import OfflineSeedError, StagedJobNotFoundError
from offlineseed.events import FindingSeen, OnEvent, ignore_events
from offlineseed.findings import Finding
from offlineseed.handover import (
    Handover,
    RepairReport,
    Repairs,
    read_drive_logs,
)
from offlineseed.jobs import (
    Deadline,
    DeliveryPackage,
    ImportJob,
    ImportJobs,
    JobRegistry,
    LogLevel,
    ReturnAddress,
    ReturnShipping,
    WaitingJob,
    check_shipping,
)
from offlineseed.seed import Seal, SeedOptions, SeedWriter, SegmentStore
from offlineseed.settings import SeedSettings
from offlineseed.staging import StagedJob, StagingLocation
from offlineseed.verify import LandedBlobs
from offlineseed.volumes import Drive, VolumeAdapter
from offlineseed.workflow._allotment import Allotment
from offlineseed.workflow._folder import JobFolder
from offlineseed.workflow._import_job import ImportJobOfSeed, JobRequest
from offlineseed.workflow._machine import Machine, read_machine
from offlineseed.workflow._probes import CheckDrive, preflight
from offlineseed.workflow._problems import ReadLogs, import_problems, repair_drives
from offlineseed.workflow._seed_drives import SeedDrives
from offlineseed.workflow._seed_standing import SeedStanding
from offlineseed.workflow._status import SeedStatus
from offlineseed.workflow._workload import Workload

__all__ = ["OfflineSeed"]

_NOT_CREATED = "Initiated"
"""The state of a registry's entry whose import job is not created: no word of the service's."""


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


@final
class OfflineSeed:
    """
    One offline backup, from the wizard to the end of its import job.

    Every step may be repeated: what is done is not done again, and what was interrupted goes on.
    All that a step leaves behind lies on the staging location, so another machine goes on with
    `OfflineSeed.open`; only recovery passwords stay in the key store of the copy machine.

    Got from `initiate`, `open` or `waiting`. Holds nothing open.

    Thread rule: one thread at a time; drives are prepared side by side inside `prepare`.
    """

    def __init__(
        self,
        job: StagedJob,
        *,
        registry: JobRegistry | None = None,
        clock: Callable[[], dt.datetime] = _utc_now,
    ) -> None:
        """
        Take a staged job.

        Args:
            job: the staged job.
            registry: this machine's registry, told of every change; None for none.
            clock: tells the time, aware.
        """
        self.job = job
        """The staged job: its settings, its blobs, its folder."""
        self._registry = registry
        self._clock = clock
        self._folder = JobFolder(job)
        self._drives = SeedDrives(job)
        self._import_job = ImportJobOfSeed(job, registry)
        self._standing = SeedStanding(job)

    def __repr__(self) -> str:
        return f"OfflineSeed({str(self.job.folder)!r})"

    @classmethod
    def initiate(
        cls,
        settings: SeedSettings,
        *,
        workload: Workload = Workload.FILES_AND_FOLDERS,
        source: Machine | None = None,
        registry: JobRegistry | None = None,
        clock: Callable[[], dt.datetime] = _utc_now,
    ) -> OfflineSeed:
        """
        Begin an offline backup on the source machine, or find it again.

        Args:
            settings: the wizard's inputs.
            workload: what is backed up.
            source: this machine; read from its firmware by default.
            registry: this machine's registry; the job waits there from now on.
            clock: tells the time, aware.

        Raises:
            StagedJobExistsError: the staging location has a job of that name with other settings.
            OSError: the staging location can't be written to.
        """
        job = StagingLocation(settings.staging_location).open_or_create(settings)
        folder = JobFolder(job)
        record = folder.read_workflow()
        if record.source is None:
            folder.write_workflow(
                attrs.evolve(record, workload=workload, source=source or read_machine())
            )
        seed = cls(job, registry=registry, clock=clock)
        if registry is not None and folder.read_job() is None:
            registry.put_job(
                WaitingJob(
                    name=job.name,
                    staging_location=settings.staging_location,
                    state=_NOT_CREATED,
                    created_at=job.created,
                )
            )
        return seed

    @classmethod
    def open(
        cls,
        staging: StagingLocation | str | os.PathLike[str],
        name: str | None = None,
        *,
        registry: JobRegistry | None = None,
        clock: Callable[[], dt.datetime] = _utc_now,
    ) -> OfflineSeed:
        """
        Go on with an offline backup from its staging location, on any machine.

        Args:
            staging: the staging location.
            name: the import job's name; None where the staging location has one job only.
            registry: this machine's registry.
            clock: tells the time, aware.

        Raises:
            StagedJobNotFoundError: there is none of that name, or no name was given and there is
                not exactly one.
        """
        location = staging if isinstance(staging, StagingLocation) else StagingLocation(staging)
        if name is not None:
            return cls(location.open(name), registry=registry, clock=clock)
        found = tuple(location)
        if len(found) != 1:
            names = ", ".join(job.name for job in found) or "none"
            raise StagedJobNotFoundError(
                f"{location.path} does not have exactly one import job: name one of: {names}"
            )
        return cls(found[0], registry=registry, clock=clock)

    @classmethod
    def waiting(
        cls,
        registry: JobRegistry,
        *,
        clock: Callable[[], dt.datetime] = _utc_now,
        on_event: OnEvent = ignore_events,
    ) -> Iterator[OfflineSeed]:
        """
        Yield the offline backups that wait on this machine, the oldest first.

        One that can't be opened, as where its share is not connected, is passed over: it must not
        hide the others. The registry's `list_jobs` has it all the same.

        Args:
            registry: this machine's registry.
            clock: tells the time, aware.
            on_event: gets a `FindingSeen` for each that is passed over.

        Raises:
            StagingError, OSError: the registry can't be read.
        """
        for entry in registry.list_jobs():
            try:
                seed = cls.open(entry.staging_location, entry.name, registry=registry, clock=clock)
            except (OfflineSeedError, OSError) as error:
                message = f"import job {entry.name!r} waits, and can't be opened: {error}"
                finding = Finding(code="job-not-reached", subject=entry.name, message=message)
                on_event(FindingSeen(finding=finding))
            else:
                yield seed

    @property
    def workload(self) -> Workload:
        """
        What is backed up.
        """
        return self._folder.read_workflow().workload

    def preflight(
        self,
        *,
        needed_bytes: int | None = None,
        copy_machine: Machine | None = None,
        drives: Iterable[Drive] | None = None,
        volumes: VolumeAdapter | None = None,
        check_drive: CheckDrive | None = None,
        jobs: ImportJobs | None = None,
        container: ContainerClient | None = None,
    ) -> tuple[Finding, ...]:
        """
        Check what can be checked now, with what the staging location knows. See `preflight`.
        """
        record = self._folder.read_workflow()
        return preflight(
            self.job.settings,
            location=self.job.folder.parent,
            workload=record.workload,
            needed_bytes=needed_bytes,
            source=record.source,
            copy_machine=copy_machine,
            drives=drives,
            volumes=volumes,
            check_drive=check_drive,
            jobs=jobs,
            container=container,
        )

    def stage(
        self,
        source: str | os.PathLike[str] | Callable[[SeedWriter], object],
        *,
        options: SeedOptions | None = None,
        needed_bytes: int = 0,
        take_over: bool = False,
        on_event: OnEvent = ignore_events,
    ) -> Seal:
        """
        Write the initial backup to the staging location and seal it: the article's "Back up now".

        A product with containers of its own stages them with `job.add_blob` instead, or besides.

        Args:
            source: a folder, or a function that adds items to a writer.
            options: how to write.
            needed_bytes: free space that must be there before anything is written.
            take_over: take a lock over that another machine left.
            on_event: gets progress events.

        Returns:
            The seal. Keep its digest on the source: it proves what lands.

        Raises:
            StagingLockedError: another writer is at work.
            StagingFullError: there is too little room.
        """
        seal = self.job.seal
        if seal is not None:
            return seal
        with self.job.write_seed(
            options=options, needed_bytes=needed_bytes, take_over=take_over, on_event=on_event
        ) as writer:
            if callable(source):
                source(writer)
            else:
                writer.add_tree(source)
            return writer.seal()

    def plan(self, volumes: VolumeAdapter, drives: Iterable[Drive] = ()) -> Allotment:
        """
        Say which drive gets what and what has no drive yet. Nothing is kept or changed.

        Args:
            volumes: makes the drives' volumes.
            drives: drives to fill up, in this order; those that have a share keep it.

        Raises:
            StagingError: the backup is not staged whole.
            DriveError: a drive's share is not of these blobs.
        """
        return self._drives.plan(volumes, drives)

    def prepare(
        self,
        preparer: DrivePreparer,
        drives: Iterable[Drive],
        *,
        consents: Iterable[Consent],
        is_partial: bool = False,
        executor: Executor | None = None,
        on_event: OnEvent = ignore_events,
    ) -> tuple[PreparedDrive, ...]:
        """
        Prepare drives for shipment, or go on with them.

        Drives may be attached one after the other: with `is_partial` a drive is filled up though
        others are still missing, and `plan` says what is left.

        Args:
            preparer: prepares each of them.
            drives: the drives that are attached.
            consents: the owner's word for each of them.
            is_partial: go on where the drives do not hold everything.
            executor: runs the drives; None for a thread each.
            on_event: gets the events of all drives.

        Returns:
            The drives that were given a share, prepared.

        Raises:
            NotEnoughDrivesError: more drives are needed, and not `is_partial`; nothing was begun.
            StagingError: the backup is not staged whole.
            OfflineSeedError, OSError: whatever preparing a drive raises.
        """
        return self._drives.prepare(
            preparer,
            tuple(drives),
            consents=consents,
            is_partial=is_partial,
            executor=executor,
            on_event=on_event,
        )

    def forget_drive(self, drive_id: str) -> None:
        """
        Take a drive's share away, as when the drive broke: another drive gets it, the rest stay.

        The drive's journal and manifest are deleted with it.

        Raises:
            DriveError: the drive has none.
            JobStateError: the import job is past its creation: the drive may be on its way.
        """
        self._drives.forget(drive_id)

    def prepared_drives(self, keys: KeyStore) -> tuple[PreparedDrive, ...]:
        """
        Return every drive of the job, with its recovery password.

        Raises:
            NotEnoughDrivesError: blobs are left that no drive has.
            DriveError: a drive is not prepared, or its recovery password is not in the key store.
        """
        return self._drives.prepared(keys)

    def create_job(
        self,
        jobs: ImportJobs,
        *,
        keys: KeyStore,
        region: str,
        return_address: ReturnAddress | None = None,
        return_shipping: ReturnShipping | None = None,
        storage_account: str | None = None,
        log_level: LogLevel = LogLevel.VERBOSE,
        on_event: OnEvent = ignore_events,
    ) -> ImportJob:
        """
        Create the import job in Azure, or find it again.

        The returned job says where to ship the drives. With a verbose log the service tells which
        blobs landed under another name.

        Args:
            jobs: the import service.
            keys: has the drives' recovery passwords.
            region: the storage account's region; the service says which location takes its drives.
            return_address: where the drives go afterwards; some dialects want it now.
            return_shipping: by whom they come back.
            storage_account: the account's resource id; by default the name in the settings.
            log_level: how much the copy logs tell.
            on_event: gets a `JobChanged`.

        Raises:
            NotEnoughDrivesError: blobs are left that no drive has.
            DriveError: a drive is not prepared, or its recovery password is not in the key store.
            JobError: another job has that name.
            JobStateError: the job was cancelled, or has other drives and it is too late to
                replace it.
            ShippingError: the service takes no drives for that region.
        """
        request = JobRequest(
            drives=self.prepared_drives(keys),
            region=region,
            return_address=return_address,
            return_shipping=return_shipping,
            storage_account=storage_account or self.job.settings.storage_account,
            log_level=log_level,
        )
        return self._import_job.create(jobs, request, now=self._clock(), on_event=on_event)

    def check_shipping(
        self,
        jobs: ImportJobs,
        package: DeliveryPackage,
        *,
        return_address: ReturnAddress | None = None,
        return_shipping: ReturnShipping | None = None,
    ) -> tuple[Finding, ...]:
        """
        Check shipping information against every rule, before it is committed. Changes nothing.

        Raises:
            JobNotFoundError: the import job is not created.
        """
        return check_shipping(
            self._import_job.shipment(
                jobs, package, return_address=return_address, return_shipping=return_shipping
            )
        )

    def update_shipping(
        self,
        jobs: ImportJobs,
        package: DeliveryPackage,
        *,
        return_address: ReturnAddress | None = None,
        return_shipping: ReturnShipping | None = None,
        on_event: OnEvent = ignore_events,
    ) -> ImportJob:
        """
        Tell the service that the package is on its way, and keep what was entered.

        A package without a number of drives has all of the job's.

        Args:
            jobs: the import service.
            package: the package, as entered.
            return_address: where the drives go afterwards; None leaves what the job has.
            return_shipping: by whom they come back; None leaves what the job has.
            on_event: gets a `FindingSeen` for each warning, and a `JobChanged`.

        Raises:
            JobNotFoundError: the import job is not created.
            TrackingNumberInUseError: another job has the tracking number.
            ShippingError: another rule is broken; has all findings.
            JobStateError: the service says that it is too late.
        """
        shipment = self._import_job.shipment(
            jobs, package, return_address=return_address, return_shipping=return_shipping
        )
        return self._import_job.ship(jobs, shipment, now=self._clock(), on_event=on_event)

    def status(
        self, jobs: ImportJobs | None = None, *, on_event: OnEvent = ignore_events
    ) -> SeedStatus:
        """
        Return where the seed stands.

        Args:
            jobs: the import service, asked for a new snapshot; None shows the job as last seen.
            on_event: gets a `JobChanged` where the job moved, and a `FindingSeen` for each drive
                that went wrong.

        Raises:
            JobNotFoundError: the service deleted the job before anything arrived.
        """
        now = self._clock()
        if jobs is not None and self._folder.read_job() is not None:
            self._import_job.refresh(jobs, now=now, on_event=on_event)
        status = self._standing.status(now)
        for finding in status.findings:
            on_event(FindingSeen(finding=finding))
        return status

    def deadlines(self, now: dt.datetime | None = None) -> tuple[Deadline, ...]:
        """
        Return what happens by itself to the import job as last seen, the earliest first.

        Args:
            now: the time, aware; by the clock where None.
        """
        return self._standing.deadlines(now or self._clock())

    def problems(self, read_logs: ReadLogs = read_drive_logs) -> tuple[Finding, ...]:
        """
        Return everything that went wrong in the datacentre, by the job as last seen and its copy
        logs: which drive, which blob, why, and the next step.

        Args:
            read_logs: reads a drive's copy logs; `read_drive_logs` with the storage account's
                client bound to it where they lie in Azure.

        Raises:
            CopyLogError, AzureError, OSError: a copy log can't be read.
        """
        seen = self._folder.read_job()
        return () if seen is None else import_problems(seen.job, read_logs)

    def repair(
        self,
        destination: Repairs,
        *,
        read_logs: ReadLogs = read_drive_logs,
        may_overwrite: bool = False,
        on_event: OnEvent = ignore_events,
    ) -> tuple[RepairReport, ...]:
        """
        Upload over the network what the drives did not bring. See `offlineseed.handover.repair`.

        Args:
            destination: the container that the job imported to.
            read_logs: reads a drive's copy logs, as in `problems`.
            may_overwrite: replace other blobs that kept ours from landing.
            on_event: gets a `BlobVerified` for each repaired blob.

        Returns:
            A report for each drive that did not bring everything.

        Raises:
            JobStateError: the import job, as last seen, is not done.
            OfflineSeedError, AzureError, OSError: whatever a repair raises.
        """
        return repair_drives(
            self.job,
            destination,
            read_logs=read_logs,
            may_overwrite=may_overwrite,
            on_event=on_event,
        )

    def handover(self, landed: LandedBlobs, *, store: SegmentStore | None = None) -> Handover:
        """
        Return what verifies the landed seed and hands it to a vault. See `Handover`.

        Args:
            landed: the container.
            store: the landed seed for reading, such as a `BlobStore` with the job's name as its
                prefix; None for a job of opaque blobs only.
        """
        return Handover(self.job, landed, store=store)

    def stop_waiting(self) -> None:
        """
        Take the job out of this machine's registry, as when it was handed over.
        """
        if self._registry is not None:
            self._registry.delete_job(
                self.job.name, staging_location=self.job.settings.staging_location
            )
