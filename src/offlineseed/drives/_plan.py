"""
Plans: which staged blobs go onto which drive. Pure: no I/O, no clock, no randomness.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import final

import attrs

from offlineseed.staging import StagedBlob

__all__ = ["DrivePlan", "PlanDigest", "require_count"]


def require_count(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    """
    Validate an attrs field that holds a whole number of at least 0.
    """
    if type(value) is not int or value < 0:
        raise ValueError(f"{attribute.name} is a whole number of at least 0, not {value!r}")


@final
@attrs.frozen(kw_only=True)
class DrivePlan:
    """
    One drive's share of a job's staged blobs.

    A plan holds positions, not blobs: it stays small for millions of them, and `select` finds
    them again among the job's blobs.
    """

    drive_id: str
    """The drive."""
    runs: tuple[tuple[int, int], ...] = attrs.field(repr=False)
    """Its blobs by position in the job: (first, one past the last), ascending, with gaps."""
    blobs: int = attrs.field(validator=require_count)
    """How many blobs that are."""
    total_bytes: int = attrs.field(validator=require_count)
    """Their bytes."""
    digest: str
    """SHA-256 over the blobs' paths, lengths, types and checksums, hex."""

    def select(self, blobs: Iterable[StagedBlob]) -> Iterator[StagedBlob]:
        """
        Yield the plan's blobs among all the job's blobs, in their order.
        """
        runs = iter(self.runs)
        first, stop = next(runs, (0, 0))
        for position, blob in enumerate(blobs):
            if position >= stop:
                first, stop = next(runs, (0, 0))
                if not stop:
                    return
            if position >= first:
                yield blob


@final
class PlanDigest:
    """
    Computes `DrivePlan.digest`, blob by blob.
    """

    def __init__(self) -> None:
        self._hash = sha256()

    def add(self, blob: StagedBlob) -> None:
        """
        Take the next blob of the plan.
        """
        record = json.dumps([blob.path, blob.length, blob.blob_type.value, blob.checksum])
        self._hash.update(record.encode("ascii") + b"\n")

    def hexdigest(self) -> str:
        """
        Return the digest of the blobs so far.
        """
        return self._hash.hexdigest()
