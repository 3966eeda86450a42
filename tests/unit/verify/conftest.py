import hashlib
import random

import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.bitlocker import RecoveryPassword
from offlineseed.manifest import (
    BlobList,
    BlockHasher,
    DriveManifest,
    HashedPath,
    ManifestBlob,
    PageHasher,
    file_path_of,
    render_manifest,
)
from offlineseed.testing import MemoryVolumes
from offlineseed.volumes import Drive, VolumeFile

MIB = 1024 * 1024
PASSWORD = RecoveryPassword(bytes(range(16)))
DRIVE = Drive(drive_id="9WM35C2V", path="nowhere", size_bytes=64 * MIB)
SIDE = b"<Metadata/>"


def contents():
    return {
        "seed/one.zst": random.Random(1).randbytes(5 * MIB + 3),
        "seed/empty": b"",
        "seed/disk.vhd": bytes(MIB) + random.Random(2).randbytes(1024) + bytes(2 * MIB),
    }


def listed(path, data):
    hasher = PageHasher() if path.endswith(".vhd") else BlockHasher()
    hasher.update(data)
    ranges = hasher.finish()
    return ManifestBlob(
        blob_path=f"backups/{path}",
        file_path=file_path_of(path),
        length=len(data),
        blocks=None if path.endswith(".vhd") else ranges,
        page_ranges=ranges if path.endswith(".vhd") else None,
    )


@attrs.define
class Prepared:
    """
    A drive in memory with its manifest.
    """

    volumes: MemoryVolumes
    manifest: DriveManifest
    manifest_hash: str

    drive = DRIVE
    password = PASSWORD

    @property
    def files(self):
        return self.volumes.stored(DRIVE.drive_id)


@pytest.fixture
def prepared():
    blobs = [listed(path, data) for path, data in contents().items()]
    side = HashedPath(path="\\meta.xml", hash=hashlib.md5(SIDE).hexdigest())
    manifest = DriveManifest(
        drive_id=DRIVE.drive_id,
        storage_account_key=Secret("a2V5"),
        blob_lists=[BlobList(blobs=blobs, metadata_path=side)],
    )
    rendered = render_manifest(manifest)
    files = contents() | {"meta.xml": SIDE, "DriveManifest.xml": rendered}
    volumes = MemoryVolumes()
    writer = volumes.create(
        DRIVE,
        [VolumeFile(path=path, length=len(data)) for path, data in files.items()],
        PASSWORD,
    )
    for path, data in files.items():
        out = writer.open(VolumeFile(path=path, length=len(data)))
        out.write(data)
        out.close()
    writer.finish()
    return Prepared(volumes, manifest, hashlib.md5(rendered).hexdigest())


@pytest.fixture
def landed_folder(tmp_path):
    """
    A folder that stands for a storage account, with the drive's blobs landed.
    """
    for path, data in contents().items():
        place = tmp_path / "backups" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return tmp_path
