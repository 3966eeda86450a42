"""
Our client's requests against those of Microsoft's azure-mgmt-storageimportexport, call by call.
"""

import warnings

import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.jobs import (
    DeliveryPackage,
    ImportExportJobs,
    ImportJob,
    JobChanges,
    JobDrive,
    JobState,
    ReturnAddress,
    ReturnShipping,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SUBSCRIPTION = "01234567-89ab-cdef-0123-456789abcdef"
ACCOUNT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
)
PASSWORD = "-".join(["110000"] * 8)
ADDRESS = ReturnAddress(
    recipient_name="Tets",
    street_address1="Street1",
    street_address2="street2",
    city="Redmond",
    state_or_province="wa",
    postal_code="98007",
    country_or_region="USA",
    phone="4250000000",
    email="Test@contoso.com",
)
SHIPPING = ReturnShipping(carrier_name="FedEx", carrier_account_number="989ffff")
JOB = {
    "id": "/x",
    "name": "seed-1",
    "type": "Microsoft.ImportExport/jobs",
    "location": "West US",
    "properties": {"state": "Creating", "driveList": [{"driveId": "9CA995BB"}]},
}


@pytest.fixture
def models():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("azure.mgmt.storageimportexport").models


@pytest.fixture
def theirs(exchange, models):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from azure.mgmt.storageimportexport import StorageImportExport
        from msrest.authentication import BasicTokenAuthentication
    client = StorageImportExport(
        BasicTokenAuthentication({"access_token": "the-token"}),
        SUBSCRIPTION,
        base_url=exchange.url,
    )
    yield client
    client.close()


@pytest.fixture
def ours(exchange, credential):
    with ImportExportJobs(
        credential,
        subscription_id=SUBSCRIPTION,
        resource_group="group 1",
        base_url=exchange.url,
        api_version="2016-11-01",
    ) as client:
        yield client


def their_address(models):
    values = attrs.asdict(ADDRESS)
    del values["unknown"]
    return models.ReturnAddress(**values)


def their_shipping(models):
    return models.ReturnShipping(carrier_name="FedEx", carrier_account_number="989ffff")


def same(exchange):
    mine, yours = exchange.take()
    assert mine == yours
    return mine


def test_create_job_sends_what_microsofts_client_sends(exchange, ours, theirs, models):
    exchange.answer(201, JOB)
    exchange.answer(201, JOB)
    job = ours.create_job(
        ImportJob(
            name="seed-1",
            storage_account=ACCOUNT,
            location="West US",
            tags={"team": "backup"},
            drives=[
                JobDrive(
                    drive_id="9CA995BB",
                    recovery_password=Secret(PASSWORD),
                    manifest_file="\\DriveManifest.xml",
                    manifest_hash="109B21108597EF36D5785F08303F3638",
                )
            ],
            return_address=ADDRESS,
            return_shipping=SHIPPING,
            diagnostics_path="waimportexport",
            log_level="Verbose",
            backup_drive_manifest=True,
        )
    )
    their_job = theirs.jobs.create(
        "seed-1",
        "group 1",
        models.PutJobParameters(
            location="West US",
            tags={"team": "backup"},
            properties=models.JobDetails(
                storage_account_id=ACCOUNT,
                job_type="Import",
                return_address=their_address(models),
                return_shipping=their_shipping(models),
                diagnostics_path="waimportexport",
                log_level="Verbose",
                backup_drive_manifest=True,
                drive_list=[
                    models.DriveStatus(
                        drive_id="9CA995BB",
                        bit_locker_key=PASSWORD,
                        manifest_file="\\DriveManifest.xml",
                        manifest_hash="109B21108597EF36D5785F08303F3638",
                    )
                ],
            ),
        ),
    )
    assert same(exchange).authorization == "Bearer the-token"
    assert job.raw_state == their_job.properties.state
    assert job.drives[0].drive_id == their_job.properties.drive_list[0].drive_id


def test_get_job_sends_what_microsofts_client_sends(exchange, ours, theirs):
    exchange.answer(200, JOB)
    exchange.answer(200, JOB)
    assert ours.get_job("seed-1").name == theirs.jobs.get("seed-1", "group 1").name
    same(exchange)


def test_list_jobs_pages_as_microsofts_client_does(exchange, ours, theirs):
    for _ in range(2):
        exchange.answer(200, {"value": [JOB], "nextLink": exchange.url + "/next?token=a%2Fb"})
        exchange.answer(200, {"value": [JOB]})
    assert len(list(ours.list_jobs())) == 2
    assert len(list(theirs.jobs.list_by_resource_group("group 1"))) == 2
    first, second, their_first, their_second = exchange.take()
    assert (first, second) == (their_first, their_second)


def test_list_subscription_jobs_sends_what_microsofts_client_sends(exchange, ours, theirs):
    exchange.answer(200, {"value": []})
    exchange.answer(200, {"value": []})
    assert list(ours.list_subscription_jobs()) == list(theirs.jobs.list_by_subscription()) == []
    same(exchange)


def test_update_job_sends_what_microsofts_client_sends(exchange, ours, theirs, models):
    exchange.answer(200, JOB)
    exchange.answer(200, JOB)
    ours.update_job(
        "seed-1",
        JobChanges(
            return_address=ADDRESS,
            return_shipping=SHIPPING,
            log_level="Verbose",
            backup_drive_manifest=True,
            tags={"team": "backup"},
        ),
    )
    theirs.jobs.update(
        "seed-1",
        "group 1",
        models.UpdateJobParameters(
            tags={"team": "backup"},
            return_address=their_address(models),
            return_shipping=their_shipping(models),
            log_level="Verbose",
            backup_drive_manifest=True,
        ),
    )
    same(exchange)


def test_update_shipping_sends_what_microsofts_client_sends(exchange, ours, theirs, models):
    shipped = {**JOB, "properties": {"state": "Shipping"}}
    exchange.answer(200, shipped)
    exchange.answer(200, shipped)
    package = {
        "carrier_name": "FedEx",
        "tracking_number": "7777",
        "drive_count": 1,
        "ship_date": "2026-01-31",
    }
    job = ours.update_shipping("seed-1", DeliveryPackage(**package))
    theirs.jobs.update(
        "seed-1",
        "group 1",
        models.UpdateJobParameters(
            state="Shipping",
            # Sic: the package's name in that version of the client.
            delivery_package=models.PackageInfomation(**package),
        ),
    )
    same(exchange)
    assert job.state is JobState.SHIPPING


def test_cancel_job_sends_what_microsofts_client_sends(exchange, ours, theirs, models):
    exchange.answer(200, JOB)
    exchange.answer(200, JOB)
    ours.cancel_job("seed-1")
    theirs.jobs.update("seed-1", "group 1", models.UpdateJobParameters(cancel_requested=True))
    same(exchange)


def test_delete_job_sends_what_microsofts_client_sends(exchange, ours, theirs):
    exchange.answer(200)
    exchange.answer(200)
    ours.delete_job("seed-1")
    theirs.jobs.delete("seed-1", "group 1")
    mine, yours = exchange.take()
    # Nothing comes back from a DELETE; the clients differ in what they would accept.
    assert attrs.evolve(mine, headers=()) == attrs.evolve(yours, headers=())


def test_list_recovery_passwords_sends_what_microsofts_client_sends(exchange, ours, theirs):
    answer = {"value": [{"driveId": "9CA995BB", "bitLockerKey": PASSWORD}]}
    exchange.answer(200, answer)
    exchange.answer(200, answer)
    (mine,) = ours.list_recovery_passwords("seed-1")
    (yours,) = theirs.bit_locker_keys.list("seed-1", "group 1")
    assert mine.recovery_password.reveal() == yours.bit_locker_key
    same(exchange)


def test_locations_send_what_microsofts_client_sends(exchange, ours, theirs):
    location = {"id": "/l", "name": "West US", "properties": {"supportedCarriers": ["FedEx"]}}
    for _ in range(2):
        exchange.answer(200, {"value": [location]})
        exchange.answer(200, location)
    listed, got = ours.list_locations(), ours.get_location("West US")
    their_listed, their_got = list(theirs.locations.list()), theirs.locations.get("West US")
    assert listed[0].name == their_listed[0].name
    assert list(got.supported_carriers) == their_got.supported_carriers
    sent = exchange.take()
    assert sent[:2] == sent[2:]
