"""
A whole seed on one machine, taken to the datacentre with a fault on its way.
"""

import datetime as dt
import random
import shutil

import attrs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from offlineseed._secret import Secret
from offlineseed.drives import Consent, DrivePreparer, MemoryKeyStore
from offlineseed.emulator import FolderDestination, ImportService, Package, ShippedDrive
from offlineseed.handover import FolderRepairs, Handover
from offlineseed.jobs import (
    ClassicJobs,
    DataBoxJobs,
    DeliveryPackage,
    ImportExportJobs,
    JobRegistry,
    ReturnAddress,
    ReturnShipping,
)
from offlineseed.manifest import BlobType, ImportDisposition
from offlineseed.publishsettings import ManagementCertificate
from offlineseed.seed import FolderStore, SeedOptions
from offlineseed.settings import SeedSettings
from offlineseed.volumes import DirectoryVolumes, Drive
from offlineseed.workflow import Machine, OfflineSeed

MIB = 1 << 20
SUBSCRIPTION = "01234567-89ab-cdef-0123-456789abcdef"
ACCOUNT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Storage"
    "/storageAccounts/seedaccount"
)
PAGES = random.Random(1).randbytes(4096) + bytes(2 * MIB) + random.Random(2).randbytes(4096)
BLOCKS = random.Random(3).randbytes(4 * MIB + 5)


@attrs.frozen(kw_only=True)
class Journey:
    """
    Two prepared drives, SMALL and LARGE; LARGE has what an opaque product staged.
    """

    folder: object
    seed: OfflineSeed
    keys: object
    service: object = None
    jobs: object = None

    @property
    def landed(self):
        return self.folder / "landed" / "backups"

    @property
    def destination(self):
        return FolderRepairs(self.folder / "landed", "backups")

    def drives(self):
        sizes = {"SMALL": 2 * MIB, "LARGE": 64 * MIB}
        return [
            Drive(drive_id=name, path=self.folder / "drives" / name, size_bytes=size)
            for name, size in sizes.items()
        ]

    def stage(self):
        source = self.folder / "source"
        source.mkdir()
        for number in range(3):
            (source / f"file-{number}").write_bytes(random.Random(number).randbytes(600_000))
        self.seed.stage(source, options=SeedOptions(chunk_bytes=1 << 16, segment_bytes=MIB))
        (self.folder / "pages").write_bytes(PAGES)
        (self.folder / "blocks").write_bytes(BLOCKS)
        self.seed.job.add_blob(self.folder / "pages", "disk.vhd", blob_type=BlobType.PAGE)
        self.seed.job.add_blob(self.folder / "blocks", "dump.bak", blob_type=BlobType.BLOCK)

    def prepare(self, **changes):
        preparer = DrivePreparer(
            volumes=DirectoryVolumes(),
            keys=self.keys,
            storage_account_key=Secret("a2V5"),
            **changes,
        )
        drives = self.drives()
        self.seed.prepare(
            preparer,
            drives,
            consents=[Consent(drive_id=d.drive_id, size_bytes=d.size_bytes) for d in drives],
        )

    def ship(self):
        self.seed.create_job(
            self.jobs,
            keys=self.keys,
            region="westeurope",
            storage_account=ACCOUNT,
            return_address=ReturnAddress(
                recipient_name="Contoso",
                street_address1="Examplestraat 1",
                city="Utrecht",
                postal_code="3511 AA",
                country_or_region="NL",
                phone="+31 30 0000000",
                email="backup@contoso.example",
            ),
            return_shipping=ReturnShipping(carrier_name="FedEx", carrier_account_number="1"),
        )
        self.seed.update_shipping(
            self.jobs,
            DeliveryPackage(carrier_name="FedEx", tracking_number="1Z", ship_date="2026-03-01"),
        )

    def arrive(self):
        boxes = [ShippedDrive(drive_id=d.drive_id, path=d.path) for d in self.drives()]
        self.service.datacenter.receive(Package(tracking_number="1Z", drives=boxes))
        self.service.datacenter.process()
        return self.seed.status(self.jobs)

    def run(self):
        """
        From the prepared drives to the end of the import job.
        """
        self.ship()
        return self.arrive()

    def handover(self):
        return Handover(
            self.seed.job, self.destination.landed, store=FolderStore(self.landed / "nightly")
        )

    def landed_files(self):
        """
        What lies in the container, and the time at which each was written.
        """
        return {
            path.relative_to(self.landed).as_posix(): path.stat().st_mtime_ns
            for path in self.landed.rglob("*")
            if path.is_file()
        }


def arm_client(kind):
    def connect(service, certificate):
        return kind(
            service.credential,
            subscription_id=SUBSCRIPTION,
            resource_group="rg",
            base_url=service.url,
            retry_backoff_factor=0.01,
        )

    return connect


def classic_client(service, certificate):
    return ClassicJobs(
        certificate,
        subscription_id=SUBSCRIPTION,
        storage_account="seedaccount",
        storage_account_key=Secret("a2V5"),
        base_url=service.url,
        retry_backoff_factor=0.01,
    )


DIALECTS = {
    "ImportExportJobs": arm_client(ImportExportJobs),
    "DataBoxJobs": arm_client(DataBoxJobs),
    "ClassicJobs": classic_client,
}


@pytest.fixture(params=DIALECTS)
def dialect(request):
    return request.param


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """
    Return a function that gives a journey up to its prepared drives, made once for each
    disposition.
    """
    made = {}

    def give(disposition):
        if disposition not in made:
            folder = tmp_path_factory.mktemp("prepared")
            settings = SeedSettings(
                staging_location=str(folder / "staging"),
                import_job_name="nightly",
                subscription_id=SUBSCRIPTION,
                storage_account="seedaccount",
                container="backups",
            )
            seed = OfflineSeed.initiate(settings, source=Machine(host="source", is_virtual=False))
            journey = Journey(folder=folder, seed=seed, keys=MemoryKeyStore())
            journey.stage()
            journey.prepare(import_disposition=disposition)
            made[disposition] = journey
        return made[disposition]

    return give


@pytest.fixture(scope="session")
def certificate():
    """
    A management certificate, which the service does not ask for while it speaks plain http.
    """
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Windows Azure Tools")])
    now = dt.datetime.now(dt.timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM).decode()
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return ManagementCertificate(
        certificate_pem=pem,
        private_key_pem=Secret(key_pem),
        thumbprint=signed.fingerprint(hashes.SHA1()).hex().upper(),
        subject=name.rfc4514_string(),
        not_valid_before=now - dt.timedelta(days=1),
        not_valid_after=now + dt.timedelta(days=1),
    )


@pytest.fixture
def disposition():
    return ImportDisposition.RENAME


@pytest.fixture
def journey(tmp_path, dialect, prepared, disposition, certificate):
    template = prepared(disposition)
    for name in ("staging", "drives"):
        shutil.copytree(template.folder / name, tmp_path / name)
    with (
        ImportService(destination=FolderDestination(tmp_path / "landed")) as service,
        DIALECTS[dialect](service, certificate) as jobs,
    ):
        yield attrs.evolve(
            template,
            folder=tmp_path,
            seed=OfflineSeed.open(tmp_path / "staging", registry=JobRegistry(tmp_path / "state")),
            service=service,
            jobs=jobs,
        )
