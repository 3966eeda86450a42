import attrs
import pytest
import requests
from azure.core.exceptions import HttpResponseError

from offlineseed.errors import JobError, JobNotFoundError, JobStateError, ServiceFormatError
from offlineseed.jobs import (
    DataBoxJobs,
    DeliveryPackage,
    DriveState,
    ImportJobs,
    JobChanges,
    JobState,
)
from offlineseed.jobs import _wire_data_box as wire
from offlineseed.jobs._json import JsonObject
from offlineseed.jobs._stages import drive_state_of_copy, job_state_of_stage

ROOT = "https://management.azure.com"
JOB = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DataBox/jobs/seed-1"
VERSION = "?api-version=2025-07-01"
PACKAGE = DeliveryPackage(carrier_name="FedEx", tracking_number="7777", drive_count=1)


@pytest.fixture
def jobs(service, credential):
    with DataBoxJobs(
        credential, subscription_id="s", resource_group="g", transport=service.transport()
    ) as client:
        yield client


def job_document(status="AwaitingShipmentDetails", sku="DataBoxCustomerDisk", **details):
    properties = {"status": status, "transferType": "ImportToAzure"}
    if details:
        properties["details"] = details
    return {"name": "seed-1", "sku": {"name": sku}, "properties": properties}


def refusal(code="Refused"):
    return {"error": {"code": code, "message": "no"}}


def test_client_is_an_import_jobs(jobs):
    assert isinstance(jobs, ImportJobs)


def test_create_job_accepted_waits_until_it_is_made(jobs, service, new_job):
    service.answer(202, b"", Location=ROOT + "/operations/1", Retry_After="3")
    service.answer(202, b"", Location=ROOT + "/operations/2")
    service.answer(200, b"")
    service.answer(200, job_document())
    job = jobs.create_job(new_job())
    assert [method for method, _ in service.sent] == ["PUT", "GET", "GET", "GET"]
    assert service.sent[1][1] == "/operations/1"
    assert service.sent[2][1] == "/operations/2"
    assert service.slept == [3, 5]
    assert job.name == "seed-1"


def test_create_job_async_operation_is_asked_until_it_succeeds(jobs, service, new_job):
    header = {"Azure-AsyncOperation": ROOT + "/operations/1"}
    service.answers.append((201, job_document(), header))
    service.answer(200, {"status": "InProgress"}, Retry_After="1")
    service.answer(200, {"status": "Succeeded"})
    service.answer(200, job_document())
    jobs.create_job(new_job())
    assert len(service.requests) == 4


def test_create_job_operation_that_fails_passes_the_refusal_through(jobs, service, new_job):
    header = {"Azure-AsyncOperation": ROOT + "/operations/1"}
    service.answers.append((202, b"", header))
    service.answer(200, {"status": "Failed", **refusal("SkuNotAvailable")})
    with pytest.raises(HttpResponseError, match="SkuNotAvailable"):
        jobs.create_job(new_job())


def test_create_job_operation_on_another_host_is_not_followed(jobs, service, new_job):
    service.answer(202, b"", Location="https://elsewhere.example/")
    with pytest.raises(ServiceFormatError, match="another host"):
        jobs.create_job(new_job())


def test_create_job_operation_without_end_is_given_up(jobs, service, new_job):
    service.answer(202, b"", Location=ROOT + "/operations/1", Retry_After="800")
    service.answer(202, b"", Location=ROOT + "/operations/1", Retry_After="800")
    with pytest.raises(JobError, match="later"):
        jobs.create_job(new_job())


def test_list_jobs_asks_each_of_the_customers_own_disks(jobs, service):
    page = {"value": [job_document(), job_document(sku="DataBoxDisk"), job_document()]}
    service.answer(200, page)
    service.answer(200, job_document(deliverToDcPackageDetails={"trackingId": "7"}))
    service.answer(404, refusal())
    (job,) = jobs.list_jobs()
    assert job.delivery_package.tracking_number == "7"
    assert "expand=details" in service.sent[1][1]


def test_get_job_missing_is_job_not_found(jobs, service):
    service.answer(404, refusal())
    with pytest.raises(JobNotFoundError, match="seed-1"):
        jobs.get_job("seed-1")


def test_update_job_what_data_box_fixes_is_refused_before_sending(jobs, service):
    with pytest.raises(JobError, match="log level, drives"):
        jobs.update_job("seed-1", JobChanges(log_level="Verbose", drives=()))
    assert service.requests == []


def test_update_job_without_changes_reads_only(jobs, service):
    service.answer(200, job_document())
    jobs.update_job("seed-1", JobChanges())
    assert [method for method, _ in service.sent] == ["GET"]


def test_update_shipping_sends_return_details_first(jobs, service, new_job):
    service.answer(200, job_document())
    service.answer(204)
    service.answer(200, job_document("ShippedToAzureDC"))
    job = jobs.update_shipping("seed-1", PACKAGE, return_address=new_job().return_address)
    assert [method for method, _ in service.sent] == ["PATCH", "POST", "GET"]
    assert service.sent[1][1] == JOB + "/markDevicesShipped" + VERSION
    assert job.state is JobState.SHIPPING


def test_update_shipping_repeated_after_a_cut_connection_is_done(jobs, service):
    shipped = job_document(
        "ShippedToAzureDC",
        deliverToDcPackageDetails={"carrierName": "FedEx", "trackingId": "7777"},
    )
    service.answers.append(requests.exceptions.ConnectionError("cut"))
    service.answer(409, refusal())
    service.answer(200, shipped)
    service.answer(200, shipped)
    assert jobs.update_shipping("seed-1", PACKAGE).delivery_package.tracking_number == "7777"


def test_update_shipping_too_late_is_a_job_state_error(jobs, service):
    service.answer(409, refusal())
    service.answer(200, job_document("DataCopy"))
    service.answer(200, job_document("DataCopy"))
    with pytest.raises(JobStateError, match="DataCopy") as caught:
        jobs.update_shipping("seed-1", PACKAGE)
    assert caught.value.current == "DataCopy"


def test_update_shipping_with_another_number_than_was_told_is_a_job_state_error(jobs, service):
    package = {"carrierName": "DHL", "trackingId": "1111"}
    service.answer(409, refusal())
    service.answer(200, job_document("ShippedToAzureDC", deliverToDcPackageDetails=package))
    with pytest.raises(JobStateError, match="DHL 1111"):
        jobs.update_shipping("seed-1", PACKAGE)


def test_create_job_with_a_drive_twice_is_refused(jobs, service, new_job):
    job = new_job()
    with pytest.raises(JobError, match="twice"):
        jobs.create_job(attrs.evolve(job, drives=[*job.drives, job.drives[0]]))
    assert service.sent == []


def test_cancel_job_already_cancelled_is_done(jobs, service):
    service.answer(409, refusal())
    service.answer(200, job_document("Cancelled"))
    service.answer(200, job_document("Cancelled"))
    job = jobs.cancel_job("seed-1")
    assert job.is_cancelled
    assert service.body(0)["reason"]


def test_errors_and_logs_hold_no_password(jobs, service, new_job, caplog):
    caplog.set_level("DEBUG")
    service.answer(400, refusal())
    service.answer(404, refusal())
    with pytest.raises(HttpResponseError) as caught:
        jobs.create_job(new_job())
    assert "110000" not in caplog.text + str(caught.value)


def test_read_then_write_keeps_what_a_newer_service_added(jobs, service):
    document = {
        "name": "seed-1",
        "sku": {"name": "DataBoxCustomerDisk"},
        "identity": {"type": "None"},
        "properties": {
            "status": "Created",
            "isCancellable": True,
            "futureThing": 1,
            "details": {
                "jobStages": [],
                "preferences": {"preferredDataCenterRegion": ["westus"]},
                "contactDetails": {"contactName": "C", "mobile": "5"},
                "shippingAddress": {"streetAddress1": "S", "companyName": "Co"},
                "importDiskDetailsCollection": {"A": {"manifestFile": "m", "futureDrive": True}},
                "returnToCustomerPackageDetails": {
                    "carrierName": "DHL",
                    "carrierAccountNumber": "8",
                    "trackingId": "9",
                },
            },
        },
    }
    body = wire.render_job(wire.parse_job(JsonObject(document, "$")))
    details = body["properties"]["details"]
    assert body["identity"] == {"type": "None"}
    assert body["properties"]["futureThing"] == 1
    assert "isCancellable" not in body["properties"]
    assert "status" not in body["properties"]
    assert "jobStages" not in details
    assert details["preferences"] == {"preferredDataCenterRegion": ["westus"]}
    assert details["contactDetails"]["mobile"] == "5"
    assert details["shippingAddress"]["companyName"] == "Co"
    assert details["importDiskDetailsCollection"]["A"]["futureDrive"] is True
    assert details["returnToCustomerPackageDetails"] == {
        "carrierName": "DHL",
        "carrierAccountNumber": "8",
    }


def test_parse_job_outline_of_a_list_has_what_there_is():
    job = wire.parse_job(JsonObject(job_document("Teleporting"), "$"))
    assert (job.state, job.raw_state) == ("Teleporting", "Teleporting")
    assert job.drives == ()
    assert job.return_address is None
    assert job.percent_complete is None


@pytest.mark.parametrize(
    ("copy_status", "stage", "state"),
    [
        ("", "Created", DriveState.SPECIFIED),
        ("NotStarted", "AtAzureDC", DriveState.RECEIVED),
        ("NotStarted", "Cancelled", DriveState.SHIPPED_BACK),
        ("inprogress", "DataCopy", DriveState.TRANSFERRING),
        ("DriveNotReceived", "DataCopy", DriveState.NEVER_RECEIVED),
        ("UnsupportedDrive", "Completed", DriveState.COMPLETED_MORE_INFO),
        ("Completed", "Completed", DriveState.COMPLETED),
        ("Vaporised", "DataCopy", "Vaporised"),
        ("", "Teleporting", DriveState.SPECIFIED),
    ],
)
def test_drive_state_of_copy_follows_status_then_stage(copy_status, stage, state):
    assert drive_state_of_copy(copy_status, job_state_of_stage(stage)) == state


def test_parse_job_several_mail_addresses_come_back_as_they_were():
    document = job_document(contactDetails={"emailList": ["a@b.example", "c@d.example"]})
    job = wire.parse_job(JsonObject(document, "$"))
    body = wire.render_job(attrs.evolve(job))
    contact = body["properties"]["details"]["contactDetails"]
    assert contact["emailList"] == ["a@b.example", "c@d.example"]
