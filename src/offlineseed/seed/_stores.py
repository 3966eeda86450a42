"""
Where a seed's objects lie: the protocol of stores, and the names of the objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from offlineseed.errors import GenerationFullError

__all__ = ["SegmentStore", "SegmentWriter", "catalog_name", "seal_name", "segment_name"]

_SEGMENT = re.compile(r"segments/g\d{4,}-\d{6,}\.zst", re.ASCII)
_LAST_SEGMENT = 999_999
_SEAL = re.compile(r"seals/g(\d{4,})\.json")


class SegmentWriter(Protocol):
    """
    A segment that is being written. Used by one thread, except that `sync` may run beside `write`.
    """

    def write(self, data: bytes | memoryview) -> None:
        """
        Append bytes. `data` is the caller's again when this returns: it will hold other bytes.

        Raises:
            StagingFullError: the store has no room; what `sync` reported stays.
        """

    def sync(self) -> int:
        """
        Make what was written durable, as far as the store can before `close`.

        Returns how many bytes from the start survive a crash from now on: all, some or none.
        """

    def close(self) -> None:
        """
        Make the segment whole, durable and visible under its name, at once.
        """

    def abort(self) -> None:
        """
        Let go of the segment without making it visible. What `sync` reported stays for `resume`.
        """


@runtime_checkable
class SegmentStore(Protocol):
    """
    Holds whole objects by name: segments, catalogs and seals.

    Names are relative POSIX paths of ASCII letters, digits, `-`, `.` and `/`. Reading is safe from
    any thread. Errors of the medium (OSError, azure-core's) pass through.
    """

    def create(self, name: str) -> SegmentWriter:
        """
        Begin an object. It appears when the writer is closed, in place of another of its name.
        """

    def recover(self, name: str, length: int) -> SegmentWriter:
        """
        Go on with an object that a crash interrupted, after its first `length` bytes.

        Raises:
            SegmentMissingError: the store does not have so many bytes of it.
        """

    def read(self, name: str, offset: int, length: int) -> bytes:
        """
        Read a range; fewer bytes only at the object's end. Reads an interrupted object, too.

        Raises:
            SegmentMissingError: there is no such object.
        """

    def length(self, name: str) -> int:
        """
        Return an object's length in bytes.

        Raises:
            SegmentMissingError: there is no such object.
        """

    def names(self, prefix: str) -> Iterator[str]:
        """
        Yield the names of whole objects that begin with `prefix`, ascending.
        """


def segment_name(generation: int, number: int) -> str:
    """
    Return a segment's name in its store.

    Raises:
        GenerationFullError: the number has more than six digits.
    """
    if number > _LAST_SEGMENT:
        raise GenerationFullError(
            f"generation {generation} has {_LAST_SEGMENT + 1:,} segments, as many as a generation "
            "may have: seal it and add the rest in an increment, or stage it anew with greater "
            "segment_bytes"
        )
    return f"segments/g{generation:04d}-{number:06d}.zst"


def is_segment_name(name: str) -> bool:
    """
    Tell whether a catalog may name a segment so.
    """
    return _SEGMENT.fullmatch(name) is not None


def catalog_name(generation: int) -> str:
    """
    Return the name of a generation's sealed catalog.
    """
    return f"catalogs/g{generation:04d}.sqlite.zst"


def seal_name(generation: int) -> str:
    """
    Return the name of a generation's seal.
    """
    return f"seals/g{generation:04d}.json"


def sealed_generations(store: SegmentStore) -> tuple[int, ...]:
    """
    Return the numbers of the generations whose seals a store holds, ascending.
    """
    matches = (_SEAL.fullmatch(name) for name in store.names("seals/"))
    return tuple(sorted(int(match[1]) for match in matches if match))


def put_object(store: SegmentStore, name: str, data: bytes) -> None:
    """
    Store a small object whole.
    """
    writer = store.create(name)
    try:
        writer.write(data)
        writer.close()
    except BaseException:
        writer.abort()
        raise
