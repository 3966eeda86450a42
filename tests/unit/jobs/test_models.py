import pickle

import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.bitlocker import RecoveryPassword
from offlineseed.jobs import (
    DeliveryPackage,
    DriveRecoveryPassword,
    DriveState,
    ImportJob,
    JobChanges,
    JobDrive,
    JobState,
    LogLevel,
    ReturnAddress,
    ShippingInformation,
)

PASSWORD = "-".join(["110000"] * 8)


def test_import_job_states_in_any_spelling_are_members():
    job = ImportJob(name="j", state="transferring", log_level="verbose")
    assert job.state is JobState.TRANSFERRING
    assert job.log_level is LogLevel.VERBOSE


def test_import_job_unknown_state_survives_and_is_not_terminal():
    job = ImportJob(name="j", state="Teleporting", drives=[JobDrive(drive_id="d", state="Lost")])
    assert job.state == "Teleporting"
    assert job.drives[0].state == "Lost"
    assert not job.is_terminal


@pytest.mark.parametrize("state", list(JobState), ids=str)
def test_import_job_is_terminal_only_where_the_service_is_done(state):
    assert ImportJob(name="j", state=state).is_terminal is (
        state in (JobState.COMPLETED, JobState.CLOSED)
    )


def test_import_job_cancelled_is_completed_and_asked_to_cancel():
    assert ImportJob(name="j", state="Completed", cancel_requested=True).is_cancelled
    assert not ImportJob(name="j", state="Creating", cancel_requested=True).is_cancelled


def test_import_job_finds_its_drive_by_id():
    drive = JobDrive(drive_id="B")
    job = ImportJob(name="j", drives=[JobDrive(drive_id="A"), drive])
    assert job.drive("B") is drive
    assert job.drive("C") is None


def test_import_job_compares_hashes_and_pickles(new_job):
    assert new_job() == new_job()
    assert hash(new_job()) == hash(new_job())
    snapshot = new_job(drives=[JobDrive(drive_id="A", state=DriveState.RECEIVED)])
    assert pickle.loads(pickle.dumps(snapshot)) == snapshot


def test_job_drive_never_shows_its_recovery_password(new_job):
    job = new_job()
    assert "110000" not in repr(job)
    assert "110000" not in repr(attrs.asdict(job))


def test_job_drive_takes_a_recovery_password_of_the_bitlocker_room():
    drive = JobDrive(drive_id="A", recovery_password=RecoveryPassword.parse(PASSWORD))
    assert drive.recovery_password == Secret(PASSWORD)


def test_drive_recovery_password_refuses_a_plain_string():
    with pytest.raises(TypeError, match="Secret"):
        DriveRecoveryPassword(drive_id="A", recovery_password=PASSWORD)


@pytest.mark.parametrize("count", [-1, True, 1.5], ids=["negative", "a bool", "a fraction"])
def test_delivery_package_drive_count_that_counts_nothing_is_refused(count):
    with pytest.raises(ValueError, match="drive_count"):
        DeliveryPackage(carrier_name="c", tracking_number="t", drive_count=count)


def test_shipping_information_lines_leave_blanks_out():
    information = ShippingInformation(
        recipient_name="Microsoft Azure Import/Export Service",
        street_address1="3020 Coronado",
        street_address2=" ",
        city="Santa Clara",
        state_or_province="CA",
        postal_code="95054",
        country_or_region="USA\n",
    )
    assert information.lines() == (
        "Microsoft Azure Import/Export Service",
        "3020 Coronado",
        "Santa Clara CA 95054",
        "USA",
    )


def test_return_address_lines_hold_a_classic_address_whole():
    address = ReturnAddress(recipient_name="A", street_address1="B 1, 12345 C")
    assert address.lines() == ("A", "B 1, 12345 C")


def test_job_changes_knows_that_it_is_empty():
    assert JobChanges().is_empty
    assert not JobChanges(backup_drive_manifest=False).is_empty
    assert JobChanges(tags={"b": "2", "a": "1"}).tags == (("a", "1"), ("b", "2"))
