import datetime as dt
import random
import shutil

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
from offlineseed.staging import StagingLocation
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
    template: object
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

    def stage(self, seed):
        """
        Stage the template's source; what that leaves behind is there already.
        """
        shutil.copytree(
            self.template / "staging/nightly",
            seed.job.folder,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("seed.json"),
        )
        return seed.stage(self.source)

    @property
    def source(self):
        return self.template / "source"

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


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """
    A source of three files, and a staging location where they are staged.
    """
    folder = tmp_path_factory.mktemp("template")
    (folder / "source").mkdir()
    for number in range(3):
        content = random.Random(number).randbytes(200_000)
        (folder / f"source/file-{number}").write_bytes(content)
    settings = Bench(folder=folder, template=folder, service=None, jobs=None).settings
    job = StagingLocation(folder / "staging").create(settings)
    options = SeedOptions(chunk_bytes=1 << 16, segment_bytes=1 << 18)
    with job.write_seed(options=options) as writer:
        writer.add_tree(folder / "source")
        writer.seal()
    return folder


@pytest.fixture
def bench(tmp_path, template):
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
        yield Bench(folder=tmp_path, template=template, service=service, jobs=jobs)
