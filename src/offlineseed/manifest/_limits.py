"""
The service's limits, as data.
"""

from __future__ import annotations

from typing import final

import attrs

from offlineseed.manifest._models import BLOCK_BYTES

__all__ = ["CURRENT_LIMITS", "LIMITS_2017", "ManifestLimits"]


@final
@attrs.frozen(kw_only=True)
class ManifestLimits:
    """
    How large things in a manifest may be.
    """

    block_blob_bytes: int
    """The longest block blob of the storage service; blocks times block length may allow less."""
    page_blob_bytes: int
    """The longest page blob."""
    blocks: int = 50_000
    """The most blocks that a blob may have."""
    block_bytes: int = BLOCK_BYTES
    """The longest block and the longest page range."""
    blob_name_characters: int = 1024
    """The longest blob name, without its container."""
    blob_name_segments: int = 254
    """The most path segments of a blob name."""

    @property
    def importable_block_blob_bytes(self) -> int:
        """
        The longest block blob that a block list can describe.
        """
        return min(self.block_blob_bytes, self.blocks * self.block_bytes)


CURRENT_LIMITS = ManifestLimits(block_blob_bytes=5_000_000 * 1024**2, page_blob_bytes=8 * 1024**4)
"""Source: Azure Data Box Disk limits; Import/Export FAQ (2020-03)."""

LIMITS_2017 = ManifestLimits(block_blob_bytes=200 * 1024**3, page_blob_bytes=1024**4)
"""Source: "Azure Import/Export service manifest file format" (2017-01-23)."""
