"""
A whole seed on one machine, taken to the datacentre with a fault on its way.
"""

import random

import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.drives import Consent, DrivePreparer, MemoryKeyStore
from offlineseed.emulator import FolderDestination, ImportService, Package, ShippedDrive
from offlineseed.handover import FolderRepairs, Handover
from offlineseed.jobs import (
    DataBoxJobs,
    DeliveryPackage,
    ImportExportJobs,
    JobRegistry,
    ReturnAddress,
    ReturnShipping,
)
from offlineseed.manifest import BlobType
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
PAGES = random.Random(1).randbytes(MIB) + bytes(4 * MIB) + random.Random(2).randbytes(MIB)
BLOCKS = random.Random(3).randbytes(8 * MIB + 5)


@attrs.frozen(kw_only=True)
class Journey:
    """
    Two prepared drives, SMALL and LARGE; LARGE has what an opaque product staged.
    """

    folder: object
    service: object
    jobs: object
    seed: OfflineSeed

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
        keys = MemoryKeyStore()
        preparer = DrivePreparer(
            volumes=DirectoryVolumes(), keys=keys, storage_account_key=Secret("a2V5"), **changes
        )
        drives = self.drives()
        self.seed.prepare(
            preparer,
            drives,
            consents=[Consent(drive_id=d.drive_id, size_bytes=d.size_bytes) for d in drives],
        )
        return keys

    def ship(self, keys):
        self.seed.create_job(
            self.jobs,
            keys=keys,
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

    def run(self, **changes):
        """
        From an empty staging location to the end of the import job.
        """
        self.stage()
        self.ship(self.prepare(**changes))
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


DIALECTS = {"ImportExportJobs": ImportExportJobs, "DataBoxJobs": DataBoxJobs}


@pytest.fixture(params=DIALECTS)
def dialect(request):
    return request.param


@pytest.fixture
def journey(tmp_path, dialect):
    settings = SeedSettings(
        staging_location=str(tmp_path / "staging"),
        import_job_name="nightly",
        subscription_id=SUBSCRIPTION,
        storage_account="seedaccount",
        container="backups",
    )
    seed = OfflineSeed.initiate(
        settings,
        source=Machine(host="source", is_virtual=False),
        registry=JobRegistry(tmp_path / "state"),
    )
    with (
        ImportService(destination=FolderDestination(tmp_path / "landed")) as service,
        DIALECTS[dialect](
            service.credential,
            subscription_id=SUBSCRIPTION,
            resource_group="rg",
            base_url=service.url,
            retry_backoff_factor=0.01,
        ) as jobs,
    ):
        yield Journey(folder=tmp_path, service=service, jobs=jobs, seed=seed)
