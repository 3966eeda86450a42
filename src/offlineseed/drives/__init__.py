"""
Drives: planning staged blobs onto them, and preparing them for shipment.
"""

from __future__ import annotations

from offlineseed.drives._keys import FileKeyStore, KeyStore, MemoryKeyStore
from offlineseed.drives._models import Consent, PreparedDrive
from offlineseed.drives._plan import DrivePlan
from offlineseed.drives._planner import MAX_DRIVES, DrivePlanner, DriveSpace
from offlineseed.drives._prepared import load_prepared_drive
from offlineseed.drives._preparer import DrivePreparer
from offlineseed.drives._read_back import verify_volume
from offlineseed.drives._several import prepare_drives
from offlineseed.drives._source import BlobSource

__all__ = [
    "MAX_DRIVES",
    "BlobSource",
    "Consent",
    "DrivePlan",
    "DrivePlanner",
    "DrivePreparer",
    "DriveSpace",
    "FileKeyStore",
    "KeyStore",
    "MemoryKeyStore",
    "PreparedDrive",
    "load_prepared_drive",
    "prepare_drives",
    "verify_volume",
]
