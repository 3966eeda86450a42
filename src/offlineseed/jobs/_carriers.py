"""
Carriers and tracking numbers: when two spellings mean the same.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["KNOWN_CARRIERS", "is_offered", "same_carrier", "same_tracking_number"]

KNOWN_CARRIERS = ("Blue Dart", "DHL", "FedEx", "TNT", "UPS")
"""
Carriers that locations have named; a location's own list is what counts.

Source: the service's list of locations, recorded 2020-04-28.
"""


def same_carrier(one: str, other: str) -> bool:
    """
    Compare carriers' names without regard to case, spaces and punctuation.
    """
    return _letters(one) == _letters(other) != ""


def is_offered(carrier: str, offered: Iterable[str]) -> bool:
    """
    Return whether a carrier is in a location's list; a list that says nothing offers all.
    """
    names = tuple(offered)
    return not names or any(same_carrier(carrier, name) for name in names)


def same_tracking_number(one: str, other: str) -> bool:
    """
    Compare tracking numbers without regard to case and spaces.

    A hyphen counts: packages of several pieces have numbers that differ in `-1`, `-2`.
    """
    return _compact(one) == _compact(other) != ""


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _compact(number: str) -> str:
    return "".join(number.split()).casefold()
