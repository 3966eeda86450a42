"""
Where a seed stands, by what lies in its job's folder. Changes nothing and asks nobody.
"""

from __future__ import annotations

import datetime as dt
from typing import final

from offlineseed.handover import read_handover
from offlineseed.jobs import Deadline
from offlineseed.staging import StagedJob
from offlineseed.workflow._folder import JobFolder
from offlineseed.workflow._seed_drives import SeedDrives
from offlineseed.workflow._status import (
    SeedStatus,
    SeedStep,
    drive_findings,
    status_text,
    step_of_job,
)

__all__ = ["SeedStanding"]


@final
class SeedStanding:
    """
    What the records of one staged job say, put together.
    """

    def __init__(self, job: StagedJob) -> None:
        self._job = job
        self._folder = JobFolder(job)
        self._drives = SeedDrives(job)

    def status(self, now: dt.datetime) -> SeedStatus:
        """
        See `OfflineSeed.status`; the import job is as last seen.
        """
        seen = self._folder.read_job()
        drives = self._drives.states()
        unplaced = 0
        if seen is None:
            is_staged = self._is_staged()
            unplaced = self._drives.unplaced_bytes() if is_staged else 0
            step = _step_before_the_job(drives, unplaced) if is_staged else SeedStep.INITIATED
        else:
            step = step_of_job(seen.job, read_handover(self._job).stage)
        return SeedStatus(
            name=self._job.name,
            step=step,
            text=status_text(step),
            drives=drives,
            unplaced_bytes=unplaced,
            job=None if seen is None else seen.job,
            seen_at=None if seen is None else seen.seen_at,
            shipping=self._folder.read_shipping(),
            deadlines=self.deadlines(now),
            findings=() if seen is None else drive_findings(seen.job),
        )

    def deadlines(self, now: dt.datetime) -> tuple[Deadline, ...]:
        """
        See `OfflineSeed.deadlines`.
        """
        seen = self._folder.read_job()
        if seen is None:
            return ()
        return seen.entry(self._job.settings.staging_location).deadlines(now)

    def _is_staged(self) -> bool:
        if self._job.seal is not None:
            return True
        return not self._job.catalog_path.exists() and any(True for _ in self._job.blobs())


def _step_before_the_job(drives: list[tuple[str, bool]], unplaced: int) -> SeedStep:
    if not drives:
        return SeedStep.STAGED
    if unplaced or not all(is_prepared for _, is_prepared in drives):
        return SeedStep.PREPARING
    return SeedStep.PREPARED
