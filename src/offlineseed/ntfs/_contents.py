"""
A volume's files and directories as compact arrays, ordered as they will be recorded.

A node is a file or a directory other than the root; nodes are numbered as they come. Millions of
them stay small: names lie in one buffer, all else in arrays. Directories are numbered too, the
root is number 0.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Final, final

from offlineseed.findings import Finding
from offlineseed.ntfs._files import NtfsFile, ReservedExtent, filetime
from offlineseed.ntfs._names import PROTECTED_DIRECTORY, name_findings
from offlineseed.ntfs._upcase import collation_key

__all__ = ["ROOT", "Contents"]

ROOT: Final = 0
"""Number of the root directory."""
_NO_NODE: Final = 0xFFFFFFFF


@final
class Contents:
    """
    Files and directories, added one by one, then put in order.

    Args:
        default_time: FILETIME of directories, and of files that give none.
    """

    def __init__(self, default_time: int) -> None:
        self.findings: list[Finding] = []
        """Everything that is wrong with the names so far."""
        self.lengths = array("q")
        """Of each node: a file's length in bytes, or the complement of a directory's number."""
        self.times = array("Q")
        """Of each node: its FILETIME."""
        self.parents = array("I")
        """Of each node: the number of the directory that it stands in."""
        self.files = array("I")
        """The nodes of the files to be laid out, in the order in which they came."""
        self.maxima: set[int] = set()
        """The nodes whose length is a bound."""
        self.given: dict[int, bytes] = {}
        """The nodes whose data are known already."""
        self.reserved: dict[int, ReservedExtent] = {}
        """The nodes that map a reserved extent."""
        self.protected: set[int] = set()
        """The nodes that are hidden and for the system alone."""
        self.order = array("I")
        """The nodes in the order of their records: by directory, then by collation."""
        self.directory_order = array("I")
        """The directories in the order of their records, the root first."""
        self.child_starts = array("I")
        """Of each directory: where in `order` its children begin."""
        self.child_counts = array("I")
        """Of each directory: how many children it has."""
        self.directory_nodes = array("I", [_NO_NODE])
        """Of each directory: its node."""
        self._default_time = default_time
        self._names = bytearray()
        self._name_ends = array("Q", [0])
        self._directories = {"": ROOT}

    def __len__(self) -> int:
        return len(self.lengths)

    def add(self, file: NtfsFile) -> None:
        """
        Add a file, and the directories on its way.

        Raises:
            ValueError: its time can't be stored.
        """
        directory, slash, name = file.path.rpartition("/")
        parent = self._directories.get(directory)
        if parent is None:
            parent = self._add_directories(directory)
        elif slash and not directory:
            self._absolute(file.path)
        problems = name_findings(name, file.path, is_in_root=parent == ROOT)
        if problems:
            self.findings += problems
        time = self._default_time if file.modified is None else filetime(file.modified)
        node = self._add_node(name, parent, file.length, time)
        self.files.append(node)
        if file.is_maximum:
            self.maxima.add(node)
        if file.content is not None:
            self.given[node] = file.content

    def add_reserved(self, extents: Iterable[ReservedExtent]) -> None:
        """
        Add the files that map reserved extents, once, after all other files.
        """
        parent = None
        for extent in extents:
            if parent is None:
                parent = self._add_directory(PROTECTED_DIRECTORY, ROOT, PROTECTED_DIRECTORY)
                self.protected.add(self.directory_nodes[parent])
            path = f"{PROTECTED_DIRECTORY}/{extent.name}"
            self.findings += name_findings(extent.name, path, is_in_root=False)
            node = self._add_node(extent.name, parent, extent.length, self._default_time)
            self.reserved[node] = extent
            self.protected.add(node)

    def close(self) -> None:
        """
        Put everything in order, and find names that stand twice; no more files can be added.
        """
        children = self._children_by_directory()
        queue = self.directory_order
        queue.append(ROOT)
        for directory in queue:
            start = self.child_starts[directory]
            nodes = children[start : start + self.child_counts[directory]]
            self.child_starts[directory] = len(self.order)
            for node in self._sorted(nodes):
                self.order.append(node)
                if self.lengths[node] < 0:
                    queue.append(~self.lengths[node])
        self._directories = {}

    def name_bytes(self, node: int) -> bytes:
        """
        Return a node's name in UTF-16.
        """
        return bytes(self._names[self._name_ends[node] : self._name_ends[node + 1]])

    def name_length(self, node: int) -> int:
        """
        Return the length of a node's name in bytes of UTF-16.
        """
        return self._name_ends[node + 1] - self._name_ends[node]

    def name(self, node: int) -> str:
        """
        Return a node's name.
        """
        data = self._names[self._name_ends[node] : self._name_ends[node + 1]]
        return data.decode("utf-16-le", "surrogatepass")

    def path(self, node: int) -> str:
        """
        Return a node's path, relative and POSIX.
        """
        parts = []
        while node != _NO_NODE:
            parts.append(self.name(node))
            node = self.directory_nodes[self.parents[node]]
        return "/".join(reversed(parts))

    def children(self, directory: int) -> array[int]:
        """
        Return a directory's nodes by collation.
        """
        start = self.child_starts[directory]
        return self.order[start : start + self.child_counts[directory]]

    def find(self, path: str) -> int:
        """
        Return the node at a path.

        Raises:
            KeyError: there is none.
        """
        directory: int | None = ROOT
        node = _NO_NODE
        for name in path.split("/"):
            found = None if directory is None else self._find_in(directory, name)
            if found is None:
                raise KeyError(path)
            node = found
            directory = ~self.lengths[node] if self.lengths[node] < 0 else None
        return node

    def _find_in(self, directory: int, name: str) -> int | None:
        key = collation_key(name)
        low = self.child_starts[directory]
        end = high = low + self.child_counts[directory]
        while low < high:
            middle = (low + high) // 2
            if collation_key(self.name(self.order[middle])) < key:
                low = middle + 1
            else:
                high = middle
        if low < end and self.name(self.order[low]) == name:
            return self.order[low]
        return None

    def _add_node(self, name: str, parent: int, length: int, time: int) -> int:
        self._names += name.encode("utf-16-le", "surrogatepass")
        self._name_ends.append(len(self._names))
        self.lengths.append(length)
        self.times.append(time)
        self.parents.append(parent)
        return len(self.lengths) - 1

    def _add_directory(self, path: str, parent: int, name: str) -> int:
        directory = len(self.directory_nodes)
        node = self._add_node(name, parent, ~directory, self._default_time)
        self.directory_nodes.append(node)
        self._directories[path] = directory
        return directory

    def _add_directories(self, path: str) -> int:
        if path.startswith("/") or path.endswith("/"):
            self._absolute(path)
        directory = ROOT
        end = 0
        while end < len(path):
            start = end
            end = path.find("/", start)
            end = len(path) if end < 0 else end
            known = self._directories.get(path[:end])
            if known is None:
                name = path[start:end]
                self.findings += name_findings(name, path[:end], is_in_root=directory == ROOT)
                known = self._add_directory(path[:end], directory, name)
            directory = known
            end += 1
        return directory

    def _absolute(self, path: str) -> None:
        self.findings.append(
            Finding(
                code="name-empty",
                subject=path,
                message="the path begins with / or has //; use a relative path without them",
            )
        )

    def _children_by_directory(self) -> array[int]:
        # A counting sort: no list for each directory.
        counts = array("I", bytes(4 * len(self.directory_nodes)))
        for parent in self.parents:
            counts[parent] += 1
        starts = array("I")
        total = 0
        for count in counts:
            starts.append(total)
            total += count
        children = array("I", bytes(4 * total))
        ends = starts[:]
        for node, parent in enumerate(self.parents):
            children[ends[parent]] = node
            ends[parent] += 1
        self.child_starts, self.child_counts = starts, counts
        return children

    def _sorted(self, nodes: array[int]) -> Iterator[int]:
        if len(nodes) < 2:
            yield from nodes
            return
        keys = [collation_key(self.name(node)) for node in nodes]
        previous = None
        for index in sorted(range(len(nodes)), key=keys.__getitem__):
            node = nodes[index]
            if previous is not None and keys[index] == keys[previous]:
                self._duplicate(nodes[previous], node)
            previous = index
            yield node

    def _duplicate(self, first: int, second: int) -> None:
        path, other = self.path(second), self.path(first)
        differs = "stands there twice" if path == other else f"differs from {other!r} only in case"
        self.findings.append(
            Finding(
                code="name-duplicate",
                subject=path,
                message=f"the name {differs}; Windows takes them for one, rename it",
            )
        )
