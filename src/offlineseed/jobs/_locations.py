"""
Which location takes a region's drives.

Source: "Creating an import job for the Azure Import/Export service": a location whose alternates
contain itself takes its drives; otherwise an alternate does.
"""

from __future__ import annotations

from collections.abc import Iterable

from offlineseed.errors import ShippingError
from offlineseed.findings import Finding
from offlineseed.jobs._addresses import Location

__all__ = ["choose_location", "location_name", "no_location", "same_location"]


def same_location(one: str, other: str) -> bool:
    """
    Compare locations by name or id: `West US`, `westus` and the resource id mean the same.
    """
    return _key(one) == _key(other) != ""


def choose_location(locations: Iterable[Location], wanted: str) -> Location:
    """
    Return the location to which the drives for the region `wanted` are shipped.

    `wanted` is the storage account's region, by name or id. A location without alternates takes
    its own drives; with several, the first that is in `locations` does.

    Raises:
        ShippingError: the region, or every alternate of it, is missing from `locations`.
    """
    known = tuple(locations)
    location = _find(known, wanted)
    if location is None:
        raise no_location(wanted)
    alternates = location.alternate_locations
    if not alternates or any(_is(location, alternate) for alternate in alternates):
        return location
    for alternate in alternates:
        found = _find(known, alternate)
        if found is not None:
            return found
    raise _no_location(
        f"{location.name} takes no drives and none of its alternates is listed: "
        f"{', '.join(alternates)}; ask the service for its locations again"
    )


def _find(locations: Iterable[Location], wanted: str) -> Location | None:
    for location in locations:
        if _is(location, wanted):
            return location
    return None


def _is(location: Location, wanted: str) -> bool:
    return same_location(location.name, wanted) or same_location(location.id, wanted)


def _key(name_or_id: str) -> str:
    return "".join(location_name(name_or_id).split()).casefold()


def location_name(name_or_id: str) -> str:
    """
    Return a location's name, out of a resource id where it is one.
    """
    return name_or_id.rstrip("/").rpartition("/")[2]


def no_location(name: str) -> ShippingError:
    """
    Return the error for a region that the service does not list.
    """
    return _no_location(f"the service has no location {name!r}: choose one that it lists")


def _no_location(message: str) -> ShippingError:
    finding = Finding(code="location-unknown", subject="location", message=message)
    return ShippingError(message, findings=(finding,))
