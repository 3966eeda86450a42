"""
Planning staged blobs onto drives. Pure: no I/O, no clock, no randomness.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import attrs

from offlineseed.drives._plan import DrivePlan, PlanDigest
from offlineseed.errors import DriveError, NotEnoughDrivesError
from offlineseed.manifest import BLOCK_BYTES, MINIMUM_GAP_BYTES, BlobType
from offlineseed.staging import StagedBlob
from offlineseed.volumes import VolumeCapacity, require_portable_path

__all__ = ["MAX_DRIVES", "DrivePlanner", "DriveSpace"]

MAX_DRIVES = 10
"""Drives that one import job takes at most. Source: Import/Export service requirements."""

_HEADER_BYTES = 64 * 1024  # a manifest without blobs: drive id, key or SAS, creator
_FRAME_BYTES = 512  # a blob's elements in the manifest, with the longest container name
_ENTRY_BYTES = 144  # a block or a page range
_ESCAPED_BYTES = 6  # a byte of a name that XML escapes


@final
@attrs.frozen(kw_only=True)
class DriveSpace:
    """
    A drive to plan onto.
    """

    drive_id: str
    """The drive."""
    capacity: VolumeCapacity
    """What its volume holds, as the adapter says."""


@final
@attrs.frozen(kw_only=True)
class DrivePlanner:
    """
    Puts staged blobs onto drives: each blob whole, on the first drive with room for it.

    The same blobs and drives give the same plans. Drives fill up in the order they are given in,
    and a drive that gets no blob gets no plan. Each drive's manifest is counted at the longest
    that it can become.
    """

    max_drives: int = MAX_DRIVES
    """How many of the drives may be used: the most that one import job takes."""

    def plan(
        self, blobs: Iterable[StagedBlob], drives: Iterable[DriveSpace]
    ) -> tuple[DrivePlan, ...]:
        """
        Plan all blobs, taken one by one in their order.

        Returns:
            One plan for each drive that is used, in the order of the drives.

        Raises:
            NotEnoughDrivesError: the blobs do not fit on the first `max_drives` drives.
            NameNotAllowedError: a blob's name could not be opened on a drive.
            DriveError: a drive is given twice, or a blob has the manifest's name.
        """
        loads = [_Load(space) for space in drives]
        if len({load.drive_id for load in loads}) < len(loads):
            raise DriveError("a drive is given twice; give each drive once")
        missing = _Missing(max((load.free for load in loads), default=0))
        del loads[self.max_drives :]
        for position, blob in enumerate(blobs):
            _require_name(blob)
            manifest_bytes = _manifest_share(blob)
            for load in loads:
                if load.take(blob, position, manifest_bytes):
                    break
            else:
                missing.add(blob, manifest_bytes)
        if missing.blobs:
            raise missing.to_error(len(loads), self.max_drives)
        return tuple(load.to_plan() for load in loads if load.blobs)


class _Load:
    """
    What a drive has been given so far.
    """

    def __init__(self, space: DriveSpace) -> None:
        self.drive_id = space.drive_id
        self.blobs = 0
        self._capacity = space.capacity
        self._total = 0
        self._digest = PlanDigest()
        self._runs: list[tuple[int, int]] = []
        # The manifest's own bytes are counted blob by blob, its rounding here.
        self.free = space.capacity.usable_bytes - space.capacity.cost(
            _HEADER_BYTES + space.capacity.allocation_bytes
        )

    def take(self, blob: StagedBlob, position: int, manifest_bytes: int) -> bool:
        folders = blob.path.count("/")
        cost = self._capacity.cost(blob.length, folders=folders) + manifest_bytes
        if cost > self.free:
            return False
        self.free -= cost
        self.blobs += 1
        self._total += blob.length
        self._digest.add(blob)
        if self._runs and self._runs[-1][1] == position:
            self._runs[-1] = (self._runs[-1][0], position + 1)
        else:
            self._runs.append((position, position + 1))
        return True

    def to_plan(self) -> DrivePlan:
        return DrivePlan(
            drive_id=self.drive_id,
            runs=tuple(self._runs),
            blobs=self.blobs,
            total_bytes=self._total,
            digest=self._digest.hexdigest(),
        )


class _Missing:
    """
    Blobs that found no place, and the further drives that would hold them.
    """

    def __init__(self, drive_room: int) -> None:
        self.blobs = 0
        self._drive_room = drive_room
        self._bytes = 0
        self._largest = 0
        self._drives = 0
        self._free = 0

    def add(self, blob: StagedBlob, manifest_bytes: int) -> None:
        # Next fit: a few drives more than the fewest at worst, in constant memory.
        cost = VolumeCapacity(usable_bytes=0).cost(blob.length) + manifest_bytes
        self.blobs += 1
        self._bytes += blob.length
        self._largest = max(self._largest, cost)
        if cost > self._free and (self._drive_room or not self._drives):
            self._drives += 1
            self._free = max(self._drive_room, cost)
        self._free -= cost

    def to_error(self, used: int, max_drives: int) -> NotEnoughDrivesError:
        size = max(self._drive_room, self._largest + 2 * _HEADER_BYTES)
        if not self._drive_room:
            size = max(size, self._bytes)
        advice = f"add {self._drives} more with {size} bytes of room each"
        if used + self._drives > max_drives:
            advice = (
                f"a job takes {max_drives}, so use larger ones, or split the staged blobs into"
                f" several jobs; as they are, {self._drives} more of {size} bytes are needed"
            )
        return NotEnoughDrivesError(
            f"{self.blobs} blobs of {self._bytes} bytes do not fit on {used} drives; {advice}",
            missing_bytes=self._bytes,
            missing_drives=self._drives,
            largest_blob_bytes=self._largest,
        )


def _require_name(blob: StagedBlob) -> None:
    require_portable_path(blob.path)
    if blob.path.upper() == "DRIVEMANIFEST.XML":
        raise DriveError(f"{blob.path!r} is the manifest's name on a drive; rename the blob")


def _manifest_share(blob: StagedBlob) -> int:
    """
    Return how much longer a manifest gets by this blob, at most: rather too much than exactly.
    """
    entries = -(-blob.length // BLOCK_BYTES)
    if blob.blob_type is BlobType.PAGE:
        entries += -(-blob.length // MINIMUM_GAP_BYTES)
    names = 2 * _ESCAPED_BYTES * len(blob.path.encode("utf-8", "surrogatepass"))
    return _FRAME_BYTES + names + entries * _ENTRY_BYTES
