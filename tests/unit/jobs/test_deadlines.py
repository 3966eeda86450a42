import datetime as dt

import pytest

from offlineseed.jobs import JobState, job_deadlines

START = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)


def test_job_deadlines_creating_expires_two_weeks_after_the_last_change():
    (deadline,) = job_deadlines("Creating", now=START + dt.timedelta(days=13), updated_at=START)
    assert deadline.code == "tracking-due"
    assert deadline.due == START + dt.timedelta(days=14)
    assert deadline.remaining == dt.timedelta(days=1)
    assert not deadline.is_missed


def test_job_deadlines_shipping_has_arrival_and_closing():
    deadlines = job_deadlines(
        JobState.SHIPPING, now=START + dt.timedelta(days=20), shipped_at=START
    )
    assert [(d.code, d.is_missed) for d in deadlines] == [("arrival-due", True), ("closing", False)]


@pytest.mark.parametrize("state", [JobState.COMPLETED, JobState.CLOSED], ids=str)
def test_job_deadlines_ended_job_is_deleted_after_ninety_days(state):
    (deadline,) = job_deadlines(state, now=START, ended_at=START)
    assert (deadline.code, deadline.remaining.days) == ("deletion", 90)


@pytest.mark.parametrize("state", ["Received", "Teleporting"])
def test_job_deadlines_other_states_have_none(state):
    assert job_deadlines(state, now=START, updated_at=START, shipped_at=START) == ()


def test_job_deadlines_naive_time_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        job_deadlines("Creating", now=dt.datetime(2026, 1, 1))
