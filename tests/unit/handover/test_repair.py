import attrs
import pytest

from offlineseed.errors import SourceChangedError, UnsafeNameError
from offlineseed.events import BlobVerified, FindingSeen
from offlineseed.handover import FolderRepairs, landed_names, repair
from offlineseed.jobs import BlobCopyResult

HALF = 4096


def run(bench, log, **options):
    destination = FolderRepairs(bench.folder, "backups")
    return repair(bench.job, bench.manifest, destination, log=log, **options)


def paths(report):
    return [blob.blob_path for blob in report.repaired]


def test_repair_of_a_complete_log_without_failures_touches_nothing(bench):
    report = run(bench, bench.log(status="Completed"))
    assert (report.repaired, report.is_ok, report.uploaded_bytes) == ((), True, 0)
    assert not bench.folder.exists()


def test_repair_of_a_drive_that_never_arrived_uploads_all_of_it(bench):
    events = []
    report = run(bench, None, on_event=events.append)

    assert paths(report) == ["backups/dump.bak", "backups/disk.vhd", "backups/empty"]
    assert report.is_ok
    for path, data in bench.contents.items():
        assert bench.landed(path) == data
    assert [event.blob_path for event in events if isinstance(event, BlobVerified)] == paths(report)


def test_repair_of_a_drive_that_failed_leaves_what_is_there(bench):
    bench.land("dump.bak")
    log = bench.log(status="BlobRequestForbidden")
    assert paths(run(bench, log)) == ["backups/disk.vhd", "backups/empty"]


def test_repair_of_a_log_that_breaks_off_looks_at_what_it_does_not_name(bench):
    bench.land("disk.vhd", "empty")
    log = bench.log(bench.result("disk.vhd", status="Completed"), is_complete=False)
    assert paths(run(bench, log)) == ["backups/dump.bak"]


def test_repair_of_a_page_blob_uploads_the_range_that_failed(bench):
    data = bench.contents["disk.vhd"]
    bench.land(**{"disk.vhd": bytes(HALF) + data[HALF:]})
    inode = (bench.folder / "backups/disk.vhd").stat().st_ino

    report = run(bench, bench.log(bench.result("disk.vhd", failed=[0])))

    (blob,) = report.repaired
    assert (blob.parts, blob.uploaded_parts, blob.uploaded_bytes) == (2, 1, HALF)
    assert bench.landed("disk.vhd") == data
    assert (bench.folder / "backups/disk.vhd").stat().st_ino == inode
    assert report.is_ok


def test_repair_of_a_page_blob_that_vanished_uploads_every_range(bench):
    (blob,) = run(bench, bench.log(bench.result("disk.vhd", failed=[0]))).repaired
    assert blob.uploaded_parts == 2


def test_repair_of_a_renamed_blob_leaves_the_other_one(bench):
    data = bench.contents["disk.vhd"]
    bench.land(**{"disk.vhd": b"another's", "disk__(2).vhd": data[:-HALF] + bytes(HALF)})
    result = bench.result(
        "disk.vhd", failed=[1], disposition="Renamed", blob_path="backups/disk (2).vhd"
    )

    report = run(bench, bench.log(result))

    assert paths(report) == ["backups/disk (2).vhd"]
    assert report.is_ok
    assert bench.landed("disk.vhd") == b"another's"
    assert bench.landed("disk (2).vhd") == data
    assert landed_names(bench.manifest, [bench.log(result)]) == {
        "backups/disk.vhd": "backups/disk (2).vhd"
    }


@pytest.mark.parametrize("disposition", ["Skipped", "Cancelled"])
def test_blob_in_the_way_is_left_alone_until_allowed(bench, disposition):
    bench.land(**{"dump.bak": b"another's"})
    log = bench.log(bench.result("dump.bak", failed=[0, 1], disposition=disposition))
    events = []

    report = run(bench, log, on_event=events.append)
    (finding,) = report.findings
    assert (finding.code, finding.subject) == ("blob-in-the-way", "backups/dump.bak")
    assert events == [FindingSeen(finding=finding)]
    assert not report.is_ok
    assert bench.landed("dump.bak") == b"another's"

    assert run(bench, log, may_overwrite=True).is_ok
    assert bench.landed("dump.bak") == bench.contents["dump.bak"]


def test_repair_repeated_finds_its_own_work(bench):
    log = bench.log(bench.result("dump.bak", failed=[0, 1], disposition="Cancelled"))
    assert run(bench, log).uploaded_bytes
    again = run(bench, log)
    assert (again.repaired, again.findings) == ((), ())


@pytest.mark.parametrize(
    ("path", "there", "is_ours"),
    [
        pytest.param("dump.bak", b"begun", True, id="shorter block blob"),
        pytest.param("dump.bak", b"x" * (5 << 20), False, id="longer block blob"),
        pytest.param("disk.vhd", bytes(HALF * 2 + (2 << 20)), True, id="page blob of its length"),
        pytest.param("disk.vhd", bytes(512), False, id="page blob of another length"),
    ],
)
def test_later_log_leaves_ownership_to_be_seen(bench, path, there, is_ours):
    bench.land(**{path: there})
    result = BlobCopyResult(
        blob_path=f"backups/{path}", status="UploadErrorDataValidationError", error_code="1"
    )
    report = run(bench, bench.log(result))
    assert report.is_ok is is_ours
    assert (bench.landed(path) == bench.contents[path]) is is_ours


def test_staged_blob_that_changed_is_not_uploaded(bench):
    (staged,) = (blob for blob in bench.job.blobs() if blob.path == "dump.bak")
    with staged.source.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")

    with pytest.raises(SourceChangedError) as caught:
        run(bench, None)

    assert caught.value.path == "\\dump.bak"
    assert not list(bench.folder.rglob("*.repair"))
    assert not (bench.folder / "backups/dump.bak").exists()


def test_staged_blob_that_is_gone_is_named(bench):
    manifest = attrs.evolve(bench.manifest)
    other = attrs.evolve(bench.blob("empty"), blob_path="backups/gone", file_path="\\gone")
    lists = [attrs.evolve(manifest.blob_lists[0], blobs=[other])]
    report = run(attrs.evolve(bench, manifest=attrs.evolve(manifest, blob_lists=lists)), None)
    (finding,) = report.findings
    assert (finding.code, finding.subject) == ("staged-blob-missing", "backups/gone")


def test_damage_behind_the_back_of_a_repair_is_reported(bench):
    data = bench.contents["disk.vhd"]
    # The log says that only the second range failed, and the first is wrong, too.
    bench.land(**{"disk.vhd": bytes(len(data))})
    report = run(bench, bench.log(bench.result("disk.vhd", failed=[1])))
    assert not report.is_ok
    assert [failure.code for failure in report.verification.failures] == ["range-differs"]


def test_name_that_leaves_the_folder_is_refused(bench):
    with pytest.raises(UnsafeNameError):
        FolderRepairs(bench.folder, "backups").begin("../x", bench.blob("empty"))
