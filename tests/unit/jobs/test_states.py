import pytest

from offlineseed.errors import JobStateError
from offlineseed.jobs import (
    CUSTOMER_ACTIONS,
    DRIVE_TRANSITIONS,
    JOB_TRANSITIONS,
    Actor,
    DriveState,
    ImportJob,
    JobAction,
    JobState,
    allowed_actions,
    can_move,
    can_move_drive,
    require_action,
)


def test_can_move_the_customer_only_ships():
    mine = [row for row in JOB_TRANSITIONS if row.actor is Actor.CUSTOMER]
    assert [(row.current, row.wanted) for row in mine] == [(JobState.CREATING, JobState.SHIPPING)]
    assert can_move(JobState.CREATING, JobState.SHIPPING, Actor.CUSTOMER)
    assert not can_move(JobState.SHIPPING, JobState.RECEIVED, Actor.CUSTOMER)


def test_transitions_leave_no_terminal_job_and_name_each_move_once():
    assert not {row.current for row in JOB_TRANSITIONS} & {JobState.COMPLETED, JobState.CLOSED}
    moves = [(row.current, row.wanted) for row in JOB_TRANSITIONS]
    assert len(moves) == len(set(moves))
    drive_moves = [(row.current, row.wanted) for row in DRIVE_TRANSITIONS]
    assert len(drive_moves) == len(set(drive_moves))


def test_transitions_reach_every_state_from_the_first():
    reached = {JobState.CREATING}
    for _ in JobState:
        reached |= {row.wanted for row in JOB_TRANSITIONS if row.current in reached}
    assert reached == set(JobState)


def test_can_move_drive_late_arrival_is_received():
    assert can_move_drive(DriveState.NEVER_RECEIVED, DriveState.RECEIVED)
    assert not can_move_drive(DriveState.SHIPPED_BACK, DriveState.RECEIVED)


def test_allowed_actions_unknown_state_leaves_the_service_to_decide():
    assert allowed_actions("Teleporting") == set(JobAction)


def test_allowed_actions_deleting_is_for_creating_and_completed():
    assert CUSTOMER_ACTIONS[JobAction.DELETE] == {JobState.CREATING, JobState.COMPLETED}
    assert JobAction.DELETE not in allowed_actions(JobState.CLOSED)


def test_require_action_too_late_names_both_states():
    job = ImportJob(name="seed-1", state="Packaging", raw_state="PreparingToShipFromAzureDC")
    with pytest.raises(JobStateError, match=r"seed-1.*PreparingToShip.*Creating") as caught:
        require_action(job, JobAction.CANCEL)
    assert caught.value.current == "PreparingToShipFromAzureDC"
    assert caught.value.wanted == "cancel"
