"""
Preparing several drives at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from typing import final

from offlineseed.drives._models import Consent, PreparedDrive, require_consent
from offlineseed.drives._plan import DrivePlan
from offlineseed.drives._prepared import load_prepared_drive
from offlineseed.drives._preparer import DrivePreparer
from offlineseed.drives._source import BlobSource
from offlineseed.errors import ConsentError, DriveError
from offlineseed.events import Event, FindingSeen, OnEvent, ignore_events
from offlineseed.findings import Finding
from offlineseed.volumes import Drive

__all__ = ["prepare_drives"]


def prepare_drives(
    preparer: DrivePreparer,
    job: BlobSource,
    *,
    plans: Iterable[DrivePlan],
    drives: Iterable[Drive],
    consents: Iterable[Consent],
    executor: Executor | None = None,
    on_event: OnEvent = ignore_events,
) -> tuple[PreparedDrive, ...]:
    """
    Prepare all drives of a job, side by side.

    A drive that fails does not stop the others: when all have ended, the first failure is raised,
    and preparing again redoes only what is missing. What `on_event` raises stops every drive at
    its next event.

    Args:
        preparer: prepares each of them.
        job: where the blobs and the records lie.
        plans: one for each drive.
        drives: the drives; those without a plan are left alone.
        consents: the owner's word for each drive with a plan.
        executor: runs the drives; None for a thread each. It is not shut down.
        on_event: gets the events of all drives, one at a time, from the executor's threads. Where
            the executor runs other processes, it must be picklable, as the preparer and job must.

    Returns:
        The prepared drives, in the order of the plans.

    Raises:
        ConsentError: a drive has no consent; nothing was begun.
        DriveError: a plan has no drive; nothing was begun.
        OfflineSeedError: whatever preparing a drive raises.
        OSError: a disk refuses.
    """
    ordered = tuple(plans)
    by_id = {drive.drive_id: drive for drive in drives}
    agreed = {consent.drive_id: consent for consent in consents}
    for plan in ordered:
        if plan.drive_id not in by_id:
            raise DriveError(f"drive {plan.drive_id} is planned but not given; attach it")
        if plan.drive_id not in agreed:
            raise ConsentError(
                f"drive {plan.drive_id} would be erased without consent; ask its owner"
            )
        require_consent(by_id[plan.drive_id], agreed[plan.drive_id])
    listener = on_event if on_event is ignore_events else _OneAtATime(on_event)
    runner = ThreadPoolExecutor(max(len(ordered), 1)) if executor is None else nullcontext(executor)
    with runner as pool:
        futures = [
            pool.submit(
                _prepare, preparer, job, plan, by_id[plan.drive_id], agreed[plan.drive_id], listener
            )
            for plan in ordered
        ]
        wait(futures)
    _raise_first(ordered, futures, listener)
    return tuple(load_prepared_drive(job, plan.drive_id, keys=preparer.keys) for plan in ordered)


def _prepare(
    preparer: DrivePreparer,
    job: BlobSource,
    plan: DrivePlan,
    drive: Drive,
    consent: Consent,
    on_event: OnEvent,
) -> None:
    # Returns nothing: a recovery password does not travel between processes.
    preparer.prepare(job, plan, drive=drive, consent=consent, on_event=on_event)


def _raise_first(
    plans: tuple[DrivePlan, ...], futures: list[Future[None]], on_event: OnEvent
) -> None:
    failed = [
        (plan.drive_id, error)
        for plan, future in zip(plans, futures, strict=True)
        if (error := future.exception()) is not None
    ]
    if not failed:
        return
    if isinstance(on_event, _OneAtATime) and on_event.error is not None:
        raise on_event.error
    for drive_id, error in failed[1:]:
        on_event(FindingSeen(finding=_failure(drive_id, error)))
    raise failed[0][1]


def _failure(drive_id: str, error: BaseException) -> Finding:
    return Finding(
        code="drive-failed",
        subject=drive_id,
        message=f"{error}; the other drives went on, prepare again to redo this one",
    )


@final
class _OneAtATime:
    """
    Hands events of several threads to a listener one by one; once it raised, raises at each.
    """

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event
        self._lock = threading.Lock()
        self.error: BaseException | None = None

    def __call__(self, event: Event) -> None:
        with self._lock:
            if self.error is not None:
                raise self.error
            try:
                self._on_event(event)
            except BaseException as error:
                self.error = error
                raise
