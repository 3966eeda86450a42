"""
Microsoft's own client of Microsoft.ImportExport drives the emulator.
"""

import warnings

import pytest

from offlineseed.emulator import FolderDestination, ImportService, Package, ShippedDrive

with warnings.catch_warnings():
    # The client is of 2019; on newer Pythons importing it warns about what it imports.
    warnings.simplefilter("ignore")
    sdk = pytest.importorskip("azure.mgmt.storageimportexport")
    authentication = pytest.importorskip("msrest.authentication")
    from msrest.exceptions import HttpOperationError

models = sdk.models
PASSWORD = "238810-662376-448998-450120-652806-203390-606320-483076"
ACCOUNT = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:(msrest|isodate|requests).*")


@pytest.fixture
def service(tmp_path):
    with ImportService(destination=FolderDestination(tmp_path / "landed")) as service:
        yield service


@pytest.fixture
def client(service):
    token = {"access_token": service.credential.get_token("x").token}
    client = sdk.StorageImportExport(
        authentication.BasicTokenAuthentication(token), "sub", base_url=service.url
    )
    with client:
        yield client


def job(drive_id="9CA995BF", **changes):
    values = {
        "storage_account_id": ACCOUNT,
        "job_type": "Import",
        "return_address": models.ReturnAddress(
            recipient_name="Tests",
            street_address1="Street1",
            city="Redmond",
            state_or_province="wa",
            postal_code="98007",
            country_or_region="USA",
            phone="4250000000",
            email="test@contoso.com",
        ),
        "return_shipping": models.ReturnShipping(carrier_name="FedEx", carrier_account_number="1"),
        "diagnostics_path": "waimportexport",
        "log_level": "Verbose",
        "backup_drive_manifest": True,
        "drive_list": [
            models.DriveStatus(
                drive_id=drive_id,
                bit_locker_key=PASSWORD,
                manifest_file="\\DriveManifest.xml",
                manifest_hash="109B21108597EF36D5785F08303F3638",
                drive_header_hash="",
            )
        ],
    }
    return models.PutJobParameters(
        location="West US", tags={"a": "b"}, properties=models.JobDetails(**values | changes)
    )


def test_locations_list_and_get(client):
    listed = list(client.locations.list())
    assert len(listed) > 30
    west = client.locations.get("westus")
    assert west.name == "West US"
    assert west.city == "Santa Clara"
    assert west.supported_carriers == ["Blue Dart", "DHL", "FedEx", "TNT", "UPS"]
    assert west.alternate_locations == [west.id]


def test_operations_list(client):
    names = [operation.name for operation in client.operations.list()]
    assert "Microsoft.ImportExport/jobs/listBitLockerKeys/action" in names


def test_job_create_get_update_list_delete(client, service):
    created = client.jobs.create("one", "rg", job())
    assert created.properties.state == "Creating"
    assert created.properties.provisioning_state == "Succeeded"
    assert created.properties.drive_list[0].state == "Specified"
    assert created.properties.drive_list[0].bit_locker_key is None

    keys = list(client.bit_locker_keys.list("one", "rg"))
    assert [(key.drive_id, key.bit_locker_key) for key in keys] == [("9CA995BF", PASSWORD)]

    updated = client.jobs.update(
        "one",
        "rg",
        models.UpdateJobParameters(
            state="Shipping",
            delivery_package=models.PackageInfomation(
                carrier_name="FedEx", tracking_number="1Z", drive_count=1, ship_date="8/11/2017"
            ),
            tags={"c": "d"},
        ),
    )
    assert updated.properties.state == "Shipping"
    assert updated.properties.delivery_package.tracking_number == "1Z"
    assert updated.tags == {"c": "d"}

    got = client.jobs.get("one", "rg")
    assert got.location == "West US"
    assert got.properties.shipping_information.street_address1 == "3020 Coronado"
    with pytest.raises(HttpOperationError) as caught:
        client.jobs.delete("one", "rg")
    assert caught.value.error.code == "InvalidJobState"
    assert "Shipping" in caught.value.error.message

    client.jobs.create("two", "rg", job())
    client.jobs.delete("two", "rg")
    with pytest.raises(HttpOperationError) as caught:
        client.jobs.get("two", "rg")
    assert caught.value.response.status_code == 404


def test_jobs_list_by_pages(client):
    for index in range(7):
        client.jobs.create(f"job{index}", "rg", job())
    client.jobs.create("other", "group-two", job())
    by_group = [found.name for found in client.jobs.list_by_resource_group("rg", top=3)]
    assert by_group == [f"job{index}" for index in range(7)]
    assert len(list(client.jobs.list_by_subscription(top=2))) == 8


def test_job_taken_through_to_the_end(client, service, tmp_path):
    # A drive without a manifest: the job ends with errors, in every word the client knows.
    client.jobs.create("one", "rg", job())
    client.jobs.update(
        "one",
        "rg",
        models.UpdateJobParameters(
            state="Shipping",
            delivery_package=models.PackageInfomation(
                carrier_name="FedEx", tracking_number="1Z", drive_count=1, ship_date="8/11/2017"
            ),
        ),
    )
    (tmp_path / "drive").mkdir()
    drive = ShippedDrive(drive_id="9CA995BF", path=tmp_path / "drive")
    service.datacenter.receive(Package(tracking_number="1Z", drives=[drive]))
    service.datacenter.process()
    ended = client.jobs.get("one", "rg").properties
    assert ended.state == "Closed"
    assert ended.percent_complete == 100
    assert ended.return_package.drive_count == 1
    assert ended.drive_list[0].state == "ShippedBack"
    assert ended.drive_list[0].copy_status == "ManifestNotFound"
    assert ended.drive_list[0].error_log_uri.endswith("_error.xml")
    assert ended.drive_list[0].verbose_log_uri.endswith("_verbose.xml")
