"""
Values about preparing drives.
"""

from __future__ import annotations

from typing import final

import attrs

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.drives._plan import require_count
from offlineseed.errors import ConsentError
from offlineseed.volumes import CacheBypass, Drive

__all__ = ["Consent", "PreparedDrive", "require_consent"]


@final
@attrs.frozen(kw_only=True)
class Consent:
    """
    The owner's word that everything on one drive may be lost.

    It names the drive twice over, so that no consent for one drive erases another.
    """

    drive_id: str
    """The drive's serial number, as the owner read it."""
    size_bytes: int = attrs.field(validator=require_count)
    """The drive's size in bytes, as the owner read it."""


@final
@attrs.frozen(kw_only=True)
class PreparedDrive:
    """
    A drive that is complete, read back and sealed: what the import job needs to know of it.
    """

    drive_id: str
    """The drive's hardware serial number."""
    recovery_password: RecoveryPassword
    """Unlocks its volume."""
    manifest_file: str
    """The manifest's path on the drive, with a backslash before it."""
    manifest_hash: str
    """MD5 of the manifest, Base16, upper case."""
    blobs: int
    """How many blobs are on it."""
    total_bytes: int
    """Their bytes."""
    cache_bypass: CacheBypass
    """How sure it is that the read-back read the drive and not memory."""


def require_consent(drive: Drive, consent: Consent) -> None:
    """
    Refuse a consent that is not for this drive.

    Raises:
        ConsentError: it names another serial number or size.
    """
    if (consent.drive_id, consent.size_bytes) != (drive.drive_id, drive.size_bytes):
        raise ConsentError(
            f"drive {drive.drive_id} of {drive.size_bytes} bytes would be erased, but consent was"
            f" given for {consent.drive_id} of {consent.size_bytes} bytes; ask the owner for this"
            " one"
        )
