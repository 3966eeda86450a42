import datetime as dt
import json

import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.drives import DrivePlan
from offlineseed.errors import FormatError
from offlineseed.jobs import (
    DeliveryPackage,
    ImportJob,
    JobDrive,
    JobState,
    ReturnAddress,
    ReturnShipping,
    ShippingInformation,
)
from offlineseed.workflow import AllottedDrive, Machine, Workload
from offlineseed.workflow._documents import (
    SeenJob,
    WorkflowRecord,
    parse_seen_job,
    parse_workflow,
    render_seen_job,
    render_workflow,
)

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)
FULL = ImportJob(
    name="nightly",
    storage_account="account",
    location="West Europe",
    drives=[JobDrive(drive_id="A", manifest_hash="00", percent_complete=7, state="Newer")],
    return_address=ReturnAddress(recipient_name="R", street_address1="S"),
    return_shipping=ReturnShipping(carrier_name="FedEx", carrier_account_number="1"),
    delivery_package=DeliveryPackage(carrier_name="FedEx", tracking_number="1Z", drive_count=1),
    shipping_information=ShippingInformation(recipient_name="Microsoft"),
    tags={"a": "b"},
    state=JobState.SHIPPING,
    created_at=NOW,
)


def test_job_as_last_seen_comes_back():
    seen = SeenJob(job=FULL, seen_at=NOW, created_at=NOW, shipped_at=NOW)
    assert parse_seen_job(render_seen_job(seen)) == seen


def test_job_as_last_seen_holds_no_secret_and_nothing_unknown():
    drive = JobDrive(
        drive_id="A",
        recovery_password=Secret("111111"),
        error_log_uri="https://account/log?sig=abc",
        unknown=[("/bitLockerKey", '"222222"')],
    )
    job = attrs.evolve(FULL, drives=[drive], unknown=[("/accountKey", '"333333"')])

    text = render_seen_job(SeenJob(job=job, seen_at=NOW, created_at=NOW)).decode()

    assert not [secret for secret in ("111111", "222222", "333333", "sig") if secret in text]
    kept = parse_seen_job(text.encode()).job.drives[0]
    assert kept.error_log_uri == "https://account/log"


def test_workflow_record_comes_back():
    plan = DrivePlan(drive_id="A", runs=((0, 3), (7, 9)), blobs=5, total_bytes=11, digest="d")
    record = WorkflowRecord(
        workload=Workload.DPM,
        source=Machine(host="h", is_virtual=None, product="p"),
        drives=[AllottedDrive(plan=plan, size_bytes=99)],
    )
    assert parse_workflow(render_workflow(record)) == record


@pytest.mark.parametrize("parse", [parse_workflow, parse_seen_job])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": 2}',
        b'{"format": 1}',
        b"\xff",
        b'{"format": 1, "job": {}}',
        b"[" * 100_000,
    ],
)
def test_damaged_document_is_refused(parse, data):
    with pytest.raises(FormatError, match="damaged"):
        parse(data)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("drive_id", "../.."),
        ("drive_id", "/etc"),
        ("drive_id", None),
        ("drive_id", []),
        ("size_bytes", "1"),
        ("blobs", -1),
        ("runs", [[0, 1e400]]),
    ],
)
def test_share_of_a_drive_that_was_tampered_with_is_refused(member, value):
    plan = DrivePlan(drive_id="A", runs=((0, 3),), blobs=3, total_bytes=11, digest="d")
    record = WorkflowRecord(drives=[AllottedDrive(plan=plan, size_bytes=99)])
    document = json.loads(render_workflow(record))
    document["drives"][0][member] = value

    with pytest.raises(FormatError, match="damaged"):
        parse_workflow(json.dumps(document).encode())
