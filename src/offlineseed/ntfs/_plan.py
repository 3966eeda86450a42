"""
Laying out a volume.

The layout is a pure function of its arguments: the same arguments give the same layout on any
machine, so a caller that was interrupted lays out again and goes on.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

import attrs

from offlineseed.errors import NameNotAllowedError, VolumeFullError
from offlineseed.findings import Finding
from offlineseed.ntfs._contents import ROOT, Contents
from offlineseed.ntfs._encoding import RECORD_BYTES, round_up
from offlineseed.ntfs._files import NtfsFile, ReservedExtent, filetime
from offlineseed.ntfs._geometry import BOOT_BYTES, INDEX_BLOCK_BYTES, Geometry, cluster_bytes_for
from offlineseed.ntfs._index import INDEX_ROOT_ROOM, entry_length
from offlineseed.ntfs._layout import (
    FIRST_RECORD,
    NtfsLayout,
    directory_shape,
    is_resident,
    name_attribute_bytes,
    node_entry_length,
    root_children,
)
from offlineseed.ntfs._names import label_findings
from offlineseed.ntfs._places import Placement, place_like_mkntfs, place_system
from offlineseed.ntfs._security import SDS_MIRROR_AT, security_entries
from offlineseed.ntfs._space import Run, Space

__all__ = ["check_names", "plan_volume"]

_MKNTFS_RECORDS: Final = 27
_RECORD_HEAD: Final = 0x38 + 0x60 + 8  # header, standard information, end marker
_ROOT_HEAD: Final = 0x38 + 0x48 + 0x50 + 8  # shorter information, but a security descriptor
_LARGE_INDEX: Final = 0x58 + 0x58  # index root with one pointer, index allocation


def _count_index_blocks(contents: Contents, directory: int) -> int:
    # 0 where all entries fit into the directory's record.
    if directory == ROOT:
        return directory_shape(contents, root_children(contents)).blocks
    name = name_attribute_bytes(contents.name_length(contents.directory_nodes[directory]))
    room = RECORD_BYTES - _RECORD_HEAD - name - INDEX_ROOT_ROOM
    if contents.child_counts[directory] * entry_length(2) <= room:
        nodes = contents.children(directory)
        if sum(node_entry_length(contents, node) for node in nodes) <= room:
            return 0
    return directory_shape(contents, contents.children(directory)).blocks


def _bitmap_is_resident(contents: Contents, directory: int, blocks: int) -> bool:
    if directory == ROOT:
        used = _ROOT_HEAD + name_attribute_bytes(2)
    else:
        name_length = contents.name_length(contents.directory_nodes[directory])
        used = _RECORD_HEAD + name_attribute_bytes(name_length)
    return used + _LARGE_INDEX + 0x20 + round_up(blocks, 64) // 8 <= RECORD_BYTES


def _data_clusters(contents: Contents, geometry: Geometry) -> Iterator[int]:
    cluster = geometry.cluster_bytes
    given = contents.given
    for node in contents.files:
        length = contents.lengths[node]
        if node in given and is_resident(contents, node):
            yield 0
        else:
            yield -(-length // cluster)


def _reserved_runs(reserved: Iterable[ReservedExtent], geometry: Geometry) -> list[Run]:
    runs = []
    for extent in reserved:
        if extent.offset % geometry.cluster_bytes or not extent.length:
            raise ValueError(
                f"the extent of {extent.name} is empty, or does not begin on a multiple of the "
                f"cluster size, {geometry.cluster_bytes}"
            )
        first = extent.offset // geometry.cluster_bytes
        runs.append((first, geometry.clusters_of(extent.length)))
    return runs


def check_names(paths: Iterable[str]) -> tuple[Finding, ...]:
    """
    Return what keeps these paths from standing on a volume that Windows can read.

    Args:
        paths: The paths of files, relative and POSIX.
    """
    contents = Contents(0)
    for path in paths:
        contents.add(NtfsFile(path=path, length=0))
    contents.close()
    return tuple(contents.findings)


def plan_volume(
    volume_bytes: int,
    files: Iterable[NtfsFile],
    *,
    created: datetime,
    serial: int,
    label: str = "",
    reserved: Iterable[ReservedExtent] = (),
    cluster_bytes: int | None = None,
    hidden_sectors: int = 2048,
    placement: Placement = Placement.SEQUENTIAL,
) -> NtfsLayout:
    """
    Lay out a volume for its contents.

    Args:
        volume_bytes: Bytes of the volume: the whole partition.
        files: The files in the order in which their data shall lie; a generator will do.
        created: The volume's time, aware.
        serial: The volume's serial number, 64 random bits.
        label: The volume's name, at most 32 UTF-16 units.
        reserved: Extents that must stay where they are, such as those of BitLocker.
        cluster_bytes: Bytes in a cluster; what Windows would take where not given.
        hidden_sectors: Sectors before the volume on its disk.
        placement: Where the system's own files lie.

    Raises:
        NameNotAllowedError: names, or the label, that the volume can't carry; all of them.
        VolumeFullError: the contents do not fit.
        ValueError: a number or time is out of range, or reserved extents overlap.
    """
    geometry = Geometry(
        volume_bytes=volume_bytes, cluster_bytes=cluster_bytes or cluster_bytes_for(volume_bytes)
    )
    if not 0 <= serial < 1 << 64:
        raise ValueError("a serial number has 64 bits")
    reserved = tuple(reserved)
    time = filetime(created)
    contents = _collect(files, reserved, label, time)
    is_mkntfs = placement is Placement.MKNTFS
    records = _count_records(contents, geometry, is_mkntfs=is_mkntfs)
    security = security_entries(is_for_contents=not is_mkntfs or len(contents) > 0)
    blocks = array("I", bytes(4 * len(contents.directory_nodes)))
    for directory in contents.directory_order:
        blocks[directory] = _count_index_blocks(contents, directory)

    fixed = [(0, geometry.clusters_of(BOOT_BYTES)), *_reserved_runs(reserved, geometry)]
    index_places = array("Q", bytes(8 * len(blocks)))
    if is_mkntfs:
        places, root_run = place_like_mkntfs(
            geometry,
            records,
            security_bytes=SDS_MIRROR_AT + security[-1].end,
            root_index_clusters=geometry.clusters_of(blocks[ROOT] * INDEX_BLOCK_BYTES),
        )
        index_places[ROOT] = root_run[0]
        fixed += [*attrs.astuple(places, recurse=False), root_run]
        space = Space(geometry.clusters, geometry.cluster_bytes, fixed)
    else:
        space = Space(geometry.clusters, geometry.cluster_bytes, fixed)
        places = place_system(space, geometry, records)
    bitmap_places = _place_indexes(contents, geometry, space, blocks, index_places)
    first_clusters, split = _place_data(contents, geometry, space)
    return NtfsLayout(
        geometry=geometry,
        created=time,
        serial=serial,
        label=label,
        hidden_sectors=hidden_sectors,
        is_mkntfs=is_mkntfs,
        contents=contents,
        places=places,
        security=security,
        records=records,
        index_blocks=blocks,
        index_places=index_places,
        index_bitmap_places=bitmap_places,
        first_clusters=first_clusters,
        split=split,
        free=space.free_extents(),
    )


def _collect(
    files: Iterable[NtfsFile], reserved: Iterable[ReservedExtent], label: str, time: int
) -> Contents:
    contents = Contents(time)
    contents.findings += label_findings(label)
    for file in files:
        contents.add(file)
    contents.add_reserved(reserved)
    contents.close()
    if contents.findings:
        raise NameNotAllowedError(
            f"{len(contents.findings)} names can't stand on an NTFS volume, the first: "
            f"{contents.findings[0]}",
            findings=contents.findings,
        )
    return contents


def _count_records(contents: Contents, geometry: Geometry, *, is_mkntfs: bool) -> int:
    per_cluster = max(1, geometry.cluster_bytes // RECORD_BYTES)
    if is_mkntfs and not len(contents):
        return max(_MKNTFS_RECORDS, per_cluster)
    return round_up(FIRST_RECORD + len(contents), per_cluster)


def _place_indexes(
    contents: Contents,
    geometry: Geometry,
    space: Space,
    blocks: Sequence[int],
    index_places: array[int],
) -> dict[int, int]:
    bitmap_places: dict[int, int] = {}
    for directory in contents.directory_order:
        count = blocks[directory]
        if not count:
            continue
        if not index_places[directory]:
            clusters = geometry.clusters_of(count * INDEX_BLOCK_BYTES)
            index_places[directory] = space.take_whole(clusters)
        if not _bitmap_is_resident(contents, directory, count):
            clusters = geometry.clusters_of(round_up(count, 64) // 8)
            bitmap_places[directory] = space.take_whole(clusters)
    return bitmap_places


def _place_data(
    contents: Contents, geometry: Geometry, space: Space
) -> tuple[Sequence[int], dict[int, tuple[Run, ...]]]:
    first_clusters = array("Q", bytes(8 * len(contents)))
    split: dict[int, tuple[Run, ...]] = {}
    free = space.free_clusters
    try:
        places = space.take_each(_data_clusters(contents, geometry))
        for node, place in zip(contents.files, places, strict=True):
            if isinstance(place, int):
                first_clusters[node] = place
            else:
                first_clusters[node] = place[0][0]
                split[node] = place
    except VolumeFullError as e:
        # Say what all files need, not the first that found no place.
        needed = sum(_data_clusters(contents, geometry)) * geometry.cluster_bytes
        free_bytes = free * geometry.cluster_bytes
        raise VolumeFullError(
            f"the files need {needed} bytes, the volume has {free_bytes} for them; use a larger "
            "drive or fewer files",
            needed_bytes=needed,
            free_bytes=free_bytes,
        ) from e
    for node, extent in contents.reserved.items():
        first_clusters[node] = extent.offset // geometry.cluster_bytes
    return first_clusters, split
