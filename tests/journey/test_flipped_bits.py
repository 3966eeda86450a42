"""
One bit flips on the way, in each place where a seed lies: it is found and named.
"""

import hashlib
import os

import pytest

import offlineseed as osd
from offlineseed.manifest import parse_manifest
from offlineseed.verify import FolderLanded, verify_drive

MIB = 1 << 20
BLOCK = 4 * MIB
SEGMENT = "segments/g0000-000000.zst"
BLOB = f"nightly/{SEGMENT}"


@pytest.fixture
def job(tmp_path):
    staging = tmp_path / "staging"
    job = osd.StagingLocation(staging).create(
        osd.SeedSettings(
            staging_location=str(staging),
            import_job_name="nightly",
            subscription_id="00000000-0000-0000-0000-000000000000",
            storage_account="examplestorage",
            container="seed",
        )
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "large").write_bytes(os.urandom(9 * MIB))
    with job.write_seed() as writer:
        writer.add_tree(tmp_path / "data")
        writer.seal()
    return job


def prepare(job, tmp_path, volumes):
    drive = osd.Drive(drive_id="9WM35C2V", path=tmp_path / "drive", size_bytes=72 * MIB)
    space = osd.DriveSpace(drive_id=drive.drive_id, capacity=volumes.capacity(drive))
    (plan,) = osd.DrivePlanner().plan(job.blobs(), [space])
    preparer = osd.DrivePreparer(
        volumes=volumes,
        keys=osd.FileKeyStore(tmp_path / "keys.json"),
        storage_account_key=osd.Secret("ZXhhbXBsZS1rZXk="),
    )
    consent = osd.Consent(drive_id=drive.drive_id, size_bytes=drive.size_bytes)
    return drive, preparer.prepare(job, plan, drive=drive, consent=consent)


def flip(path, position):
    with path.open("r+b") as file:
        file.seek(position)
        (byte,) = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 0x04]))


def block_hash(path, offset):
    with path.open("rb") as file:
        file.seek(offset)
        return hashlib.md5(file.read(BLOCK)).hexdigest().upper()


def only(report):
    (failure,) = report.failures
    return failure


def test_bit_flipped_in_a_segment_is_named_by_segment_frame_and_item(job, tmp_path):
    store = osd.FolderStore(tmp_path / "staging" / "nightly")
    with osd.SeedReader(store) as reader:
        flip(store.root / SEGMENT, 5 * MIB)

        (damage,) = reader.check()
        with pytest.raises(osd.errors.ChunkDamagedError) as caught:
            reader.restore(tmp_path / "restored")

    assert damage.segment == SEGMENT
    assert 0 <= 5 * MIB - damage.offset <= MIB
    assert len(damage.expected) == 64
    assert damage.found not in ("", damage.expected)
    assert caught.value.item == "large"
    assert (caught.value.segment, caught.value.frame_offset) == (SEGMENT, damage.offset)
    assert caught.value.expected == damage.expected


def test_bit_flipped_in_the_catalog_is_named_before_anything_is_read(job, tmp_path):
    store = osd.FolderStore(tmp_path / "staging" / "nightly")
    name = "catalogs/g0000.sqlite.zst"
    flip(store.root / name, (store.root / name).stat().st_size // 2)

    with pytest.raises(osd.errors.CatalogError, match=name):
        osd.SeedReader(store)


def test_bit_flipped_in_a_drives_file_is_named_by_file_and_block(job, tmp_path):
    volumes = osd.DirectoryVolumes()
    drive, prepared = prepare(job, tmp_path, volumes)
    place = drive.path / BLOB
    expected = block_hash(place, BLOCK)
    flip(place, BLOCK + 77)

    failure = only(verify_drive(drive, volumes, recovery_password=prepared.recovery_password))

    assert (failure.code, failure.subject) == ("range-differs", BLOB)
    assert (failure.offset, failure.length) == (BLOCK, BLOCK)
    assert (failure.expected, failure.found) == (expected, block_hash(place, BLOCK))


def test_bit_flipped_under_encryption_is_named_by_file_and_block(job, tmp_path):
    volumes = osd.NativeVolumes()
    drive, prepared = prepare(job, tmp_path, volumes)
    image = drive.path.read_bytes()
    # Where most of the disk is used lies the one large file.
    used = [at for at in range(0, len(image), 1 << 16) if any(image[at : at + 512])]
    flip(drive.path, used[len(used) // 2])

    failure = only(verify_drive(drive, volumes, recovery_password=prepared.recovery_password))

    assert (failure.code, failure.subject) == ("range-differs", BLOB)
    assert failure.offset % BLOCK == 0
    assert failure.expected == block_hash(job_blob(tmp_path), failure.offset)
    assert failure.found not in ("", failure.expected)


def test_bit_flipped_in_a_landed_blob_is_named_by_blob_and_block(job, tmp_path):
    drive, prepared = prepare(job, tmp_path, osd.DirectoryVolumes())
    landing = tmp_path / "landed"
    for blob in job.blobs():
        place = landing / "seed" / blob.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((drive.path / blob.path).read_bytes())
    place = landing / "seed" / BLOB
    flip(place, 2 * BLOCK + 5)
    copy = job.drive_folder(prepared.drive_id) / "DriveManifest.xml"

    report = osd.verify_landed(FolderLanded(landing, "seed"), [parse_manifest(copy.read_bytes())])

    failure = only(report)
    assert (failure.code, failure.subject) == ("range-differs", f"seed/{BLOB}")
    assert failure.offset == 2 * BLOCK
    assert failure.expected == block_hash(job_blob(tmp_path), 2 * BLOCK)
    assert failure.found == block_hash(place, 2 * BLOCK)


def job_blob(tmp_path):
    return tmp_path / "staging" / BLOB
