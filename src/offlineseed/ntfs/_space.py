"""
Which clusters are taken: extents with fixed places first, then everything else from the front.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import final

from offlineseed.errors import VolumeFullError

__all__ = ["Run", "Space"]

Run = tuple[int, int]
"""First cluster and number of clusters."""


@final
class Space:
    """
    The free clusters of a volume, as a short ascending list of extents.

    Args:
        clusters: Clusters of the volume.
        cluster_bytes: Bytes in a cluster, for errors.
        fixed: Extents with a place of their own.

    Raises:
        ValueError: two of the fixed extents overlap.
        VolumeFullError: one of them lies outside the volume.
    """

    def __init__(self, clusters: int, cluster_bytes: int, fixed: Iterable[Run] = ()) -> None:
        self._cluster_bytes = cluster_bytes
        self._free: list[list[int]] = []
        end = 0
        for first, count in sorted(fixed):
            if first < end:
                raise ValueError(f"two extents with fixed places share cluster {first}")
            if first + count > clusters:
                raise VolumeFullError(
                    f"an extent has to lie at byte {first * cluster_bytes}, past the volume's end; "
                    "use a larger drive",
                    needed_bytes=(first + count) * cluster_bytes,
                    free_bytes=clusters * cluster_bytes,
                )
            if first > end:
                self._free.append([end, first - end])
            end = first + count
        if clusters > end:
            self._free.append([end, clusters - end])

    @property
    def free_clusters(self) -> int:
        """Clusters that are still free."""
        return sum(count for _, count in self._free)

    def free_extents(self) -> tuple[Run, ...]:
        """
        Return the free extents, ascending.
        """
        return tuple((first, count) for first, count in self._free)

    def take_whole(self, count: int) -> int:
        """
        Take the first place for `count` clusters in one extent; return its first cluster.

        Raises:
            VolumeFullError: there is no such place.
        """
        for index, extent in enumerate(self._free):
            if extent[1] >= count:
                first = extent[0]
                extent[0] += count
                extent[1] -= count
                if not extent[1]:
                    del self._free[index]
                return first
        raise self._full(count)

    def take_each(self, counts: Iterable[int]) -> Iterator[int | tuple[Run, ...]]:
        """
        Take clusters for one file after another from the front; yield the place of each.

        A place is the first cluster where the file is whole, and its runs where a fixed extent
        cuts it. A file without clusters has cluster 0.

        Raises:
            VolumeFullError: a file does not fit.
        """
        current = self._free[0] if self._free else [0, 0]
        for count in counts:
            if not count:
                yield 0
            elif current[1] > count:
                yield current[0]
                current[0] += count
                current[1] -= count
            else:
                yield self._take_split(count)
                current = self._free[0] if self._free else [0, 0]

    def _take_split(self, count: int) -> int | tuple[Run, ...]:
        if count > self.free_clusters:
            raise self._full(count)
        runs = []
        while count:
            extent = self._free[0]
            taken = min(count, extent[1])
            runs.append((extent[0], taken))
            extent[0] += taken
            extent[1] -= taken
            count -= taken
            if not extent[1]:
                del self._free[0]
        return runs[0][0] if len(runs) == 1 else tuple(runs)

    def _full(self, count: int) -> VolumeFullError:
        needed = count * self._cluster_bytes
        free = self.free_clusters * self._cluster_bytes
        return VolumeFullError(
            f"the contents do not fit: {needed} bytes more are needed, {free} are free; use a "
            "larger drive or fewer files",
            needed_bytes=needed,
            free_bytes=free,
        )
