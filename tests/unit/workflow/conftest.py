import datetime as dt
import random

import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.drives import Consent, DrivePreparer, FileKeyStore
from offlineseed.emulator import FolderDestination, ImportService, Package, ShippedDrive
from offlineseed.jobs import (
    DeliveryPackage,
    ImportExportJobs,
    JobRegistry,
    ReturnAddress,
    ReturnShipping,
)
from offlineseed.seed import SeedOptions
from offlineseed.settings import SeedSettings
from offlineseed.volumes import DirectoryVolumes, Drive
from offlineseed.workflow import Machine, OfflineSeed

MIB = 1 << 20
SUBSCRIPTION = "01234567-89ab-cdef-0123-456789abcdef"
ACCOUNT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Storage"
    "/storageAccounts/seedaccount"
)
RETURN_ADDRESS = ReturnAddress(
    recipient_name="Contoso",
    street_address1="Examplestraat 1",
    city="Utrecht",
    postal_code="3511 AA",
    country_or_region="Netherlands",
    phone="+31 30 0000000",
    email="backup@contoso.example",
)
RETURN_SHIPPING = ReturnShipping(carrier_name="FedEx", carrier_account_number="12345")


class Clock:
    """
    A clock that stands until it is moved.
    """

    def __init__(self):
        self.now = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)

    def __call__(self):
        return self.now

    def advance(self, **step):
        self.now += dt.timedelta(**step)


@attrs.frozen(kw_only=True)
class Bench:
    """
    A source machine, a copy machine, a staging location, drives and the import service.
    """

    folder: object
    service: object
    jobs: object
    clock: Clock = attrs.field(factory=Clock)

    @property
    def settings(self):
        return SeedSettings(
            staging_location=str(self.folder / "staging"),
            import_job_name="nightly",
            subscription_id=SUBSCRIPTION,
            storage_account="seedaccount",
            container="backups",
        )

    @property
    def registry(self):
        return JobRegistry(self.folder / "source-state")

    @property
    def keys(self):
        return FileKeyStore(self.folder / "copy-state" / "keys.json")

    @property
    def preparer(self):
        return DrivePreparer(
            volumes=DirectoryVolumes(), keys=self.keys, storage_account_key=Secret("a2V5")
        )

    def initiate(self, **changes):
        return OfflineSeed.initiate(
            self.settings,
            source=Machine(host="source", is_virtual=True),
            registry=self.registry,
            clock=self.clock,
            **changes,
        )

    def open(self, name=None):
        """
        The copy machine: it knows nothing but the staging location.
        """
        return OfflineSeed.open(self.settings.staging_location, name, clock=self.clock)

    def stage(self, seed, megabytes=3):
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        for number in range(megabytes):
            content = random.Random(number).randbytes(MIB)
            (source / f"file-{number}").write_bytes(content)
        return seed.stage(source, options=SeedOptions(chunk_bytes=1 << 16, segment_bytes=MIB))

    def drive(self, name="SERIAL1", size=64 * MIB):
        return Drive(drive_id=name, path=self.folder / "drives" / name, size_bytes=size)

    def prepare(self, seed, *drives, **options):
        attached = drives or (self.drive(),)
        return seed.prepare(
            self.preparer,
            attached,
            consents=[Consent(drive_id=d.drive_id, size_bytes=d.size_bytes) for d in attached],
            **options,
        )

    def create(self, seed):
        return seed.create_job(
            self.jobs,
            keys=self.keys,
            region="westeurope",
            return_address=RETURN_ADDRESS,
            return_shipping=RETURN_SHIPPING,
            storage_account=ACCOUNT,
        )

    def package(self, number="1Z-1"):
        return DeliveryPackage(carrier_name="FedEx", tracking_number=number, ship_date="2026-03-01")

    def arrive(self, *drives, number="1Z-1"):
        boxes = [ShippedDrive(drive_id=d.drive_id, path=d.path) for d in drives or (self.drive(),)]
        self.service.datacenter.receive(Package(tracking_number=number, drives=boxes))
        self.service.datacenter.process()


@pytest.fixture
def bench(tmp_path):
    with (
        ImportService(destination=FolderDestination(tmp_path / "landed")) as service,
        ImportExportJobs(
            service.credential,
            subscription_id=SUBSCRIPTION,
            resource_group="rg",
            base_url=service.url,
            retry_backoff_factor=0.01,
        ) as jobs,
    ):
        yield Bench(folder=tmp_path, service=service, jobs=jobs)
