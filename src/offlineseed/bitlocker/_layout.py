"""
Where a volume's own structures lie, and how the file system's view maps onto the volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import attrs

from offlineseed.bitlocker._cipher import SECTOR_BYTES
from offlineseed.bitlocker._wire_metadata import METADATA_BYTES
from offlineseed.errors import BitLockerFormatError

__all__ = [
    "LEAST_VOLUME_BYTES",
    "MOVED_BYTES",
    "SYSTEM_FOLDER",
    "ReservedExtent",
    "ViewMap",
    "ViewPiece",
    "VolumeLayout",
    "plan_layout",
]

LEAST_VOLUME_BYTES = 64 << 20
"""The smallest volume that BitLocker accepts."""

MOVED_BYTES = 8192
"""How much of the file system's beginning lies in the virtualised block."""

SYSTEM_FOLDER = "System Volume Information"
"""The folder at the root whose files hold the reserved extents."""

_INFO_NAME = "FVE2.{e40ad34d-dae9-4bc7-95bd-b16218c10f72}"
_MOVED_NAME = "FVE2.{24e6f0ae-6a00-4f73-984b-75ce9942852d}"
_REGION_NAME = "FVE2.{da392a22-cae0-4f0f-9a30-b8830385d046}"
_REGION_BYTES = 0x10000
_FIRST_INFO = 33 << 20  # where Windows' own volumes begin with them
_STEP = 1 << 20


@final
@attrs.frozen(kw_only=True)
class ReservedExtent:
    """
    A range that the file system must give to a file of its own, in one run.
    """

    name: str
    """The file's name inside `SYSTEM_FOLDER`."""
    offset: int
    """Where it begins, in bytes from the start of the volume; a whole number of clusters."""
    length: int
    """The file's length in bytes; the last cluster may be partly used."""


@final
@attrs.frozen(kw_only=True)
class ViewPiece:
    """
    A range of the file system's view that lies in one stretch on the volume.
    """

    offset: int
    """Where it begins in the view."""
    length: int
    """How long it is."""
    stored_offset: int | None
    """Where it lies on the volume, encrypted for that place; None: nowhere, it reads as zeros."""


@final
@attrs.frozen(kw_only=True)
class ViewMap:
    """
    How the file system's view of a volume maps onto the volume.

    The first bytes lie in the virtualised block; the block's own place and the three copies of
    the metadata read as zeros; everything else lies at its own offset.

    Raises:
        BitLockerFormatError: the places overlap, are not whole sectors or not in the volume.
    """

    volume_bytes: int
    """The volume's size, and the view's."""
    info_offsets: tuple[int, int, int]
    """Where the copies of the metadata are."""
    moved_offset: int
    """Where the virtualised block is."""
    moved_bytes: int = MOVED_BYTES
    """How long it is."""

    def __attrs_post_init__(self) -> None:
        end = 0
        for start, length, _ in self._special():
            if start < end or length <= 0 or start % SECTOR_BYTES or length % SECTOR_BYTES:
                raise BitLockerFormatError(
                    "the BitLocker structures overlap each other or do not lie on whole sectors",
                    context=f"offset {start}",
                )
            end = start + length
        if end > self.volume_bytes or self.volume_bytes % SECTOR_BYTES:
            raise BitLockerFormatError(
                f"the BitLocker structures do not lie in a volume of {self.volume_bytes} bytes",
                context=f"offset {end}",
            )

    def pieces(self, offset: int, length: int) -> Iterator[ViewPiece]:
        """
        Yield a range of the view as pieces, in order and without gaps.

        Raises:
            ValueError: the range is not in the volume.
        """
        end = offset + length
        if offset < 0 or length < 0 or end > self.volume_bytes:
            raise ValueError(
                f"{length} bytes at {offset} are not in a volume of {self.volume_bytes} bytes"
            )
        position = offset
        for start, special_length, stored in self._special():
            special_end = start + special_length
            if special_end <= position:
                continue
            if start >= end or position == end:
                break
            if start > position:
                yield ViewPiece(offset=position, length=start - position, stored_offset=position)
                position = start
            stop = min(end, special_end)
            yield ViewPiece(
                offset=position,
                length=stop - position,
                stored_offset=None if stored is None else stored + position - start,
            )
            position = stop
        if position < end:
            yield ViewPiece(offset=position, length=end - position, stored_offset=position)

    def _special(self) -> list[tuple[int, int, int | None]]:
        # start and length in the view, and the place on the volume or None for zeros
        zeros = [(offset, METADATA_BYTES, None) for offset in self.info_offsets]
        ranges: list[tuple[int, int, int | None]] = [
            (0, self.moved_bytes, self.moved_offset),
            (self.moved_offset, self.moved_bytes, None),
            *zeros,
        ]
        return sorted(ranges, key=lambda item: item[0])


@final
@attrs.frozen(kw_only=True)
class VolumeLayout:
    """
    Where a new volume's structures lie.
    """

    volume_bytes: int
    """The volume's size: the whole partition."""
    cluster_bytes: int = 4096
    """Bytes in a cluster of the NTFS inside."""
    info_offsets: tuple[int, int, int]
    """Where the three copies of the metadata block go."""
    moved_offset: int
    """Where the virtualised block goes."""
    region_offset: int
    """Where the region of the virtualisation's extension is; nothing is written there."""

    @property
    def reserved_extents(self) -> tuple[ReservedExtent, ...]:
        """
        What the file system must reserve, by offset; in the view all of it reads as zeros.
        """
        infos = [
            ReservedExtent(name=f"{_INFO_NAME}.{number}", offset=offset, length=METADATA_BYTES)
            for number, offset in enumerate(self.info_offsets, 1)
        ]
        moved = ReservedExtent(name=_MOVED_NAME, offset=self.moved_offset, length=MOVED_BYTES)
        region = ReservedExtent(name=_REGION_NAME, offset=self.region_offset, length=_REGION_BYTES)
        return tuple(sorted([*infos, moved, region], key=lambda extent: extent.offset))

    @property
    def view_map(self) -> ViewMap:
        """
        How the file system's view maps onto the volume.
        """
        return ViewMap(
            volume_bytes=self.volume_bytes,
            info_offsets=self.info_offsets,
            moved_offset=self.moved_offset,
        )


def plan_layout(volume_bytes: int, *, cluster_bytes: int = 4096) -> VolumeLayout:
    """
    Place a new volume's structures as Windows does.

    The first copy of the metadata, the virtualised block and the extension's region lie one after
    the other at 33 MiB; the other copies an eighth and a quarter of the volume further on, so
    that one bad spot does not take all three.

    Args:
        volume_bytes: the size of the partition, a multiple of 512.
        cluster_bytes: bytes in a cluster of the NTFS inside: a power of two, 512 to 65536.

    Raises:
        BitLockerFormatError: the volume is too small, or a size is not possible.
    """
    if volume_bytes < LEAST_VOLUME_BYTES or volume_bytes % SECTOR_BYTES:
        raise BitLockerFormatError(
            f"a BitLocker volume can't be {volume_bytes} bytes long; make it a multiple of"
            f" {SECTOR_BYTES} and at least {LEAST_VOLUME_BYTES}"
        )
    if not SECTOR_BYTES <= cluster_bytes <= _REGION_BYTES or cluster_bytes & (cluster_bytes - 1):
        raise BitLockerFormatError(
            f"a cluster can't have {cluster_bytes} bytes; take a power of two up to {_REGION_BYTES}"
        )
    spread = volume_bytes // 8 // _STEP * _STEP
    moved_offset = _FIRST_INFO + METADATA_BYTES
    return VolumeLayout(
        volume_bytes=volume_bytes,
        cluster_bytes=cluster_bytes,
        info_offsets=(_FIRST_INFO, _FIRST_INFO + spread, _FIRST_INFO + 2 * spread),
        moved_offset=moved_offset,
        region_offset=moved_offset + max(MOVED_BYTES, cluster_bytes),
    )
