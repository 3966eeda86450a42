"""
What a volume is laid out for: its files, and extents that must lie at given places.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Final, final

import attrs

__all__ = ["NtfsFile", "ReservedExtent", "filetime"]

_EPOCH: Final = datetime(1601, 1, 1, tzinfo=timezone.utc)
_MICROSECOND: Final = timedelta(microseconds=1)


def filetime(moment: datetime) -> int:
    """
    Return a moment as NTFS stores it: units of 100 ns since 1601, UTC.

    Raises:
        ValueError: the moment has no time zone, or lies before 1601.
    """
    if moment.tzinfo is None:
        raise ValueError("a time on a volume needs a time zone; use an aware datetime")
    ticks = (moment - _EPOCH) // _MICROSECOND * 10
    if ticks < 0:
        raise ValueError("NTFS knows no times before 1601")
    return ticks


def _whole(_: Any, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or value < 0:
        raise ValueError(f"{attribute.name} is a whole number, not {value!r}")


@final
@attrs.frozen(kw_only=True)
class NtfsFile:
    """
    One file to be laid out.

    Raises:
        ValueError: the length is negative, or another than that of the content.
    """

    path: str
    """Where it stands on the volume: relative, POSIX."""
    length: int = attrs.field(validator=_whole)
    """Bytes of its data."""
    is_maximum: bool = False
    """Whether `length` is a bound: the real length is given when the metadata are rendered."""
    modified: datetime | None = None
    """Its times; the volume's where not given."""
    content: bytes | None = attrs.field(default=None, repr=False)
    """Its data, where they are known already: rendering writes them, inside the record if they fit.

    Without it, the caller writes the data to the extents that the layout gives."""

    def __attrs_post_init__(self) -> None:
        if self.content is not None and (len(self.content) != self.length or self.is_maximum):
            raise ValueError(f"{self.path}: the content's length is the file's length")


@final
@attrs.frozen(kw_only=True)
class ReservedExtent:
    """
    A range of the volume that something else uses, mapped by a file so that nobody takes it.

    The file stands in `System Volume Information`, hidden and for the system alone. Nothing is
    ever rendered into the range.
    """

    name: str
    """The file's name in `System Volume Information`."""
    offset: int = attrs.field(validator=_whole)
    """Where the range begins, in bytes; a multiple of the cluster size."""
    length: int = attrs.field(validator=_whole)
    """Bytes of the range and of the file."""
