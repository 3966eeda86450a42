import pytest

from offlineseed.emulator import Package

JOBS = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.DataBox/jobs"
ACCOUNT = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"


@pytest.fixture
def box(client):
    client.version = "2025-07-01"
    return client


def order(drive, **details):
    entry = drive.entry()
    serial = entry.pop("driveId")
    return {
        "location": "westus",
        "sku": {"name": "DataBoxCustomerDisk"},
        "properties": {
            "transferType": "ImportToAzure",
            "details": {
                "jobDetailsType": "DataBoxCustomerDisk",
                "contactDetails": {"contactName": "A", "phone": "1", "emailList": ["a@b.c"]},
                "dataImportDetails": [
                    {
                        "accountDetails": {
                            "dataAccountType": "StorageAccount",
                            "storageAccountId": ACCOUNT,
                        },
                        "logCollectionLevel": "Verbose",
                    }
                ],
                "importDiskDetailsCollection": {serial: entry},
                "returnToCustomerPackageDetails": {"carrierName": "FedEx"},
                **details,
            },
        },
    }


def ship(box):
    package = {"deliverToDcPackageDetails": {"carrierName": "FedEx", "trackingId": "1Z"}}
    return box.send("POST", f"{JOBS}/one/markDevicesShipped", package)


def details(box):
    return box.send("GET", f"{JOBS}/one", query="&$expand=details")[1]["properties"]["details"]


def process(box, service, drive):
    assert ship(box)[0] == 204
    service.datacenter.receive(Package(tracking_number="1Z", drives=[drive.shipped()]))
    service.datacenter.process()


def test_order_copies_and_writes_logs_of_the_newer_form(box, service, drive, landed):
    drive.add("seed/good", b"good").add("seed/bad", b"0123456789").add("seed/gone", b"x").seal()
    service.faults.corrupt_block("9WM35C2V", "seed/bad", 1)
    service.faults.lose_file("9WM35C2V", "seed/gone")
    assert box.send("PUT", f"{JOBS}/one", order(drive, enableManifestBackup=True))[0] == 200
    process(box, service, drive)
    assert (landed / "seed/good").read_bytes() == b"good"
    assert sorted(path.name.split("_")[2] for path in (landed / "databoxcopylog").iterdir()) == [
        "CopyLog",
        "Manifest",
        "VerboseLog",
    ]
    (log,) = (landed / "databoxcopylog").glob("one_9WM35C2V_CopyLog_*.xml")
    text = log.read_text()
    assert text.startswith('<ErroredEntity CloudFormat="BlockBlob" Path="seed/bad">')
    assert "<Category>UploadErrorDataValidationError</Category>" in text
    assert "in 4 bytes at 4." in text
    assert "<Category>UploadErrorWin32</Category>" in text
    assert "<ErrorCode>2</ErrorCode>" in text
    assert "<DriveLogVersion>2021-08-01</DriveLogVersion>" in text
    assert "<TotalFiles_Blobs>3</TotalFiles_Blobs>" in text
    assert "<FilesErrored>2</FilesErrored>" in text
    assert '<UploadErrorWin32 Count="1"' in text
    (verbose,) = (landed / "databoxcopylog").glob("one_9WM35C2V_VerboseLog_*.xml")
    assert '<File CloudFormat="BlockBlob" Path="seed/good" Size="4" />' in verbose.read_text()
    (progress,) = details(box)["copyProgress"]
    assert progress["copyStatus"] == "CompletedWithErrors"
    assert progress["bytesProcessed"] == 4
    assert progress["totalBytesToProcess"] == 15
    assert progress["filesErroredOut"] == 2


def test_order_renamed_blob_is_a_warning(box, service, drive, landed):
    drive.add("seed/x", b"x", "rename").seal()
    service.faults.conflict("seed/x")
    box.send("PUT", f"{JOBS}/one", order(drive))
    process(box, service, drive)
    status = box.send("GET", f"{JOBS}/one")[1]["properties"]["status"]
    assert status == "CompletedWithWarnings"
    (verbose,) = (landed / "databoxcopylog").glob("*_VerboseLog_*.xml")
    assert "<Category>BlobRenamed</Category>" in verbose.read_text()


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("destroy_drive", "DriveNotDetected"),
        ("refuse_recovery_password", "OtherUserError"),
        ("damage_manifest", "MetadataFilesModifiedOrRemoved"),
        ("refuse_storage_key", "StorageAccountNotAccessible"),
    ],
)
def test_order_drive_fault_has_its_copy_status(box, service, drive, fault, status):
    drive.add("seed/x", b"x").seal()
    getattr(service.faults, fault)("9WM35C2V")
    box.send("PUT", f"{JOBS}/one", order(drive))
    process(box, service, drive)
    assert details(box)["copyProgress"][0]["copyStatus"] == status


def test_order_never_arrived_is_aborted(box, service, drive):
    box.send("PUT", f"{JOBS}/one", order(drive))
    ship(box)
    service.clock.advance(days=30)
    properties = box.send("GET", f"{JOBS}/one")[1]["properties"]
    assert properties["status"] == "Aborted"
    assert properties["allDevicesLost"]


def test_order_is_not_seen_by_the_other_dialect(box, service, drive):
    box.send("PUT", f"{JOBS}/one", order(drive))
    box.version = "2021-01-01"
    assert box.job("GET", "one")[0] == 404


def test_order_cancelled_twice_is_refused(box, drive):
    box.send("PUT", f"{JOBS}/one", order(drive))
    reason = {"reason": "no"}
    assert box.send("POST", f"{JOBS}/one/cancel", reason)[0] == 204
    status, error, _ = box.send("POST", f"{JOBS}/one/cancel", reason)
    assert (status, error["error"]["code"]) == (409, "InvalidJobState")


@pytest.mark.parametrize(
    ("version", "status"), [("2025-02-01", 200), ("2021-12-01", 200), ("2021-05-01", 400)]
)
def test_versions_that_know_customers_disks_are_spoken(box, drive, version, status):
    box.version = version
    assert box.send("PUT", f"{JOBS}/one", order(drive))[0] == status
