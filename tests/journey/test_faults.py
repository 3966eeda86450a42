"""
A job taken through each fault: what its user sees, what stays, and that repair completes it.
"""

import pytest

from offlineseed.errors import JobStateError
from offlineseed.findings import Severity
from offlineseed.handover import landed_names, read_drive_logs, read_manifests
from offlineseed.manifest import ImportDisposition
from offlineseed.workflow import SeedStep


def errors(findings):
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def blobs_on(journey, drive_id):
    (manifest,) = read_manifests(journey.seed.job, [drive_id])
    return [blob.blob_path for blob_list in manifest.blob_lists for blob in blob_list.blobs]


def require_whole(journey, **options):
    report = journey.handover().verify(**options)
    report.raise_if_failed()
    assert report.count("seals") == 1
    assert journey.seed.status().step is SeedStep.IMPORTED


def test_journey_without_a_fault_needs_no_repair(journey):
    status = journey.run()

    assert (status.step, status.findings) == (SeedStep.IMPORTED, ())
    assert journey.seed.problems() == ()
    assert journey.seed.repair(journey.destination) == ()
    require_whole(journey)


DRIVE_FAULTS = {
    "lose_drive": ("never-received", "repair its blobs"),
    "destroy_drive": ("disk-not-found", "prepare the drive again"),
    "refuse_recovery_password": ("bit-locker-key-invalid", "correct it in the job"),
    "damage_manifest": ("manifest-corrupted", "prepare the drive again"),
    "refuse_storage_key": ("blob-request-forbidden", "check its key"),
}


@pytest.mark.parametrize("fault", DRIVE_FAULTS)
def test_drive_that_brings_nothing_is_named_and_repaired(journey, fault):
    getattr(journey.service.faults, fault)("LARGE")
    status = journey.run()
    before = journey.landed_files()
    cause, next_step = DRIVE_FAULTS[fault]

    assert status.step is SeedStep.IMPORT_FAILED
    (found,) = errors(journey.seed.problems())
    assert (found.subject, found.code) == ("LARGE", f"drive-{cause}")
    assert "LARGE" in found.message
    assert next_step in found.message

    (report,) = journey.seed.repair(journey.destination)

    assert report.is_ok
    assert [blob.blob_path for blob in report.repaired] == blobs_on(journey, "LARGE")
    assert before.items() <= journey.landed_files().items()
    require_whole(journey)


def test_corrupt_blocks_are_named_and_repaired(journey):
    faults = journey.service.faults
    faults.corrupt_block("LARGE", "backups/dump.bak", 1)
    faults.corrupt_block("LARGE", "backups/disk.vhd", 0)
    journey.run()
    before = journey.landed_files()

    found = errors(journey.seed.problems())
    subjects = {finding.subject for finding in found}
    assert subjects == {"backups/dump.bak", "backups/disk.vhd"}
    assert all("LARGE" in finding.message for finding in found)
    assert all("repair" in finding.message or "upload" in finding.message for finding in found)

    (report,) = journey.seed.repair(journey.destination)

    assert report.is_ok
    assert {blob.blob_path for blob in report.repaired} == subjects
    untouched = {name: time for name, time in before.items() if name != "disk.vhd"}
    assert untouched.items() <= journey.landed_files().items()
    require_whole(journey)
    again = journey.seed.repair(journey.destination)
    assert "backups/dump.bak" not in {blob.blob_path for one in again for blob in one.repaired}


def test_corrupt_page_range_alone_is_uploaded(journey):
    journey.service.faults.corrupt_block("LARGE", "backups/disk.vhd", 1)
    journey.run()

    (report,) = journey.seed.repair(journey.destination)

    (blob,) = report.repaired
    is_told = type(journey.jobs).__name__ != "DataBoxJobs"  # the later log has no parts
    assert (blob.parts, blob.uploaded_parts) == (2, 1 if is_told else 2)
    require_whole(journey)


def test_missing_file_is_named_and_repaired(journey):
    journey.service.faults.lose_file("LARGE", "backups/dump.bak")
    journey.run()

    (found,) = errors(journey.seed.problems())
    assert found.subject == "backups/dump.bak"
    assert "LARGE" in found.message
    assert not (journey.landed / "dump.bak").exists()

    (report,) = journey.seed.repair(journey.destination)

    assert report.uploaded_bytes == (journey.landed / "dump.bak").stat().st_size
    require_whole(journey)
    again = journey.seed.repair(journey.destination)
    assert sum(one.uploaded_bytes for one in again) == 0


def test_blob_that_met_another_of_its_name_landed_beside_it(journey):
    (journey.landed).mkdir(parents=True)
    (journey.landed / "dump.bak").write_bytes(b"another product's")
    status = journey.run()

    assert status.step is SeedStep.IMPORTED
    warnings = journey.seed.problems()
    assert errors(warnings) == []
    assert journey.seed.repair(journey.destination) == ()
    assert (journey.landed / "dump.bak").read_bytes() == b"another product's"
    if type(journey.jobs).__name__ != "DataBoxJobs":  # the later log does not tell of these
        assert "backups/dump (2).bak" in {finding.subject for finding in warnings}
        (manifest,) = read_manifests(journey.seed.job, ["LARGE"])
        names = landed_names(manifest, read_drive_logs(status.job.drive("LARGE")))
        assert names == {"backups/dump.bak": "backups/dump (2).bak"}
        require_whole(journey, renamed=names)


@pytest.mark.parametrize("dialect", ["ImportExportJobs", "ClassicJobs"])
@pytest.mark.parametrize("disposition", [ImportDisposition.NO_OVERWRITE])
def test_blob_that_was_skipped_waits_for_a_word(journey):
    journey.landed.mkdir(parents=True)
    (journey.landed / "dump.bak").write_bytes(b"another product's")
    journey.run()

    (report,) = journey.seed.repair(journey.destination)
    assert not report.is_ok
    (finding,) = report.findings
    assert (finding.code, finding.subject) == ("blob-in-the-way", "backups/dump.bak")
    assert (journey.landed / "dump.bak").read_bytes() == b"another product's"

    (report,) = journey.seed.repair(journey.destination, may_overwrite=True)
    assert report.is_ok
    require_whole(journey)


@pytest.mark.parametrize("fault", ["throttle", "fail", "cut", "slow"])
def test_fault_of_the_network_is_not_seen(journey, fault):
    options = {"throttle": {"retry_after_seconds": 0}, "slow": {"seconds": 0.05}}.get(fault, {})
    getattr(journey.service.faults, fault)(**options)
    journey.ship()
    getattr(journey.service.faults, fault)(**options)

    assert journey.arrive().step is SeedStep.IMPORTED


def test_repair_before_the_job_is_done_is_refused(journey):
    journey.ship()
    with pytest.raises(JobStateError, match=r"Shipping|PickedUp|Shipped"):
        journey.seed.repair(journey.destination)
