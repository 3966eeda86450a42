import hashlib

import pytest

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import UnlockRefusedError, VerificationError
from offlineseed.events import BlobVerified
from offlineseed.testing import FaultyVolumes, VolumeFault
from offlineseed.verify import verify_drive
from offlineseed.volumes import CacheBypass

MIB = 1024 * 1024


def verify(prepared, *, volumes=None, **options):
    return verify_drive(
        prepared.drive,
        volumes or prepared.volumes,
        recovery_password=prepared.password,
        **({"manifest_hash": prepared.manifest_hash} | options),
    )


def only(report):
    (failure,) = report.failures
    assert report.failure_count == 1
    return failure


def test_verify_drive_as_it_was_prepared_finds_nothing_wrong(prepared):
    events = []
    report = verify(prepared, on_event=events.append)
    assert report.is_ok
    assert report.checks == (
        ("bytes", 5 * MIB + 3 + 1024),
        ("files", 4),
        ("manifest", 1),
        ("ranges", 3),
    )
    assert report.findings == ()
    assert [event.blob_path for event in events] == [
        "backups/seed/one.zst",
        "backups/seed/empty",
        "backups/seed/disk.vhd",
    ]
    assert all(isinstance(event, BlobVerified) and not event.failures for event in events)


@pytest.mark.parametrize("position", [0, 4 * MIB - 1, 4 * MIB, 5 * MIB + 2])
def test_verify_drive_with_a_flipped_bit_names_file_range_and_hashes(prepared, position):
    data = prepared.files["seed/one.zst"]
    start = position // (4 * MIB) * 4 * MIB
    expected = hashlib.md5(data[start : start + 4 * MIB]).hexdigest().upper()
    data[position] ^= 0x10
    failure = only(verify(prepared))
    assert (failure.code, failure.subject) == ("range-differs", "seed/one.zst")
    assert failure.offset == start
    assert failure.length == min(4 * MIB, 5 * MIB + 3 - start)
    assert failure.expected == expected
    assert failure.found == hashlib.md5(data[start : start + 4 * MIB]).hexdigest().upper()


def test_verify_drive_with_a_flipped_bit_in_a_page_range_names_it(prepared):
    prepared.files["seed/disk.vhd"][MIB + 5] ^= 1
    failure = only(verify(prepared))
    assert (failure.subject, failure.offset, failure.length) == ("seed/disk.vhd", MIB, 1024)


def test_verify_drive_with_a_missing_file_names_it(prepared):
    del prepared.files["seed/empty"]
    failure = only(verify(prepared))
    assert (failure.code, failure.subject) == ("file-missing", "seed/empty")


def test_verify_drive_with_another_file_names_it(prepared):
    prepared.files["readme.txt"] = bytearray(b"hello")
    failure = only(verify(prepared))
    assert (failure.code, failure.subject, failure.found) == ("file-extra", "readme.txt", "5 bytes")


def test_verify_drive_with_a_shorter_file_says_so(prepared):
    del prepared.files["seed/one.zst"][-1:]
    codes = {failure.code for failure in verify(prepared).failures}
    assert codes == {"range-differs", "length-differs"}


def test_verify_drive_with_a_longer_file_says_so(prepared):
    prepared.files["seed/one.zst"] += b"x"
    assert only(verify(prepared)).code == "length-differs"


def test_verify_drive_with_content_in_an_empty_file_says_so(prepared):
    prepared.files["seed/empty"] += b"x"
    assert only(verify(prepared)).code == "length-differs"


def test_verify_drive_with_a_changed_side_file_names_it(prepared):
    prepared.files["meta.xml"] += b" "
    failure = only(verify(prepared))
    assert (failure.code, failure.subject) == ("file-differs", "meta.xml")


def test_verify_drive_with_another_manifest_says_so_and_still_checks_the_files(prepared):
    prepared.files["seed/one.zst"][0] ^= 1
    report = verify(prepared, manifest_hash="0" * 32)
    assert [failure.code for failure in report.failures] == ["manifest-differs", "range-differs"]
    assert report.failures[0].found == prepared.manifest_hash.upper()


def test_verify_drive_without_a_manifest_hash_takes_the_manifest_at_its_word(prepared):
    assert verify(prepared, manifest_hash="").is_ok


def test_verify_drive_of_another_drive_id_says_so(prepared):
    data = prepared.files["DriveManifest.xml"]
    data[:] = data.replace(b"9WM35C2V", b"9WM35C3U")
    failure = only(verify(prepared, manifest_hash=""))
    assert (failure.code, failure.expected, failure.found) == (
        "drive-id-differs",
        "9WM35C2V",
        "9WM35C3U",
    )


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda files: files.pop("DriveManifest.xml"), "manifest-missing"),
        (lambda files: files["DriveManifest.xml"].clear(), "manifest-unreadable"),
        (lambda files: files["DriveManifest.xml"].pop(), None),
        (lambda files: files.update({"DriveManifest.xml": b"<x"}), "manifest-unreadable"),
    ],
    ids=["gone", "empty", "without its last line feed", "not XML"],
)
def test_verify_drive_with_a_useless_manifest_is_a_failure_not_a_crash(prepared, damage, code):
    damage(prepared.files)
    report = verify(prepared, manifest_hash="")
    assert [failure.code for failure in report.failures] == ([code] if code else [])


def test_verify_drive_with_an_unreadable_range_names_it_and_goes_on(prepared):
    # Reads: the manifest and its end, twice the manifest, then the first block.
    faulty = FaultyVolumes(prepared.volumes, VolumeFault(operation="read", number=4))
    failure = only(verify(prepared, volumes=faulty))
    assert (failure.code, failure.subject, failure.offset) == ("range-differs", "seed/one.zst", 0)
    assert failure.found == "unreadable: injected fault"


def test_verify_drive_with_another_recovery_password_is_refused(prepared):
    with pytest.raises(UnlockRefusedError):
        verify_drive(
            prepared.drive, prepared.volumes, recovery_password=RecoveryPassword(bytes(16))
        )


def test_verify_drive_read_through_a_cache_says_so(prepared):
    class Cached:
        def open(self, drive, recovery_password):
            reader = prepared.volumes.open(drive, recovery_password)
            reader.cache_bypass = CacheBypass.NONE
            return reader

    report = verify(prepared, volumes=Cached())
    assert report.is_ok
    assert [finding.code for finding in report.findings] == ["read-back-through-cache"]


def test_report_of_a_drive_raises_with_what_failed(prepared):
    del prepared.files["seed/empty"]
    with pytest.raises(VerificationError, match="seed/empty"):
        verify(prepared).raise_if_failed()
