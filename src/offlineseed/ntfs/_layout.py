"""
A volume that is laid out: which record, which index blocks and which clusters everything has.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, final

import attrs

from offlineseed.ntfs._contents import ROOT, Contents
from offlineseed.ntfs._encoding import RECORD_BYTES, round_up
from offlineseed.ntfs._geometry import BOOT_BYTES, Geometry
from offlineseed.ntfs._index import entry_length
from offlineseed.ntfs._places import SystemPlaces
from offlineseed.ntfs._security import SecurityEntry
from offlineseed.ntfs._space import Run
from offlineseed.ntfs._tree import TreeShape, shape_tree
from offlineseed.ntfs._upcase import collation_key

__all__ = [
    "FIRST_RECORD",
    "SYSTEM_NAMES",
    "Extent",
    "FilePlace",
    "NtfsLayout",
    "directory_shape",
    "is_resident",
    "name_attribute_bytes",
    "node_entry_length",
    "root_children",
]

FIRST_RECORD: Final = 64
"""The first record for files of users."""
SYSTEM_NAMES: Final = (
    "$MFT", "$MFTMirr", "$LogFile", "$Volume", "$AttrDef", ".", "$Bitmap", "$Boot", "$BadClus",
    "$Secure", "$UpCase", "$Extend",
)  # fmt: skip
"""What stands in the root of every volume, by record."""

_RECORD_HEAD: Final = 0x38 + 0x60 + 8  # header, standard information, end marker


@final
@attrs.frozen
class Extent:
    """
    A range of the volume, in whole clusters.
    """

    offset: int
    """Where it begins, in bytes."""
    length: int
    """How many bytes; the last extent of a file may be longer than the data that are left."""


@final
@attrs.frozen(kw_only=True)
class FilePlace:
    """
    Where a file's data belong.
    """

    path: str
    """The file."""
    number: int
    """Tells it from the volume's other files; below `NtfsLayout.node_count`."""
    length: int
    """Bytes of its data; the bound, where `is_maximum`."""
    is_maximum: bool
    """Whether the real length is given when the metadata are rendered."""
    is_rendered: bool
    """Whether rendering writes the data, so that the caller has nothing to write."""
    extents: tuple[Extent, ...]
    """The file's clusters in the order of its data: one extent, unless a reserved one cuts it.

    None where the file is empty or its data lie in its record. After the data, zeros belong into
    what is left of the last cluster."""


@final
@attrs.frozen(kw_only=True, eq=False)
class NtfsLayout:
    """
    A volume that is laid out. Made by `plan_volume`; thread-safe, as nothing in it changes.
    """

    geometry: Geometry
    """Sizes."""
    created: int
    """FILETIME of everything that has no time of its own."""
    serial: int
    """The volume's serial number."""
    label: str
    """The volume's name."""
    hidden_sectors: int
    """Sectors before the volume on its disk."""
    is_mkntfs: bool
    """Whether the system's files lie where mkntfs puts them."""
    contents: Contents = attrs.field(repr=False)
    """Files and directories."""
    places: SystemPlaces
    """Where the system's files lie."""
    security: tuple[SecurityEntry, ...] = attrs.field(repr=False)
    """The security descriptors."""
    records: int
    """Records in the master file table, free ones included."""
    index_blocks: Sequence[int] = attrs.field(repr=False)
    """Of each directory: its index blocks; 0 where the index stands in the record."""
    index_places: Sequence[int] = attrs.field(repr=False)
    """Of each directory: the first cluster of its index blocks."""
    index_bitmap_places: Mapping[int, int] = attrs.field(repr=False)
    """Of directories whose index bitmap has clusters: the first of them."""
    first_clusters: Sequence[int] = attrs.field(repr=False)
    """Of each node: where its data begin; 0 where they have no clusters."""
    split: Mapping[int, tuple[Run, ...]] = attrs.field(repr=False)
    """Of the nodes whose data are not in one run: the runs."""
    free: tuple[Run, ...]
    """The free clusters, where every file has its full length."""

    @property
    def file_count(self) -> int:
        """Files that were laid out."""
        return len(self.contents.files)

    @property
    def node_count(self) -> int:
        """Files and directories, those of reserved extents among them."""
        return len(self.contents)

    @property
    def free_bytes(self) -> int:
        """Bytes in free clusters."""
        return sum(count for _, count in self.free) * self.geometry.cluster_bytes

    def files(self) -> Iterator[FilePlace]:
        """
        Yield the files in the order given, which is the order of their data on the volume.
        """
        return map(self._file, self.contents.files)

    def find(self, path: str) -> FilePlace:
        """
        Return the place of one file.

        Raises:
            KeyError: no such file was laid out.
        """
        node = self.contents.find(path)
        if self.contents.lengths[node] < 0 or node in self.contents.reserved:
            raise KeyError(path)
        return self._file(node)

    def boot_region(self) -> bytes:
        """
        Return `$Boot`: the boot sector and what follows it, 8192 bytes at offset 0.
        """
        boot = self.geometry.render_boot(
            mft=self.places.mft[0],
            mirror=self.places.mirror[0],
            serial=self.serial,
            hidden_sectors=self.hidden_sectors,
        )
        return boot.ljust(BOOT_BYTES, b"\0")

    def runs_of(self, node: int) -> tuple[Run, ...]:
        """
        Return the clusters that were laid out for a file's data.
        """
        if node in self.split:
            return self.split[node]
        first = self.first_clusters[node]
        return ((first, self.geometry.clusters_of(self.contents.lengths[node])),) if first else ()

    def _file(self, node: int) -> FilePlace:
        cluster = self.geometry.cluster_bytes
        return FilePlace(
            path=self.contents.path(node),
            number=node,
            length=self.contents.lengths[node],
            is_maximum=node in self.contents.maxima,
            is_rendered=node in self.contents.given,
            extents=tuple(
                Extent(first * cluster, count * cluster) for first, count in self.runs_of(node)
            ),
        )

    def final_lengths(self, by_path: Mapping[str, int]) -> dict[int, int]:
        """
        Return the real lengths by node of the files whose length was a bound.

        Raises:
            KeyError: one of the paths was not laid out with a bound.
            ValueError: a real length is missing, negative or above its bound.
        """
        lengths = {}
        for path, length in by_path.items():
            node = self.contents.find(path)
            if node not in self.contents.maxima:
                raise KeyError(path)
            bound = self.contents.lengths[node]
            if not 0 <= length <= bound:
                raise ValueError(f"{path} was laid out for at most {bound} bytes, not {length}")
            lengths[node] = length
        missing = self.contents.maxima - lengths.keys()
        if missing:
            path = self.contents.path(min(missing))
            raise ValueError(f"the real length of {path} is missing; give it to render_volume()")
        return lengths


def name_attribute_bytes(name_bytes: int) -> int:
    """
    Return the length of a `$FILE_NAME` attribute.

    Args:
        name_bytes: Length of the name in bytes of UTF-16.
    """
    return round_up(0x5A + name_bytes, 8)


def root_children(contents: Contents) -> list[int]:
    """
    Return the root directory's nodes by collation, the system's as complements of their records.
    """
    names = {~record: name for record, name in enumerate(SYSTEM_NAMES)}
    nodes = [*names, *contents.children(ROOT)]
    nodes.sort(
        key=lambda node: collation_key(names[node] if node < 0 else contents.name(node)),
    )
    return nodes


def node_entry_length(contents: Contents, node: int) -> int:
    """
    Return the length of a node's index entry; a system file's is the complement of its record.
    """
    return entry_length(2 * len(SYSTEM_NAMES[~node]) if node < 0 else contents.name_length(node))


def directory_shape(contents: Contents, nodes: Sequence[int]) -> TreeShape:
    """
    Return the tree of a directory with these nodes.
    """
    lengths = array("H", [node_entry_length(contents, node) for node in nodes])
    return shape_tree(lengths)


def is_resident(contents: Contents, node: int) -> bool:
    """
    Whether a file's data, known already, fit into its record.
    """
    name = name_attribute_bytes(contents.name_length(node))
    return round_up(len(contents.given[node]), 8) <= RECORD_BYTES - _RECORD_HEAD - name - 0x18
