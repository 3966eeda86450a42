import random

import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.drives import Consent, DrivePlanner, DrivePreparer, DriveSpace, MemoryKeyStore
from offlineseed.manifest import BlobType
from offlineseed.settings import SeedSettings
from offlineseed.staging import StagingLocation
from offlineseed.testing import MemoryVolumes
from offlineseed.volumes import Drive

MIB = 1024 * 1024
LENGTHS = {
    "nightly/a.zst": 4 * MIB + 17,
    "nightly/b.zst": 70_000,
    "nightly/empty": 0,
    "nightly/one": 1,
    "nightly/z.zst": 3_000,
}


@attrs.frozen(kw_only=True)
class Bench:
    """
    A staged job, a drive for it and all that preparing takes.
    """

    job: object
    drive: Drive
    plan: object
    volumes: object
    keys: object

    @property
    def consent(self):
        return Consent(drive_id=self.drive.drive_id, size_bytes=self.drive.size_bytes)

    def replanned(self):
        return attrs.evolve(self, plan=plan_all(self.job, self.drive, self.volumes))

    def preparer(self, **changes):
        values = {
            "volumes": self.volumes,
            "keys": self.keys,
            "storage_account_key": Secret("c2VjcmV0LWtleQ=="),
        }
        return DrivePreparer(**(values | changes))

    def prepare(self, *, on_event=lambda event: None, anew=False, **changes):
        return self.preparer(**changes).prepare(
            self.job,
            self.plan,
            drive=self.drive,
            consent=self.consent,
            anew=anew,
            on_event=on_event,
        )


def stage_job(folder, lengths):
    job = StagingLocation(folder).create(
        SeedSettings(
            staging_location=str(folder),
            import_job_name="nightly",
            subscription_id="01234567-89ab-cdef-0123-456789abcdef",
            storage_account="seedaccount",
            container="backups",
        )
    )
    for path, length in lengths.items():
        (folder / "content").write_bytes(random.Random(path).randbytes(length))
        blob_type = BlobType.PAGE if path.endswith(".vhd") else BlobType.BLOCK
        job.add_blob(folder / "content", path, blob_type=blob_type)
    return job


def plan_all(job, drive, volumes):
    space = DriveSpace(drive_id=drive.drive_id, capacity=volumes.capacity(drive))
    (plan,) = DrivePlanner().plan(job.blobs(), [space])
    return plan


@pytest.fixture
def make_bench(tmp_path):
    def make(lengths=LENGTHS, *, volumes=None):
        folder = tmp_path / "staging"
        folder.mkdir()
        job = stage_job(folder, lengths)
        drive = Drive(drive_id="9WM35C2V", path=tmp_path / "drive", size_bytes=64 * MIB)
        volumes = volumes or MemoryVolumes()
        return Bench(
            job=job,
            drive=drive,
            plan=plan_all(job, drive, volumes),
            volumes=volumes,
            keys=MemoryKeyStore(),
        )

    return make


@pytest.fixture
def bench(make_bench):
    return make_bench()
