"""
The library's own clients on the emulator, through the faults that they have to bear.
"""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from offlineseed._secret import Secret
from offlineseed.emulator import FolderDestination, ImportService, Package
from offlineseed.errors import JobNotFoundError, JobStateError, ShippingError
from offlineseed.jobs import (
    ClassicJobs,
    DataBoxJobs,
    DeliveryPackage,
    ImportExportJobs,
    ImportJob,
    JobDrive,
    JobState,
    LogLevel,
    ReturnAddress,
    ReturnShipping,
)
from offlineseed.publishsettings import ManagementCertificate

ACCOUNT = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"
PASSWORD = "238810-662376-448998-450120-652806-203390-606320-483076"
PACKAGE = DeliveryPackage(
    carrier_name="FedEx", tracking_number="1Z", drive_count=1, ship_date="2024-03-01"
)


def classic_jobs(service, management_certificate, **options):
    pem, file = management_certificate
    certificate = x509.load_pem_x509_certificate(pem)
    return ClassicJobs(
        ManagementCertificate(
            certificate_pem=pem.decode(),
            private_key_pem=Secret(file.read_text().removeprefix(pem.decode())),
            subject="CN=management",
            thumbprint=certificate.fingerprint(hashes.SHA1()).hex().upper(),
            not_valid_before=certificate.not_valid_before_utc,
            not_valid_after=certificate.not_valid_after_utc,
        ),
        subscription_id="sub",
        storage_account="acct",
        storage_account_key=Secret("AAAA"),
        base_url=service.url,
        retry_backoff_factor=0.01,
        **options,
    )


@pytest.fixture(params=[ImportExportJobs, DataBoxJobs, ClassicJobs], ids=lambda kind: kind.__name__)
def jobs(request, service):
    if request.param is ClassicJobs:
        client = classic_jobs(service, request.getfixturevalue("management_certificate"))
    else:
        client = request.param(
            service.credential,
            subscription_id="sub",
            resource_group="rg",
            base_url=service.url,
            retry_backoff_factor=0.01,
        )
    with client as jobs:
        yield jobs


@pytest.fixture
def job(drive):
    drive.add("seed/a.bin", b"0123456789").seal()
    return ImportJob(
        name="job-one",
        storage_account=ACCOUNT,
        location="westus",
        drives=[
            JobDrive(
                drive_id=drive.drive_id,
                recovery_password=Secret(PASSWORD),
                manifest_file="\\DriveManifest.xml",
                manifest_hash=drive.manifest_hash,
            )
        ],
        return_address=ReturnAddress(
            recipient_name="A Person",
            street_address1="1 Street",
            city="Town",
            postal_code="12345",
            country_or_region="US",
            phone="123",
            email="a@example.com",
        ),
        return_shipping=ReturnShipping(carrier_name="FedEx", carrier_account_number="7"),
        log_level=LogLevel.VERBOSE,
    )


def test_job_lives_from_creation_to_deletion(jobs, job, service, drive, landed):
    assert jobs.create_job(job).state is JobState.CREATING
    assert [found.name for found in jobs.list_jobs()] == ["job-one"]
    if not isinstance(jobs, ClassicJobs):  # which has no such call
        (key,) = jobs.list_recovery_passwords("job-one")
        assert key.recovery_password.reveal() == PASSWORD
    assert jobs.update_shipping("job-one", PACKAGE).delivery_package.tracking_number == "1Z"
    with pytest.raises(JobStateError):
        jobs.delete_job("job-one")
    service.datacenter.receive(Package(tracking_number="1Z", drives=[drive.shipped()]))
    assert jobs.get_job("job-one").state is JobState.RECEIVED
    service.datacenter.process()
    ended = jobs.get_job("job-one")
    assert ended.state is JobState.COMPLETED
    assert ended.is_terminal
    assert ended.drives[0].copy_status == "Completed"
    assert ended.drives[0].verbose_log_uri.startswith("file://")
    assert (landed / "seed/a.bin").read_bytes() == b"0123456789"
    jobs.delete_job("job-one")
    with pytest.raises(JobNotFoundError):
        jobs.get_job("job-one")


@pytest.mark.parametrize("fault", ["throttle", "fail", "cut"])
def test_fault_on_the_way_is_borne(jobs, job, service, fault):
    def befall():
        if fault == "throttle":
            service.faults.throttle(retry_after_seconds=0)
        else:
            getattr(service.faults, fault)()

    befall()
    assert jobs.create_job(job).state is JobState.CREATING
    befall()
    assert jobs.get_job("job-one").name == "job-one"
    befall()
    assert jobs.update_shipping("job-one", PACKAGE).state is JobState.SHIPPING


def test_order_accepted_now_and_done_later_is_waited_for(service, job):
    with DataBoxJobs(
        service.credential, subscription_id="sub", resource_group="rg", base_url=service.url
    ) as jobs:
        service.faults.postpone()
        assert jobs.create_job(job).state is JobState.CREATING


def test_classic_job_over_mutual_tls(landed, job, management_certificate):
    pem, _ = management_certificate
    with (
        ImportService(destination=FolderDestination(landed), client_certificates=[pem]) as service,
        classic_jobs(
            service, management_certificate, connection_verify=str(service.certificate_file)
        ) as jobs,
    ):
        assert jobs.create_job(job).state is JobState.CREATING
        assert jobs.get_job("job-one").location == "West US"


@pytest.mark.parametrize("region", ["Atlantis", "", " "])
def test_region_that_the_service_does_not_know_is_a_shipping_error(jobs, region):
    with pytest.raises(ShippingError, match="has no location") as caught:
        jobs.get_location(region)
    assert [finding.code for finding in caught.value.findings] == ["location-unknown"]


def test_cancelled_job_is_not_shipped(jobs, job):
    jobs.create_job(job)
    jobs.cancel_job(job.name)

    with pytest.raises(JobStateError, match="ancelled"):
        jobs.update_shipping(job.name, PACKAGE)
