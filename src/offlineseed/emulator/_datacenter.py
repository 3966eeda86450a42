"""
The datacentre: takes packages in, copies drives, sends them back.
"""

from __future__ import annotations

import threading
from typing import final

from offlineseed.emulator._destination import Destination
from offlineseed.emulator._faults import Faults
from offlineseed.emulator._intake import DriveIntake
from offlineseed.emulator._job import JobKey, ServiceDrive, ServiceJob
from offlineseed.emulator._jobbook import JobBook
from offlineseed.emulator._order import DriveOutcome, DriveProgress, IntakeOrder
from offlineseed.emulator._package import Package, Receipt, ShippedDrive
from offlineseed.emulator._states import DriveWord, JobWord
from offlineseed.errors import JobNotFoundError, JobStateError
from offlineseed.events import JobChanged, OnEvent

__all__ = ["Datacenter"]

_OPEN_FOR_DRIVES = (JobWord.SHIPPING, JobWord.RECEIVED, JobWord.TRANSFERRING)


@final
class Datacenter:
    """
    Where the drives go.

    Nothing happens by itself: `receive` takes a package in, `process` does everything that there
    is to do, `step` one stage of it. All work is done in the caller's thread and a few that it
    waits for, so the events come from there too.
    """

    def __init__(
        self, book: JobBook, destination: Destination, *, faults: Faults, on_event: OnEvent
    ) -> None:
        self._book = book
        self._destination = destination
        self._faults = faults
        self._on_event = on_event
        self._shelf: dict[tuple[JobKey, str], ShippedDrive] = {}
        self._working = threading.Lock()

    def receive(self, package: Package) -> Receipt:
        """
        Take a package in: find its jobs by the tracking number, and their drives by drive id.

        A drive that a job names and the package lacks is marked as never received; it may come
        later, in another package of the same tracking number.

        Raises:
            JobNotFoundError: no job has that tracking number.
            JobStateError: its job is not one that waits for drives.
        """
        shipped = {
            drive.drive_id.upper(): drive
            for drive in package.drives
            if not self._faults.take(drive.drive_id, "lost")
        }
        received: list[str] = []
        missing: list[str] = []
        used: set[str] = set()
        changed: list[ServiceJob] = []
        with self._book.lock:
            jobs = self._jobs_of(package.tracking_number)
            for job in jobs:
                for drive in job.drives:
                    wanted = drive.drive_id.upper()
                    if wanted in shipped and wanted not in used:
                        used.add(wanted)
                        self._shelf[job.key, wanted] = shipped[wanted]
                        drive.state = DriveWord.RECEIVED
                        received.append(drive.drive_id)
                    elif drive.state in (DriveWord.SPECIFIED, DriveWord.NEVER_RECEIVED):
                        drive.state = DriveWord.NEVER_RECEIVED
                        missing.append(drive.drive_id)
                is_there = any(drive.state is DriveWord.RECEIVED for drive in job.drives)
                if job.state is JobWord.SHIPPING and is_there:
                    job.enter(JobWord.RECEIVED, self._book.clock.now())
                    changed.append(job)
        for job in changed:
            self._on_event(JobChanged(job_name=job.name, state=job.state.value))
        return Receipt(
            job_names=tuple(job.name for job in jobs),
            received=tuple(received),
            missing=tuple(missing),
            extra=tuple(
                drive.drive_id for drive in package.drives if drive.drive_id.upper() not in used
            ),
        )

    def process(self) -> None:
        """
        Do all that there is to do: copy every received drive, and send the drives back.

        An exception of the event listener stops it; the next call takes up the drive that was
        being copied from its beginning.

        Raises:
            AdapterUnavailableError: a drive is an image, and the readers are not installed.
        """
        while self.step():
            pass

    def step(self) -> bool:
        """
        Move every job that can move on by one stage; return whether there was one.

        The stages: Received, Transferring (the drives wait for their copy), Packaging (they are
        copied), Completed or Closed (they are on their way back).

        Raises:
            AdapterUnavailableError: a drive is an image, and the readers are not installed.
        """
        with self._working:
            moved = False
            for job in self._book.jobs():
                before = job.state
                if job.state is JobWord.RECEIVED:
                    self._begin(job)
                elif job.state is JobWord.TRANSFERRING:
                    self._transfer(job)
                elif job.state is JobWord.PACKAGING:
                    self._send_back(job)
                if job.state is not before:
                    moved = True
                    self._on_event(JobChanged(job_name=job.name, state=job.state.value))
            return moved

    def _jobs_of(self, tracking_number: str) -> tuple[ServiceJob, ...]:
        wanted = tracking_number.strip().upper()
        known = [job for job in self._book.jobs() if job.tracking_number.strip().upper() == wanted]
        if not wanted or not known:
            raise JobNotFoundError(
                f"no import job has the tracking number {tracking_number!r}: update the job's "
                "shipping information first"
            )
        waiting = tuple(job for job in known if job.state in _OPEN_FOR_DRIVES)
        if not waiting:
            raise JobStateError(
                f"import job {known[0].name!r} does not wait for drives: mark it as shipped, or "
                "make a new job",
                current=known[0].state.value,
                wanted=JobWord.RECEIVED.value,
            )
        return waiting

    def _begin(self, job: ServiceJob) -> None:
        with self._book.lock:
            now = self._book.clock.now()
            if job.cancel_requested:
                job.enter(JobWord.PACKAGING, now)
                return
            for drive in job.drives:
                if drive.state is DriveWord.RECEIVED:
                    drive.state = DriveWord.TRANSFERRING
                    drive.copy_status = "InProgress"
            job.enter(JobWord.TRANSFERRING, now)

    def _transfer(self, job: ServiceJob) -> None:
        for drive in job.drives:
            if job.cancel_requested:
                break
            if drive.state in (DriveWord.RECEIVED, DriveWord.TRANSFERRING):
                self._copy(job, drive)
        with self._book.lock:
            job.enter(JobWord.PACKAGING, self._book.clock.now())

    def _copy(self, job: ServiceJob, drive: ServiceDrive) -> None:
        with self._book.lock:
            drive.state = DriveWord.TRANSFERRING
            drive.copy_status = "InProgress"
            order = IntakeOrder(
                job_name=job.name,
                drive_id=drive.drive_id,
                recovery_password=drive.recovery_password,
                manifest_file=drive.manifest_file,
                manifest_hash=drive.manifest_hash,
                is_verbose=job.is_verbose,
                is_manifest_backed_up=job.is_manifest_backed_up,
                logs_path=job.logs_path,
                copy_log_format=job.copy_log_format,
                order_id=job.order_id,
                now=self._book.clock.now(),
            )

        def on_progress(progress: DriveProgress) -> None:
            with self._book.lock:
                drive.blobs_done = progress.blobs_done
                drive.blobs_failed = progress.blobs_failed
                drive.total_blobs = progress.total_blobs
                drive.bytes_succeeded = progress.bytes_succeeded
                drive.total_bytes = progress.total_bytes

        intake = DriveIntake(
            order,
            self._shelf[job.key, drive.drive_id.upper()],
            self._destination,
            faults=self._faults,
            on_event=self._on_event,
            on_progress=on_progress,
        )
        outcome = intake.run()
        with self._book.lock:
            _settle(drive, outcome)

    def _send_back(self, job: ServiceJob) -> None:
        with self._book.lock:
            now = self._book.clock.now()
            is_clean = job.cancel_requested or not any(
                drive.has_errors or drive.state is DriveWord.NEVER_RECEIVED for drive in job.drives
            )
            for drive in job.drives:
                if drive.state is not DriveWord.NEVER_RECEIVED:
                    drive.state = DriveWord.SHIPPED_BACK
                    self._shelf.pop((job.key, drive.drive_id.upper()), None)
            job.return_tracking_number = f"RETURN-{job.tracking_number}"
            job.returned = now
            job.enter(JobWord.COMPLETED if is_clean else JobWord.CLOSED, now)


def _settle(drive: ServiceDrive, outcome: DriveOutcome) -> None:
    drive.copy_status = outcome.status
    drive.verbose_log_uri = outcome.verbose_log_uri
    drive.error_log_uri = outcome.error_log_uri
    drive.manifest_uri = outcome.manifest_uri
    drive.state = DriveWord.COMPLETED_MORE_INFO if drive.has_errors else DriveWord.COMPLETED
