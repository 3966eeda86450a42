"""
Which drive was given which of the job's blobs, and what has no drive yet. Pure.

A drive keeps its share once it has one, whatever becomes of the others: a drive that is lost is
redone by itself, and a further drive takes what is left.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import final

import attrs

from offlineseed.drives import MAX_DRIVES, BlobSource, DrivePlan, DrivePlanner, DriveSpace
from offlineseed.errors import DriveError, NotEnoughDrivesError
from offlineseed.staging import StagedBlob
from offlineseed.volumes import VolumeCapacity

__all__ = ["Allotment", "AllottedDrive", "allot"]

_BEYOND = DriveSpace(drive_id="", capacity=VolumeCapacity(usable_bytes=1 << 80))
"""Stands for the drives that are still missing, so that a plan says what they get."""

_NO_RUN = (sys.maxsize, sys.maxsize, 0)


@final
@attrs.frozen(kw_only=True)
class AllottedDrive:
    """
    A drive and its share of the job's blobs.
    """

    plan: DrivePlan
    """Its blobs."""
    size_bytes: int
    """The whole drive's size in bytes."""

    @property
    def drive_id(self) -> str:
        """
        The drive's id.
        """
        return self.plan.drive_id


def _drives(value: Iterable[AllottedDrive]) -> tuple[AllottedDrive, ...]:
    return tuple(value)


@final
@attrs.frozen(kw_only=True)
class Allotment:
    """
    All drives of a job with their shares, and what is left over.
    """

    drives: tuple[AllottedDrive, ...] = attrs.field(default=(), converter=_drives)
    """The drives that have a share, in the order in which they got it."""
    unplaced_blobs: int = 0
    """How many blobs have no drive yet."""
    unplaced_bytes: int = 0
    """Their bytes."""
    missing: str = attrs.field(default="", repr=False)
    """What is needed for them, for a person; empty where nothing is."""
    missing_drives: int = 0
    """How many more drives, as large as the largest of the last ones given, would hold them."""
    largest_blob_bytes: int = 0
    """The least room that makes sense on a further drive."""

    @property
    def is_complete(self) -> bool:
        """
        Whether every blob has a drive.
        """
        return self.unplaced_blobs == 0

    def drive(self, drive_id: str) -> AllottedDrive | None:
        """
        Return the drive of that id, or None where it has no share.
        """
        return next((one for one in self.drives if one.drive_id == drive_id), None)

    def require_complete(self) -> None:
        """
        Check that every blob has a drive.

        Raises:
            NotEnoughDrivesError: it says how many more are missing.
        """
        if not self.is_complete:
            raise NotEnoughDrivesError(
                self.missing,
                missing_bytes=self.unplaced_bytes,
                missing_drives=self.missing_drives,
                largest_blob_bytes=self.largest_blob_bytes,
            )


def allot(
    job: BlobSource,
    known: Iterable[AllottedDrive] = (),
    *,
    further: Iterable[tuple[DriveSpace, int]] = (),
) -> Allotment:
    """
    Give what no known drive has to further drives, in their order.

    The job's blobs are gone through several times and never held in memory.

    Args:
        job: has the blobs.
        known: drives that have a share; they keep it.
        further: drives to fill up, each with its size in bytes. Known ones among them are passed
            over.

    Raises:
        DriveError: a known drive's share does not fit the blobs: they changed since.
        NameNotAllowedError: a blob's name could not be opened on a drive.
    """
    drives = tuple(known)
    if _survey(job.blobs(), drives) == 0:
        return Allotment(drives=drives)
    gaps = _gaps(drives)
    has_share = {one.drive_id for one in drives}
    fresh = [(space, size) for space, size in further if space.drive_id not in has_share]
    room = max(MAX_DRIVES - len(drives), 0)
    spaces = [space for space, _ in fresh][:room]
    plans = DrivePlanner(max_drives=room + 1).plan(_within(job.blobs(), gaps), [*spaces, _BEYOND])
    sizes = {space.drive_id: size for space, size in fresh}
    new = [
        AllottedDrive(plan=_globally(plan, gaps), size_bytes=sizes[plan.drive_id])
        for plan in plans
        if plan.drive_id
    ]
    left = next((plan for plan in plans if not plan.drive_id), None)
    if left is None:
        return Allotment(drives=[*drives, *new])
    try:
        DrivePlanner(max_drives=room).plan(_within(job.blobs(), gaps), spaces)
    except NotEnoughDrivesError as error:
        return Allotment(
            drives=[*drives, *new],
            unplaced_blobs=left.blobs,
            unplaced_bytes=left.total_bytes,
            missing=_shortage(left, error, len(drives) + len(new)),
            missing_drives=error.missing_drives,
            largest_blob_bytes=error.largest_blob_bytes,
        )
    raise DriveError("the staged blobs changed while they were planned: plan again")


def _shortage(left: DrivePlan, error: NotEnoughDrivesError, drives: int) -> str:
    advice = (
        f"attach {error.missing_drives} more, each with at least {error.largest_blob_bytes} bytes "
        "of room"
    )
    if drives + error.missing_drives > MAX_DRIVES:
        advice = (
            f"a job takes {MAX_DRIVES} drives and has {drives}, so {error.missing_drives} more are "
            "too many: use larger ones, or split the staged blobs into several jobs"
        )
    return f"{left.blobs} blobs of {left.total_bytes} bytes have no drive yet; {advice}"


def _survey(blobs: Iterable[StagedBlob], drives: tuple[AllottedDrive, ...]) -> int:
    """
    Check in one pass that every share is of these blobs; return how many blobs are in none.
    """
    runs = sorted((*run, index) for index, one in enumerate(drives) for run in one.plan.runs)
    found = [[0, 0] for _ in drives]
    ahead = iter(runs)
    first, stop, index = next(ahead, _NO_RUN)
    free = 0
    for position, blob in enumerate(blobs):
        if position >= stop:
            first, stop, index = next(ahead, _NO_RUN)
        if position < first:
            free += 1
            continue
        found[index][0] += 1
        found[index][1] += blob.length
    for one, counts in zip(drives, found, strict=True):
        if counts != [one.plan.blobs, one.plan.total_bytes]:
            raise DriveError(
                f"the staged blobs are not those that drive {one.drive_id} was planned for: "
                "forget the drive and prepare it again"
            )
    return free


def _gaps(drives: tuple[AllottedDrive, ...]) -> list[tuple[int, int]]:
    """
    Return the positions that no drive has, as (first, one past the last); the last has no end.
    """
    gaps = []
    begin = 0
    taken = sorted(run for drive in drives for run in drive.plan.runs)
    for first, stop in [*taken, (sys.maxsize, sys.maxsize)]:
        if begin < first:
            gaps.append((begin, first))
        begin = max(begin, stop)
    return gaps


def _within(blobs: Iterable[StagedBlob], gaps: list[tuple[int, int]]) -> Iterator[StagedBlob]:
    everything = DrivePlan(drive_id="", runs=tuple(gaps), blobs=0, total_bytes=0, digest="")
    return everything.select(blobs)


def _globally(plan: DrivePlan, gaps: list[tuple[int, int]]) -> DrivePlan:
    """
    Return a plan over the blobs within the gaps as one over all blobs.
    """
    runs = []
    for first, stop in plan.runs:
        passed = 0
        for begin, end in gaps:
            low, high = max(first - passed, 0), min(stop - passed, end - begin)
            if low < high:
                runs.append((begin + low, begin + high))
            passed += end - begin
    return attrs.evolve(plan, runs=tuple(runs))
