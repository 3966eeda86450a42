"""
The service's closed vocabularies, as enums that a newer service does not break.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

__all__ = ["DriveState", "JobState", "JobType", "LogLevel", "known_word"]


class _Word(str, Enum):
    @classmethod
    def _missing_(cls, value: object) -> _Word | None:
        if isinstance(value, str):
            folded = value.casefold()
            for member in cls:
                if member.value.casefold() == folded:
                    return member
        return None

    def __str__(self) -> str:
        return str(self.value)


class JobState(_Word):
    """
    Where an import job stands.

    Source: "Retrieving state information for an Import/Export job", 2016-12-16.
    """

    CREATING = "Creating"
    """The job exists; the service waits for shipping information, two weeks at most."""
    SHIPPING = "Shipping"
    """The customer said that the package is on its way."""
    RECEIVED = "Received"
    """All drives are in the datacentre."""
    TRANSFERRING = "Transferring"
    """At least one drive is being copied."""
    PACKAGING = "Packaging"
    """All drives are done; the return package is being made or is on its way."""
    COMPLETED = "Completed"
    """The drives went back and nothing failed. A cancelled job ends here too."""
    CLOSED = "Closed"
    """The job ended, and something failed: see each drive."""
    FAULTED = "Faulted"
    """The job is stuck; the service's operators get in touch."""


class DriveState(_Word):
    """
    Where one drive of a job stands.

    Source: "Retrieving state information for an Import/Export job", 2016-12-16.
    """

    SPECIFIED = "Specified"
    """The job names the drive; it has not arrived."""
    RECEIVED = "Received"
    """The drive is in the datacentre."""
    NEVER_RECEIVED = "NeverReceived"
    """The package came without the drive, or nothing came in time."""
    TRANSFERRING = "Transferring"
    """Its blobs are being copied."""
    COMPLETED = "Completed"
    """Everything on it was copied."""
    COMPLETED_MORE_INFO = "CompletedMoreInfo"
    """It was processed, and its copy log has something to say."""
    SHIPPED_BACK = "ShippedBack"
    """It is on its way home."""


class LogLevel(_Word):
    """
    How much a copy log tells.
    """

    ERROR = "Error"
    """Failures only."""
    VERBOSE = "Verbose"
    """Every blob."""


class JobType(_Word):
    """
    The direction of a job; this library creates imports only and shows both.
    """

    IMPORT = "Import"
    """From drives to a storage account."""
    EXPORT = "Export"
    """From a storage account to drives."""


_W = TypeVar("_W", bound=_Word)


def known_word(words: type[_W], text: str) -> _W | str:
    """
    Return the member that `text` names, without regard to case, or `text` itself if none does.
    """
    try:
        return words(text)
    except ValueError:
        return text
