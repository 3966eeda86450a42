"""
Repair through azure-storage-blob, in a real Azurite: block lists and page ranges.
"""

import random

import attrs
import pytest
from azure.storage.blob import BlobServiceClient

from offlineseed._secret import Secret
from offlineseed.drives import Consent, DrivePreparer, MemoryKeyStore
from offlineseed.emulator import BlobDestination, ImportService, Package, ShippedDrive
from offlineseed.handover import BlobRepairs, read_drive_logs, repair
from offlineseed.jobs import (
    BlobCopyResult,
    CopyLog,
    DeliveryPackage,
    ImportExportJobs,
    PartCopyResult,
    ReturnAddress,
    ReturnShipping,
)
from offlineseed.manifest import (
    BlobList,
    BlobType,
    BlockHasher,
    DriveManifest,
    ManifestBlob,
)
from offlineseed.settings import SeedSettings
from offlineseed.volumes import DirectoryVolumes, Drive
from offlineseed.workflow import Machine, OfflineSeed

MIB = 1 << 20
SUBSCRIPTION = "01234567-89ab-cdef-0123-456789abcdef"
BLOCKS = random.Random(1).randbytes(9 * MIB)
PAGES = random.Random(2).randbytes(4096) + bytes(2 * MIB) + random.Random(3).randbytes(4096)
SMALL = random.Random(4).randbytes(140 * 512)


@pytest.fixture
def account(azurite):
    with BlobServiceClient.from_connection_string(azurite) as account:
        yield account


@pytest.fixture
def container(account):
    container = account.get_container_client("repaired")
    yield container
    container.delete_container()


@pytest.fixture
def seed(tmp_path):
    seed = OfflineSeed.initiate(
        SeedSettings(
            staging_location=str(tmp_path / "staging"),
            import_job_name="nightly",
            subscription_id=SUBSCRIPTION,
            storage_account="seedaccount",
            container="repaired",
        ),
        source=Machine(host="source"),
    )
    for path, data, kind in (
        ("dump.bak", BLOCKS, BlobType.BLOCK),
        ("disk.vhd", PAGES, BlobType.PAGE),
        ("lost.bak", SMALL, BlobType.BLOCK),
        ("small.bin", SMALL, BlobType.BLOCK),
    ):
        (tmp_path / "content").write_bytes(data)
        seed.job.add_blob(tmp_path / "content", path, blob_type=kind)
    return seed


def test_job_that_failed_in_part_is_completed(tmp_path, azurite, account, container, seed):
    drive = Drive(drive_id="A", path=tmp_path / "drive", size_bytes=64 * MIB)
    keys = MemoryKeyStore()
    preparer = DrivePreparer(
        volumes=DirectoryVolumes(), keys=keys, storage_account_key=Secret("a2V5")
    )
    seed.prepare(preparer, [drive], consents=[Consent(drive_id="A", size_bytes=64 * MIB)])
    with (
        BlobDestination(azurite) as landing,
        ImportService(destination=landing) as service,
        ImportExportJobs(
            service.credential,
            subscription_id=SUBSCRIPTION,
            resource_group="rg",
            base_url=service.url,
        ) as jobs,
    ):
        seed.create_job(
            jobs,
            keys=keys,
            region="westeurope",
            storage_account=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers"
            "/Microsoft.Storage/storageAccounts/seedaccount",
            return_address=ReturnAddress(
                recipient_name="Contoso",
                street_address1="Street 1",
                city="Utrecht",
                postal_code="3511 AA",
                country_or_region="NL",
                phone="1",
                email="a@example.com",
            ),
            return_shipping=ReturnShipping(carrier_name="FedEx", carrier_account_number="1"),
        )
        seed.update_shipping(
            jobs,
            DeliveryPackage(carrier_name="FedEx", tracking_number="1Z", ship_date="2026-03-01"),
        )
        service.faults.corrupt_block("A", "repaired/dump.bak", 1)
        service.faults.corrupt_block("A", "repaired/disk.vhd", 1)
        service.faults.lose_file("A", "repaired/lost.bak")
        box = ShippedDrive(drive_id="A", path=drive.path)
        service.datacenter.receive(Package(tracking_number="1Z", drives=[box]))
        service.datacenter.process()
        seed.status(jobs)

    def read_logs(drive):
        return read_drive_logs(drive, account)

    assert container.get_blob_client("dump.bak").get_blob_properties().size < len(BLOCKS)
    small_etag = container.get_blob_client("small.bin").get_blob_properties().etag
    subjects = {finding.subject for finding in seed.problems(read_logs)}
    assert subjects >= {"repaired/dump.bak", "repaired/disk.vhd", "repaired/lost.bak"}

    (report,) = seed.repair(BlobRepairs(container), read_logs=read_logs)

    assert report.is_ok
    uploaded = {
        one.blob_path.partition("/")[2]: (one.parts, one.uploaded_parts) for one in report.repaired
    }
    assert uploaded == {"dump.bak": (3, 1), "disk.vhd": (2, 1), "lost.bak": (1, 1)}
    assert container.download_blob("dump.bak").readall() == BLOCKS
    assert container.download_blob("disk.vhd").readall() == PAGES
    assert container.download_blob("lost.bak").readall() == SMALL
    assert container.get_blob_client("small.bin").get_blob_properties().etag == small_etag


@pytest.fixture
def many_blocks():
    # Ids from 128 on are no text when they are decoded.
    hasher = BlockHasher(block_bytes=512)
    hasher.update(SMALL)
    return ManifestBlob(
        blob_path="repaired/small.bin",
        file_path="\\small.bin",
        length=len(SMALL),
        blocks=hasher.finish(),
    )


def log_of(blob, *, failed, kept):
    parts = [
        PartCopyResult(
            offset=block.offset,
            length=block.length,
            status="Corrupted" if index in failed else kept,
            id=block.id,
        )
        for index, block in enumerate(blob.blocks)
    ]
    result = BlobCopyResult(
        blob_path=blob.blob_path,
        file_path=blob.file_path,
        status="CompletedWithErrors",
        disposition_status="Created",
        parts=parts,
    )
    return CopyLog(drive_id="A", status="CompletedWithErrors", blobs=[result])


@pytest.mark.parametrize("kept", ["Committed", "Uncommitted"])
def test_blocks_that_the_destination_keeps_are_used(container, seed, many_blocks, kept):
    manifest = DriveManifest(drive_id="A", blob_lists=[BlobList(blobs=[many_blocks])])
    destination = BlobRepairs(container)
    failed = {3, 130, 139}
    # What the service leaves behind: good blocks, committed or not.
    upload = destination.begin("small.bin", many_blocks)
    good = [block for index, block in enumerate(many_blocks.blocks) if index not in failed]
    for block in good:
        upload.put(block, SMALL[block.offset : block.offset + block.length])
    if kept == "Committed":
        destination.begin("small.bin", attrs.evolve(many_blocks, blocks=good)).commit()

    report = repair(
        seed.job, manifest, destination, log=log_of(many_blocks, failed=failed, kept=kept)
    )

    assert report.is_ok
    assert [blob.uploaded_parts for blob in report.repaired] == [len(failed)]
    assert container.download_blob("small.bin").readall() == SMALL


def test_blocks_of_an_older_blob_are_not_taken_for_lost_ones(container, seed, many_blocks):
    """
    An old blob has blocks of the same ids; the new ones were never committed and are gone.
    """
    manifest = DriveManifest(drive_id="A", blob_lists=[BlobList(blobs=[many_blocks])])
    destination = BlobRepairs(container)
    upload = destination.begin("small.bin", many_blocks)
    for block in many_blocks.blocks:
        upload.put(block, bytes(block.length))
    upload.commit()
    log = log_of(many_blocks, failed={3}, kept="Uncommitted")

    report = repair(seed.job, manifest, destination, log=log)

    assert report.is_ok
    assert report.repaired[0].uploaded_parts == len(many_blocks.blocks)
    assert container.download_blob("small.bin").readall() == SMALL
