import io
import random
import shutil

import attrs
import pytest

from offlineseed.jobs import BlobCopyResult, CopyLog, PartCopyResult
from offlineseed.manifest import (
    BlobList,
    BlobType,
    BlockHasher,
    DriveManifest,
    ManifestBlob,
    PageHasher,
    file_path_of,
)
from offlineseed.settings import SeedSettings
from offlineseed.staging import StagingLocation

MIB = 1 << 20
CONTENTS = {
    "dump.bak": random.Random(1).randbytes(4 * MIB + 100),
    "disk.vhd": random.Random(2).randbytes(4096) + bytes(2 * MIB) + b"x" * 4096,
    "empty": b"",
}


def listed(path, data):
    is_page = path.endswith(".vhd")
    hasher = PageHasher() if is_page else BlockHasher()
    hasher.update(data)
    parts = hasher.finish()
    return ManifestBlob(
        blob_path=f"backups/{path}",
        file_path=file_path_of(path),
        length=len(data),
        blocks=None if is_page else parts,
        page_ranges=parts if is_page else None,
    )


@attrs.frozen(kw_only=True)
class Bench:
    """
    A staged job, the manifest of its one drive, and a folder where its blobs are to land.
    """

    folder: object
    job: object
    manifest: DriveManifest

    contents = CONTENTS

    def land(self, *paths, **other):
        for path in paths:
            other[path] = CONTENTS[path]
        for path, data in other.items():
            file = self.folder / "backups" / path.replace("__", " ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def landed(self, path):
        return (self.folder / "backups" / path).read_bytes()

    def blob(self, path):
        return next(
            blob
            for blob_list in self.manifest.blob_lists
            for blob in blob_list.blobs
            if blob.blob_path == f"backups/{path}"
        )

    def result(self, path, *, failed=(), disposition="Created", kept="Completed", **changes):
        """
        What a copy log says of a blob some of whose parts failed.
        """
        blob = self.blob(path)
        values = {
            "blob_path": blob.blob_path,
            "file_path": blob.file_path,
            "status": "CompletedWithErrors",
            "disposition_status": disposition,
            "is_page_blob": blob.page_ranges is not None,
            "parts": [
                PartCopyResult(
                    offset=part.offset,
                    length=part.length,
                    status="Corrupted" if index in failed else kept,
                )
                for index, part in enumerate(blob.blocks or blob.page_ranges or ())
            ],
        }
        return BlobCopyResult(**(values | changes))

    def log(self, *results, **changes):
        values = {"drive_id": "A", "status": "CompletedWithErrors", "blobs": results}
        return CopyLog(**(values | changes))


@pytest.fixture(scope="session")
def staged(tmp_path_factory):
    """
    A staging location with the contents as opaque blobs.
    """
    folder = tmp_path_factory.mktemp("staged")
    job = StagingLocation(folder / "staging").create(
        SeedSettings(
            staging_location=str(folder / "staging"),
            import_job_name="nightly",
            subscription_id="01234567-89ab-cdef-0123-456789abcdef",
            storage_account="seedaccount",
            container="backups",
        )
    )
    for path, data in CONTENTS.items():
        kind = BlobType.PAGE if path.endswith(".vhd") else BlobType.BLOCK
        job.add_blob(io.BytesIO(data), path, blob_type=kind)
    return folder / "staging"


@pytest.fixture
def bench(tmp_path, staged):
    shutil.copytree(staged, tmp_path / "staging")
    job = StagingLocation(tmp_path / "staging").open("nightly")
    blobs = [listed(path, data) for path, data in CONTENTS.items()]
    manifest = DriveManifest(drive_id="A", blob_lists=[BlobList(blobs=blobs)])
    return Bench(folder=tmp_path / "account", job=job, manifest=manifest)
