"""
What is written in each dialect comes back as it was, apart from secrets.
"""

import json

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offlineseed._secret import Secret
from offlineseed.jobs import (
    ImportJob,
    JobDrive,
    LogLevel,
    ReturnAddress,
    ReturnShipping,
    _wire_classic,
    _wire_data_box,
    _wire_import_export,
)
from offlineseed.jobs._json import parse_object

TEXT = st.text(max_size=12)
FULL = st.text(min_size=1, max_size=12)
EMAIL = st.from_regex(r"[a-z]{1,5}@[a-z]{1,5}\.example(; [a-z]{1,5}@b\.example)?", fullmatch=True)
DRIVES = st.lists(
    st.builds(
        JobDrive,
        drive_id=FULL,
        recovery_password=st.just(Secret("238810")),
        manifest_file=TEXT,
        manifest_hash=TEXT,
    ),
    max_size=10,
    unique_by=lambda drive: drive.drive_id,
)
JOBS = st.builds(
    ImportJob,
    name=FULL,
    storage_account=FULL,
    location=TEXT,
    drives=DRIVES,
    return_address=st.none()
    | st.builds(
        ReturnAddress,
        recipient_name=TEXT,
        street_address1=TEXT,
        street_address2=TEXT,
        city=TEXT,
        state_or_province=TEXT,
        postal_code=TEXT,
        country_or_region=TEXT,
        phone=TEXT,
        email=EMAIL,
    ),
    return_shipping=st.none()
    | st.builds(ReturnShipping, carrier_name=FULL, carrier_account_number=TEXT),
    log_level=st.sampled_from(LogLevel),
    backup_drive_manifest=st.booleans(),
    tags=st.dictionaries(FULL, TEXT),
)


def without_passwords(job):
    drives = [attrs.evolve(drive, recovery_password=None) for drive in job.drives]
    return attrs.evolve(job, drives=drives)


def through(document, **more):
    return parse_object(json.dumps({**document, **more}))


@settings(max_examples=30, deadline=None)
@given(job=JOBS, diagnostics_path=TEXT)
def test_import_export_round_trip(job, diagnostics_path):
    job = attrs.evolve(job, diagnostics_path=diagnostics_path)
    document = through(_wire_import_export.render_job(job), name=job.name)
    assert _wire_import_export.parse_job(document) == without_passwords(job)


@settings(max_examples=30, deadline=None)
@given(job=JOBS)
def test_data_box_round_trip(job):
    document = through(_wire_data_box.render_job(job), name=job.name)
    assert _wire_data_box.parse_job(document) == without_passwords(job)


@settings(max_examples=30, deadline=None)
@given(job=JOBS)
def test_classic_round_trip_but_for_the_address_in_one_string(job):
    document = through(_wire_classic.render_job(job))
    back = _wire_classic.parse_job(document, job.storage_account)
    bare = attrs.evolve(job, tags=(), return_address=None)
    assert attrs.evolve(back, return_address=None) == without_passwords(bare)
    if job.return_address:
        assert back.return_address.email == job.return_address.email
        assert job.return_address.street_address1.strip() == "" or back.return_address.lines()


@pytest.mark.parametrize(
    "render",
    [_wire_import_export.render_job, _wire_data_box.render_job, _wire_classic.render_job],
    ids=["ImportExport", "DataBox", "classic"],
)
def test_rendered_job_has_every_recovery_password_once(render):
    drives = [
        JobDrive(drive_id=str(number), recovery_password=Secret(f"password-{number}"))
        for number in range(10)
    ]
    text = json.dumps(render(ImportJob(name="j", drives=drives)))
    assert [text.count(f'"password-{number}"') for number in range(10)] == [1] * 10
