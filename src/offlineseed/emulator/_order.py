"""
What the datacentre is told about a drive, and what it tells back.
"""

from __future__ import annotations

from datetime import datetime
from typing import final

import attrs

from offlineseed._secret import Secret

__all__ = ["DriveOutcome", "DriveProgress", "IntakeOrder"]


@final
@attrs.frozen(kw_only=True)
class IntakeOrder:
    """
    What a job says about one of its drives.
    """

    job_name: str
    """The job."""
    drive_id: str
    """The drive."""
    recovery_password: Secret
    """What unlocks it."""
    manifest_file: str
    """Where its manifest is."""
    manifest_hash: str
    """Its manifest's hash."""
    is_verbose: bool
    """Whether a verbose copy log is wanted."""
    is_manifest_backed_up: bool
    """Whether a copy of the manifest is wanted."""
    logs_path: str
    """Where copy logs go."""
    copy_log_format: str
    """Which form copy logs have: `2014-11-01` or `2021-08-01`."""
    order_id: str
    """The service's own name for the job."""
    now: datetime
    """The time that copy logs are named for."""


@final
@attrs.define(kw_only=True)
class DriveProgress:
    """
    How far a drive is. Changes in the thread that copies; others read it.
    """

    blobs_done: int = 0
    """Blobs handled."""
    blobs_failed: int = 0
    """Blobs with errors."""
    total_blobs: int = 0
    """Blobs of the manifest."""
    bytes_succeeded: int = 0
    """Bytes of blobs that landed."""
    total_bytes: int = 0
    """Bytes of the manifest's blobs."""


@final
@attrs.frozen(kw_only=True)
class DriveOutcome:
    """
    What became of a drive.
    """

    status: str
    """A drive status code of the copy log."""
    verbose_log_uri: str | None = None
    """Where the verbose log is."""
    error_log_uri: str | None = None
    """Where the error log is."""
    manifest_uri: str | None = None
    """Where the copy of the manifest is."""
