import attrs
import pytest

from offlineseed.findings import Severity
from offlineseed.handover import HandoverStage
from offlineseed.jobs import DriveState, ImportJob, JobDrive, JobState
from offlineseed.workflow import WAITING_FOR_IMPORT_JOB, SeedStep
from offlineseed.workflow._status import drive_findings, status_text, step_of_job

JOB = ImportJob(name="nightly", drives=[JobDrive(drive_id="A", copy_status="Completed")])


def job(state, **changes):
    return attrs.evolve(JOB, state=state, **changes)


def drive(state, copy_status=""):
    return [JobDrive(drive_id="A", state=state, copy_status=copy_status)]


@pytest.mark.parametrize(
    ("given", "step"),
    [
        pytest.param(job(JobState.CREATING), SeedStep.JOB_CREATED, id="created"),
        pytest.param(job(JobState.SHIPPING), SeedStep.SHIPPED, id="shipping"),
        pytest.param(job(JobState.TRANSFERRING), SeedStep.SHIPPED, id="being copied"),
        pytest.param(job(JobState.FAULTED), SeedStep.SHIPPED, id="stuck"),
        pytest.param(job("Rewinding"), SeedStep.SHIPPED, id="word of a newer service"),
        pytest.param(job(JobState.COMPLETED), SeedStep.IMPORTED, id="completed"),
        pytest.param(job(JobState.CLOSED), SeedStep.IMPORT_FAILED, id="closed"),
        pytest.param(
            job(JobState.COMPLETED, cancel_requested=True), SeedStep.CANCELLED, id="cancelled"
        ),
        pytest.param(
            job(
                JobState.COMPLETED,
                drives=drive(DriveState.SHIPPED_BACK, "CompletedWithWarnings"),
            ),
            SeedStep.IMPORTED,
            id="completed with warnings",
        ),
        pytest.param(
            job(JobState.COMPLETED, drives=drive(DriveState.SHIPPED_BACK, "CompletedWithErrors")),
            SeedStep.IMPORT_FAILED,
            id="completed with errors",
        ),
        pytest.param(
            job(JobState.COMPLETED, drives=drive(DriveState.NEVER_RECEIVED)),
            SeedStep.IMPORT_FAILED,
            id="drive never received",
        ),
    ],
)
def test_step_follows_from_the_job(given, step):
    assert step_of_job(given) is step
    assert status_text(step)


def test_step_follows_the_hand_over_once_the_job_is_done():
    closed = job(JobState.CLOSED)
    assert step_of_job(closed, HandoverStage.VERIFIED) is SeedStep.IMPORTED
    assert step_of_job(closed, HandoverStage.HANDED_OVER) is SeedStep.HANDED_OVER
    assert step_of_job(job(JobState.SHIPPING), HandoverStage.VERIFIED) is SeedStep.SHIPPED


def test_waiting_has_the_articles_words():
    for step in (SeedStep.JOB_CREATED, SeedStep.SHIPPED):
        assert status_text(step) == WAITING_FOR_IMPORT_JOB


@pytest.mark.parametrize("status", ["", "NotStarted", "InProgress", "Completed", "Succeeded"])
def test_drive_that_is_well_has_no_finding(status):
    assert drive_findings(job(JobState.COMPLETED, drives=drive("ShippedBack", status))) == ()


@pytest.mark.parametrize("status", ["HardwareError", "SomethingNew", "BitLockerKeyInvalid"])
def test_drive_that_failed_is_named(status):
    (finding,) = drive_findings(job(JobState.CLOSED, drives=drive("ShippedBack", status)))
    assert (finding.subject, finding.severity) == ("A", Severity.ERROR)
    assert finding.message.startswith("drive A: ")
