import json
import pathlib

import attrs
import pytest
from azure.core.exceptions import HttpResponseError

from offlineseed._secret import Secret
from offlineseed.errors import JobError, JobNotFoundError, JobStateError, ShippingError
from offlineseed.jobs import (
    ClassicJobs,
    DeliveryPackage,
    DriveState,
    ImportJobs,
    JobChanges,
    JobState,
    LogLevel,
)
from offlineseed.jobs import _wire_classic as wire
from offlineseed.jobs._json import JsonObject

JOBS = "/sub-1/services/importexport/storageaccounts/backups/jobs"
JOB = JOBS + "/seed-1"
PACKAGE = DeliveryPackage(
    carrier_name="FedEx", tracking_number="7777", drive_count=1, ship_date="2026-01-31"
)
DEFINITIONS = (
    pathlib.Path(__file__).parents[3].parent
    / "shared/data/classic/classic-2014-11-01-importexport-sample.json"
)


def open_client(service, **changes):
    # With a transport of the caller's nobody asks for the certificate.
    options = {"storage_account_key": Secret("the-account-key"), **changes}
    return ClassicJobs(
        None,
        subscription_id="sub-1",
        storage_account="backups",
        transport=service.transport(),
        **options,
    )


@pytest.fixture
def jobs(service):
    with open_client(service) as client:
        yield client


def job_document(state="Creating", **properties):
    return {
        "odata.metadata": "https://x/$metadata#Jobs/@Element",
        "Name": "seed-1",
        "Properties": {"State": state, "Type": "Import", **properties},
        "DriveList": [{"DriveId": "9CA995BB", "ManifestFile": "\\DriveManifest.xml"}],
    }


def refusal(code="Conflict", message="no"):
    return {
        "odata.error": {
            "code": code,
            "message": {"lang": "en-us", "value": message},
            "azure.values": {"odata.type": "x", "ExtendedCode": "JobBusy"},
        }
    }


def test_client_is_an_import_jobs(jobs):
    assert isinstance(jobs, ImportJobs)


def test_create_job_puts_the_classic_form_and_reads_the_job_back(jobs, service, new_job):
    service.answer(201, b"")
    service.answer(200, job_document())
    job = jobs.create_job(new_job())
    assert service.sent == [("PUT", JOB), ("GET", JOB)]
    headers = service.requests[0].headers
    assert (headers["x-ms-version"], headers["Accept-Language"]) == ("2014-11-01", "en-us")
    assert headers["Accept"] == "application/json"
    assert service.requests[0].url.startswith("https://management.core.windows.net/sub-1/")
    body = service.body(0)
    assert body["Name"] == "seed-1"
    assert body["Properties"] == {
        "StorageAccountName": "backups",
        "StorageAccountKey": "the-account-key",
        "Location": "West US",
        "Type": "Import",
        "ReturnAddress": {
            "Name": "Tets",
            "Address": "Street1, Redmond wa 98007, USA",
            "Phone": "4250000000",
            "Email": "Test@contoso.com",
        },
        "ReturnShipping": {"CarrierName": "FedEx", "CarrierAccountNumber": "989ffff"},
        "EnableVerboseLog": False,
        "BackupDriveManifest": False,
    }
    assert set(body["DriveList"][0]) == {"DriveId", "BitLockerKey", "ManifestFile", "ManifestHash"}
    assert job.state is JobState.CREATING


def test_create_job_with_a_containers_sas_sends_no_key(service, new_job):
    with open_client(service, container_sas=Secret("https://sas")) as jobs:
        service.answer(201, b"")
        service.answer(200, job_document())
        jobs.create_job(new_job())
    assert service.body(0)["Properties"]["ContainerSas"] == "https://sas"
    assert "StorageAccountKey" not in service.body(0)["Properties"]


def test_create_job_without_key_or_for_another_account_is_refused(service, new_job):
    with (
        open_client(service, storage_account_key=None) as jobs,
        pytest.raises(JobError, match="key or a container"),
    ):
        jobs.create_job(new_job())
    with open_client(service) as jobs, pytest.raises(JobError, match="elsewhere"):
        jobs.create_job(new_job(storage_account="elsewhere"))
    assert service.requests == []


def test_bodies_have_only_names_of_the_published_form(jobs, service, new_job):
    if not DEFINITIONS.exists():
        pytest.skip("the classic API's sample is not beside the checkout")
    forms = json.loads(DEFINITIONS.read_text(encoding="utf-8-sig"))["definitions"]
    service.answer(201, b"")
    service.answer(200, job_document())
    jobs.create_job(new_job(diagnostics_path="logs", log_level="Verbose"))
    service.answer(200, b"")
    service.answer(200, job_document("Shipping"))
    job = new_job()
    jobs.update_shipping(
        "seed-1", PACKAGE, return_address=job.return_address, return_shipping=job.return_shipping
    )
    put, patch = service.body(0), service.body(2)
    assert set(put["Properties"]) <= set(forms["PutJobProperties"]["properties"])
    assert set(put) <= set(forms["PutJobParameters"]["properties"])
    assert set(put["DriveList"][0]) == set(forms["Drive"]["required"])
    allowed = forms["PatchJobParameters"]["properties"]["Properties"]["properties"]
    assert set(patch["Properties"]) <= set(allowed)
    for section, form in (
        ("ReturnAddress", "ReturnAddress"),
        ("ReturnShipping", "ReturnShipping"),
        ("DeliveryPackage", "PackageInfomation"),
    ):
        assert set(patch["Properties"][section]) == set(forms[form]["required"])


def test_get_job_reads_everything_that_the_api_has(jobs, service):
    document = job_document(
        "Transferring",
        PercentComplete=40,
        CancelRequested=True,
        EnableVerboseLog=True,
        ErrorLogUri="https://e",
        ShippingInformation={"Name": "Microsoft", "Address": "3020 Coronado, Santa Clara"},
        DeliveryPackage={
            "CarrierName": "FedEx",
            "TrackingNumber": "7777",
            "DriveCount": 1,
            "ShipDate": "2026-01-31",
        },
    )
    service.answer(200, document)
    job = jobs.get_job("seed-1")
    assert (job.state, job.percent_complete, job.cancel_requested) == (
        JobState.TRANSFERRING,
        40,
        True,
    )
    assert job.log_level is LogLevel.VERBOSE
    assert job.storage_account == "backups"
    assert job.shipping_information.lines() == ("Microsoft", "3020 Coronado, Santa Clara")
    assert job.delivery_package == PACKAGE
    (drive,) = job.drives
    assert (drive.state, drive.error_log_uri) == (DriveState.SPECIFIED, "https://e")
    assert job.unknown == ()


def test_get_job_missing_is_job_not_found(jobs, service):
    service.answer(404, refusal("ResourceNotFound"))
    with pytest.raises(JobNotFoundError):
        jobs.get_job("seed-1")


def test_list_jobs_follows_the_classic_link(jobs, service):
    link = "https://management.core.windows.net" + JOBS + "?marker=2"
    service.answer(200, {"value": [job_document()], "next-link": link})
    service.answer(200, {"value": [job_document()]})
    assert len(list(jobs.list_jobs())) == 2
    assert service.sent == [("GET", JOBS), ("GET", JOBS + "?marker=2")]


def test_update_job_patches_and_reads_back(jobs, service):
    service.answer(200, b"0")
    service.answer(200, job_document(EnableVerboseLog=True))
    jobs.update_job("seed-1", JobChanges(log_level="Verbose", backup_drive_manifest=True))
    assert service.body(0) == {
        "Properties": {"EnableVerboseLog": True, "BackupDriveManifest": True}
    }
    with pytest.raises(JobError, match="drives"):
        jobs.update_job("seed-1", JobChanges(drives=()))


def test_update_shipping_sends_package_and_state_at_once(jobs, service):
    service.answer(200, b"")
    service.answer(200, job_document("Shipping"))
    assert jobs.update_shipping("seed-1", PACKAGE).state is JobState.SHIPPING
    assert service.body(0) == {
        "Properties": {
            "State": "Shipping",
            "DeliveryPackage": {
                "CarrierName": "FedEx",
                "TrackingNumber": "7777",
                "DriveCount": 1,
                "ShipDate": "2026-01-31",
            },
        }
    }


def test_update_shipping_again_corrects_the_package_without_the_state(jobs, service):
    service.answer(409, refusal())
    service.answer(200, job_document("Shipping"))
    service.answer(200, b"")
    service.answer(200, job_document("Shipping"))
    jobs.update_shipping("seed-1", PACKAGE)
    assert "State" not in service.body(2)["Properties"]


def test_cancel_too_late_is_a_job_state_error(jobs, service):
    service.answer(409, refusal())
    service.answer(200, job_document("Packaging"))
    with pytest.raises(JobStateError, match="Packaging"):
        jobs.cancel_job("seed-1")
    assert service.body(0) == {"Properties": {"CancelRequested": True}}


def test_refusal_in_the_classic_form_is_put_into_words(jobs, service):
    service.answer(400, refusal("BadRequest", "The name is taken."))
    service.answer(200, job_document())
    with pytest.raises(HttpResponseError, match="BadRequest/JobBusy: The name is taken") as caught:
        jobs.delete_job("seed-1")
    assert caught.value.status_code == 400


def test_list_recovery_passwords_are_those_of_the_job_if_any(jobs, service):
    service.answer(200, {"Name": "j", "DriveList": [{"DriveId": "A", "BitLockerKey": "1"}]})
    (found,) = jobs.list_recovery_passwords("seed-1")
    assert found.recovery_password.reveal() == "1"
    service.answer(200, job_document())
    with pytest.raises(JobError, match="key store"):
        jobs.list_recovery_passwords("seed-1")


def test_get_location_asks_where_a_regions_drives_go(jobs, service):
    service.answer(200, {"value": [{"Name": "East US", "SupportedCarriers": ["FedEx"]}]})
    service.answer(200, {"value": []})
    assert jobs.get_location("East US 2").supported_carriers == ("FedEx",)
    assert service.sent[0] == (
        "GET",
        "/sub-1/services/importexport/Locations?originlocation=East%20US%202",
    )
    with pytest.raises(ShippingError):
        jobs.get_location("Atlantis")


def test_logs_and_errors_hold_no_secret(jobs, service, new_job, caplog):
    caplog.set_level("DEBUG")
    service.answer(400, refusal())
    service.answer(404, refusal())
    with pytest.raises(HttpResponseError) as caught:
        jobs.create_job(new_job())
    assert "the-account-key" not in caplog.text + str(caught.value)
    assert "110000" not in caplog.text + str(caught.value)


def test_read_then_write_keeps_what_the_service_added():
    document = job_document(FriendlyName="Seed", Metadata="m", Future={"a": 1})
    document["DriveList"][0]["Future"] = 2
    job = attrs.evolve(wire.parse_job(JsonObject(document, "$"), "backups"), log_level="Verbose")
    body = wire.render_job(job)
    assert body["Properties"]["FriendlyName"] == "Seed"
    assert body["Properties"]["Future"] == {"a": 1}
    assert body["DriveList"][0]["Future"] == 2
    assert "odata.metadata" not in body
