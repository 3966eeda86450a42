"""
Verification: a drive against its manifest, and landed blobs against the drives' manifests.
"""

from offlineseed.reports import VerificationFailure, VerificationReport
from offlineseed.verify._drive import verify_drive
from offlineseed.verify._landed import VerifyLevel, verify_landed
from offlineseed.verify._landed_blobs import BlobLanded, FolderLanded, LandedBlob, LandedBlobs

__all__ = [
    "BlobLanded",
    "FolderLanded",
    "LandedBlob",
    "LandedBlobs",
    "VerificationFailure",
    "VerificationReport",
    "VerifyLevel",
    "verify_drive",
    "verify_landed",
]
