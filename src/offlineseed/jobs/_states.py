"""
The state table: who may move a job or a drive from where to where, and what a customer may do.

Sources: "Retrieving state information for an Import/Export job", 2016-12-16; "Cancelling and
deleting jobs", 2017. Sources disagree about cancelling: the newest allows it in `Creating` only,
the widest until `Packaging`. This table has the widest; the service has the last word.
"""

from __future__ import annotations

from enum import Enum
from typing import final

import attrs

from offlineseed.errors import JobStateError
from offlineseed.jobs._models import ImportJob
from offlineseed.jobs._words import DriveState, JobState

__all__ = [
    "CUSTOMER_ACTIONS",
    "DRIVE_TRANSITIONS",
    "JOB_TRANSITIONS",
    "Actor",
    "DriveTransition",
    "JobAction",
    "JobTransition",
    "allowed_actions",
    "can_move",
    "can_move_drive",
    "require_action",
]


class Actor(str, Enum):
    """
    Who moves a job.
    """

    CUSTOMER = "customer"
    """Whoever created the job, through the API."""
    SERVICE = "service"
    """The datacentre, its operators and its timers."""


class JobAction(str, Enum):
    """
    What a customer may ask of a job.
    """

    REPLACE = "replace"
    """Create it anew over itself."""
    UPDATE = "update"
    """Change its return address, its return shipping or its logging."""
    SHIP = "ship"
    """Say that the package is on its way, or correct its tracking number."""
    CANCEL = "cancel"
    """Ask the service to copy nothing more and to send the drives back."""
    DELETE = "delete"
    """Remove the job and what the service knows of it."""


@final
@attrs.frozen
class JobTransition:
    """
    One allowed move of a job.
    """

    current: JobState
    """From where."""
    wanted: JobState
    """To where."""
    actor: Actor
    """Who may do it."""
    cause: str
    """When it happens, in words."""


@final
@attrs.frozen
class DriveTransition:
    """
    One allowed move of a drive; the service makes all of them.
    """

    current: DriveState
    """From where."""
    wanted: DriveState
    """To where."""
    cause: str
    """When it happens, in words."""


_J = JobState
_D = DriveState
_SERVICE = Actor.SERVICE
_BUSY = (_J.CREATING, _J.SHIPPING, _J.RECEIVED, _J.TRANSFERRING, _J.PACKAGING)

JOB_TRANSITIONS: tuple[JobTransition, ...] = (
    JobTransition(
        _J.CREATING, _J.SHIPPING, Actor.CUSTOMER, "delivery package and return address are set"
    ),
    JobTransition(_J.CREATING, _J.COMPLETED, _SERVICE, "cancelled before anything was shipped"),
    JobTransition(_J.SHIPPING, _J.RECEIVED, _SERVICE, "all drives arrived"),
    JobTransition(_J.SHIPPING, _J.CLOSED, _SERVICE, "nothing arrived and nobody answered, 30 days"),
    JobTransition(_J.SHIPPING, _J.COMPLETED, _SERVICE, "cancelled before anything arrived"),
    JobTransition(_J.RECEIVED, _J.TRANSFERRING, _SERVICE, "the first drive is being copied"),
    JobTransition(_J.RECEIVED, _J.PACKAGING, _SERVICE, "cancelled before anything was copied"),
    JobTransition(_J.TRANSFERRING, _J.PACKAGING, _SERVICE, "all drives are done"),
    JobTransition(_J.PACKAGING, _J.COMPLETED, _SERVICE, "shipped back, nothing failed"),
    JobTransition(_J.PACKAGING, _J.CLOSED, _SERVICE, "shipped back, something failed"),
    *(JobTransition(state, _J.FAULTED, _SERVICE, "the job got stuck") for state in _BUSY),
    *(JobTransition(_J.FAULTED, state, _SERVICE, "an operator freed it") for state in _BUSY),
    JobTransition(_J.FAULTED, _J.COMPLETED, _SERVICE, "an operator finished it"),
    JobTransition(_J.FAULTED, _J.CLOSED, _SERVICE, "an operator gave it up"),
)
"""Every allowed move of a job."""

DRIVE_TRANSITIONS: tuple[DriveTransition, ...] = (
    DriveTransition(_D.SPECIFIED, _D.RECEIVED, "it arrived"),
    DriveTransition(_D.SPECIFIED, _D.NEVER_RECEIVED, "the package came without it, or never came"),
    DriveTransition(_D.NEVER_RECEIVED, _D.RECEIVED, "it arrived late"),
    DriveTransition(_D.RECEIVED, _D.TRANSFERRING, "copying began"),
    DriveTransition(_D.RECEIVED, _D.COMPLETED_MORE_INFO, "it can't be opened or its manifest read"),
    DriveTransition(_D.RECEIVED, _D.SHIPPED_BACK, "the job was cancelled"),
    DriveTransition(_D.TRANSFERRING, _D.COMPLETED, "everything was copied"),
    DriveTransition(_D.TRANSFERRING, _D.COMPLETED_MORE_INFO, "its copy log has something to say"),
    DriveTransition(_D.COMPLETED, _D.SHIPPED_BACK, "it went back"),
    DriveTransition(_D.COMPLETED_MORE_INFO, _D.SHIPPED_BACK, "it went back"),
)
"""Every allowed move of a drive."""

CUSTOMER_ACTIONS: dict[JobAction, frozenset[JobState]] = {
    JobAction.REPLACE: frozenset({_J.CREATING}),
    JobAction.UPDATE: frozenset({_J.CREATING, _J.SHIPPING, _J.RECEIVED, _J.TRANSFERRING}),
    JobAction.SHIP: frozenset({_J.CREATING, _J.SHIPPING}),
    JobAction.CANCEL: frozenset({_J.CREATING, _J.SHIPPING, _J.RECEIVED, _J.TRANSFERRING}),
    JobAction.DELETE: frozenset({_J.CREATING, _J.COMPLETED}),
}
"""In which states a customer may do what."""


def can_move(current: JobState | str, wanted: JobState | str, actor: Actor) -> bool:
    """
    Return whether the table lets `actor` move a job from `current` to `wanted`.
    """
    return any(
        (row.current, row.wanted, row.actor) == (current, wanted, actor) for row in JOB_TRANSITIONS
    )


def can_move_drive(current: DriveState | str, wanted: DriveState | str) -> bool:
    """
    Return whether the table lets the service move a drive from `current` to `wanted`.
    """
    return any((row.current, row.wanted) == (current, wanted) for row in DRIVE_TRANSITIONS)


def allowed_actions(state: JobState | str) -> frozenset[JobAction]:
    """
    Return what a customer may do with a job in this state.

    A state that this library does not know allows everything: the service decides.
    """
    if not isinstance(state, JobState):
        return frozenset(JobAction)
    return frozenset(action for action, states in CUSTOMER_ACTIONS.items() if state in states)


def require_action(job: ImportJob, action: JobAction) -> None:
    """
    Check that a customer may do this with the job now.

    Raises:
        JobStateError: the job's state does not allow it, or it was cancelled.
    """
    if action is JobAction.SHIP and job.cancel_requested:
        raise JobStateError(
            f"import job {job.name!r} was cancelled, so its drives are not shipped: delete it, and "
            "create it again",
            current=job.raw_state or str(job.state),
            wanted=action.value,
        )
    if action in allowed_actions(job.state):
        return
    states = ", ".join(str(state) for state in JobState if state in CUSTOMER_ACTIONS[action])
    raise JobStateError(
        f"import job {job.name!r} is {job.raw_state or job.state}: to {action.value} it, it must "
        f"be in one of the states {states}",
        current=job.raw_state or str(job.state),
        wanted=action.value,
    )
