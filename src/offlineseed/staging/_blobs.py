"""
What lies on the staging location and goes onto drives.
"""

from __future__ import annotations

from pathlib import Path
from typing import final

import attrs
import xxhash

from offlineseed.manifest import BlobType

__all__ = ["StagedBlob", "checksum_of_file"]

_PIECE = 1 << 20


@final
@attrs.frozen(kw_only=True)
class StagedBlob:
    """
    A file that becomes a blob of the container.
    """

    path: str
    """Its name inside the container, and its path on the drive: relative, POSIX."""
    source: Path
    """The staged file."""
    length: int
    """Its length in bytes."""
    blob_type: BlobType
    """Block blob or page blob."""
    checksum: str
    """`xxh3-128:` and 32 hex digits over the whole file, as staging wrote it."""


def checksum_of_file(path: Path) -> str:
    """
    Read a file and return its checksum as `StagedBlob` has it.
    """
    checksum = xxhash.xxh3_128()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            checksum.update(piece)
    return f"xxh3-128:{checksum.hexdigest()}"
