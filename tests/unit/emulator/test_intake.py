import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest

from offlineseed.emulator import Package, ShippedDrive


def run(client, service, drive, body, **properties):
    """Send one drive through; return what the job says about it."""
    assert client.job("PUT", body=body(drive, **properties))[0] == 201
    client.ship()
    service.datacenter.receive(Package(tracking_number="1Z", drives=[drive.shipped()]))
    service.datacenter.process()
    return client.job("GET")[1]["properties"]["driveList"][0]


def read(uri):
    return Path(unquote(urlsplit(uri).path)).read_bytes()


def log(uri):
    return ET.fromstring(read(uri))


def test_logs_of_a_good_drive_are_verbose_and_backup_only(client, service, drive, body, landed):
    meta = drive.side_file("meta.xml", b"<Metadata><A>b</A></Metadata>")
    drive.add("seed/a.bin", b"0123456789", extra=meta)
    drive.add("seed/p.vhd", bytes(512) + b"A" * 512 + bytes(512), ranges=[(512, 512)]).seal()
    shown = run(client, service, drive, body, logLevel="Verbose", backupDriveManifest=True)

    assert "errorLogUri" not in shown
    assert shown["verboseLogUri"].endswith(
        "/waimportexport/waies/job-one_9WM35C2V_20240301-120000-250_verbose.xml"
    )
    assert shown["manifestUri"].endswith(
        "/waimportexport/waies/job-one_9WM35C2V_20240301-120000-250_manifest.xml"
    )
    assert hashlib.md5(read(shown["manifestUri"])).hexdigest().upper() == drive.manifest_hash
    root = log(shown["verboseLogUri"])
    assert root.get("Version") == "2014-11-01"
    assert root.findtext("DriveId") == "9WM35C2V"
    assert root.findtext("Status") == "Completed"
    first, second = root.findall("Blob")
    assert first.get("Status") == "Completed"
    assert first.findtext("BlobPath") == "seed/a.bin"
    assert first.findtext("FilePath") == "\\seed\\a.bin"
    assert first.findtext("Length") == "10"
    assert first.find("ImportDisposition").get("Status") == "Created"
    assert first.findtext("ImportDisposition") == "overwrite"
    assert first.find("BlockList/Block").attrib == {
        "Offset": "0",
        "Length": "4",
        "Id": "AAAAAA==",
        "Hash": "EB62F6B9306DB575C2D596B1279627A4",
        "Status": "Completed",
    }
    assert first.find("Metadata").get("Status") == "Completed"
    assert first.findtext("Metadata/Path") == "\\meta.xml"
    assert second.find("PageRangeList/PageRange").get("Status") == "Completed"
    assert (landed / "seed/p.vhd").read_bytes() == bytes(512) + b"A" * 512 + bytes(512)


def test_corrupt_block_is_named_in_the_error_log_and_the_blob_does_not_land(
    client, service, drive, body, landed
):
    drive.add("seed/good", b"good").add("seed/bad", b"0123456789").seal()
    service.faults.corrupt_block("9WM35C2V", "seed/bad", 1)
    shown = run(client, service, drive, body)
    assert shown["copyStatus"] == "CompletedWithErrors"
    assert shown["bytesSucceeded"] == 4
    root = log(shown["errorLogUri"])
    (blob,) = root.findall("Blob")
    assert blob.get("Status") == "CompletedWithErrors"
    assert [b.get("Status") for b in blob.iter("Block")] == [
        "Uncommitted",
        "Corrupted",
        "Uncommitted",
    ]
    assert (landed / "seed/good").exists()
    assert not (landed / "seed/bad").exists()
    assert client.job("GET")[1]["properties"]["state"] == "Closed"


def test_error_log_shows_only_the_page_ranges_that_failed(client, service, drive, body, landed):
    data = b"A" * 512 + b"B" * 512
    drive.add("seed/p", data, ranges=[(0, 512), (512, 512)]).seal()
    service.faults.corrupt_block("9WM35C2V", "seed/p", 0)
    root = log(run(client, service, drive, body)["errorLogUri"])
    assert [r.get("Offset") for r in root.iter("PageRange")] == ["0"]
    assert (landed / "seed/p").read_bytes() == bytes(512) + b"B" * 512


def test_overwritten_blob_survives_a_bad_block(client, service, drive, body, landed):
    (landed / "seed").mkdir(parents=True)
    (landed / "seed/x").write_bytes(b"old")
    drive.add("seed/x", b"new!new!").seal()
    service.faults.corrupt_block("9WM35C2V", "seed/x", 0)
    run(client, service, drive, body)
    assert (landed / "seed/x").read_bytes() == b"old"


def test_file_missing_is_named_and_everything_after_cancelled(client, service, drive, body):
    drive.add("seed/here", b"here").add("seed/gone", b"0123").seal()
    service.faults.lose_file("9WM35C2V", "seed/gone")
    root = log(run(client, service, drive, body)["errorLogUri"])
    (blob,) = root.findall("Blob")
    assert blob.get("Status") == "FileNotFound"
    assert blob.find("ImportDisposition").get("Status") == "Cancelled"
    assert blob.find("BlockList/Block").get("Status") == "Cancelled"


def test_file_too_short_says_so(client, service, drive, body):
    drive.add("seed/x", b"01234567").seal()
    (drive.path / "seed/x").write_bytes(b"012345")
    root = log(run(client, service, drive, body)["errorLogUri"])
    assert [b.get("Status") for b in root.iter("Block")] == ["Uncommitted", "FileUnexpectedEnd"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        pytest.param("destroy_drive", "DiskNotFound", id="destroyed in transit"),
        pytest.param("refuse_recovery_password", "BitLockerKeyInvalid", id="wrong password"),
        pytest.param("damage_manifest", "ManifestCorrupted", id="manifest damaged"),
        pytest.param("refuse_storage_key", "BlobRequestForbidden", id="storage key refused"),
    ],
)
def test_drive_fault_closes_the_job_with_a_named_status(
    client, service, drive, body, landed, fault, status
):
    drive.add("seed/x", b"x").seal()
    getattr(service.faults, fault)("9wm35c2v")
    shown = run(client, service, drive, body)
    assert shown["copyStatus"] == status
    assert log(shown["errorLogUri"]).findtext("Status") == status
    assert not (landed / "seed").exists()
    assert client.job("GET")[1]["properties"]["state"] == "Closed"


def test_drive_lost_is_never_received(client, service, drive, body):
    drive.add("seed/x", b"x").seal()
    service.faults.lose_drive("9WM35C2V")
    shown = run(client, service, drive, body)
    assert shown["state"] == "NeverReceived"
    assert client.job("GET")[1]["properties"]["state"] == "Shipping"


def manifest(middle, drive_id="9WM35C2V"):
    return (
        f'<DriveManifest Version="2014-11-01"><Drive><DriveId>{drive_id}</DriveId>'
        f"<StorageAccountKey>A</StorageAccountKey>{middle}</Drive></DriveManifest>"
    )


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param(manifest("", "OTHER"), "ManifestDriveIdMismatch", id="another drive's"),
        pytest.param("<DriveManifest>", "ManifestFormatInvalid", id="not well-formed"),
        pytest.param("<!DOCTYPE x><DriveManifest/>", "ManifestFormatInvalid", id="a doctype"),
        pytest.param("<DriveLog/>", "ManifestFormatInvalid", id="another root"),
        pytest.param(
            manifest("").replace("StorageAccountKey", "Key"),
            "ManifestFormatInvalid",
            id="no credential",
        ),
    ],
)
def test_manifest_wrong_gives_its_status(client, service, drive, body, text, status):
    drive.seal(text)
    assert run(client, service, drive, body)["copyStatus"] == status


def test_manifest_absent_gives_its_status(client, service, drive, body):
    assert run(client, service, drive, body)["copyStatus"] == "ManifestNotFound"


def test_manifest_path_that_leaves_the_drive_is_invalid(client, service, drive, body):
    drive.seal()
    entry = {**drive.entry(), "manifestFile": "\\..\\DriveManifest.xml"}
    shown = run(client, service, drive, body, driveList=[entry])
    assert shown["copyStatus"] == "ManifestNameInvalid"


def test_manifest_hash_of_64_digits_is_sha256(client, service, drive, body):
    drive.add("seed/x", b"x").seal()
    digest = hashlib.sha256((drive.path / "DriveManifest.xml").read_bytes()).hexdigest()
    entry = {**drive.entry(), "manifestHash": digest}
    shown = run(client, service, drive, body, driveList=[entry])
    assert shown["copyStatus"] == "Completed"


def test_file_path_that_leaves_the_drive_is_invalid(client, service, drive, body, tmp_path):
    (tmp_path / "secret").write_bytes(b"0123")
    drive.add("seed/x", b"0123")
    drive.blobs[0] = drive.blobs[0].replace("\\seed\\x", "\\..\\secret")
    root = log(run(client, service, drive.seal(), body)["errorLogUri"])
    assert root.find("Blob").get("Status") == "FileNameInvalid"


def test_link_that_leaves_the_drive_is_not_found(client, service, drive, body, tmp_path):
    (tmp_path / "secret").write_bytes(b"0123")
    drive.add("seed/x", b"0123").seal()
    (drive.path / "seed/x").unlink()
    (drive.path / "seed/x").symlink_to(tmp_path / "secret")
    root = log(run(client, service, drive, body)["errorLogUri"])
    assert root.find("Blob").get("Status") == "FileNotFound"


@pytest.mark.parametrize(
    ("disposition", "status", "copied"),
    [
        pytest.param("rename", "Renamed", "CompletedWithWarnings", id="rename"),
        pytest.param("no-overwrite", "Skipped", "CompletedWithWarnings", id="no-overwrite"),
        pytest.param("overwrite", "Overwritten", "Completed", id="overwrite"),
    ],
)
def test_conflict_is_resolved_by_disposition(
    client, service, drive, body, landed, disposition, status, copied
):
    drive.add("seed/Seattle.jpg", b"x", disposition).seal()
    service.faults.conflict("seed/Seattle.jpg")
    shown = run(client, service, drive, body, logLevel="Verbose")
    assert shown["copyStatus"] == copied
    blob = log(shown["verboseLogUri"]).find("Blob")
    assert blob.find("ImportDisposition").get("Status") == status
    name = "Seattle (2).jpg" if disposition == "rename" else "Seattle.jpg"
    assert blob.findtext("BlobPath") == f"seed/{name}"
    assert (landed / "seed" / name).exists() == (status != "Skipped")
    assert client.job("GET")[1]["properties"]["state"] == "Completed"


def test_rename_equal_names_of_one_manifest_get_numbers_in_order(
    client, service, drive, body, landed
):
    for index in range(6):
        drive.add(f"{index}/no.dots.here/name", str(index).encode(), "rename")
    drive.blobs = [
        b.replace(f"<BlobPath>{i}/", "<BlobPath>seed/") for i, b in enumerate(drive.blobs)
    ]
    run(client, service, drive.seal(), body)
    folder = landed / "seed/no.dots.here"
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == {
        "name": b"0",
        **{f"name ({n})": str(n - 1).encode() for n in range(2, 7)},
    }


def test_metadata_damaged_lands_the_blob_and_says_so(client, service, drive, body, landed):
    extra = drive.side_file("meta.xml", b"<Metadata/>")
    drive.add("seed/x", b"x", extra=extra).seal()
    (drive.path / "meta.xml").write_bytes(b"<Metadata />")
    shown = run(client, service, drive, body)
    root = log(shown["errorLogUri"])
    assert root.find("Blob/Metadata").get("Status") == "Corrupted"
    assert shown["copyStatus"] == "CompletedWithErrors"
    assert (landed / "seed/x").read_bytes() == b"x"


def test_container_sas_forbids_other_containers_and_holds_the_logs(
    client, service, drive, body, landed
):
    drive.credential = "<ContainerSas>seed?sv=2012-02-12&amp;sig=x</ContainerSas>"
    drive.add("seed/x", b"x").add("other/y", b"y").seal()
    shown = run(client, service, drive, body)
    assert shown["copyStatus"] == "BlobRequestForbidden"
    assert "/seed/waimportexport/waies/" in shown["errorLogUri"]
    blob = log(shown["errorLogUri"]).find("Blob")
    assert blob.get("Status") == "BlobRequestForbidden"
    assert blob.findtext("BlobPath") == "other/y"
    assert (landed / "seed/x").exists()


def test_blob_name_without_place_fails_alone(client, service, drive, body, landed):
    drive.add("seed/x", b"x").add("seed/y", b"y")
    drive.blobs[0] = drive.blobs[0].replace("<BlobPath>seed/x", "<BlobPath>seed/../../x")
    root = log(run(client, service, drive.seal(), body)["errorLogUri"])
    assert [b.get("Status") for b in root.findall("Blob")] == ["BlobRequestFailed"]
    assert (landed / "seed/y").exists()
    assert not (landed.parent / "x").exists()


def test_drive_path_that_is_nothing_is_no_disk(client, service, drive, body, tmp_path):
    drive.seal()
    client.job("PUT", body=body(drive))
    client.ship()
    nothing = ShippedDrive(drive_id="9WM35C2V", path=tmp_path / "nothing")
    service.datacenter.receive(Package(tracking_number="1Z", drives=[nothing]))
    service.datacenter.process()
    shown = client.job("GET")[1]["properties"]["driveList"][0]
    assert shown["copyStatus"] == "DiskNotFound"
