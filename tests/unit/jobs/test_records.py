import datetime as dt

import attrs
import pytest

from offlineseed.errors import StagingError
from offlineseed.jobs import (
    DeliveryPackage,
    JobState,
    ShippingRecord,
    WaitingJob,
    parse_shipping_record,
    render_shipping_record,
)
from offlineseed.jobs._records import parse_waiting_jobs, render_waiting_jobs

NOW = dt.datetime(2026, 1, 31, 12, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
PACKAGE = DeliveryPackage(
    carrier_name="FedEx", tracking_number="7777", drive_count=2, ship_date="2026-01-31"
)


def test_shipping_record_comes_back_as_it_was_entered(new_job):
    job = new_job()
    record = ShippingRecord(
        package=PACKAGE,
        return_address=job.return_address,
        return_shipping=job.return_shipping,
        entered_at=NOW,
    )
    assert parse_shipping_record(render_shipping_record(record)) == record
    bare = ShippingRecord(package=PACKAGE, entered_at=NOW)
    assert parse_shipping_record(render_shipping_record(bare)) == bare


def test_shipping_record_knows_its_deadlines():
    record = ShippingRecord(package=PACKAGE, entered_at=NOW)
    assert [deadline.code for deadline in record.deadlines(NOW)] == ["arrival-due", "closing"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b'{"format": 2, "entered_at": "2026-01-31T00:00:00Z"}', b'{"format": 1}'],
    ids=["empty", "no format", "newer format", "no time"],
)
def test_parse_shipping_record_damaged_is_a_staging_error(data):
    with pytest.raises(StagingError, match=r"shipping\.json"):
        parse_shipping_record(data)


def test_waiting_jobs_come_back_whole():
    job = WaitingJob(
        name="seed-1",
        staging_location="//server/stage",
        scope="/subscriptions/s/resourceGroups/g",
        state="Shipping",
        tracking_number="7777",
        created_at=NOW,
        shipped_at=NOW,
    )
    jobs = (job, WaitingJob(name="seed-2", staging_location="/x", created_at=NOW, state="Odd"))
    assert parse_waiting_jobs(render_waiting_jobs(jobs)) == jobs


def test_waiting_job_creating_counts_from_its_last_change():
    job = WaitingJob(name="j", staging_location="/s", created_at=NOW)
    later = attrs.evolve(job, updated_at=NOW + dt.timedelta(days=3))
    assert job.deadlines(NOW)[0].remaining == dt.timedelta(days=14)
    assert later.deadlines(NOW)[0].remaining == dt.timedelta(days=17)


def test_waiting_job_seen_notes_when_things_first_happened(new_job):
    job = WaitingJob(name="seed-1", staging_location="/s", created_at=NOW)
    shipped = job.seen(new_job(state="Shipping", delivery_package=PACKAGE), NOW)
    later = NOW + dt.timedelta(days=9)
    ended = shipped.seen(new_job(state="Completed"), later).seen(
        new_job(state="Completed"), later + dt.timedelta(days=1)
    )
    assert (shipped.state, shipped.tracking_number, shipped.shipped_at) == (
        JobState.SHIPPING,
        "7777",
        NOW,
    )
    assert (ended.shipped_at, ended.ended_at, ended.tracking_number) == (NOW, later, "7777")


def test_waiting_job_naive_time_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        WaitingJob(name="j", staging_location="/s", created_at=dt.datetime(2026, 1, 1))
