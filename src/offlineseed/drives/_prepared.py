"""
`prepared.json`: what a sealed drive's import job needs to know of it, without its secrets.
"""

from __future__ import annotations

import json
from pathlib import Path

from offlineseed._durable import write_whole
from offlineseed.drives._journal import JournalState
from offlineseed.drives._keys import KeyStore
from offlineseed.drives._models import PreparedDrive
from offlineseed.drives._source import BlobSource
from offlineseed.errors import DriveError, JournalError
from offlineseed.manifest import MANIFEST_FILE
from offlineseed.volumes import CacheBypass

__all__ = [
    "JOURNAL_FILE",
    "MANIFEST_COPY",
    "PREPARED_FILE",
    "load_prepared_drive",
    "write_prepared",
]

JOURNAL_FILE = "journal.jsonl"
"""The journal, in a drive's folder of the staging location."""

MANIFEST_COPY = "DriveManifest.xml"
"""The manifest without its key or SAS, in a drive's folder."""

PREPARED_FILE = "prepared.json"
"""The record of a sealed drive, in its folder."""


def write_prepared(folder: Path, state: JournalState) -> None:
    """
    Write the record of a sealed drive from its journal.

    Raises:
        OSError: the staging location refuses.
    """
    assert state.drive is not None
    assert state.sealed is not None
    document = {
        "format": 1,
        "drive_id": state.drive["drive_id"],
        "size_bytes": state.drive["size_bytes"],
        "plan": state.drive["plan"],
        "container": state.drive["container"],
        "manifest_file": MANIFEST_FILE,
        "manifest_hash": state.sealed["manifest_hash"],
        "blobs": state.blobs,
        "total_bytes": state.blob_bytes,
        "cache_bypass": state.sealed["cache_bypass"],
    }
    text = json.dumps(document, indent=2) + "\n"
    write_whole(folder / PREPARED_FILE, text.encode("ascii"))


def load_prepared_drive(job: BlobSource, drive_id: str, *, keys: KeyStore) -> PreparedDrive:
    """
    Return a drive that was prepared earlier, from its record and the key store.

    Raises:
        DriveError: the drive is not prepared yet, or its recovery password is in no key store.
        JournalError: the record is damaged.
    """
    path = job.drive_folder(drive_id) / PREPARED_FILE
    try:
        document = json.loads(path.read_text("ascii"))
        recovery_password = keys.get(drive_id)
        if recovery_password is None:
            raise DriveError(
                f"drive {drive_id}: the key store has no recovery password for it; use the key"
                " store it was prepared with"
            )
        return PreparedDrive(
            drive_id=document["drive_id"],
            recovery_password=recovery_password,
            manifest_file=document["manifest_file"],
            manifest_hash=document["manifest_hash"],
            blobs=document["blobs"],
            total_bytes=document["total_bytes"],
            cache_bypass=CacheBypass(document["cache_bypass"]),
        )
    except FileNotFoundError as error:
        raise DriveError(f"drive {drive_id} is not prepared yet; prepare it first") from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise JournalError(
            f"{PREPARED_FILE} of drive {drive_id} is damaged; prepare the drive again to restore it"
        ) from error
