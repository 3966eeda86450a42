"""
What went wrong in the datacentre, by a job's drives and their copy logs, and its repair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import attrs

from offlineseed.errors import JobStateError
from offlineseed.events import OnEvent
from offlineseed.findings import Finding
from offlineseed.handover import RepairReport, Repairs, read_manifests, repair
from offlineseed.jobs import CopyLog, DriveState, ImportJob, JobDrive
from offlineseed.staging import StagedJob
from offlineseed.workflow._folder import JobFolder
from offlineseed.workflow._status import drive_findings

__all__ = ["ReadLogs", "import_problems", "repair_drives"]

ReadLogs = Callable[[JobDrive], Iterable[CopyLog]]
"""Reads a drive's copy logs, the one that tells most first."""


def import_problems(job: ImportJob, read_logs: ReadLogs) -> tuple[Finding, ...]:
    """
    Return every finding about a job's drives and blobs; each message names the drive.
    """
    return tuple(_problems(job, read_logs))


def repair_drives(
    staged: StagedJob,
    destination: Repairs,
    *,
    read_logs: ReadLogs,
    may_overwrite: bool,
    on_event: OnEvent,
) -> tuple[RepairReport, ...]:
    """
    Repair what the drives of a job, as last seen, did not bring: see `OfflineSeed.repair`.
    """
    seen = JobFolder(staged).read_job()
    if seen is None or not seen.job.is_terminal:
        state = "not created" if seen is None else seen.job.raw_state or str(seen.job.state)
        raise JobStateError(
            f"import job {staged.name!r} is {state}: what it has not landed may still land; ask "
            "for its status and repair when it is done",
            current=state,
            wanted="repair",
        )
    reports = []
    for drive_id, log in _logs_to_repair(seen.job, read_logs):
        (manifest,) = read_manifests(staged, [drive_id])
        reports.append(
            repair(
                staged,
                manifest,
                destination,
                log=log,
                may_overwrite=may_overwrite,
                on_event=on_event,
            )
        )
    return tuple(reports)


def _logs_to_repair(job: ImportJob, read_logs: ReadLogs) -> Iterator[tuple[str, CopyLog | None]]:
    """
    Yield the drives that did not bring everything, with their copy logs; None where there is none.
    """
    for drive in job.drives:
        if drive.state == DriveState.NEVER_RECEIVED:
            yield drive.drive_id, None
            continue
        log = next(iter(read_logs(drive)), None)
        if log is not None:
            is_telling = log.is_complete and log.status.casefold().startswith("completed")
            if log.failed_blobs() or not is_telling:
                yield drive.drive_id, log
        elif _has_failed(job, drive):
            yield drive.drive_id, None


def _problems(job: ImportJob, read_logs: ReadLogs) -> Iterator[Finding]:
    for drive in job.drives:
        log = next(iter(read_logs(drive)), None)
        if log is None:
            yield from _findings_of(job, drive)
            continue
        for finding in attrs.evolve(log, drive_id=drive.drive_id).findings():
            prefix = f"drive {drive.drive_id}"
            if finding.message.startswith(prefix):
                yield finding
            else:
                yield attrs.evolve(
                    finding, message=f"{prefix}, {finding.subject}: {finding.message}"
                )


def _has_failed(job: ImportJob, drive: JobDrive) -> bool:
    return any(
        finding.code != "drive-completed-with-warnings" for finding in _findings_of(job, drive)
    )


def _findings_of(job: ImportJob, drive: JobDrive) -> tuple[Finding, ...]:
    return drive_findings(attrs.evolve(job, drives=[drive]))
