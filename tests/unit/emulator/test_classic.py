import http.client
import json
import ssl
from urllib.parse import urlsplit

import pytest

from offlineseed.emulator import FolderDestination, ImportService, Package

ACCOUNTS = "/sub/services/importexport/storageaccounts"
JOB = f"{ACCOUNTS}/acct/jobs/job-one"
PACKAGE = {"CarrierName": "FedEx", "TrackingNumber": "1Z", "DriveCount": 1, "ShipDate": "2024"}


def send(service, method, path, body=None, *, context=None, version="2014-11-01", **headers):
    url = urlsplit(service.url)
    if context is None:
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    else:
        connection = http.client.HTTPSConnection(
            url.hostname, url.port, timeout=20, context=context
        )
    headers = {"x-ms-version": version, "Accept": "application/json", **headers}
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    return response.status, json.loads(data) if data else None, dict(response.getheaders())


def job(drive, name="job-one", **properties):
    entry = drive.entry()
    return {
        "Name": name,
        "Properties": {
            "StorageAccountName": "acct",
            "StorageAccountKey": "AAAA",
            "Location": "West US",
            "Type": "Import",
            "ReturnAddress": {"Name": "A", "Address": "1 St", "Phone": "1", "Email": "a@b.c"},
            **properties,
        },
        "DriveList": [{word[0].upper() + word[1:]: value for word, value in entry.items()}],
    }


def test_job_taken_through_to_the_end(service, drive, landed):
    drive.add("seed/x", b"0123456789").seal()
    status, nothing, _ = send(
        service, "PUT", JOB, job(drive, EnableVerboseLog=True, FriendlyName="Für uns")
    )
    assert (status, nothing) == (201, None)
    status, shown, headers = send(service, "GET", JOB)
    assert status == 200
    assert headers["Content-Type"].startswith("application/json;odata=minimalmetadata")
    assert shown["Name"] == "job-one"
    properties = shown["Properties"]
    assert properties["State"] == "Creating"
    assert properties["FriendlyName"] == "Für uns"
    assert properties["ImportExportStatesPath"] == "waimportexport"
    assert properties["ShippingInformation"] == {
        "Name": "Microsoft Azure Import/Export Service",
        "Address": "3020 Coronado, Santa Clara, CA, 95054, USA",
    }
    assert "238810" not in repr(shown)
    assert "AAAA" not in repr(shown)

    update = {"Properties": {"State": "Shipping", "DeliveryPackage": PACKAGE}}
    assert send(service, "PATCH", JOB, update)[0] == 200
    service.datacenter.receive(Package(tracking_number="1Z", drives=[drive.shipped()]))
    service.datacenter.process()
    shown = send(service, "GET", JOB)[1]
    assert shown["Properties"]["State"] == "Completed"
    assert shown["Properties"]["PercentComplete"] == 100
    assert shown["Properties"]["ReturnPackage"]["TrackingNumber"] == "RETURN-1Z"
    assert shown["DriveList"][0]["CopyStatus"] == "Completed"
    assert shown["DriveList"][0]["VerboseLogUri"].endswith("_verbose.xml")
    assert (landed / "seed/x").exists()
    assert send(service, "DELETE", JOB)[0] == 200
    status, error, _ = send(service, "GET", JOB)
    assert (status, error["odata.error"]["code"]) == (404, "JobNotFound")
    assert error["odata.error"]["message"]["lang"] == "en-us"


def test_list_filters_and_pages(service, drive):
    for index in range(5):
        name = f"job-{index}"
        assert send(service, "PUT", f"{ACCOUNTS}/acct/jobs/{name}", job(drive, name))[0] == 201
        service.clock.advance(days=1)
    update = {"Properties": {"State": "Shipping", "DeliveryPackage": PACKAGE}}
    send(service, "PATCH", f"{ACCOUNTS}/acct/jobs/job-1", update)

    def names(query):
        page = send(service, "GET", f"{ACCOUNTS}/acct/jobs?{query}")[1]
        found = [shown["Name"] for shown in page["value"]]
        while "next-link" in page:
            target = page["next-link"].removeprefix(service.url)
            page = send(service, "GET", target)[1]
            found += [shown["Name"] for shown in page["value"]]
        return found

    assert names("") == ["job-0", "job-1", "job-2", "job-3", "job-4"]
    assert names("top=2") == ["job-0", "job-1", "job-2", "job-3", "job-4"]
    assert names("states=Shipping,Completed") == ["job-1"]
    assert names("type=Export") == []
    assert names("from=2024-03-03T00:00:00Z&to=2024-03-04T23:00:00") == ["job-2", "job-3"]
    accounts = send(service, "GET", ACCOUNTS)[1]
    assert [account["Name"] for account in accounts["value"]] == ["acct"]


def test_locations_all_or_the_alternate(service):
    path = "/sub/services/importexport/Locations"
    assert len(send(service, "GET", path)[1]["value"]) > 30
    (one,) = send(service, "GET", f"{path}?originlocation=North%20Europe")[1]["value"]
    assert one["Name"] == "West Europe"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"version": "2001-01-01"}, 400, id="another version"),
        pytest.param({"Accept": "application/xml"}, 406, id="XML"),
    ],
)
def test_header_wrong_is_refused(service, headers, status):
    answer, error, _ = send(service, "GET", ACCOUNTS, **headers)
    assert answer == status
    assert error["odata.error"]["azure.values"]["ExtendedCode"]


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        pytest.param({"StorageAccountKey": None}, "StorageAccountKey", id="no key"),
        pytest.param({"StorageAccountName": "other"}, "StorageAccountName", id="another account"),
        pytest.param({"Location": "Mars"}, "Location", id="an unknown location"),
        pytest.param({"Type": "Export"}, "Type", id="an export"),
        pytest.param({"Description": "x" * 1025}, "Description", id="a long description"),
        pytest.param({"ReturnAddress": {"Name": "A"}}, "Address", id="half an address"),
        pytest.param({"DeliveryPackage": {"CarrierName": "A"}}, "DriveCount", id="half a package"),
    ],
)
def test_create_wrong_is_refused(service, drive, properties, target):
    status, error, _ = send(service, "PUT", JOB, job(drive, **properties))
    assert status == 400
    assert error["odata.error"]["azure.values"]["ExtendedInformation"] == target


def test_update_illegal_is_refused(service, drive):
    send(service, "PUT", JOB, job(drive))
    for properties, status in (
        ({"State": "Completed"}, 400),
        ({"State": "Shipping"}, 400),
        ({"CancelRequested": False}, 400),
    ):
        assert send(service, "PATCH", JOB, {"Properties": properties})[0] == status
    update = {"Properties": {"State": "Shipping", "DeliveryPackage": PACKAGE}}
    assert send(service, "PATCH", JOB, update)[0] == 200
    assert send(service, "DELETE", JOB)[0] == 409


def test_if_match_of_an_older_state_is_refused(service, drive):
    send(service, "PUT", JOB, job(drive))
    old = send(service, "GET", JOB)[2]["ETag"]
    update = {"Properties": {"FriendlyName": "x"}}
    assert send(service, "PATCH", JOB, update, **{"If-Match": old})[0] == 200
    assert send(service, "PATCH", JOB, update, **{"If-Match": old})[0] == 412
    assert send(service, "HEAD", JOB)[1] is None


def test_fault_has_this_dialects_shape(service):
    service.faults.throttle(retry_after_seconds=3)
    status, error, headers = send(service, "GET", ACCOUNTS)
    assert (status, headers["Retry-After"]) == (429, "3")
    assert error["odata.error"]["code"] == "TooManyRequests"


def test_mutual_tls_takes_the_management_certificate_only(landed, management_certificate):
    pem, file = management_certificate
    with ImportService(destination=FolderDestination(landed), client_certificates=[pem]) as service:
        assert service.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=service.certificate_file)
        status, error, _ = send(service, "GET", ACCOUNTS, context=trusting)
        assert (status, error["odata.error"]["code"]) == (403, "AuthenticationFailed")
        trusting.load_cert_chain(file)
        assert send(service, "GET", ACCOUNTS, context=trusting)[0] == 200
        stranger = ssl.create_default_context()
        stranger.load_cert_chain(file)
        with pytest.raises(ssl.SSLCertVerificationError):
            send(service, "GET", ACCOUNTS, context=stranger)
        certificate_file = service.certificate_file
    assert not certificate_file.exists()
    with pytest.raises(RuntimeError):
        service.certificate_file  # noqa: B018
