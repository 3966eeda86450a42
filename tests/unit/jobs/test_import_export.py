import logging
import pickle

import attrs
import pytest
import requests
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

from offlineseed import clouds
from offlineseed.errors import (
    JobNotFoundError,
    JobStateError,
    ServiceFormatError,
    ShippingError,
)
from offlineseed.jobs import (
    DeliveryPackage,
    ImportExportJobs,
    ImportJobs,
    JobChanges,
    JobState,
    LogLevel,
)

PASSWORD = "-".join(["110000"] * 8)
GROUP = "/subscriptions/sub-1/resourceGroups/group%201"
JOB = f"{GROUP}/providers/Microsoft.ImportExport/jobs/seed-1"
VERSION = "?api-version=2021-01-01"
PACKAGE = DeliveryPackage(carrier_name="FedEx", tracking_number="7777", drive_count=1)


@pytest.fixture
def jobs(service, credential):
    with ImportExportJobs(
        credential,
        subscription_id="sub-1",
        resource_group="group 1",
        transport=service.transport(),
    ) as client:
        yield client


def job_document(**properties):
    return {
        "id": "/x",
        "name": "seed-1",
        "type": "Microsoft.ImportExport/jobs",
        "properties": {"state": "Creating", **properties},
    }


def refusal(code="Refused"):
    return {"error": {"code": code, "message": "no"}}


def test_client_is_an_import_jobs(jobs):
    assert isinstance(jobs, ImportJobs)


def test_create_job_puts_and_returns_what_the_service_has(jobs, service, new_job):
    service.answer(201, job_document(provisioningState="Succeeded"))
    created = jobs.create_job(new_job())
    assert service.sent == [("PUT", JOB + VERSION)]
    assert service.body()["properties"]["driveList"] == [
        {
            "driveId": "9CA995BB",
            "bitLockerKey": PASSWORD,
            "manifestFile": "\\DriveManifest.xml",
            "manifestHash": "109B21108597EF36D5785F08303F3638",
        }
    ]
    assert created.state is JobState.CREATING
    assert created.provisioning_state == "Succeeded"


def test_requests_carry_token_request_id_and_user_agent(jobs, service):
    service.answer(200, job_document())
    jobs.get_job("seed-1")
    headers = service.requests[0].headers
    assert headers["Authorization"] == "Bearer the-token"
    assert headers["x-ms-client-request-id"]
    assert headers["Accept"] == "application/json"
    assert "offlineseed" in headers["User-Agent"]
    assert service.requests[0].url.startswith("https://management.azure.com/")


def test_client_of_another_cloud_goes_to_its_resource_manager(service, credential):
    with ImportExportJobs(
        credential,
        subscription_id="s",
        resource_group="g",
        cloud=clouds.CHINA,
        transport=service.transport(),
    ) as client:
        service.answer(200, job_document())
        client.get_job("seed-1")
    assert service.requests[0].url.startswith("https://management.chinacloudapi.cn/")


def test_get_job_missing_is_job_not_found(jobs, service):
    service.answer(404, refusal("ResourceNotFound"))
    with pytest.raises(JobNotFoundError, match="seed-1") as caught:
        jobs.get_job("seed-1")
    assert caught.value.name == "seed-1"
    assert isinstance(caught.value.__cause__, HttpResponseError)
    assert pickle.loads(pickle.dumps(caught.value)).name == "seed-1"


def test_list_jobs_follows_links_one_page_at_a_time(jobs, service):
    link = "https://management.azure.com/next?token=2"
    service.answer(200, {"value": [job_document()], "nextLink": link})
    service.answer(200, {"value": [job_document(), job_document()]})
    found = jobs.list_jobs()
    next(found)
    assert len(service.requests) == 1
    assert len(list(found)) == 2
    assert service.sent[1] == ("GET", "/next?token=2")


def test_list_jobs_link_to_another_host_is_not_followed(jobs, service):
    service.answer(200, {"value": [], "nextLink": "https://elsewhere.example/next"})
    with pytest.raises(ServiceFormatError, match="another host"):
        list(jobs.list_jobs())
    assert len(service.requests) == 1


def test_list_jobs_pages_in_a_circle_are_noticed(jobs, service):
    link = "https://management.azure.com/next"
    service.answer(200, {"value": [], "nextLink": link})
    service.answer(200, {"value": [], "nextLink": link})
    with pytest.raises(ServiceFormatError, match="no end"):
        list(jobs.list_jobs())


def test_list_subscription_jobs_asks_the_whole_subscription(jobs, service):
    service.answer(200, {"value": [job_document()]})
    assert [job.name for job in jobs.list_subscription_jobs()] == ["seed-1"]
    assert service.sent == [
        ("GET", "/subscriptions/sub-1/providers/Microsoft.ImportExport/jobs" + VERSION)
    ]


def test_update_job_patches_only_what_changes(jobs, service):
    service.answer(200, job_document(logLevel="Verbose"))
    job = jobs.update_job("seed-1", JobChanges(log_level="verbose"))
    assert service.sent == [("PATCH", JOB + VERSION)]
    assert service.body() == {"properties": {"logLevel": "Verbose"}}
    assert job.log_level is LogLevel.VERBOSE


def test_update_job_without_changes_reads_only(jobs, service):
    service.answer(200, job_document())
    jobs.update_job("seed-1", JobChanges())
    assert service.sent == [("GET", JOB + VERSION)]


def test_update_shipping_sends_package_and_state_at_once(jobs, service):
    service.answer(200, job_document(state="Shipping"))
    job = jobs.update_shipping("seed-1", PACKAGE)
    assert service.body() == {
        "properties": {
            "state": "Shipping",
            "deliveryPackage": {
                "carrierName": "FedEx",
                "trackingNumber": "7777",
                "driveCount": 1,
            },
        }
    }
    assert job.state is JobState.SHIPPING


def test_update_shipping_again_corrects_the_package_without_the_state(jobs, service):
    service.answer(409, refusal())
    service.answer(200, job_document(state="Shipping"))
    service.answer(200, job_document(state="Shipping"))
    jobs.update_shipping("seed-1", PACKAGE)
    assert "state" not in service.body()["properties"]


def test_update_shipping_too_late_is_a_job_state_error(jobs, service):
    service.answer(409, refusal())
    service.answer(200, job_document(state="Transferring"))
    service.answer(200, job_document(state="Transferring"))
    with pytest.raises(JobStateError, match="Transferring") as caught:
        jobs.update_shipping("seed-1", PACKAGE)
    assert (caught.value.current, caught.value.wanted) == ("Transferring", "ship")


def test_refusal_that_the_state_does_not_explain_passes_through(jobs, service):
    service.answer(409, refusal("MissingSubscriptionRegistration"))
    service.answer(200, job_document(state="Creating"))
    with pytest.raises(HttpResponseError, match="MissingSubscriptionRegistration"):
        jobs.delete_job("seed-1")


def test_cancel_job_asks_and_returns_the_snapshot(jobs, service):
    service.answer(200, job_document(cancelRequested=True))
    assert jobs.cancel_job("seed-1").cancel_requested
    assert service.body() == {"properties": {"cancelRequested": True}}


def test_delete_job_at_work_is_a_job_state_error(jobs, service):
    service.answer(409, refusal())
    service.answer(200, job_document(state="Transferring"))
    with pytest.raises(JobStateError, match="delete"):
        jobs.delete_job("seed-1")


def test_list_recovery_passwords_posts_and_keeps_them_secret(jobs, service):
    service.answer(200, {"value": [{"driveId": "A", "bitLockerKey": PASSWORD}]})
    (key,) = jobs.list_recovery_passwords("seed-1")
    assert service.sent == [
        ("POST", JOB + "/listBitLockerKeys" + VERSION),
    ]
    assert not service.requests[0].body
    assert key.recovery_password.reveal() == PASSWORD
    assert "110000" not in repr(key)


def test_list_locations_and_get_location_read_addresses(jobs, service):
    document = {
        "id": "/providers/Microsoft.ImportExport/locations/westus",
        "name": "West US",
        "properties": {"recipientName": "R", "supportedCarriers": ["FedEx"], "phone": " "},
    }
    service.answer(200, {"value": [document]})
    service.answer(200, document)
    (location,) = jobs.list_locations()
    assert location == jobs.get_location("West US")
    assert location.supported_carriers == ("FedEx",)
    assert service.sent[1] == (
        "GET",
        "/providers/Microsoft.ImportExport/locations/West%20US" + VERSION,
    )


@pytest.mark.parametrize(
    ("body", "context"),
    [
        (b"<html>", "$"),
        (b"[]", "$"),
        (b'{"name": 5}', "$.name"),
        (b'{"properties": {}}', "$.name"),
        (b'{"name": "j", "properties": {"driveList": [{}]}}', "$.properties.driveList[0].driveId"),
        (b'{"name": "j", "properties": {"percentComplete": NaN}}', "$"),
    ],
    ids=["no json", "an array", "wrong kind", "no name", "nameless drive", "not a number"],
)
def test_malformed_answer_is_a_service_format_error(jobs, service, body, context):
    service.answer(200, body)
    with pytest.raises(ServiceFormatError) as caught:
        jobs.get_job("seed-1")
    assert caught.value.context == context
    assert pickle.loads(pickle.dumps(caught.value)).context == context


@pytest.mark.parametrize("method", ["get", "patch", "post"])
def test_throttled_request_waits_as_told_and_is_repeated(jobs, service, method):
    service.answer(429, refusal("TooManyRequests"), Retry_After="7")
    service.answer(200, job_document() if method != "post" else {"value": []})
    if method == "get":
        jobs.get_job("seed-1")
    elif method == "patch":
        jobs.cancel_job("seed-1")
    else:
        jobs.list_recovery_passwords("seed-1")
    assert service.slept == [7]
    assert len(service.requests) == 2


def test_cut_connection_is_retried_and_then_passes_through(jobs, service):
    service.answers.append(requests.exceptions.ConnectionError("cut"))
    service.answer(200, job_document())
    jobs.cancel_job("seed-1")
    service.answers.append(requests.exceptions.ReadTimeout("slow"))
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        jobs.get_job("seed-1", retry_total=0)


def test_redirects_are_not_followed(jobs, service, new_job):
    service.answer(307, b"", Location="https://elsewhere.example/")
    with pytest.raises(HttpResponseError):
        jobs.create_job(new_job())
    assert len(service.requests) == 1


def test_logs_hold_no_password_token_or_body(jobs, service, new_job, caplog):
    caplog.set_level(logging.DEBUG)
    service.answer(201, job_document(), x_ms_request_id="the-request-id")
    jobs.create_job(new_job(), logging_enable=True)
    service.answer(200, {"value": [{"driveId": "A", "bitLockerKey": PASSWORD}]})
    jobs.list_recovery_passwords("seed-1")
    assert "the-request-id" in caplog.text
    assert "110000" not in caplog.text
    assert "the-token" not in caplog.text
    assert "Redmond" not in caplog.text


def test_errors_hold_no_password(jobs, service, new_job):
    service.answer(400, refusal())
    service.answer(404, refusal())
    with pytest.raises(HttpResponseError) as caught:
        jobs.create_job(new_job())
    assert "110000" not in str(caught.value) + repr(caught.value)


def test_job_name_never_leaves_its_place_in_the_path(jobs, service):
    service.answer(404, refusal())
    with pytest.raises(JobNotFoundError):
        jobs.get_job("../../../x?y#z")
    assert service.sent[0][1].startswith(GROUP + "/providers/Microsoft.ImportExport/jobs/..%2F")
    with pytest.raises(ValueError, match="path"):
        jobs.get_job("..")


@pytest.mark.parametrize(
    "url",
    [
        "http://service.example",
        "ftp://127.0.0.1",
        "https://u:p@h.example",
        "http://127.0.0.1.evil.example",
    ],
)
def test_client_insecure_root_is_refused(credential, url):
    with pytest.raises(ValueError, match="root"):
        ImportExportJobs(credential, subscription_id="s", resource_group="g", base_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://[::1]:1", "http://localhost:9"])
def test_client_plain_http_is_for_loopback_hosts(service, credential, url):
    with ImportExportJobs(
        credential,
        subscription_id="s",
        resource_group="g",
        base_url=url,
        transport=service.transport(),
    ) as client:
        service.answer(200, job_document())
        client.get_job("seed-1")
    assert service.requests[0].url.startswith(url.rstrip("/") + "/subscriptions/s/")
    assert service.requests[0].headers["Authorization"] == "Bearer the-token"


def test_read_then_write_keeps_what_a_newer_service_added(jobs, service):
    document = job_document(
        futureThing={"deep": [1, None]},
        encryptionKey={"kekType": "MicrosoftManaged"},
        driveList=[{"driveId": "A", "futureDrive": True}],
        returnAddress={"recipientName": "R", "buildingCode": "7"},
    ) | {"identity": {"type": "None"}, "a/b~c": 1}
    service.answer(200, document)
    service.answer(200, document)
    job = jobs.get_job("seed-1")
    jobs.create_job(attrs.evolve(job, log_level="Verbose"))
    body = service.body()
    assert body["properties"]["futureThing"] == {"deep": [1, None]}
    assert body["properties"]["encryptionKey"] == {"kekType": "MicrosoftManaged"}
    assert body["properties"]["driveList"] == [{"driveId": "A", "futureDrive": True}]
    assert body["properties"]["returnAddress"]["buildingCode"] == "7"
    assert body["identity"] == {"type": "None"}
    assert body["a/b~c"] == 1
    assert "id" not in body
    assert "state" not in body["properties"]


def test_get_location_whose_drives_go_elsewhere_is_the_alternate(jobs, service):
    prefix = "/providers/Microsoft.ImportExport/locations/"
    service.answer(
        200,
        {
            "id": prefix + "eastus2",
            "name": "East US 2",
            "properties": {"alternateLocations": [prefix + "eastus"]},
        },
    )
    service.answer(200, {"id": prefix + "eastus", "name": "East US", "properties": {}})
    assert jobs.get_location("East US 2").name == "East US"
    assert service.sent[1] == ("GET", prefix + "eastus" + VERSION)


def test_get_location_that_takes_its_own_drives_is_itself(jobs, service):
    prefix = "/providers/Microsoft.ImportExport/locations/"
    properties = {"alternateLocations": [prefix + "eastus", prefix + "westus"]}
    service.answer(200, {"id": prefix + "westus", "name": "West US", "properties": properties})
    assert jobs.get_location("West US").name == "West US"
    assert len(service.requests) == 1


def test_get_location_unknown_region_is_a_shipping_error(jobs, service):
    service.answer(404, refusal())
    with pytest.raises(ShippingError, match="Atlantis"):
        jobs.get_location("Atlantis")


def test_calls_pass_timeouts_and_headers_to_azure_core(jobs, service):
    service.answer(200, job_document())
    jobs.get_job("seed-1", connection_timeout=3, read_timeout=7, headers={"x-trace": "1"})
    assert service.timeouts == [(3, 7)]
    assert service.requests[0].headers["x-trace"] == "1"


def test_job_never_shows_what_a_service_should_not_have_repeated(jobs, service):
    service.answer(
        200, job_document(containerSas="sig=abc", storageAccountKey="key=abc", new="abc")
    )
    assert "abc" not in repr(jobs.get_job("seed-1"))
