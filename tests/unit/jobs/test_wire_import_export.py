"""
Answers as the live service gave them in April 2020, as far as the recordings are described in the
reference; identifiers are made up.
"""

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offlineseed.errors import ServiceFormatError
from offlineseed.jobs import DeliveryPackage, DriveState, JobState, JobType, LogLevel
from offlineseed.jobs import _wire_import_export as wire
from offlineseed.jobs._json import JsonObject, parse_object, parse_time

CREATED = b"""{
 "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ImportExport/jobs/test-job",
 "name": "test-job", "type": "Microsoft.ImportExport/jobs", "location": "westus",
 "properties": {
  "storageAccountId": "/subscriptions/s/providers/Microsoft.Storage/storageAccounts/a",
  "jobType": "Import",
  "returnAddress": {"recipientName": "Tests", "streetAddress1": "Street1",
   "streetAddress2": "street2", "city": "Redmond", "stateOrProvince": "wa",
   "postalCode": "98007", "countryOrRegion": "USA", "phone": "4250000000",
   "email": "Test@contoso.com"},
  "shippingInformation": {"recipientName": "Microsoft Azure Import/Export Service",
   "streetAddress1": "3020 Coronado", "streetAddress2": " ", "city": "Santa Clara",
   "stateOrProvince": "CA", "postalCode": "95054", "countryOrRegion": "USA", "phone": "4083527600"},
  "diagnosticsPath": "waimportexport", "logLevel": "Error", "backupDriveManifest": true,
  "state": "Creating", "cancelRequested": false, "provisioningState": "Succeeded",
  "encryptionKey": {"kekType": "MicrosoftManaged"},
  "driveList": [{"driveId": "00000001", "manifestFile": "\\\\DriveManifest.xml",
   "manifestHash": "109B21108597EF36D5785F08303F3638", "driveHeaderHash": "",
   "state": "Specified"}]},
 "identity": {"type": "None"}}"""

TRANSFERRING = b"""{"name": "test-job", "properties": {"state": "Transferring",
 "percentComplete": 40.0, "logLevel": "Verbose", "jobType": "Import",
 "deliveryPackage": {"carrierName": "pwsh", "trackingNumber": "123456789", "driveCount": 0},
 "returnPackage": {"carrierName": "FedEx", "trackingNumber": "1Z", "driveCount": 2,
  "shipDate": "8/11/2017 9:05:00 PM"},
 "incompleteBlobListUri": null,
 "driveList": [{"driveId": "00000001", "state": "transferring", "copyStatus": "InProgress",
  "percentComplete": 40, "bytesSucceeded": 5368709120,
  "verboseLogUri": "https://a.blob.core.windows.net/waimportexport/waies/v.xml",
  "errorLogUri": "https://a.blob.core.windows.net/waimportexport/waies/e.xml",
  "manifestUri": "https://a.blob.core.windows.net/waimportexport/waies/m.xml"}]},
 "systemData": {"createdAt": "2026-01-31T10:11:12.1234567Z"}}"""


def test_parse_job_just_created_reads_what_the_service_filled_in():
    job = wire.parse_job(parse_object(CREATED))
    assert (job.name, job.location, job.state) == ("test-job", "westus", JobState.CREATING)
    assert job.job_type is JobType.IMPORT
    assert job.log_level is LogLevel.ERROR
    assert job.provisioning_state == "Succeeded"
    assert job.drives[0].state is DriveState.SPECIFIED
    assert job.drives[0].recovery_password is None
    assert job.drives[0].manifest_file == "\\DriveManifest.xml"
    assert job.shipping_information.lines()[1:3] == ("3020 Coronado", "Santa Clara CA 95054")
    assert not job.cancel_requested
    assert dict(job.unknown) == {
        "/identity": '{"type":"None"}',
        "/properties/encryptionKey": '{"kekType":"MicrosoftManaged"}',
    }


def test_parse_job_in_transfer_reads_progress_and_logs():
    job = wire.parse_job(parse_object(TRANSFERRING))
    (drive,) = job.drives
    assert job.raw_state == "Transferring"
    assert job.percent_complete == 40
    assert job.log_level is LogLevel.VERBOSE
    assert job.delivery_package == DeliveryPackage(
        carrier_name="pwsh", tracking_number="123456789", drive_count=0
    )
    assert job.return_package.ship_date == "8/11/2017 9:05:00 PM"
    assert (drive.state, drive.copy_status) == (DriveState.TRANSFERRING, "InProgress")
    assert (drive.percent_complete, drive.bytes_succeeded) == (40, 5368709120)
    assert drive.error_log_uri.endswith("e.xml")
    assert drive.manifest_uri.endswith("m.xml")
    assert job.created_at.isoformat() == "2026-01-31T10:11:12.123456+00:00"


def test_render_job_of_a_snapshot_sends_only_what_a_customer_sets():
    job = wire.parse_job(parse_object(CREATED))
    body = wire.render_job(job)
    assert set(body) == {"location", "properties", "identity"}
    assert set(body["properties"]) == {
        "backupDriveManifest",
        "diagnosticsPath",
        "driveList",
        "encryptionKey",
        "jobType",
        "logLevel",
        "returnAddress",
        "storageAccountId",
    }


def test_parse_job_never_keeps_a_recovery_password_that_comes_back():
    body = b'{"name": "j", "properties": {"driveList": [{"driveId": "d", "bitLockerKey": "1-2"}]}}'
    job = wire.parse_job(parse_object(body))
    assert "1-2" not in repr(attrs.asdict(job))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T10:11:12Z", "2026-01-31T10:11:12+00:00"),
        ("2026-01-31T10:11:12.5+02:00", "2026-01-31T10:11:12.500000+02:00"),
        ("2026-01-31 10:11:12", "2026-01-31T10:11:12+00:00"),
    ],
)
def test_parse_time_is_aware(text, expected):
    assert parse_time(text).isoformat() == expected


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30T00:00:00Z", "2026-01-31"])
def test_parse_time_of_no_time_says_where(text):
    with pytest.raises(ServiceFormatError) as caught:
        parse_time(text, "$.startTime")
    assert caught.value.context == "$.startTime"


def test_parse_object_error_shows_where_and_never_what():
    with pytest.raises(ServiceFormatError) as caught:
        parse_object(b'{"bitLockerKey": "123456-\xff')
    assert "123456" not in str(caught.value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_KNOWN = {"id", "name", "type", "etag", "location", "tags", "properties", "systemData"}


@settings(max_examples=50, deadline=None)
@given(extra=st.dictionaries(st.text().filter(lambda name: name not in _KNOWN), _JSON))
def test_unknown_properties_survive_read_then_write(extra):
    document = {**extra, "name": "j", "properties": {"zzz": extra}}
    body = wire.render_job(wire.parse_job(JsonObject(document, "$")))
    kept = {name: value for name, value in extra.items() if value is not None}
    assert {name: body[name] for name in kept} == kept
    assert body["properties"]["zzz"] == extra
