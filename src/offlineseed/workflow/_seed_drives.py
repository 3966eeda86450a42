"""
A seed's drives: who has which share, and who is prepared.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from concurrent.futures import Executor
from typing import final

import attrs

from offlineseed.drives import (
    Consent,
    DrivePreparer,
    DriveSpace,
    KeyStore,
    PreparedDrive,
    load_prepared_drive,
    prepare_drives,
)
from offlineseed.errors import DriveError
from offlineseed.events import OnEvent
from offlineseed.jobs import JobAction, require_action
from offlineseed.staging import StagedJob
from offlineseed.volumes import Drive, VolumeAdapter
from offlineseed.workflow._allotment import Allotment, allot
from offlineseed.workflow._folder import JobFolder

__all__ = ["SeedDrives"]


@final
class SeedDrives:
    """
    The drives of one staged job, as `workflow.json` has them.
    """

    def __init__(self, job: StagedJob) -> None:
        self._job = job
        self._folder = JobFolder(job)

    def plan(self, volumes: VolumeAdapter, drives: Iterable[Drive]) -> Allotment:
        """
        See `OfflineSeed.plan`.
        """
        known = self._folder.read_workflow().drives
        has_share = {one.drive_id for one in known}
        further = [
            (
                DriveSpace(drive_id=drive.drive_id, capacity=volumes.capacity(drive)),
                drive.size_bytes,
            )
            for drive in drives
            if drive.drive_id not in has_share
        ]
        return allot(self._job, known, further=further)

    def prepare(
        self,
        preparer: DrivePreparer,
        drives: tuple[Drive, ...],
        *,
        consents: Iterable[Consent],
        is_partial: bool,
        executor: Executor | None,
        on_event: OnEvent,
    ) -> tuple[PreparedDrive, ...]:
        """
        See `OfflineSeed.prepare`.
        """
        _ = self._job.seal  # publishes one that a crash left behind, under the same lock
        with self._job.lock():
            allotment = self.plan(preparer.volumes, drives)
            if not is_partial:
                allotment.require_complete()
            record = self._folder.read_workflow()
            if allotment.drives != record.drives:
                self._folder.write_workflow(attrs.evolve(record, drives=allotment.drives))
        shares = (allotment.drive(drive.drive_id) for drive in drives)
        return prepare_drives(
            preparer,
            self._job,
            plans=[share.plan for share in shares if share is not None],
            drives=drives,
            consents=consents,
            executor=executor,
            on_event=on_event,
        )

    def forget(self, drive_id: str) -> None:
        """
        See `OfflineSeed.forget_drive`.
        """
        seen = self._folder.read_job()
        if seen is not None:
            # Its blobs may be on their way: what it does not bring is repaired, not shipped twice.
            require_action(seen.job, JobAction.REPLACE)
        with self._job.lock():
            record = self._folder.read_workflow()
            kept = tuple(one for one in record.drives if one.drive_id != drive_id)
            if len(kept) == len(record.drives):
                raise DriveError(f"drive {drive_id} has no share of {self._job.name}: see `plan`")
            self._folder.write_workflow(attrs.evolve(record, drives=kept))
            # Without its journal it is prepared from the start, should it come back.
            shutil.rmtree(self._job.drive_folder(drive_id))

    def prepared(self, keys: KeyStore) -> tuple[PreparedDrive, ...]:
        """
        See `OfflineSeed.prepared_drives`.
        """
        known = self._folder.read_workflow().drives
        allot(self._job, known).require_complete()
        return tuple(load_prepared_drive(self._job, one.drive_id, keys=keys) for one in known)

    def states(self) -> list[tuple[str, bool]]:
        """
        Return each drive's id, and whether it is prepared.
        """
        folder = self._job.folder / "drives"
        return [
            (one.drive_id, (folder / one.drive_id / "prepared.json").exists())
            for one in self._folder.read_workflow().drives
        ]

    def unplaced_bytes(self) -> int:
        """
        Return the bytes of staged blobs that have no drive yet.
        """
        return allot(self._job, self._folder.read_workflow().drives).unplaced_bytes
