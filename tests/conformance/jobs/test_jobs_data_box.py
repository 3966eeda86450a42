"""
Our client's requests against those of Microsoft's azure-mgmt-databox, call by call.
"""

import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.jobs import (
    DataBoxJobs,
    DeliveryPackage,
    DriveState,
    ImportJob,
    JobChanges,
    JobDrive,
    JobState,
    ReturnAddress,
    ReturnShipping,
)
from offlineseed.jobs._stages import COPY_STATES, STAGES

SUBSCRIPTION = "01234567-89ab-cdef-0123-456789abcdef"
ACCOUNT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
)
PASSWORD = "-".join(["110000"] * 8)
HASH = "109B21108597EF36D5785F08303F3638"
ADDRESS = ReturnAddress(
    recipient_name="Tets",
    street_address1="Street1",
    street_address2="street2",
    city="Redmond",
    state_or_province="wa",
    postal_code="98007",
    country_or_region="US",
    phone="4250000000",
    email="Test@contoso.com",
)
SHIPPING = ReturnShipping(carrier_name="FedEx", carrier_account_number="989ffff")
JOB = {
    "id": "/x",
    "name": "seed-1",
    "type": "Microsoft.DataBox/jobs",
    "location": "westus",
    "sku": {"name": "DataBoxCustomerDisk"},
    "properties": {"transferType": "ImportToAzure", "status": "AwaitingShipmentDetails"},
}


@pytest.fixture
def databox():
    return pytest.importorskip("azure.mgmt.databox")


@pytest.fixture
def models(databox):
    return databox.models


@pytest.fixture
def theirs(exchange, credential, databox):
    with databox.DataBoxManagementClient(
        credential, SUBSCRIPTION, base_url=exchange.url, polling_interval=0
    ) as client:
        yield client


@pytest.fixture
def ours(exchange, credential):
    with DataBoxJobs(
        credential,
        subscription_id=SUBSCRIPTION,
        resource_group="group 1",
        base_url=exchange.url,
    ) as client:
        yield client


# Microsoft's client wants https; the loopback service has none.
PLAIN = {"enforce_https": False}


def contact(models):
    return models.ContactDetails(
        contact_name="Tets", phone="4250000000", email_list=["Test@contoso.com"]
    )


def postal(models):
    return models.ShippingAddress(
        street_address1="Street1",
        street_address2="street2",
        city="Redmond",
        state_or_province="wa",
        country="US",
        postal_code="98007",
    )


def back(models):
    return models.PackageCarrierDetails(carrier_name="FedEx", carrier_account_number="989ffff")


def bare(sent):
    # Without a body to come back the clients differ in what they would accept.
    return attrs.evolve(sent, headers=tuple(pair for pair in sent.headers if pair[0] != "accept"))


def test_create_job_sends_what_microsofts_client_sends(exchange, ours, theirs, models):
    exchange.answer(200, JOB)
    exchange.answer(200, JOB)
    exchange.answer(200, JOB)
    job = ours.create_job(
        ImportJob(
            name="seed-1",
            storage_account=ACCOUNT,
            location="westus",
            tags={"team": "backup"},
            drives=[
                JobDrive(
                    drive_id=serial,
                    recovery_password=Secret(PASSWORD),
                    manifest_file="\\DriveManifest.xml",
                    manifest_hash=HASH,
                )
                for serial in ("9CA995BB", "9CA995CC")
            ],
            return_address=ADDRESS,
            return_shipping=SHIPPING,
            log_level="Verbose",
            backup_drive_manifest=True,
        )
    )
    theirs.jobs.begin_create(
        "group 1",
        "seed-1",
        models.JobResource(
            location="westus",
            tags={"team": "backup"},
            sku=models.Sku(name="DataBoxCustomerDisk"),
            properties=models.JobProperties(
                transfer_type="ImportToAzure",
                details=models.DataBoxCustomerDiskJobDetails(
                    contact_details=contact(models),
                    shipping_address=postal(models),
                    data_import_details=[
                        models.DataImportDetails(
                            account_details=models.StorageAccountDetails(
                                storage_account_id=ACCOUNT
                            ),
                            log_collection_level="Verbose",
                        )
                    ],
                    import_disk_details_collection={
                        serial: models.ImportDiskDetails(
                            manifest_file="\\DriveManifest.xml",
                            manifest_hash=HASH,
                            bit_locker_key=PASSWORD,
                        )
                        for serial in ("9CA995BB", "9CA995CC")
                    },
                    return_to_customer_package_details=back(models),
                    enable_manifest_backup=True,
                ),
            ),
        ),
        **PLAIN,
    ).result()
    mine, _our_get, yours = exchange.take()
    assert mine == yours
    assert mine.authorization == yours.authorization == "Bearer the-token"
    assert job.state is JobState.CREATING


def test_get_job_sends_and_reads_what_microsofts_client_does(exchange, ours, theirs, models):
    document = {
        **JOB,
        "systemData": {"createdAt": "2026-01-31T10:11:12Z"},
        "properties": {
            "transferType": "ImportToAzure",
            "status": "DataCopy",
            "startTime": "2026-01-31T10:11:12.1234567Z",
            "details": {
                "jobDetailsType": "DataBoxCustomerDisk",
                "contactDetails": {
                    "contactName": "Tets",
                    "phone": "1",
                    "emailList": ["a@b.example", "c@d.example"],
                },
                "importDiskDetailsCollection": {
                    "9CA995BB": {
                        "manifestFile": "\\DriveManifest.xml",
                        "manifestHash": HASH,
                        "backupManifestCloudPath": "waies/m.xml",
                    }
                },
                "copyProgress": [
                    {
                        "serialNumber": "9CA995BB",
                        "copyStatus": "InProgress",
                        "bytesProcessed": 50,
                        "totalBytesToProcess": 200,
                    }
                ],
                "copyLogDetails": [
                    {
                        "copyLogDetailsType": "DataBoxCustomerDisk",
                        "serialNumber": "9CA995BB",
                        "errorLogLink": "https://a/e.xml",
                        "verboseLogLink": "https://a/v.xml",
                    }
                ],
                "deliverToDcPackageDetails": {"carrierName": "FedEx", "trackingId": "7777"},
                "returnToCustomerPackageDetails": {
                    "carrierName": "DHL",
                    "carrierAccountNumber": "8",
                    "trackingId": "8888",
                },
                "datacenterAddress": {
                    "datacenterAddressType": "DatacenterAddressLocation",
                    "company": "Microsoft",
                    "street1": "3020 Coronado",
                    "city": "Santa Clara",
                    "state": "CA",
                    "zip": "95054",
                    "country": "US",
                },
            },
        },
    }
    exchange.answer(200, document)
    exchange.answer(200, document)
    job = ours.get_job("seed-1")
    details = theirs.jobs.get("group 1", "seed-1", expand="details", **PLAIN).properties.details
    mine, yours = exchange.take()
    assert mine == yours
    (drive,) = job.drives
    progress, logs = details.copy_progress[0], details.copy_log_details[0]
    disk = details.import_disk_details_collection[drive.drive_id]
    assert drive.copy_status == progress.copy_status
    assert drive.bytes_succeeded == progress.bytes_processed
    assert drive.bytes_total == progress.total_bytes_to_process
    assert drive.percent_complete == 25
    assert drive.state is DriveState.TRANSFERRING
    assert drive.manifest_hash == disk.manifest_hash
    assert drive.manifest_uri == disk.backup_manifest_cloud_path
    assert drive.error_log_uri == logs.error_log_link
    assert drive.verbose_log_uri == logs.verbose_log_link
    assert job.return_address.email.split("; ") == details.contact_details.email_list
    assert job.delivery_package.tracking_number == details.deliver_to_dc_package_details.tracking_id
    assert job.return_package.tracking_number == "8888"
    assert job.return_shipping.carrier_account_number == "8"
    assert job.shipping_information.street_address1 == details.datacenter_address.street1
    assert job.shipping_information.postal_code == details.datacenter_address.zip


def test_list_jobs_pages_as_microsofts_client_does(exchange, ours, theirs, models):
    other = {**JOB, "sku": {"name": "DataBoxDisk"}}
    for _ in range(2):
        exchange.answer(200, {"value": [JOB, other], "nextLink": exchange.url + "/next?t=a%2Fb"})
        exchange.answer(200, {"value": [JOB]})
    assert len(list(ours.list_jobs(details=False))) == 2
    assert len(list(theirs.jobs.list_by_resource_group("group 1", **PLAIN))) == 3
    first, second, their_first, their_second = exchange.take()
    assert first == their_first
    # Microsoft's generated client adds the version to the link, which has one in real answers.
    assert (second.path, set(second.query) <= set(their_second.query)) == (
        their_second.path,
        True,
    )


def test_update_job_sends_what_microsofts_client_sends(exchange, ours, theirs, models):
    for _ in range(3):
        exchange.answer(200, JOB)
    ours.update_job(
        "seed-1",
        JobChanges(return_address=ADDRESS, return_shipping=SHIPPING, tags={"team": "backup"}),
    )
    theirs.jobs.begin_update(
        "group 1",
        "seed-1",
        models.JobResourceUpdateParameter(
            tags={"team": "backup"},
            properties=models.UpdateJobProperties(
                details=models.UpdateJobDetails(
                    contact_details=contact(models),
                    shipping_address=postal(models),
                    return_to_customer_package_details=back(models),
                )
            ),
        ),
        **PLAIN,
    ).result()
    mine, _our_get, yours = exchange.take()
    assert mine == yours


def test_update_shipping_sends_what_microsofts_client_sends(exchange, ours, theirs, models):
    exchange.answer(204)
    exchange.answer(200, {**JOB, "properties": {"status": "ShippedToAzureDC"}})
    exchange.answer(204)
    job = ours.update_shipping(
        "seed-1", DeliveryPackage(carrier_name="FedEx", tracking_number="7777", drive_count=1)
    )
    theirs.jobs.mark_devices_shipped(
        "seed-1",
        "group 1",
        models.MarkDevicesShippedRequest(
            deliver_to_dc_package_details=models.PackageCarrierInfo(
                carrier_name="FedEx", tracking_id="7777"
            )
        ),
        **PLAIN,
    )
    mine, _our_get, yours = exchange.take()
    assert bare(mine) == bare(yours)
    assert (job.state, job.raw_state) == (JobState.SHIPPING, "ShippedToAzureDC")


def test_cancel_job_sends_what_microsofts_client_sends(exchange, ours, theirs, models):
    exchange.answer(204)
    exchange.answer(200, {**JOB, "properties": {"status": "Cancelled"}})
    exchange.answer(204)
    job = ours.cancel_job("seed-1", reason="wrong drive")
    theirs.jobs.cancel(
        "group 1", "seed-1", models.CancellationReason(reason="wrong drive"), **PLAIN
    )
    mine, _our_get, yours = exchange.take()
    assert bare(mine) == bare(yours)
    assert job.is_cancelled


def test_delete_job_waits_as_microsofts_client_does(exchange, ours, theirs):
    for _ in range(2):
        exchange.answer(202, Location=exchange.url + "/operation?t=1", Retry_After="0")
        exchange.answer(204)
    ours.delete_job("seed-1")
    theirs.jobs.begin_delete("group 1", "seed-1", **PLAIN).result()
    sent = [bare(item) for item in exchange.take()]
    assert sent[:2] == sent[2:]


def test_list_recovery_passwords_sends_what_microsofts_client_sends(exchange, ours, theirs):
    answer = {
        "value": [
            {
                "jobName": "seed-1",
                "jobSecrets": {
                    "jobSecretsType": "DataBoxCustomerDisk",
                    "diskSecrets": [{"diskSerialNumber": "9CA995BB", "bitLockerKey": PASSWORD}],
                },
            }
        ]
    }
    exchange.answer(200, answer)
    exchange.answer(200, answer)
    (mine,) = ours.list_recovery_passwords("seed-1")
    (yours,) = theirs.jobs.list_credentials("group 1", "seed-1", **PLAIN)
    secret = yours.job_secrets.disk_secrets[0]
    assert (mine.drive_id, mine.recovery_password.reveal()) == (
        secret.disk_serial_number,
        secret.bit_locker_key,
    )
    first, second = exchange.take()
    assert first == second


def test_get_location_sends_and_reads_what_microsofts_client_does(exchange, ours, theirs, models):
    answer = {
        "datacenterAddressResponse": {
            "datacenterAddressType": "DatacenterAddressInstruction",
            "communicationInstruction": "Write to the service for an address.",
            "supportedCarriersForReturnShipment": ["FedEx"],
            "dataCenterAzureLocation": "westus",
        }
    }
    exchange.answer(200, answer)
    exchange.answer(200, answer)
    location = ours.get_location("westus")
    response = theirs.service.region_configuration(
        "westus",
        models.RegionConfigurationRequest(
            datacenter_address_request=models.DatacenterAddressRequest(
                storage_location="westus", sku_name="DataBoxCustomerDisk"
            )
        ),
        **PLAIN,
    ).datacenter_address_response
    first, second = exchange.take()
    assert first == second
    assert location.name == response.data_center_azure_location
    assert list(location.supported_carriers) == response.supported_carriers_for_return_shipment
    assert location.shipping_information.lines() == (response.communication_instruction,)


def test_stages_and_copy_states_know_every_word_of_microsofts_client(models):
    assert {stage.value for stage in models.StageName} == set(STAGES)
    assert {status.value for status in models.CopyStatus} - {"NotStarted"} == set(COPY_STATES)
