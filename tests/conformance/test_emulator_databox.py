"""
Microsoft's own client of Microsoft.DataBox drives the emulator.
"""

import pytest

from offlineseed.emulator import FolderDestination, ImportService, Package, ShippedDrive

sdk = pytest.importorskip("azure.mgmt.databox")
models = sdk.models

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError  # noqa: E402

PASSWORD = "238810-662376-448998-450120-652806-203390-606320-483076"
ACCOUNT = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"


@pytest.fixture
def service(tmp_path):
    # The client shows its token to nobody who does not speak TLS.
    with ImportService(destination=FolderDestination(tmp_path / "landed"), tls=True) as service:
        yield service


@pytest.fixture
def client(service):
    with sdk.DataBoxManagementClient(
        service.credential,
        "sub",
        base_url=service.url,
        connection_verify=str(service.certificate_file),
        polling_interval=0.1,
    ) as client:
        yield client


def order(*serials, level="Verbose"):
    return models.JobResource(
        location="westus",
        tags={"a": "b"},
        sku=models.Sku(name="DataBoxCustomerDisk"),
        properties=models.JobProperties(
            transfer_type="ImportToAzure",
            details=models.DataBoxCustomerDiskJobDetails(
                contact_details=models.ContactDetails(
                    contact_name="A Person", phone="123", email_list=["a@example.com"]
                ),
                shipping_address=models.ShippingAddress(
                    street_address1="1 Street", city="Town", country="US", postal_code="12345"
                ),
                data_import_details=[
                    models.DataImportDetails(
                        account_details=models.StorageAccountDetails(storage_account_id=ACCOUNT),
                        log_collection_level=level,
                    )
                ],
                import_disk_details_collection={
                    serial: models.ImportDiskDetails(
                        manifest_file="\\DriveManifest.xml",
                        manifest_hash="109B21108597EF36D5785F08303F3638",
                        bit_locker_key=PASSWORD,
                    )
                    for serial in serials
                },
                return_to_customer_package_details=models.PackageCarrierDetails(
                    carrier_name="FedEx", carrier_account_number="77"
                ),
                enable_manifest_backup=True,
            ),
        ),
    )


def shipped():
    return models.MarkDevicesShippedRequest(
        deliver_to_dc_package_details=models.PackageCarrierInfo(
            carrier_name="FedEx", tracking_id="1Z"
        )
    )


def test_order_create_get_update_ship(client):
    created = client.jobs.begin_create("rg", "one", order("D1", "D2")).result()
    assert created.properties.status == "AwaitingShipmentDetails"
    assert created.properties.is_cancellable
    assert not created.properties.is_deletable
    assert created.properties.details is None

    got = client.jobs.get("rg", "one", expand="details")
    details = got.properties.details
    assert isinstance(details, models.DataBoxCustomerDiskJobDetails)
    assert sorted(details.import_disk_details_collection) == ["D1", "D2"]
    assert PASSWORD not in str(got.as_dict())
    assert details.data_import_details[0].account_details.storage_account_id == ACCOUNT
    assert details.datacenter_address.city == "Santa Clara"
    assert [p.copy_status for p in details.copy_progress] == ["NotStarted", "NotStarted"]
    assert [s.stage_status for s in details.job_stages] == ["InProgress"] + ["None"] * 4

    updated = client.jobs.begin_update(
        "rg",
        "one",
        models.JobResourceUpdateParameter(
            tags={"c": "d"},
            properties=models.UpdateJobProperties(
                details=models.UpdateJobDetails(
                    contact_details=models.ContactDetails(
                        contact_name="Other", phone="9", email_list=["b@example.com"]
                    ),
                    return_to_customer_package_details=models.PackageCarrierDetails(
                        carrier_name="UPS", carrier_account_number="88"
                    ),
                )
            ),
        ),
    ).result()
    assert updated.tags == {"c": "d"}
    details = client.jobs.get("rg", "one", expand="details").properties.details
    assert details.contact_details.contact_name == "Other"
    assert details.return_to_customer_package_details.carrier_name == "UPS"

    client.jobs.mark_devices_shipped("one", "rg", shipped())
    got = client.jobs.get("rg", "one", expand="details")
    assert got.properties.status == "ShippedToAzureDC"
    assert got.properties.details.deliver_to_dc_package_details.tracking_id == "1Z"
    with pytest.raises(HttpResponseError) as caught:
        client.jobs.mark_devices_shipped("one", "rg", shipped())
    assert caught.value.status_code == 409
    assert caught.value.error.code == "InvalidJobState"


def test_credentials_are_shown_on_request_only(client):
    client.jobs.begin_create("rg", "one", order("D1")).result()
    (listed,) = client.jobs.list_credentials("rg", "one")
    assert isinstance(listed.job_secrets, models.CustomerDiskJobSecrets)
    assert listed.job_secrets.disk_secrets[0].bit_locker_key == PASSWORD
    assert listed.job_secrets.carrier_account_number == "77"


def test_orders_list_by_pages(client, service):
    for index in range(103):
        client.jobs.begin_create("rg", f"job{index}", order("D1")).result()
    client.jobs.begin_create("other", "job", order("D1")).result()
    assert len(list(client.jobs.list_by_resource_group("rg"))) == 103
    assert len(list(client.jobs.list())) == 104


def test_order_cancelled_before_shipping_ends_and_is_deleted(client):
    client.jobs.begin_create("rg", "one", order("D1")).result()
    with pytest.raises(HttpResponseError) as caught:
        client.jobs.begin_delete("rg", "one").result()
    assert caught.value.status_code == 409
    client.jobs.cancel("rg", "one", models.CancellationReason(reason="changed our mind"))
    got = client.jobs.get("rg", "one", expand="details")
    assert got.properties.status == "Cancelled"
    assert got.properties.cancellation_reason == "changed our mind"
    assert got.properties.is_deletable
    client.jobs.begin_delete("rg", "one").result()
    with pytest.raises(ResourceNotFoundError):
        client.jobs.get("rg", "one")
    client.jobs.begin_delete("rg", "one").result()


def test_order_accepted_now_and_done_later(client, service):
    service.faults.postpone()
    poller = client.jobs.begin_create("rg", "one", order("D1"))
    assert not poller.done()
    assert poller.result().properties.status == "AwaitingShipmentDetails"
    client.jobs.cancel("rg", "one", models.CancellationReason(reason="no"))
    service.faults.postpone()
    client.jobs.begin_delete("rg", "one").result()
    with pytest.raises(ResourceNotFoundError):
        client.jobs.get("rg", "one")


def test_order_taken_through_to_the_end(client, service, tmp_path):
    client.jobs.begin_create("rg", "one", order("D1", "D2")).result()
    client.jobs.mark_devices_shipped("one", "rg", shipped())
    (tmp_path / "drive").mkdir()
    drive = ShippedDrive(drive_id="D1", path=tmp_path / "drive")
    service.datacenter.receive(Package(tracking_number="1Z", drives=[drive]))
    statuses = []
    while True:
        got = client.jobs.get("rg", "one", expand="details")
        statuses.append(got.properties.status)
        if not service.datacenter.step():
            break
    assert statuses == [
        "AtAzureDC",
        "DataCopy",
        "PreparingToShipFromAzureDC",
        "CompletedWithErrors",
    ]
    details = got.properties.details
    assert {p.serial_number: p.copy_status for p in details.copy_progress} == {
        "D1": "MetadataFilesModifiedOrRemoved",
        "D2": "DriveNotReceived",
    }
    (logs,) = details.copy_log_details
    assert logs.serial_number == "D1"
    assert "/databoxcopylog/one_D1_CopyLog_" in logs.error_log_link
    assert "/databoxcopylog/one_D1_VerboseLog_" in logs.verbose_log_link
    assert details.return_to_customer_package_details.tracking_id == "RETURN-1Z"
    assert details.job_stages[-1].stage_status == "SucceededWithErrors"


def test_region_says_where_to_ship(client):
    def ask(storage_location):
        return client.service.region_configuration(
            "westus",
            models.RegionConfigurationRequest(
                datacenter_address_request=models.DatacenterAddressRequest(
                    storage_location=storage_location, sku_name="DataBoxCustomerDisk"
                )
            ),
        ).datacenter_address_response

    address = ask("westus")
    assert isinstance(address, models.DatacenterAddressLocationResponse)
    assert address.street1 == "3020 Coronado"
    assert "FedEx" in address.supported_carriers_for_return_shipment
    instruction = ask("uksouth")
    assert isinstance(instruction, models.DatacenterAddressInstructionResponse)
    assert "adbops@microsoft.com" in instruction.communication_instruction


def test_operations_list(client):
    assert "Microsoft.DataBox/jobs/write" in [o.name for o in client.operations.list()]


@pytest.mark.parametrize(
    ("change", "target"),
    [
        pytest.param(lambda o: o.sku.update(name="DataBox"), "sku", id="another SKU"),
        pytest.param(
            lambda o: o.properties.update(transferType="ExportFromAzure"),
            "transferType",
            id="an export",
        ),
        pytest.param(
            lambda o: o.properties.details.update(importDiskDetailsCollection={}),
            "driveList",
            id="no disks",
        ),
        pytest.param(
            lambda o: o.properties.details.update(dataImportDetails=[]),
            "dataImportDetails",
            id="no account",
        ),
        pytest.param(
            lambda o: o.properties.details.contact_details.update(emailList=[]),
            "emailList",
            id="no e-mail",
        ),
    ],
)
def test_order_impossible_is_refused(client, change, target):
    body = order("D1")
    change(body)
    with pytest.raises(HttpResponseError) as caught:
        client.jobs.begin_create("rg", "one", body).result()
    assert caught.value.status_code == 400
    assert caught.value.error.target == target
