"""
Where the blobs of a drive come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from offlineseed.settings import SeedSettings
from offlineseed.staging import StagedBlob

__all__ = ["BlobSource"]


class BlobSource(Protocol):
    """
    A staged job as drives see it: its blobs, and where the records about its drives lie.

    `offlineseed.staging.StagedJob` is one.
    """

    settings: SeedSettings
    """The job's settings: the container that blobs land in."""

    def blobs(self) -> Iterator[StagedBlob]:
        """
        Yield every blob, in the catalog's order; the same each time.
        """

    def drive_folder(self, drive_id: str) -> Path:
        """
        Return the folder for a drive's records, which is made where it is missing.
        """
