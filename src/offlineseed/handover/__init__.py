"""
After the import job: repairing what did not land, verifying what did, and handing it to a vault.
"""

from offlineseed.handover._copy_logs import read_copy_log, read_drive_logs
from offlineseed.handover._destination import BlobRepairs, BlobUpload, FolderRepairs, Repairs
from offlineseed.handover._handover import (
    Handover,
    HandoverRecord,
    HandoverStage,
    read_handover,
    read_manifests,
)
from offlineseed.handover._missing import landed_names
from offlineseed.handover._repair import repair
from offlineseed.handover._report import RepairedBlob, RepairReport

__all__ = [
    "BlobRepairs",
    "BlobUpload",
    "FolderRepairs",
    "Handover",
    "HandoverRecord",
    "HandoverStage",
    "RepairReport",
    "RepairedBlob",
    "Repairs",
    "landed_names",
    "read_copy_log",
    "read_drive_logs",
    "read_handover",
    "read_manifests",
    "repair",
]
