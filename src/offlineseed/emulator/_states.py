"""
The import job's state machine and its timers.

Source: reference documents STATE, STATUS21, CANCEL and SVC17 of the Import/Export service; where
they disagree (how late a job may be cancelled) the newest text about the service itself counts.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

__all__ = [
    "ANSWER_DEADLINE",
    "ARRIVAL_DEADLINE",
    "CANCELLABLE",
    "DELETABLE",
    "KEPT_AFTER_THE_END",
    "NEXT",
    "TERMINAL",
    "TRACKING_DEADLINE",
    "DriveWord",
    "JobWord",
]


class JobWord(str, Enum):
    """
    A job's state, in the words of Microsoft.ImportExport.
    """

    CREATING = "Creating"
    SHIPPING = "Shipping"
    RECEIVED = "Received"
    TRANSFERRING = "Transferring"
    PACKAGING = "Packaging"
    COMPLETED = "Completed"
    CLOSED = "Closed"


class DriveWord(str, Enum):
    """
    A drive's state, in the words of Microsoft.ImportExport.
    """

    SPECIFIED = "Specified"
    RECEIVED = "Received"
    NEVER_RECEIVED = "NeverReceived"
    TRANSFERRING = "Transferring"
    COMPLETED = "Completed"
    COMPLETED_MORE_INFO = "CompletedMoreInfo"
    SHIPPED_BACK = "ShippedBack"


NEXT: dict[JobWord, frozenset[JobWord]] = {
    JobWord.CREATING: frozenset({JobWord.SHIPPING, JobWord.COMPLETED}),
    JobWord.SHIPPING: frozenset({JobWord.RECEIVED, JobWord.CLOSED}),
    JobWord.RECEIVED: frozenset({JobWord.TRANSFERRING, JobWord.PACKAGING}),
    JobWord.TRANSFERRING: frozenset({JobWord.PACKAGING}),
    JobWord.PACKAGING: frozenset({JobWord.COMPLETED, JobWord.CLOSED}),
    JobWord.COMPLETED: frozenset(),
    JobWord.CLOSED: frozenset(),
}
"""From a state to those that may follow it.

A cancelled job skips Transferring; cancelled before it was shipped, a Data Box order ends at once,
where Microsoft.ImportExport waits for the job to be deleted.
"""

TERMINAL = frozenset({JobWord.COMPLETED, JobWord.CLOSED})
"""Nothing follows."""

DELETABLE = frozenset({JobWord.CREATING, JobWord.COMPLETED})
"""DELETE is allowed."""

CANCELLABLE = frozenset(
    {JobWord.CREATING, JobWord.SHIPPING, JobWord.RECEIVED, JobWord.TRANSFERRING}
)
"""Cancelling is allowed: as far as Packaging, at the service's best effort."""

TRACKING_DEADLINE = timedelta(days=14)
"""A job without tracking information is deleted this long after its last update."""

ARRIVAL_DEADLINE = timedelta(days=14)
"""Drives that have not come this long after shipping count as never received."""

ANSWER_DEADLINE = timedelta(days=30)
"""A job whose drives never came is closed this long after shipping."""

KEPT_AFTER_THE_END = timedelta(days=90)
"""A job that ended is deleted after this long."""
