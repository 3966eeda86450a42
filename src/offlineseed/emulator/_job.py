"""
What the service knows about an import job, whatever dialect made it.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, final

import attrs

from offlineseed._secret import Secret
from offlineseed.emulator._locations import ServiceLocation
from offlineseed.emulator._states import NEXT, DriveWord, JobWord

__all__ = ["JobKey", "ServiceDrive", "ServiceJob"]


def _folded(name: str) -> str:
    return name.lower()


@final
@attrs.frozen(kw_only=True)
class JobKey:
    """
    Where a job is found: names are folded, as the service compares them without case.
    """

    dialect: str
    """`ImportExport`, `DataBox` or `Classic`: each sees its own jobs."""
    subscription: str = attrs.field(converter=_folded)
    """The subscription's id."""
    scope: str = attrs.field(converter=_folded)
    """The resource group; in the classic dialect the storage account."""
    name: str = attrs.field(converter=_folded)
    """The job's name."""


@final
@attrs.define(kw_only=True)
class ServiceDrive:
    """
    A drive of a job. Mutable: the datacentre moves it on, under the job book's lock.
    """

    drive_id: str
    """The hardware serial number that the customer gave."""
    recovery_password: Secret
    """What unlocks its volume."""
    manifest_file: str
    """The drive manifest's path on the volume, as the customer gave it."""
    manifest_hash: str
    """The drive manifest's hash, as the customer gave it."""
    header_hash: str | None = None
    """The drive header hash, as given; nothing checks it."""
    state: DriveWord = DriveWord.SPECIFIED
    """Where it stands."""
    copy_status: str | None = None
    """A drive status code of the copy log, or `InProgress`; None before copying."""
    bytes_succeeded: int = 0
    """Bytes of the blobs that landed whole."""
    total_bytes: int = 0
    """Bytes of all blobs of its manifest, once that is read."""
    blobs_done: int = 0
    """Blobs handled, landed or not."""
    blobs_failed: int = 0
    """Blobs that had errors."""
    total_blobs: int = 0
    """Blobs of its manifest, once that is read."""
    verbose_log_uri: str | None = None
    """Where its verbose copy log is."""
    error_log_uri: str | None = None
    """Where its error copy log is."""
    manifest_uri: str | None = None
    """Where the copy of its manifest is."""

    @property
    def percent_complete(self) -> int:
        """
        How much of it is handled, 0 to 100.
        """
        if self.state in (
            DriveWord.COMPLETED,
            DriveWord.COMPLETED_MORE_INFO,
            DriveWord.SHIPPED_BACK,
        ):
            return 100
        return 100 * self.blobs_done // self.total_blobs if self.total_blobs else 0

    @property
    def has_errors(self) -> bool:
        """
        Whether it ended with something that is not landed.
        """
        return self.copy_status not in (None, "InProgress", "Completed", "CompletedWithWarnings")


@final
@attrs.define(kw_only=True)
class ServiceJob:
    """
    An import job. Mutable, under the job book's lock.
    """

    key: JobKey
    """Where it is found."""
    name: str
    """Its name as it was written."""
    scope: str
    """Its resource group or storage account as it was written."""
    subscription: str
    """Its subscription as it was written."""
    location: ServiceLocation
    """Where its drives are shipped to."""
    document: dict[str, Any]
    """What the dialect's face alone understands and gives back."""
    drives: list[ServiceDrive]
    """Its drives, in the customer's order."""
    created: datetime
    """When it was made."""
    touched: datetime
    """When the customer last wrote it."""
    since: datetime
    """When it entered its state."""
    state: JobWord = JobWord.CREATING
    """Where it stands."""
    cancel_requested: bool = False
    """Whether the customer asked to stop."""
    has_return_address: bool = False
    """Whether the drives can be sent back."""
    carrier: str = ""
    """Who carries the package to the datacentre."""
    tracking_number: str = ""
    """The package's tracking number."""
    is_verbose: bool = False
    """Whether verbose copy logs are wanted."""
    is_manifest_backed_up: bool = False
    """Whether copies of the drive manifests are wanted."""
    logs_path: str = "waimportexport"
    """The container of copy logs, or a virtual directory where the drive has a container SAS."""
    copy_log_format: str = "2014-11-01"
    """Which of the two copy log formats this dialect writes."""
    order_id: str = attrs.field(factory=lambda: str(uuid.uuid4()))
    """The service's own name for it; copy logs of the newer form are named for it."""
    return_tracking_number: str = ""
    """The package that the datacentre sent back."""
    returned: datetime | None = None
    """When it sent it."""

    def enter(self, state: JobWord, now: datetime) -> None:
        """
        Move on to a state that may follow this one.
        """
        assert state in NEXT[self.state], (self.state, state)
        self.state = state
        self.since = now

    @property
    def percent_complete(self) -> int:
        """
        How much of all its drives is handled, 0 to 100.
        """
        if not self.drives:
            return 0
        return sum(drive.percent_complete for drive in self.drives) // len(self.drives)
