import datetime as dt
import shutil

import attrs
import pytest
from azure.core.exceptions import AzureError

from offlineseed.errors import (
    DriveError,
    JobError,
    JobNotFoundError,
    JobStateError,
    NotEnoughDrivesError,
    ShippingError,
    StagedJobExistsError,
    StagedJobNotFoundError,
    TrackingNumberInUseError,
)
from offlineseed.events import FindingSeen, JobChanged
from offlineseed.jobs import DriveState, ImportExportJobs, JobState
from offlineseed.manifest import BlobType
from offlineseed.seed import FolderStore
from offlineseed.verify import FolderLanded
from offlineseed.workflow import WAITING_FOR_IMPORT_JOB, OfflineSeed, SeedStep, Workload

MIB = 1 << 20


def test_workflow_on_two_machines_reaches_the_storage_account(bench):
    source = bench.initiate()
    assert source.status().step is SeedStep.INITIATED
    seal = bench.stage(source)
    assert source.status().step is SeedStep.STAGED

    copy = bench.open()
    bench.prepare(copy)
    assert copy.status().step is SeedStep.PREPARED
    job = bench.create(copy)
    assert job.shipping_information.lines()
    assert source.status().step is SeedStep.JOB_CREATED

    (waiting,) = OfflineSeed.waiting(bench.registry, clock=bench.clock)
    shipped = waiting.update_shipping(bench.jobs, bench.package())
    assert shipped.state is JobState.SHIPPING
    assert copy.status().text == WAITING_FOR_IMPORT_JOB

    bench.arrive()
    status = waiting.status(bench.jobs)
    assert status.step is SeedStep.IMPORTED
    assert status.findings == ()
    assert waiting.job.seal.digest == seal.digest
    for blob in source.job.blobs():
        landed = bench.folder / "landed/backups" / blob.path
        assert landed.read_bytes() == blob.source.read_bytes()
    waiting.stop_waiting()
    assert list(OfflineSeed.waiting(bench.registry)) == []


def test_every_step_repeated_does_nothing_twice(bench):
    seed = bench.initiate()
    bench.initiate()
    seal = bench.stage(seed)
    assert bench.stage(seed) == seal
    first = bench.prepare(seed)
    assert bench.prepare(seed) == first
    created = bench.create(seed)
    bench.clock.advance(days=1)
    assert bench.create(seed).id == created.id
    assert len(list(bench.jobs.list_jobs())) == 1
    seed.update_shipping(bench.jobs, bench.package())
    entered = seed.status().shipping.entered_at
    bench.clock.advance(days=1)
    seed.update_shipping(bench.jobs, bench.package())
    assert seed.status().shipping.entered_at == entered


def test_initiate_with_other_settings_under_the_same_name_is_refused(bench):
    bench.initiate()
    with pytest.raises(StagedJobExistsError):
        OfflineSeed.initiate(attrs.evolve(bench.settings, container="others"))


def test_open_with_several_jobs_wants_a_name(bench):
    bench.initiate()
    OfflineSeed.initiate(attrs.evolve(bench.settings, import_job_name="weekly"))
    with pytest.raises(StagedJobNotFoundError, match="nightly, weekly"):
        bench.open()
    assert bench.open("weekly").job.name == "weekly"


def test_drives_given_one_by_one_get_what_is_left(bench):
    seed = bench.initiate()
    bench.stage(seed)
    one, two = bench.drive("ONE", 600_000), bench.drive("TWO", 64 * MIB)

    with pytest.raises(NotEnoughDrivesError) as caught:
        bench.prepare(seed, one)
    assert caught.value.missing_drives >= 1
    assert not one.path.exists()
    assert seed.status().drives == ()

    (first,) = bench.prepare(seed, one, is_partial=True)
    status = seed.status()
    assert (status.step, status.unplaced_bytes > 0) == (SeedStep.PREPARING, True)
    with pytest.raises(NotEnoughDrivesError):
        bench.create(seed)

    later = bench.open()
    (second,) = bench.prepare(later, two)
    total = sum(blob.length for blob in seed.job.blobs())
    assert first.total_bytes + second.total_bytes == total
    assert [drive.drive_id for drive in later.prepared_drives(bench.keys)] == ["ONE", "TWO"]


def test_lost_drive_is_redone_by_itself(bench):
    seed = bench.initiate()
    bench.stage(seed)
    one, two = bench.drive("ONE", 600_000), bench.drive("TWO", 64 * MIB)
    bench.prepare(seed, one, two)
    share = seed.plan(bench.preparer.volumes).drive("ONE").plan

    seed.forget_drive("ONE")
    (third,) = bench.prepare(seed, bench.drive("THREE", 64 * MIB))

    assert third.total_bytes == share.total_bytes
    plan = seed.plan(bench.preparer.volumes)
    assert [one.drive_id for one in plan.drives] == ["TWO", "THREE"]
    assert plan.drive("THREE").plan.runs == share.runs
    with pytest.raises(DriveError, match="ONE"):
        seed.forget_drive("ONE")


def test_opaque_blobs_alone_are_a_seed_too(bench):
    seed = bench.initiate(workload=Workload.MABS)
    seed.job.add_blob(_Zeros(4096), "0001.AIBBlob", blob_type=BlobType.PAGE)
    assert seed.status().step is SeedStep.STAGED
    (prepared,) = bench.prepare(seed)
    assert (prepared.blobs, seed.workload) == (1, Workload.MABS)


class _Zeros:
    def __init__(self, length):
        self._left = length

    def read(self, size):
        length = min(size, self._left)
        self._left -= length
        return bytes(length)


def test_job_of_that_name_with_other_drives_is_left_alone(bench):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    bench.create(seed)
    (seed.job.folder / "job.json").unlink()
    seed.forget_drive("SERIAL1")
    bench.prepare(seed, bench.drive("OTHER"))

    with pytest.raises(JobError, match="SERIAL1"):
        bench.create(seed)

    assert bench.jobs.get_job("nightly").drive("SERIAL1") is not None


def test_job_that_was_cancelled_is_not_taken_for_the_seeds_own(bench):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    bench.create(seed)
    bench.jobs.cancel_job("nightly")

    with pytest.raises(JobStateError, match="cancelled"):
        bench.create(seed)
    with pytest.raises(ShippingError, match="cancelled"):
        seed.update_shipping(bench.jobs, bench.package())

    bench.jobs.delete_job("nightly")
    assert bench.create(seed).state is JobState.CREATING


def test_job_whose_creation_was_not_written_down_is_found_again(bench):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    created = bench.create(seed)
    (seed.job.folder / "job.json").unlink()

    assert bench.create(bench.open()).id == created.id
    assert seed.status().step is SeedStep.JOB_CREATED


def test_job_is_replaced_by_its_own_seed_while_it_is_being_created(bench):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    bench.create(seed)
    seed.forget_drive("SERIAL1")
    bench.prepare(seed, bench.drive("OTHER"))

    assert [drive.drive_id for drive in bench.create(seed).drives] == ["OTHER"]


def test_nothing_secret_lies_on_the_staging_location(bench):
    seed = bench.initiate()
    bench.stage(seed)
    (prepared,) = bench.prepare(seed)
    bench.create(seed)
    seed.update_shipping(bench.jobs, bench.package())
    password = prepared.recovery_password.reveal().encode()

    for path in (bench.folder / "staging").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert password not in data, path
            assert b"a2V5" not in data, path


def test_shipping_rules_are_checked_before_anything_is_told(bench):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    with pytest.raises(JobNotFoundError):
        seed.update_shipping(bench.jobs, bench.package())
    bench.create(seed)
    bad = attrs.evolve(bench.package(), tracking_number=" ", drive_count=2)

    codes = {finding.code for finding in seed.check_shipping(bench.jobs, bad)}
    assert codes >= {"tracking-number-missing", "drive-count-differs"}
    with pytest.raises(ShippingError) as caught:
        seed.update_shipping(bench.jobs, bad)
    assert {finding.code for finding in caught.value.findings} == codes
    assert bench.jobs.get_job("nightly").state is JobState.CREATING
    assert seed.status().shipping is None


def test_tracking_number_of_another_waiting_job_is_refused(bench):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    bench.create(seed)
    (entry,) = bench.registry.list_jobs()
    other = attrs.evolve(entry, name="weekly", tracking_number="1Z-1")
    bench.registry.put_job(other)

    with pytest.raises(TrackingNumberInUseError, match="weekly"):
        seed.update_shipping(bench.jobs, bench.package())


def test_deadlines_follow_the_job(bench):
    seed = bench.initiate()
    assert seed.deadlines() == ()
    bench.stage(seed)
    bench.prepare(seed)
    bench.create(seed)
    (tracking,) = seed.deadlines()
    assert (tracking.code, tracking.remaining) == ("tracking-due", dt.timedelta(weeks=2))
    bench.clock.advance(days=13)
    seed.update_shipping(bench.jobs, bench.package())
    arrival, closing = bench.open().deadlines()
    assert (arrival.code, arrival.remaining) == ("arrival-due", dt.timedelta(weeks=2))
    assert seed.deadlines(bench.clock.now + dt.timedelta(days=15))[0].is_missed
    assert closing.code == "closing"


def test_status_tells_which_drive_never_arrived(bench):
    seed = bench.initiate()
    bench.stage(seed)
    one, two = bench.drive("ONE", 600_000), bench.drive("TWO", 64 * MIB)
    bench.prepare(seed, one, two)
    bench.create(seed)
    seed.update_shipping(bench.jobs, bench.package())
    bench.service.faults.lose_drive("TWO")
    bench.arrive(one, two)
    events = []

    status = seed.status(bench.jobs, on_event=events.append)

    assert status.step is SeedStep.IMPORT_FAILED
    assert status.job.drive("TWO").state is DriveState.NEVER_RECEIVED
    (finding,) = status.findings
    assert (finding.code, finding.subject) == ("drive-never-received", "TWO")
    assert [event.finding for event in events if isinstance(event, FindingSeen)] == [finding]
    assert [event.state for event in events if isinstance(event, JobChanged)] == ["Closed"]
    # Another machine sees the same without asking the service.
    assert bench.open().status().findings == (finding,)


def test_forgotten_drive_that_comes_back_is_prepared_from_the_start(bench):
    seed = bench.initiate()
    bench.stage(seed)
    (before,) = bench.prepare(seed)
    shutil.rmtree(bench.drive().path)  # the drive broke and was repaired

    seed.forget_drive("SERIAL1")
    assert seed.status().step is SeedStep.STAGED
    (after,) = bench.prepare(seed)

    assert after.total_bytes == before.total_bytes
    assert (bench.drive().path / "DriveManifest.xml").exists()


def test_drive_that_is_on_its_way_is_not_forgotten(bench):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    bench.create(seed)
    seed.update_shipping(bench.jobs, bench.package())
    with pytest.raises(JobStateError):
        seed.forget_drive("SERIAL1")
    assert (seed.job.folder / "drives/SERIAL1/DriveManifest.xml").exists()


def test_job_that_expired_is_created_again_with_the_same_drives(bench):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    bench.create(seed)
    bench.clock.advance(days=15)
    bench.service.clock.advance(days=15)

    with pytest.raises(JobNotFoundError, match="two weeks; create it again"):
        seed.status(bench.jobs)

    assert bench.create(seed).state is JobState.CREATING
    (tracking,) = seed.deadlines()
    assert tracking.remaining == dt.timedelta(weeks=2)


def test_job_that_was_done_long_ago_is_shown_as_last_seen(bench):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    bench.create(seed)
    seed.update_shipping(bench.jobs, bench.package())
    bench.arrive()
    seed.status(bench.jobs)
    bench.service.clock.advance(days=91)
    with pytest.raises(JobNotFoundError):
        bench.jobs.get_job("nightly")
    assert seed.status(bench.jobs).step is SeedStep.IMPORTED


@pytest.fixture
def impatient(bench):
    """
    A client that does not try again: the service's answer is lost for good.
    """
    with ImportExportJobs(
        bench.service.credential,
        subscription_id=bench.settings.subscription_id,
        resource_group="rg",
        base_url=bench.service.url,
        retry_total=0,
    ) as jobs:
        yield jobs


def test_job_whose_creation_went_unanswered_is_found_again(bench, impatient):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    # Location, the job that is not there, and the creation: the third answer is lost.
    bench.service.faults.slow(2, seconds=0)
    bench.service.faults.cut()
    with pytest.raises(AzureError):
        attrs.evolve(bench, jobs=impatient).create(seed)
    assert seed.status().step is SeedStep.PREPARED
    existing = bench.jobs.get_job("nightly")

    assert bench.create(bench.open()).id == existing.id
    assert seed.status().step is SeedStep.JOB_CREATED


def test_shipping_whose_answer_was_lost_is_written_down_the_next_time(bench, impatient):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    bench.create(seed)
    # The service took it, and the machine died before it was written down.
    bench.jobs.update_shipping("nightly", attrs.evolve(bench.package(), drive_count=1))
    assert seed.status().shipping is None

    seed.update_shipping(impatient, bench.package())

    status = bench.open().status()
    assert (status.step, status.shipping.package.tracking_number) == (SeedStep.SHIPPED, "1Z-1")


@pytest.mark.parametrize("stop_after", range(0, 6, 2))
def test_preparation_stopped_by_its_listener_goes_on_elsewhere(bench, stop_after):
    seed = bench.initiate()
    bench.stage(seed)
    seen = []

    def stop(event):
        seen.append(event)
        if len(seen) > stop_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.prepare(seed, on_event=stop)
    assert seed.status().step is SeedStep.PREPARING

    (prepared,) = bench.prepare(bench.open())
    assert prepared.blobs == len(list(seed.job.blobs()))
    assert seed.status().step is SeedStep.PREPARED


def test_seed_in_a_vault_says_so(bench):
    seed = bench.initiate()
    bench.stage(seed)
    bench.prepare(seed)
    bench.create(seed)
    seed.update_shipping(bench.jobs, bench.package())
    bench.arrive()
    seed.status(bench.jobs)
    landed = bench.folder / "landed"
    handover = seed.handover(
        FolderLanded(landed, "backups"), store=FolderStore(landed / "backups/nightly")
    )

    assert handover.verify(expected_digest=seed.job.seal.digest).is_ok
    handover.hand_over(lambda container, reader: reader.restore(bench.folder / "vault"))

    assert bench.open().status().step is SeedStep.HANDED_OVER
    assert (bench.folder / "vault/file-0").read_bytes() == (bench.source / "file-0").read_bytes()


def test_folder_is_staged_through_the_seed_itself(bench):
    seed = bench.initiate()
    seal = seed.stage(bench.source)
    assert seal.items == 3
    assert seed.stage(bench.source) == seal
    other = bench.open("nightly")
    assert other.job.seal == seal
    more = OfflineSeed.initiate(attrs.evolve(bench.settings, import_job_name="weekly"))
    assert more.stage(lambda writer: writer.add_file(bench.source / "file-0")).items == 1


def test_waiting_passes_over_a_job_whose_share_is_gone_and_tells(bench):
    bench.initiate()
    gone = attrs.evolve(
        bench.settings, staging_location=str(bench.folder / "share"), import_job_name="weekly"
    )
    OfflineSeed.initiate(gone, registry=bench.registry, clock=lambda: bench.clock.now)
    shutil.rmtree(bench.folder / "share")
    events = []

    (found,) = OfflineSeed.waiting(bench.registry, clock=bench.clock, on_event=events.append)

    assert found.job.name == "nightly"
    (event,) = events
    assert (event.finding.code, event.finding.subject) == ("job-not-reached", "weekly")
    assert str(bench.folder / "share") in event.finding.message


def test_waiting_passes_over_a_job_whose_document_is_damaged(bench):
    seed = bench.initiate()
    (seed.job.folder / "seed.json").write_bytes(b"{")
    events = []

    assert list(OfflineSeed.waiting(bench.registry, on_event=events.append)) == []

    assert "damaged" in events[0].finding.message
