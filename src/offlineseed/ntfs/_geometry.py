"""
A volume's geometry: sectors, clusters, and what follows from them.
"""

from __future__ import annotations

import struct
from typing import Final, final

import attrs

from offlineseed.errors import VolumeFullError
from offlineseed.ntfs._encoding import RECORD_BYTES, round_up

__all__ = ["BOOT_BYTES", "INDEX_BLOCK_BYTES", "SECTOR_BYTES", "Geometry", "cluster_bytes_for"]

SECTOR_BYTES: Final = 512
INDEX_BLOCK_BYTES: Final = 4096
BOOT_BYTES: Final = 8192
"""Length of `$Boot`, whose first sector is the boot sector."""

_MIB = 1 << 20
_SMALLEST_VOLUME = _MIB
_DEFAULT_CLUSTER = 4096
_MOST_CLUSTERS = 0xFFFFFFFF
_LARGEST_CLUSTER = 0x10000
_BOOT = struct.Struct("<3s8sHB7sBHHHIIIQQQbxxxbxxxQI")
# cli; hlt; jmp to itself: the volume starts no computer.
_BOOT_CODE = b"\xfa\xf4\xeb\xfd"


def cluster_bytes_for(volume_bytes: int) -> int:
    """
    Return the cluster size that Windows would take: 4 KiB up to 16 TiB, more above.
    """
    cluster = _DEFAULT_CLUSTER
    # The last sector is outside the clusters.
    while (volume_bytes - SECTOR_BYTES) // cluster > _MOST_CLUSTERS and cluster < _LARGEST_CLUSTER:
        cluster *= 2
    return cluster


def _log2_or_count(length: int, cluster_bytes: int) -> int:
    # A length as the boot sector has it: in clusters, or minus its logarithm.
    if length >= cluster_bytes:
        return length // cluster_bytes
    return 1 - length.bit_length()


@final
@attrs.frozen(kw_only=True)
class Geometry:
    """
    A volume's size, cut into clusters.

    Raises:
        ValueError: the cluster size is not a power of two from 512 to 65536.
        VolumeFullError: the volume is too small for any file system, or too large for NTFS.
    """

    volume_bytes: int
    """Bytes of the volume: the whole partition."""
    cluster_bytes: int
    """Bytes in a cluster."""

    def __attrs_post_init__(self) -> None:
        size = self.cluster_bytes
        if size not in {1 << bits for bits in range(9, 17)}:
            raise ValueError(f"a cluster has a power of two of bytes from 512 to 65536, not {size}")
        if self.volume_bytes < _SMALLEST_VOLUME or self.clusters > _MOST_CLUSTERS:
            raise VolumeFullError(
                f"{self.volume_bytes} bytes are no size for an NTFS volume with clusters of {size} "
                f"bytes: use at least 1 MiB, and larger clusters above 16 TiB",
                needed_bytes=_SMALLEST_VOLUME,
                free_bytes=self.volume_bytes,
            )

    @property
    def sectors(self) -> int:
        """Sectors of the file system; the one after the last holds the boot sector's copy."""
        return self.volume_bytes // SECTOR_BYTES - 1

    @property
    def clusters(self) -> int:
        """Whole clusters in those sectors."""
        return self.sectors * SECTOR_BYTES // self.cluster_bytes

    @property
    def backup_boot_offset(self) -> int:
        """Where the boot sector's copy lies, in bytes."""
        return self.sectors * SECTOR_BYTES

    @property
    def mirror_records(self) -> int:
        """Records that `$MFTMirr` repeats."""
        return max(4, self.cluster_bytes // RECORD_BYTES)

    @property
    def index_block_step(self) -> int:
        """What the number of an index block grows by from one block to the next."""
        if self.cluster_bytes <= INDEX_BLOCK_BYTES:
            return INDEX_BLOCK_BYTES // self.cluster_bytes
        return INDEX_BLOCK_BYTES // SECTOR_BYTES

    @property
    def log_bytes(self) -> int:
        """Length of `$LogFile`."""
        size = self.sectors * SECTOR_BYTES
        if size < 2 * _MIB:
            length = 256 << 10
        elif size < 4_000_000:
            length = 512 << 10
        elif size <= 200 * _MIB:
            length = 2 * _MIB
        elif size >= 12 << 30:
            length = 64 * _MIB
        else:
            length = size // 200
        return length // self.cluster_bytes * self.cluster_bytes

    @property
    def bitmap_bytes(self) -> int:
        """Length of `$Bitmap`: a bit for each cluster, in words of eight bytes."""
        return round_up(self.clusters, 64) // 8

    def clusters_of(self, length: int) -> int:
        """
        Return how many clusters hold `length` bytes.
        """
        return -(-length // self.cluster_bytes)

    def render_boot(self, *, mft: int, mirror: int, serial: int, hidden_sectors: int) -> bytes:
        """
        Return the boot sector.

        Args:
            mft: First cluster of `$MFT`.
            mirror: First cluster of `$MFTMirr`.
            serial: The volume's serial number, 64 bits.
            hidden_sectors: Sectors before the volume on its disk.
        """
        head = _BOOT.pack(
            b"\xeb\x52\x90", b"NTFS    ", SECTOR_BYTES, self.cluster_bytes // SECTOR_BYTES,
            b"", 0xF8, 0, 63, 255, hidden_sectors, 0, 0x00800080, self.sectors, mft, mirror,
            _log2_or_count(RECORD_BYTES, self.cluster_bytes),
            _log2_or_count(INDEX_BLOCK_BYTES, self.cluster_bytes),
            serial, 0,
        )  # fmt: skip
        return (head + _BOOT_CODE).ljust(SECTOR_BYTES - 2, b"\0") + b"\x55\xaa"
