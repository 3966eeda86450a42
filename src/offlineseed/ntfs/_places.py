"""
Where the system's own files lie.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, final

import attrs

from offlineseed.errors import VolumeFullError
from offlineseed.ntfs._attributes import ATTRIBUTE_TABLE_BYTES
from offlineseed.ntfs._encoding import RECORD_BYTES, round_up
from offlineseed.ntfs._geometry import BOOT_BYTES, Geometry
from offlineseed.ntfs._security import SDS_MIRROR_AT
from offlineseed.ntfs._space import Run, Space

__all__ = [
    "ROOT_DESCRIPTOR_BYTES",
    "UPCASE_BYTES",
    "Placement",
    "SystemPlaces",
    "mft_bitmap_bytes",
    "place_like_mkntfs",
    "place_system",
]

ROOT_DESCRIPTOR_BYTES: Final = 4140
UPCASE_BYTES: Final = 131072
_SECURITY_ROOM: Final = 16 << 10
_MFT_AT: Final = 16 << 10


class Placement(str, Enum):
    """
    In which order the system's own files lie.
    """

    SEQUENTIAL = "sequential"
    """Everything at the front, so that the free space is one extent."""
    MKNTFS = "mkntfs"
    """Where the Linux tool puts it: for comparing volumes byte by byte."""


@final
@attrs.frozen(kw_only=True)
class SystemPlaces:
    """
    First cluster and number of clusters of each.
    """

    mirror: Run
    """`$MFTMirr`."""
    mft_bitmap: Run
    """The master file table's own bitmap."""
    attribute_table: Run
    """`$AttrDef`."""
    root_descriptor: Run
    """The root directory's security descriptor."""
    upcase: Run
    """`$UpCase`."""
    security: Run
    """`$Secure:$SDS`."""
    log: Run
    """`$LogFile`."""
    bitmap: Run
    """`$Bitmap`."""
    mft: Run
    """`$MFT`."""


def mft_bitmap_bytes(records: int) -> int:
    """
    Return the length of the master file table's bitmap.
    """
    return round_up(records, 64) // 8


def _counts(geometry: Geometry, records: int, security_bytes: int) -> dict[str, int]:
    return {
        "mirror": geometry.clusters_of(geometry.mirror_records * RECORD_BYTES),
        "mft_bitmap": geometry.clusters_of(mft_bitmap_bytes(records)),
        "attribute_table": geometry.clusters_of(ATTRIBUTE_TABLE_BYTES),
        "root_descriptor": geometry.clusters_of(ROOT_DESCRIPTOR_BYTES),
        "upcase": geometry.clusters_of(UPCASE_BYTES),
        "security": geometry.clusters_of(security_bytes),
        "log": geometry.clusters_of(geometry.log_bytes),
        "bitmap": geometry.clusters_of(geometry.bitmap_bytes),
        "mft": geometry.clusters_of(records * RECORD_BYTES),
    }


def place_system(space: Space, geometry: Geometry, records: int) -> SystemPlaces:
    """
    Take the clusters of the system's files from the front, each as one run.

    Raises:
        VolumeFullError: there is no room.
    """
    counts = _counts(geometry, records, SDS_MIRROR_AT + _SECURITY_ROOM)
    runs = {name: (space.take_whole(count), count) for name, count in counts.items()}
    return SystemPlaces(**runs)


def place_like_mkntfs(
    geometry: Geometry, records: int, *, security_bytes: int, root_index_clusters: int
) -> tuple[SystemPlaces, Run]:
    """
    Return where mkntfs puts the system's files and the root directory's index.

    Raises:
        VolumeFullError: the master file table does not fit into its zone.
    """
    counts = _counts(geometry, records, security_bytes)
    boot = geometry.clusters_of(BOOT_BYTES)
    mft = max(_MFT_AT // geometry.cluster_bytes, boot + counts["mft_bitmap"])
    cursor = mft + (geometry.clusters >> 3)
    if mft + counts["mft"] > cursor:
        raise VolumeFullError(
            "the master file table does not fit where mkntfs would put it; use the sequential "
            "placement",
            needed_bytes=counts["mft"] * geometry.cluster_bytes,
            free_bytes=(cursor - mft) * geometry.cluster_bytes,
        )
    runs = {"mft_bitmap": (boot, counts["mft_bitmap"]), "mft": (mft, counts["mft"])}
    root_index = (0, 0)
    for name in (
        "root_descriptor",
        "root index",
        "attribute_table",
        "bitmap",
        "security",
        "upcase",
    ):
        count = root_index_clusters if name == "root index" else counts[name]
        if name == "root index":
            root_index = (cursor, count)
        else:
            runs[name] = (cursor, count)
        cursor += count
    mirror = geometry.backup_boot_offset // 2 // geometry.cluster_bytes
    runs["mirror"] = (mirror, counts["mirror"])
    runs["log"] = (mirror + counts["mirror"], counts["log"])
    return SystemPlaces(**runs), root_index
