import errno
import hashlib
import json
import os
import threading

import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.bitlocker import RecoveryPassword
from offlineseed.drives import Consent, MemoryKeyStore, load_prepared_drive
from offlineseed.errors import (
    ConsentError,
    DriveChangedError,
    DriveError,
    DriveNotEligibleError,
    JournalError,
    ManifestError,
    SourceChangedError,
    VerificationError,
    VolumeFullError,
)
from offlineseed.events import BlobCopied, BlobVerified, DrivePrepared, DriveStarted, FindingSeen
from offlineseed.findings import Finding, Severity
from offlineseed.manifest import BlobType, manifest_hash, parse_manifest
from offlineseed.testing import FaultEffect, FaultyVolumes, MemoryVolumes, VolumeFault
from offlineseed.volumes import CacheBypass, DirectoryVolumes

MIB = 1024 * 1024


class CancelledError(Exception):
    pass


def cancel_after(kind, number):
    """
    Return a listener that raises at the number-th event of a kind.
    """
    seen = []

    def listen(event):
        seen.append(event)
        if sum(isinstance(each, kind) for each in seen) == number:
            raise CancelledError

    return listen


def stored(bench):
    return bench.volumes.stored(bench.drive.drive_id)


def test_prepare_puts_every_blob_and_the_manifest_on_the_drive(bench):
    events = []
    prepared = bench.prepare(on_event=events.append)
    files = stored(bench)
    blobs = list(bench.job.blobs())
    assert set(files) == {blob.path for blob in blobs} | {"DriveManifest.xml"}
    for blob in blobs:
        assert files[blob.path] == blob.source.read_bytes()
    manifest = bytes(files["DriveManifest.xml"])
    assert prepared.manifest_hash == manifest_hash(manifest)
    assert prepared.manifest_file == "\\DriveManifest.xml"
    assert prepared.recovery_password == bench.keys.get("9WM35C2V")
    assert (prepared.blobs, prepared.total_bytes) == (5, sum(blob.length for blob in blobs))
    assert prepared.cache_bypass is CacheBypass.DIRECT

    parsed = parse_manifest(manifest)
    assert parsed.drive_id == "9WM35C2V"
    assert parsed.storage_account_key == Secret("c2VjcmV0LWtleQ==")
    (blob_list,) = parsed.blob_lists
    for blob, listed in zip(blobs, blob_list.blobs, strict=True):
        assert listed.blob_path == f"backups/{blob.path}"
        assert listed.file_path == "\\" + blob.path.replace("/", "\\")
        assert listed.length == blob.length
        data = files[blob.path]
        assert [block.hash for block in listed.blocks] == [
            hashlib.md5(data[block.offset : block.offset + block.length]).hexdigest().upper()
            for block in listed.blocks
        ]
        assert sum(block.length for block in listed.blocks) == blob.length

    assert events[0] == DriveStarted(
        drive_id="9WM35C2V", blobs=5, total_bytes=prepared.total_bytes, resumed_bytes=0
    )
    assert [event.blob_path for event in events if isinstance(event, BlobCopied)] == [
        f"backups/{blob.path}" for blob in blobs
    ]
    assert sum(isinstance(event, BlobVerified) for event in events) == 5
    assert events[-1] == DrivePrepared(
        drive_id="9WM35C2V",
        manifest_hash=prepared.manifest_hash,
        total_bytes=prepared.total_bytes,
    )


def test_prepare_a_page_blob_lists_its_ranges_without_zeros(make_bench, tmp_path):
    bench = make_bench({"disk.vhd": 512})
    data = bytes(2 * MIB) + b"A" * 5 * MIB + bytes(3 * MIB) + b"B" * 512
    (tmp_path / "disk").write_bytes(data)
    bench.job.add_blob(tmp_path / "disk", "disk2.vhd", blob_type=BlobType.PAGE)
    bench = bench.replanned()
    bench.prepare()
    listed = parse_manifest(bytes(stored(bench)["DriveManifest.xml"])).blob_lists[0].blobs
    (disk,) = (blob for blob in listed if blob.blob_path.endswith("disk2.vhd"))
    assert [(one.offset, one.length) for one in disk.page_ranges] == [
        (2 * MIB, 4 * MIB),
        (6 * MIB, MIB),
        (10 * MIB, 512),
    ]
    for one in disk.page_ranges:
        piece = data[one.offset : one.offset + one.length]
        assert one.hash == hashlib.md5(piece).hexdigest().upper()


def test_staging_location_never_holds_a_secret(bench):
    prepared = bench.prepare()
    secrets = [prepared.recovery_password.reveal().encode(), b"c2VjcmV0LWtleQ=="]
    secrets.append(secrets[0].replace(b"-", b""))
    for path in bench.job.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(secret in data for secret in secrets), path
    copy = (bench.job.drive_folder("9WM35C2V") / "DriveManifest.xml").read_bytes()
    on_drive = parse_manifest(bytes(stored(bench)["DriveManifest.xml"]))
    assert parse_manifest(copy) == attrs.evolve(on_drive, storage_account_key=None)


def test_prepared_drive_is_loaded_from_its_record(bench):
    prepared = bench.prepare()
    assert load_prepared_drive(bench.job, "9WM35C2V", keys=bench.keys) == prepared
    with pytest.raises(DriveError, match="key store"):
        load_prepared_drive(bench.job, "9WM35C2V", keys=MemoryKeyStore())
    with pytest.raises(DriveError, match="not prepared"):
        load_prepared_drive(bench.job, "OTHER", keys=bench.keys)


def test_prepare_a_sealed_drive_again_does_not_touch_it(bench):
    prepared = bench.prepare()
    broken = FaultyVolumes(bench.volumes, VolumeFault(operation="open"))
    stored(bench).clear()
    (bench.job.drive_folder("9WM35C2V") / "prepared.json").unlink()
    assert bench.prepare(volumes=broken) == prepared


@pytest.mark.parametrize(
    "consent",
    [Consent(drive_id="OTHER", size_bytes=64 * MIB), Consent(drive_id="9WM35C2V", size_bytes=1)],
    ids=["another drive", "another size"],
)
def test_prepare_without_consent_for_this_drive_touches_nothing(bench, consent):
    with pytest.raises(ConsentError):
        bench.preparer().prepare(bench.job, bench.plan, drive=bench.drive, consent=consent)
    with pytest.raises(KeyError):
        stored(bench)
    assert bench.keys.get("9WM35C2V") is None


def test_prepare_an_ineligible_drive_touches_nothing(bench):
    finding = Finding(code="drive-4kn", subject="9WM35C2V", message="sectors of 4096 bytes")
    with pytest.raises(DriveNotEligibleError, match="4096") as caught:
        bench.prepare(check_drive=lambda drive: [finding])
    assert caught.value.findings == (finding,)
    with pytest.raises(KeyError):
        stored(bench)


def test_prepare_a_doubtful_drive_says_so_and_goes_on(bench):
    finding = Finding(
        code="drive-old", subject="9WM35C2V", message="old", severity=Severity.WARNING
    )
    events = []
    bench.prepare(check_drive=lambda drive: [finding], on_event=events.append)
    assert FindingSeen(finding=finding) in events


def test_prepare_refused_before_anything_was_done_takes_any_plan_later(bench, tmp_path):
    finding = Finding(code="drive-4kn", subject="9WM35C2V", message="sectors of 4096 bytes")
    with pytest.raises(DriveNotEligibleError):
        bench.prepare(check_drive=lambda drive: [finding])
    (tmp_path / "late").write_bytes(b"late")
    bench.job.add_blob(tmp_path / "late", "nightly/late", blob_type=BlobType.BLOCK)
    assert bench.replanned().prepare().blobs == 6


def test_resume_with_another_plan_is_refused(bench, tmp_path):
    with pytest.raises(CancelledError):
        bench.prepare(on_event=cancel_after(BlobCopied, 1))
    (tmp_path / "late").write_bytes(b"late")
    bench.job.add_blob(tmp_path / "late", "nightly/late", blob_type=BlobType.BLOCK)
    with pytest.raises(JournalError) as caught:
        bench.replanned().prepare()
    assert caught.value.context == "plan"
    assert bench.replanned().prepare(anew=True).blobs == 6


@pytest.mark.parametrize(
    "changes",
    [{"storage_account_key": None}, {"container_sas": Secret("backups?sig=x")}],
    ids=["no credential", "two credentials"],
)
def test_prepare_without_exactly_one_credential_is_refused(bench, changes):
    with pytest.raises(ManifestError):
        bench.prepare(**changes)


def test_prepare_after_the_blobs_changed_asks_for_another_plan(bench, tmp_path):
    (tmp_path / "late").write_bytes(b"late")
    bench.job.add_blob(tmp_path / "late", "nightly/b2", blob_type=BlobType.BLOCK)
    plan = attrs.evolve(bench.plan, digest="0" * 64)
    with pytest.raises(DriveError, match="plan the drives again"):
        attrs.evolve(bench, plan=plan).prepare()


def test_prepare_for_another_container_than_begun_is_refused(bench):
    with pytest.raises(CancelledError):
        bench.prepare(on_event=cancel_after(BlobCopied, 1))
    bench.job.settings = attrs.evolve(bench.job.settings, container="elsewhere")
    with pytest.raises(JournalError) as caught:
        bench.prepare()
    assert caught.value.context == "container"


@pytest.mark.parametrize(
    ("kind", "number"),
    [(DriveStarted, 1), (BlobCopied, 1), (BlobCopied, 3), (BlobCopied, 5), (BlobVerified, 2)],
    ids=["at the start", "first blob", "third blob", "last blob", "read-back"],
)
def test_prepare_cancelled_then_resumed_gives_the_same_drive(bench, kind, number):
    with pytest.raises(CancelledError):
        bench.prepare(on_event=cancel_after(kind, number))
    events = []
    prepared = bench.prepare(on_event=events.append)
    whole = attrs.evolve(bench, volumes=MemoryVolumes(), keys=MemoryKeyStore())
    for path in bench.job.drive_folder("9WM35C2V").iterdir():
        path.unlink()
    again = whole.prepare()
    assert prepared.manifest_hash == again.manifest_hash
    assert stored(bench) == stored(whole)
    if kind is BlobCopied:
        assert sum(isinstance(event, BlobCopied) for event in events) == 5 - number
        assert events[0].resumed_bytes > 0


@pytest.mark.parametrize(
    ("operation", "number"),
    [
        ("create", 1),
        ("open", 1),
        ("open", 4),
        ("open", 6),
        ("write", 1),
        ("write", 3),
        ("close", 1),
        ("close", 5),
        ("close", 6),
        ("finish", 1),
        ("read", 4),
    ],
)
@pytest.mark.parametrize("effect", list(FaultEffect), ids=lambda effect: effect.value)
def test_prepare_after_any_fault_of_the_drive_ends_the_same(bench, operation, number, effect):
    faulty = FaultyVolumes(
        bench.volumes, VolumeFault(operation=operation, number=number, effect=effect)
    )
    with pytest.raises((OSError, VerificationError)):
        bench.prepare(volumes=faulty)
    assert faulty.has_failed
    bench.prepare()
    for blob in bench.job.blobs():
        assert stored(bench)[blob.path] == blob.source.read_bytes()
    assert len(stored(bench)) == 6


def test_prepare_on_a_full_drive_says_so_and_goes_on_when_there_is_room(bench):
    fault = VolumeFault(
        operation="write", number=2, make_error=lambda: VolumeFullError("full", needed_bytes=1)
    )
    with pytest.raises(VolumeFullError):
        bench.prepare(volumes=FaultyVolumes(bench.volumes, fault))
    assert bench.prepare().blobs == 5


def test_prepare_on_a_drive_too_small_for_the_plan_says_full(bench):
    small = attrs.evolve(bench.drive, size_bytes=MIB)
    with pytest.raises(VolumeFullError):
        attrs.evolve(bench, drive=small).prepare()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
    ],
    ids=["shorter", "longer", "one bit"],
)
def test_prepare_with_a_staged_blob_changed_names_it_and_lists_nothing_wrong(bench, damage):
    (blob,) = (blob for blob in bench.job.blobs() if blob.path == "nightly/b.zst")
    blobs = list(bench.job.blobs())
    original = blob.source.read_bytes()
    blob.source.write_bytes(damage(original))
    bench.job.blobs = lambda: iter(blobs)
    with pytest.raises(SourceChangedError) as caught:
        bench.prepare()
    assert caught.value.path == "nightly/b.zst"
    assert "nightly/b.zst" not in stored(bench)
    blob.source.write_bytes(original)
    bench.prepare()
    assert stored(bench)["nightly/b.zst"] == original


@pytest.mark.parametrize("path", ["nightly/a.zst", "DriveManifest.xml"])
def test_read_back_of_a_flipped_bit_names_it_and_the_drive_is_not_sealed(bench, path):
    class Flipping:
        capacity = bench.volumes.capacity
        create = bench.volumes.create
        resume = bench.volumes.resume

        def open(self, drive, recovery_password):
            reader = bench.volumes.open(drive, recovery_password)
            stored(bench)[path][5] ^= 1
            return reader

    with pytest.raises(VerificationError) as caught:
        bench.prepare(volumes=Flipping())
    failures = caught.value.report.failures
    assert failures[0].subject == path
    if path.endswith("zst"):
        assert (failures[0].code, failures[0].offset, failures[0].length) == (
            "range-differs",
            0,
            4 * MIB,
        )
    journal = (bench.job.drive_folder("9WM35C2V") / "journal.jsonl").read_text()
    assert "sealed" not in journal
    stored(bench)[path][5] ^= 1
    bench.prepare()


def test_resume_on_a_drive_that_lost_a_file_says_that_it_changed(bench):
    with pytest.raises(CancelledError):
        bench.prepare(on_event=cancel_after(BlobCopied, 3))
    del stored(bench)["nightly/b.zst"]
    with pytest.raises(DriveChangedError, match=r"nightly/b\.zst"):
        bench.prepare()
    assert bench.prepare(anew=True).blobs == 5


def test_resume_on_another_drive_says_that_it_changed(bench):
    with pytest.raises(CancelledError):
        bench.prepare(on_event=cancel_after(BlobCopied, 3))
    with pytest.raises(DriveChangedError):
        bench.prepare(volumes=MemoryVolumes())


def test_resume_without_the_recovery_password_says_so(bench):
    with pytest.raises(CancelledError):
        bench.prepare(on_event=cancel_after(BlobCopied, 3))
    with pytest.raises(DriveError, match="recovery password"):
        bench.prepare(keys=MemoryKeyStore())


def test_prepare_with_a_given_recovery_password_keeps_and_uses_it(bench):
    given = RecoveryPassword(bytes(range(16)))
    prepared = bench.preparer().prepare(
        bench.job,
        bench.plan,
        drive=bench.drive,
        consent=bench.consent,
        recovery_password=given,
    )
    assert prepared.recovery_password == given == bench.keys.get("9WM35C2V")


def test_resume_with_another_recovery_password_is_refused(bench):
    with pytest.raises(CancelledError):
        bench.prepare(on_event=cancel_after(BlobCopied, 3))
    with pytest.raises(DriveError, match="not the one"):
        bench.preparer().prepare(
            bench.job,
            bench.plan,
            drive=bench.drive,
            consent=bench.consent,
            recovery_password=RecoveryPassword(bytes(range(16))),
        )


def test_prepare_leaves_no_thread_behind_when_cancelled(bench):
    before = threading.active_count()
    with pytest.raises(CancelledError):
        bench.prepare(on_event=cancel_after(BlobCopied, 1))
    assert threading.active_count() == before


def test_prepare_while_another_prepares_the_same_drive_is_refused(bench):
    refused = []

    def listen(event):
        if isinstance(event, DriveStarted):
            with pytest.raises(DriveError, match="another process"):
                bench.prepare()
            refused.append(event)

    bench.prepare(on_event=listen)
    assert refused


def test_prepare_into_a_folder_reads_it_back_past_the_cache(make_bench):
    bench = make_bench(volumes=DirectoryVolumes())
    prepared = bench.prepare()
    for blob in bench.job.blobs():
        assert (bench.drive.path / blob.path).read_bytes() == blob.source.read_bytes()
    record = json.loads((bench.job.drive_folder("9WM35C2V") / "prepared.json").read_text())
    assert record["manifest_hash"] == prepared.manifest_hash
    assert not list(bench.drive.path.glob(".*"))


def test_prepare_when_the_staging_location_refuses_the_journal_passes_the_error(bench, monkeypatch):
    real, calls = os.fsync, []

    def fsync(fd):
        calls.append(fd)
        if len(calls) == 7:
            raise OSError(errno.ENOSPC, "no space left")
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="no space"):
        bench.prepare()
    monkeypatch.undo()
    assert bench.prepare().blobs == 5
