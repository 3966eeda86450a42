"""
The clocks of an import job: what happens by itself, and when.

Sources: the offline backup article; "Retrieving state information for an Import/Export job",
2016-12-16; "Update tracking information", 2021.
"""

from __future__ import annotations

import datetime as dt
from typing import final

import attrs

from offlineseed.jobs._words import JobState

__all__ = [
    "ARRIVAL_TIME",
    "CLOSING_TIME",
    "RETENTION_TIME",
    "TRACKING_TIME",
    "Deadline",
    "job_deadlines",
]

TRACKING_TIME = dt.timedelta(weeks=2)
"""From the last change of a job in `Creating` until it expires without a tracking number."""
ARRIVAL_TIME = dt.timedelta(weeks=2)
"""From giving the shipping information until the drives count as never received."""
CLOSING_TIME = dt.timedelta(days=30)
"""From giving the shipping information until the operators may close the job."""
RETENTION_TIME = dt.timedelta(days=90)
"""From the end of a job until the service deletes it."""


@final
@attrs.frozen(kw_only=True)
class Deadline:
    """
    One thing that happens by itself at a time.
    """

    code: str
    """Stable: `tracking-due`, `arrival-due`, `closing`, `deletion`."""
    due: dt.datetime
    """When, aware."""
    remaining: dt.timedelta
    """How long until then; negative once it is past."""
    message: str
    """What happens then and what to do before, for a person."""

    @property
    def is_missed(self) -> bool:
        """
        Whether the time is past.
        """
        return self.remaining <= dt.timedelta(0)


def job_deadlines(
    state: JobState | str,
    *,
    now: dt.datetime,
    updated_at: dt.datetime | None = None,
    shipped_at: dt.datetime | None = None,
    ended_at: dt.datetime | None = None,
) -> tuple[Deadline, ...]:
    """
    Return the deadlines that run in a state, the earliest first.

    `updated_at` is the last change in `Creating`, at first the creation; `shipped_at` is when the
    shipping information was given; `ended_at` is when the job was first seen completed or closed.
    A time that is None gives no deadline.

    Raises:
        ValueError: a time is naive.
    """
    for moment in (now, updated_at, shipped_at, ended_at):
        if moment is not None and moment.tzinfo is None:
            raise ValueError("a deadline needs aware times: give them a time zone")

    def deadline(code: str, begin: dt.datetime, span: dt.timedelta, message: str) -> Deadline:
        due = begin + span
        return Deadline(code=code, due=due, remaining=due - now, message=message)

    if state == JobState.CREATING and updated_at is not None:
        return (
            deadline(
                "tracking-due",
                updated_at,
                TRACKING_TIME,
                "the service deletes the job unless it has a tracking number by then: ship the "
                "drives and update the shipping information",
            ),
        )
    if state == JobState.SHIPPING and shipped_at is not None:
        return (
            deadline(
                "arrival-due",
                shipped_at,
                ARRIVAL_TIME,
                "the drives count as never received unless they arrive by then: follow the "
                "package with the carrier",
            ),
            deadline(
                "closing",
                shipped_at,
                CLOSING_TIME,
                "the service's operators may close the job without the drives: answer them, or "
                "cancel it",
            ),
        )
    if state in (JobState.COMPLETED, JobState.CLOSED) and ended_at is not None:
        return (
            deadline(
                "deletion",
                ended_at,
                RETENTION_TIME,
                "the service deletes the job: keep its copy logs and states before",
            ),
        )
    return ()
