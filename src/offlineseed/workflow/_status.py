"""
Where a seed stands, in the article's words where it has some. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import final

import attrs

from offlineseed.findings import Finding
from offlineseed.handover import HandoverStage
from offlineseed.jobs import (
    CopyLog,
    Deadline,
    DriveState,
    ImportJob,
    JobState,
    ShippingRecord,
)

__all__ = [
    "WAITING_FOR_IMPORT_JOB",
    "SeedStatus",
    "SeedStep",
    "drive_findings",
    "status_text",
    "step_of_job",
]

WAITING_FOR_IMPORT_JOB = (
    "Waiting for Azure Import Job to complete. Please check on Azure Management portal for more "
    "information on job status"
)
"""
The status of a scheduled backup whose seed is on its way. Source: the offline backup article,
"Monitoring Azure import job status".
"""


class SeedStep(str, Enum):
    """
    The step of the article's workflow that a seed has reached.
    """

    INITIATED = "initiated"
    """The staging location is known; the backup is not staged whole."""
    STAGED = "staged"
    """The backup lies on the staging location; drives can be prepared."""
    PREPARING = "preparing"
    """Some drives are prepared, and some are not."""
    PREPARED = "prepared"
    """Every drive is prepared; the import job can be created."""
    JOB_CREATED = "job-created"
    """The import job waits for the shipping information."""
    SHIPPED = "shipped"
    """The drives are on their way, or in the datacentre."""
    IMPORTED = "imported"
    """Everything landed: verify it and hand it over."""
    HANDED_OVER = "handed-over"
    """A vault has it: incrementals go over the network, and nothing that was seeded is needed."""
    IMPORT_FAILED = "import-failed"
    """The job ended, and something did not land: repair it over the network."""
    CANCELLED = "cancelled"
    """Somebody cancelled the import job."""


_TEXTS = {
    SeedStep.INITIATED: "Waiting for the initial backup to be written to the staging location",
    SeedStep.STAGED: "Waiting for the drives to be prepared on the copy machine",
    SeedStep.PREPARING: "Waiting for the remaining drives to be prepared on the copy machine",
    SeedStep.PREPARED: "Waiting for the Azure Import Job to be created on the copy machine",
    SeedStep.JOB_CREATED: WAITING_FOR_IMPORT_JOB,
    SeedStep.SHIPPED: WAITING_FOR_IMPORT_JOB,
    SeedStep.IMPORTED: (
        "The Azure Import Job is complete: the next scheduled backup copies the initial backup "
        "from the storage account"
    ),
    SeedStep.HANDED_OVER: (
        "The initial backup is in the vault: the next scheduled backups are incremental"
    ),
    SeedStep.IMPORT_FAILED: (
        "The Azure Import Job ended with errors: see its drives, and repair what did not land"
    ),
    SeedStep.CANCELLED: "The Azure Import Job was cancelled: see its drives for what landed",
}


_DONE = (DriveState.COMPLETED, DriveState.COMPLETED_MORE_INFO, DriveState.SHIPPED_BACK)
_NOTHING_TO_SAY = ("", "notstarted", "inprogress", "completed", "succeeded")


def _deadlines(value: Iterable[Deadline]) -> tuple[Deadline, ...]:
    return tuple(value)


def _findings(value: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(value)


def _pairs(value: Iterable[tuple[str, bool]]) -> tuple[tuple[str, bool], ...]:
    return tuple(value)


@final
@attrs.frozen(kw_only=True)
class SeedStatus:
    """
    Where a seed stands: a snapshot.
    """

    name: str
    """The import job's name."""
    step: SeedStep
    """The step that is reached."""
    text: str
    """The step for a person, in the article's words where it has some."""
    drives: tuple[tuple[str, bool], ...] = attrs.field(default=(), converter=_pairs)
    """Each drive's id, and whether it is prepared."""
    unplaced_bytes: int = 0
    """Bytes of staged blobs that have no drive yet."""
    job: ImportJob | None = None
    """The import job as last seen; None before it is created."""
    seen_at: dt.datetime | None = None
    """When the import job was seen."""
    shipping: ShippingRecord | None = None
    """The shipping information as it was entered."""
    deadlines: tuple[Deadline, ...] = attrs.field(default=(), converter=_deadlines)
    """What happens by itself, the earliest first."""
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=_findings)
    """What a person should know: drives that never arrived, or whose copy failed."""


def status_text(step: SeedStep) -> str:
    """
    Return the status of a step for a person.
    """
    return _TEXTS[step]


def step_of_job(job: ImportJob, handover: HandoverStage = HandoverStage.LANDED) -> SeedStep:
    """
    Return the step that an import job's state means, and how far its hand-over is.

    Once everything was verified at its destination, it does not matter how it got there.
    """
    if job.state == JobState.CREATING:
        return SeedStep.JOB_CREATED
    if not job.is_terminal:
        return SeedStep.SHIPPED
    if handover is HandoverStage.HANDED_OVER:
        return SeedStep.HANDED_OVER
    if handover is HandoverStage.VERIFIED:
        return SeedStep.IMPORTED
    if job.is_cancelled:
        return SeedStep.CANCELLED
    has_failed = job.state == JobState.CLOSED or any(
        finding.code != "drive-completed-with-warnings" for finding in drive_findings(job)
    )
    return SeedStep.IMPORT_FAILED if has_failed else SeedStep.IMPORTED


def drive_findings(job: ImportJob) -> tuple[Finding, ...]:
    """
    Return what went wrong with each drive of a job: which, why, and the next step.
    """
    return tuple(_drive_findings(job))


def _drive_findings(job: ImportJob) -> Iterator[Finding]:
    for drive in job.drives:
        if drive.state == DriveState.NEVER_RECEIVED:
            yield Finding(
                code="drive-never-received",
                subject=drive.drive_id,
                message=(
                    f"drive {drive.drive_id} did not reach the datacentre: ask the carrier for it; "
                    "once the job has ended, repair its blobs from the staging location over the "
                    "network"
                ),
            )
        elif drive.state in _DONE and drive.copy_status.casefold() not in _NOTHING_TO_SAY:
            yield from CopyLog(drive_id=drive.drive_id, status=drive.copy_status).findings()
