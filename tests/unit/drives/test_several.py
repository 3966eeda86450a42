from concurrent.futures import ThreadPoolExecutor

import pytest

from offlineseed._secret import Secret
from offlineseed.drives import (
    Consent,
    DrivePlanner,
    DrivePreparer,
    DriveSpace,
    MemoryKeyStore,
    prepare_drives,
)
from offlineseed.errors import ConsentError, DriveError, NameNotAllowedError
from offlineseed.events import BlobCopied, DrivePrepared, FindingSeen
from offlineseed.testing import FaultyVolumes, MemoryVolumes, VolumeFault
from offlineseed.volumes import Drive

MIB = 1024 * 1024


class CancelledError(Exception):
    pass


@pytest.fixture
def fleet(bench):
    """
    Return what `prepare_drives` takes for three drives, and their volumes.
    """
    drives = [Drive(drive_id=f"D{number}", path="x", size_bytes=200_000) for number in (1, 2)]
    drives.append(Drive(drive_id="D3", path="x", size_bytes=8 * MIB))
    volumes = MemoryVolumes()
    spaces = [DriveSpace(drive_id=one.drive_id, capacity=volumes.capacity(one)) for one in drives]
    plans = DrivePlanner().plan(bench.job.blobs(), spaces)
    assert len(plans) == 2
    return volumes, {
        "plans": plans,
        "drives": drives,
        "consents": [Consent(drive_id=one.drive_id, size_bytes=one.size_bytes) for one in drives],
    }


def preparer(volumes, keys=None):
    return DrivePreparer(
        volumes=volumes,
        keys=keys or MemoryKeyStore(),
        container_sas=Secret("backups?sig=abc"),
        hash_threads=1,
    )


@pytest.mark.parametrize("threads", [None, 1, 4], ids=["a thread each", "one thread", "four"])
def test_prepare_drives_prepares_each_with_a_plan(bench, fleet, threads):
    volumes, arguments = fleet
    events = []
    executor = ThreadPoolExecutor(threads) if threads else None
    prepared = prepare_drives(
        preparer(volumes), bench.job, executor=executor, on_event=events.append, **arguments
    )
    if executor:
        executor.submit(int).result()
        executor.shutdown()
    assert [one.drive_id for one in prepared] == [plan.drive_id for plan in arguments["plans"]]
    on_drives = [path for one in prepared for path in volumes.stored(one.drive_id)]
    assert sorted(on_drives) == sorted(
        [blob.path for blob in bench.job.blobs()] + ["DriveManifest.xml"] * 2
    )
    assert sum(isinstance(event, DrivePrepared) for event in events) == 2


def test_prepare_drives_with_one_that_fails_prepares_the_other_and_redoes_only_the_failed(
    bench, fleet
):
    volumes, arguments = fleet
    keys, events = MemoryKeyStore(), []
    faulty = FaultyVolumes(volumes, VolumeFault(operation="finish"))
    with ThreadPoolExecutor(1) as executor, pytest.raises(OSError, match="injected"):
        prepare_drives(
            preparer(faulty, keys),
            bench.job,
            executor=executor,
            on_event=events.append,
            **arguments,
        )
    assert sum(isinstance(event, DrivePrepared) for event in events) == 1
    events.clear()
    assert (
        len(prepare_drives(preparer(volumes, keys), bench.job, on_event=events.append, **arguments))
        == 2
    )
    assert not any(isinstance(event, BlobCopied) for event in events)


def test_prepare_drives_that_all_fail_reports_each(bench, fleet):
    volumes, arguments = fleet

    def refuse(drive):
        raise NameNotAllowedError(f"no {drive.drive_id}")

    events = []
    broken = DrivePreparer(
        volumes=volumes, keys=MemoryKeyStore(), container_sas=Secret("c?s"), check_drive=refuse
    )
    with pytest.raises(NameNotAllowedError, match=arguments["plans"][0].drive_id):
        prepare_drives(broken, bench.job, on_event=events.append, **arguments)
    (seen,) = events
    assert isinstance(seen, FindingSeen)
    assert (seen.finding.code, seen.finding.subject) == (
        "drive-failed",
        arguments["plans"][1].drive_id,
    )


def test_prepare_drives_cancelled_stops_all_and_goes_on_later(bench, fleet):
    volumes, arguments = fleet
    keys, count = MemoryKeyStore(), []

    def listen(event):
        count.append(event)
        raise CancelledError

    with pytest.raises(CancelledError):
        prepare_drives(preparer(volumes, keys), bench.job, on_event=listen, **arguments)
    assert len(count) == 1
    assert len(prepare_drives(preparer(volumes, keys), bench.job, **arguments)) == 2


def test_prepare_drives_without_consent_for_one_begins_none(bench, fleet):
    volumes, arguments = fleet
    arguments["consents"] = arguments["consents"][:1]
    with pytest.raises(ConsentError):
        prepare_drives(preparer(volumes), bench.job, **arguments)
    with pytest.raises(KeyError):
        volumes.stored(arguments["plans"][0].drive_id)


def test_prepare_drives_with_a_planned_drive_missing_begins_none(bench, fleet):
    volumes, arguments = fleet
    arguments["drives"] = arguments["drives"][:1]
    with pytest.raises(DriveError, match="planned but not given"):
        prepare_drives(preparer(volumes), bench.job, **arguments)
