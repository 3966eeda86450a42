"""
Where a blob goes, by its import disposition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import final

import attrs

from offlineseed.emulator._manifest_reader import ManifestEntry

__all__ = ["Place", "PlaceBook"]


@final
@attrs.frozen(kw_only=True)
class Place:
    """
    Where one blob goes.
    """

    container: str
    """The container."""
    name: str
    """The name, changed where the blob is renamed."""
    disposition: str
    """`Created`, `Renamed`, `Overwritten` or `Skipped`."""

    @property
    def blob_path(self) -> str:
        """
        Container and name.
        """
        return f"{self.container}/{self.name}"


@final
class PlaceBook:
    """
    Gives each blob its place.

    Used by one thread: equal names are resolved in the manifest's order even while several blobs
    are on their way.

    Args:
        exists: whether a container has a blob of a name.
    """

    def __init__(self, exists: Callable[[str, str], bool]) -> None:
        self._exists = exists
        self._on_their_way: Counter[tuple[str, str]] = Counter()

    def place(self, entry: ManifestEntry) -> Place:
        """
        Find an entry's place. Raises what the destination raises.
        """
        name, status = entry.name, "Created"
        if self._is_taken(entry.container, name):
            if entry.disposition == "no-overwrite":
                return Place(container=entry.container, name=name, disposition="Skipped")
            if entry.disposition == "overwrite":
                status = "Overwritten"
            else:
                status = "Renamed"
                count = 2
                while self._is_taken(entry.container, name := _renamed(entry.name, count)):
                    count += 1
        self._on_their_way[entry.container, name] += 1
        return Place(container=entry.container, name=name, disposition=status)

    def done(self, place: Place) -> None:
        """
        Note that a blob is no longer on its way.
        """
        key = (place.container, place.name)
        self._on_their_way[key] -= 1
        if self._on_their_way[key] <= 0:
            del self._on_their_way[key]

    def _is_taken(self, container: str, name: str) -> bool:
        return (container, name) in self._on_their_way or self._exists(container, name)


def _renamed(name: str, count: int) -> str:
    # The rule speaks of the last dot of the name; a dot in a folder above is not meant.
    folder, slash, last = name.rpartition("/")
    stem, dot, suffix = last.rpartition(".")
    if not dot:
        return f"{name} ({count})"
    return f"{folder}{slash}{stem} ({count}){dot}{suffix}"
