"""
Progress events: frozen facts with raw byte counts.

Whatever takes long accepts `on_event`, a callable that gets one event at a time, from one thread
at a time. An exception raised by it aborts the work cleanly and reaches the caller: that is how a
host cancels. What was acknowledged by then stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, final

import attrs

from offlineseed.findings import Finding

__all__ = [
    "BlobCopied",
    "BlobLanded",
    "BlobVerified",
    "DrivePrepared",
    "DriveStarted",
    "Event",
    "FindingSeen",
    "GenerationSealed",
    "ItemRestored",
    "JobChanged",
    "OnEvent",
    "SeedCheckpoint",
    "SegmentClosed",
    "ignore_events",
]


@final
@attrs.frozen(kw_only=True)
class FindingSeen:
    """
    A check or a copy saw something that a person should know; the work goes on.
    """

    finding: Finding
    """What was seen."""


@final
@attrs.frozen(kw_only=True)
class SeedCheckpoint:
    """
    Everything staged so far is durable: no crash loses it.
    """

    items: int
    """Items of this generation that are acknowledged."""
    content_bytes: int
    """Bytes of those items, as their sources have them."""
    stored_bytes: int
    """Bytes of new segments, as stored."""


@final
@attrs.frozen(kw_only=True)
class SegmentClosed:
    """
    A segment is whole and visible in its store.
    """

    name: str
    """Its name in the store."""
    length: int
    """Its length in bytes."""


@final
@attrs.frozen(kw_only=True)
class GenerationSealed:
    """
    A generation is complete and sealed.
    """

    generation: int
    """0 is the seed."""
    digest: str
    """Its seal: SHA-256 of the sealed catalog, hex."""
    items: int
    """Items in the generation."""
    content_bytes: int
    """Bytes of all items."""
    stored_bytes: int
    """Bytes of the segments that this generation added."""


@final
@attrs.frozen(kw_only=True)
class ItemRestored:
    """
    An item stands at its place again, with its metadata.
    """

    name: str
    """The item's name."""
    length: int
    """Its length in bytes."""


@final
@attrs.frozen(kw_only=True)
class DriveStarted:
    """
    The preparation of a drive began, or went on after an interruption.
    """

    drive_id: str
    """The drive."""
    blobs: int
    """Blobs that belong on it."""
    total_bytes: int
    """Their bytes."""
    resumed_bytes: int
    """Bytes that the journal vouches for already."""


@final
@attrs.frozen(kw_only=True)
class BlobCopied:
    """
    A staged blob is on its drive, hashed and journalled.
    """

    drive_id: str
    """The drive."""
    blob_path: str
    """Where the blob will land: container, then name."""
    length: int
    """Its length in bytes."""


@final
@attrs.frozen(kw_only=True)
class DrivePrepared:
    """
    A drive is complete, read back and sealed: it may be shipped.
    """

    drive_id: str
    """The drive."""
    manifest_hash: str
    """MD5 of its manifest, Base16, upper case."""
    total_bytes: int
    """Bytes of its blobs."""


@final
@attrs.frozen(kw_only=True)
class BlobVerified:
    """
    A blob, on a drive or landed, was read and compared.
    """

    blob_path: str
    """Which blob."""
    length: int
    """Bytes that were read."""
    failures: int
    """How many of its ranges were wrong."""


@final
@attrs.frozen(kw_only=True)
class BlobLanded:
    """
    The datacentre uploaded a blob.
    """

    drive_id: str
    """The drive it came on."""
    blob_path: str
    """Where it landed: container, then name."""
    length: int
    """Its length in bytes."""


@final
@attrs.frozen(kw_only=True)
class JobChanged:
    """
    An import job was created, or its state is another than when it was last seen.
    """

    job_name: str
    """The import job."""
    state: str
    """Its state now."""


Event: TypeAlias = (
    FindingSeen
    | SeedCheckpoint
    | SegmentClosed
    | GenerationSealed
    | ItemRestored
    | DriveStarted
    | BlobCopied
    | DrivePrepared
    | BlobVerified
    | BlobLanded
    | JobChanged
)
"""Any of the above; more kinds may come, so a listener ignores what it does not know."""

OnEvent: TypeAlias = Callable[[Event], None]
"""What `on_event` takes."""


def ignore_events(event: Event) -> None:
    """
    Take an event and do nothing: the default listener.
    """
