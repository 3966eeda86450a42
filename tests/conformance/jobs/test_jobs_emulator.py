"""
Our clients against the emulator, which handles the wire on its own.
"""

import base64
import datetime as dt
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from offlineseed._secret import Secret
from offlineseed.emulator import FolderDestination, ImportService, Package, ShippedDrive
from offlineseed.errors import JobError, JobNotFoundError, JobStateError
from offlineseed.jobs import (
    ClassicJobs,
    DataBoxJobs,
    DeliveryPackage,
    DriveState,
    ImportExportJobs,
    ImportJob,
    JobChanges,
    JobDrive,
    JobState,
    LogLevel,
    ReturnAddress,
    ReturnShipping,
    parse_copy_log,
)
from offlineseed.publishsettings import parse_publish_settings

SUBSCRIPTION = "01234567-89ab-cdef-0123-456789abcdef"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acct"
PASSWORD = "238810-662376-448998-450120-652806-203390-606320-483076"
ADDRESS = ReturnAddress(
    recipient_name="Tests",
    street_address1="Street1",
    city="Redmond",
    state_or_province="wa",
    postal_code="98007",
    country_or_region="US",
    phone="4250000000",
    email="test@contoso.com",
)
PACKAGE = DeliveryPackage(
    carrier_name="FedEx", tracking_number="1Z 9", drive_count=1, ship_date="2026-01-31"
)
CONTENT = b"seed" * 1000
BLOCK_MD5 = hashlib.md5(CONTENT).hexdigest().upper()
MANIFEST = f"""<?xml version="1.0" encoding="utf-8"?>
<DriveManifest Version="2014-11-01">
  <Drive>
    <DriveId>9CA995BF</DriveId>
    <StorageAccountKey>a2V5</StorageAccountKey>
    <ClientCreator>offlineseed</ClientCreator>
    <BlobList>
      <Blob>
        <BlobPath>seed/segments/a.zst</BlobPath>
        <FilePath>\\segments\\a.zst</FilePath>
        <Length>{len(CONTENT)}</Length>
        <ImportDisposition>rename</ImportDisposition>
        <BlockList>
          <Block Offset="0" Length="{len(CONTENT)}" Id="AAAAAA==" Hash="{BLOCK_MD5}" />
        </BlockList>
      </Blob>
    </BlobList>
  </Drive>
</DriveManifest>
""".encode()


@pytest.fixture
def landed(tmp_path):
    return tmp_path / "landed"


@pytest.fixture(scope="module")
def certificate():
    """
    A management certificate, by way of a publish settings file.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "management")])
    now = dt.datetime.now(dt.timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pkcs12 = serialize_key_and_certificates(b"n", key, signed, None, NoEncryption())
    text = (
        '<PublishData><PublishProfile SchemaVersion="2.0" '
        'PublishMethod="AzureServiceManagementAPI"><Subscription '
        'ServiceManagementUrl="https://management.core.windows.net" '
        f'Id="{SUBSCRIPTION}" Name="Pay-As-You-Go" '
        f'ManagementCertificate="{base64.b64encode(pkcs12).decode()}" />'
        "</PublishProfile></PublishData>"
    )
    return parse_publish_settings(text.encode()).subscription(SUBSCRIPTION).certificate


@pytest.fixture
def dialect(request):
    return getattr(request, "param", ImportExportJobs)


@pytest.fixture
def service(landed, dialect, certificate):
    certificates = [certificate.certificate_pem] if dialect is ClassicJobs else []
    with ImportService(
        destination=FolderDestination(landed), client_certificates=certificates
    ) as service:
        yield service


@pytest.fixture
def jobs(service, dialect, certificate):
    shared = {"base_url": service.url, "retry_backoff_factor": 0}
    if dialect is ClassicJobs:
        client = ClassicJobs(
            certificate,
            subscription_id=SUBSCRIPTION,
            storage_account="acct",
            storage_account_key=Secret("a2V5"),
            connection_verify=str(service.certificate_file),
            use_env_settings=False,
            **shared,
        )
    else:
        client = dialect(
            service.credential, subscription_id=SUBSCRIPTION, resource_group="rg", **shared
        )
    with client:
        yield client


ALL = {"ImportExport": ImportExportJobs, "DataBox": DataBoxJobs, "classic": ClassicJobs}
each_dialect = pytest.mark.parametrize("dialect", ALL.values(), ids=ALL, indirect=True)


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "drive"
    (folder / "segments").mkdir(parents=True)
    (folder / "segments" / "a.zst").write_bytes(CONTENT)
    (folder / "DriveManifest.xml").write_bytes(MANIFEST)
    return ShippedDrive(drive_id="9CA995BF", path=folder)


def new_job(name="seed-1", manifest=MANIFEST):
    return ImportJob(
        name=name,
        storage_account=ACCOUNT,
        location="westus",
        tags={"team": "backup"},
        drives=[
            JobDrive(
                drive_id="9CA995BF",
                recovery_password=Secret(PASSWORD),
                manifest_file="\\DriveManifest.xml",
                manifest_hash=hashlib.md5(manifest).hexdigest().upper(),
            )
        ],
        return_address=ADDRESS,
        return_shipping=ReturnShipping(carrier_name="FedEx", carrier_account_number="1"),
        log_level="Verbose",
        backup_drive_manifest=True,
    )


@each_dialect
def test_job_goes_from_creation_to_its_end(jobs, dialect, service, drive, landed):
    created = jobs.create_job(new_job())
    assert created.state is JobState.CREATING
    assert created.log_level is LogLevel.VERBOSE
    if dialect is ClassicJobs:
        # It knows no tags, and an address is one string.
        assert created.return_address.email == ADDRESS.email
        assert created.return_address.street_address1 == "Street1, Redmond wa 98007, US"
    else:
        assert created.tags == (("team", "backup"),)
        assert created.return_address == ADDRESS
    assert created.drives[0].state is DriveState.SPECIFIED
    assert created.shipping_information.lines()
    assert not created.is_terminal

    shipped = jobs.update_shipping("seed-1", PACKAGE)
    assert shipped.state is JobState.SHIPPING
    assert shipped.delivery_package.tracking_number == "1Z 9"

    service.datacenter.receive(Package(tracking_number="1Z 9", drives=[drive]))
    assert jobs.get_job("seed-1").state is JobState.RECEIVED
    assert jobs.get_job("seed-1").drives[0].state is DriveState.RECEIVED
    with pytest.raises(JobStateError):
        jobs.delete_job("seed-1")

    service.datacenter.process()
    ended = jobs.get_job("seed-1")
    assert ended.state is JobState.COMPLETED
    assert ended.is_terminal
    assert not ended.is_cancelled
    assert ended.drives[0].state in (DriveState.COMPLETED, DriveState.SHIPPED_BACK)
    assert (landed / "seed" / "segments" / "a.zst").read_bytes() == CONTENT

    jobs.delete_job("seed-1")
    with pytest.raises(JobNotFoundError):
        jobs.get_job("seed-1")


@each_dialect
def test_damaged_block_is_named_by_the_copy_log(jobs, service, drive, landed):
    service.faults.corrupt_block("9CA995BF", "seed/segments/a.zst")
    jobs.create_job(new_job())
    jobs.update_shipping("seed-1", PACKAGE)
    service.datacenter.receive(Package(tracking_number="1Z 9", drives=[drive]))
    service.datacenter.process()
    job = jobs.get_job("seed-1")
    assert job.state is JobState.CLOSED
    logs = [
        parse_copy_log(path.read_bytes())
        for path in landed.rglob("*.xml")
        if "error" in path.name.lower() or "copylog" in path.name.lower()
    ]
    findings = [finding for log in logs for finding in log.findings()]
    assert any("a.zst" in finding.subject for finding in findings)
    assert all(log.is_complete for log in logs)
    assert {blob.blob_path for log in logs for blob in log.failed_blobs()} == {
        "seed/segments/a.zst"
    }


@each_dialect
def test_drive_that_does_not_open_is_said(jobs, service, drive):
    service.faults.damage_manifest("9CA995BF")
    jobs.create_job(new_job())
    jobs.update_shipping("seed-1", PACKAGE)
    service.datacenter.receive(Package(tracking_number="1Z 9", drives=[drive]))
    service.datacenter.process()
    job = jobs.get_job("seed-1")
    assert job.state is JobState.CLOSED


@each_dialect
def test_recovery_passwords_come_back_by_their_own_call_only(jobs, dialect):
    created = jobs.create_job(new_job())
    assert created.drives[0].recovery_password is None
    if dialect is ClassicJobs:
        with pytest.raises(JobError, match="key store"):
            jobs.list_recovery_passwords("seed-1")
        return
    (found,) = jobs.list_recovery_passwords("seed-1")
    assert (found.drive_id, found.recovery_password) == ("9CA995BF", Secret(PASSWORD))


@each_dialect
def test_update_job_changes_where_the_drives_come_back(jobs, dialect):
    jobs.create_job(new_job())
    shipping = ReturnShipping(carrier_name="DHL", carrier_account_number="2")
    assert jobs.update_job("seed-1", JobChanges(return_shipping=shipping)).return_shipping == (
        shipping
    )
    if dialect is not ClassicJobs:
        assert jobs.update_job("seed-1", JobChanges(tags={"x": "y"})).tags == (("x", "y"),)


@each_dialect
def test_cancel_and_delete_a_job_that_was_never_shipped(jobs):
    jobs.create_job(new_job())
    assert jobs.cancel_job("seed-1", reason="no longer needed").cancel_requested
    jobs.delete_job("seed-1")
    with pytest.raises(JobNotFoundError):
        jobs.get_job("seed-1")


@each_dialect
def test_list_jobs_has_every_one(jobs):
    names = [f"seed-{number}" for number in range(1, 6)]
    for name in names:
        jobs.create_job(new_job(name))
    jobs.update_shipping("seed-3", PACKAGE)
    found = {job.name: job for job in jobs.list_jobs()}
    assert sorted(found) == names
    assert found["seed-3"].delivery_package.tracking_number == "1Z 9"


def test_tracking_number_is_corrected_while_the_package_travels(service):
    with ImportExportJobs(
        service.credential,
        subscription_id=SUBSCRIPTION,
        resource_group="rg",
        base_url=service.url,
    ) as jobs:
        jobs.create_job(new_job())
        jobs.update_shipping("seed-1", PACKAGE)
        corrected = DeliveryPackage(carrier_name="DHL", tracking_number="8", drive_count=1)
        assert jobs.update_shipping("seed-1", corrected).delivery_package == corrected


@each_dialect
def test_missing_job_is_job_not_found(jobs):
    calls = [jobs.get_job, jobs.cancel_job, jobs.list_recovery_passwords]
    if isinstance(jobs, ImportExportJobs):
        # Data Box, as Resource Manager at large, answers 204 to deleting what is not there.
        calls.append(jobs.delete_job)
    for call in calls:
        with pytest.raises(JobNotFoundError):
            call("nothing")


@each_dialect
def test_location_of_a_region_has_an_address(jobs):
    location = jobs.get_location("westus")
    assert location.shipping_information.lines()
    assert location.supported_carriers


@each_dialect
def test_shaky_service_is_asked_again(jobs, service):
    jobs.create_job(new_job())
    service.faults.throttle(1, retry_after_seconds=0)
    service.faults.fail(1)
    assert jobs.get_job("seed-1").name == "seed-1"
    service.faults.cut(1)
    assert jobs.get_job("seed-1").name == "seed-1"
    service.faults.cut(1)
    shipped = jobs.update_shipping("seed-1", PACKAGE)
    assert shipped.state is JobState.SHIPPING
