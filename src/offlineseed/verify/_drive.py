"""
Verifying a drive by itself, as before it is shipped or after it came back.
"""

from __future__ import annotations

from contextlib import closing

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.drives import verify_volume
from offlineseed.events import OnEvent, ignore_events
from offlineseed.reports import VerificationReport
from offlineseed.volumes import Drive, VolumeAdapter

__all__ = ["verify_drive"]


def verify_drive(
    drive: Drive,
    volumes: VolumeAdapter,
    *,
    recovery_password: RecoveryPassword,
    manifest_hash: str = "",
    hash_threads: int = 0,
    on_event: OnEvent = ignore_events,
) -> VerificationReport:
    """
    Read every block and page range of a drive and compare it with the drive's manifest.

    Checks: `manifest`, `files`, `ranges` and `bytes`. Failures name the file on the drive, the
    range, and the MD5s expected and found. Nothing is changed.

    Args:
        drive: the drive.
        volumes: the adapter that reads its volume.
        recovery_password: unlocks it.
        manifest_hash: the manifest's MD5 as the job has it; where it is empty, the manifest on
            the drive is taken at its word.
        hash_threads: threads that hash; 0 for as many as there are processors.
        on_event: gets a `BlobVerified` for each blob.

    Raises:
        VolumeError: there is no finished volume on the drive.
        UnlockRefusedError: the recovery password does not open it.
        OSError: the drive can't be read at all.
    """
    with closing(volumes.open(drive, recovery_password)) as reader:
        return verify_volume(
            reader,
            drive_id=drive.drive_id,
            manifest_hash=manifest_hash,
            hash_threads=hash_threads,
            on_event=on_event,
        )
