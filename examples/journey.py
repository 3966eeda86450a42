"""
Offline seeding from end to end on one machine, with the import service emulated.

    python examples/journey.py SOURCE --work DIR

Staging, drives, import job, datacentre, landing, verification, restore, and the first increment.
"""

from __future__ import annotations

import sys

from _narration import at_most, change, conclude, hear, import_job, is_equal, parse_arguments, step
from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerClient

import offlineseed as osd
from offlineseed.emulator import (
    BlobDestination,
    FolderDestination,
    ImportService,
    Package,
    ShippedDrive,
)
from offlineseed.manifest import parse_manifest
from offlineseed.seed import SegmentStore
from offlineseed.verify import BlobLanded, FolderLanded, LandedBlobs
from offlineseed.volumes import VolumeAdapter

VOLUMES: dict[str, VolumeAdapter] = {
    "native": osd.NativeVolumes(),
    "directory": osd.DirectoryVolumes(),
}
SMALLEST_DRIVE = 72 << 20  # BitLocker wants 64 MiB
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/backup"
ACCOUNT_ID = f"{GROUP_ID}/providers/Microsoft.Storage/storageAccounts/examplestorage"


def main() -> None:
    options = parse_arguments(VOLUMES)
    work, volumes = options.work, VOLUMES[options.volumes]

    settings = osd.SeedSettings(
        staging_location=str(work / "staging"),
        import_job_name="nightly",
        subscription_id=SUBSCRIPTION,
        storage_account="examplestorage",
        container="seed",
    )
    job = osd.StagingLocation(settings.staging_location).create(settings)
    with step("Stage the initial backup") as facts:
        small = osd.SeedOptions(segment_bytes=8 << 20)
        with job.write_seed(options=small, on_event=hear) as writer:
            writer.add_tree(options.source)
            seal = writer.seal()
        facts |= {"bytes": seal.content_bytes, "items": seal.items, "findings": seal.findings}
        facts["note"] = f"{seal.items:,} items, stored in {seal.stored_bytes:,} B"

    staged = sum(blob.length for blob in job.blobs())
    share = staged // options.drives + staged // 16 + (12 << 20)
    size = options.drive_bytes or max(share, SMALLEST_DRIVE)
    most = options.drive_bytes or share  # of a little, too, each drive gets some
    names = [f"DRIVE{number}" for number in range(1, options.drives + 1)]
    drives = [osd.Drive(drive_id=n, path=work / "drives" / n, size_bytes=size) for n in names]
    spaces = [
        osd.DriveSpace(drive_id=d.drive_id, capacity=at_most(volumes.capacity(d), most))
        for d in drives
    ]
    with step(f"Prepare the drives ({options.volumes})") as facts:
        preparer = osd.DrivePreparer(
            volumes=volumes,
            keys=osd.FileKeyStore(work / "keys.json"),
            storage_account_key=osd.Secret("ZXhhbXBsZS1rZXk="),
        )
        prepared = osd.prepare_drives(
            preparer,
            job,
            plans=osd.DrivePlanner().plan(job.blobs(), spaces),
            drives=drives,
            consents=[osd.Consent(drive_id=d.drive_id, size_bytes=d.size_bytes) for d in drives],
        )
        facts |= {"bytes": staged, "drives": len(prepared), "note": f"{len(prepared)} drives"}

    endpoint = options.blob_endpoint
    landing = BlobDestination(endpoint) if endpoint else FolderDestination(work / "landed")
    with ImportService(destination=landing) as service, import_jobs(service) as jobs:
        with step("Create the import job and ship the drives") as facts:
            jobs.create_job(import_job(settings, prepared, storage_account_id=ACCOUNT_ID))
            parcel = osd.DeliveryPackage(carrier_name="FedEx", tracking_number="1Z-EXAMPLE")
            jobs.update_shipping(job.name, parcel)
            boxes = tuple(ShippedDrive(drive_id=d.drive_id, path=d.path) for d in drives)
            service.datacenter.receive(Package(tracking_number="1Z-EXAMPLE", drives=boxes))
        with step("Upload in the datacentre") as facts:
            service.datacenter.process()
            state = jobs.get_job(job.name).state
            facts |= {"bytes": staged, "note": f"import job: {state}", "state": state}

    landed: LandedBlobs = FolderLanded(work / "landed", settings.container)
    store: SegmentStore = osd.FolderStore(work / "landed" / settings.container / job.name)
    if endpoint:
        container = ContainerClient.from_connection_string(endpoint, settings.container)
        landed, store = BlobLanded(container), osd.BlobStore(container, prefix=job.name)
    copies = (job.drive_folder(d.drive_id) / "DriveManifest.xml" for d in prepared)
    today = work / "restored"
    with osd.SeedReader(store, expected_digest=seal.digest) as reader:
        with step("Verify what landed against manifests and seal") as facts:
            manifests = [parse_manifest(copy.read_bytes()) for copy in copies]
            osd.verify_landed(landed, manifests).raise_if_failed()
            facts |= {"bytes": staged, "damaged": len(list(reader.check()))}
        with step("Restore from the landed container") as facts:
            facts["bytes"] = reader.restore(today, set_id_bits=True).content_bytes
    with step("Compare with the source") as facts:
        facts |= {"bytes": seal.content_bytes, "equal": is_equal(options.source, today)}

    change(today)
    with step("Send the first increment over the network") as facts:
        with osd.SeedReader(store, generation=0) as reader:
            catalog = work / "increment" / "catalog.sqlite"
            with osd.SeedWriter(store, catalog, baseline=reader.catalog) as writer:
                writer.add_tree(today)
                second = writer.seal()
        facts |= {"bytes": second.content_bytes, "stored": second.stored_bytes}
        facts["note"] = f"{second.stored_bytes:,} B of new segments"
    with step("Restore and compare both generations") as facts:
        for generation, original in ((0, options.source), (1, today)):
            with osd.SeedReader(store, generation=generation) as reader:
                again = work / f"restored-{generation}"
                facts["bytes"] += reader.restore(again, set_id_bits=True).content_bytes
                facts[f"equal_{generation}"] = is_equal(original, again)

    sys.exit(conclude(seal.digest, options.report))


def import_jobs(service: ImportService) -> osd.ImportExportJobs:
    return osd.ImportExportJobs(
        service.credential,
        subscription_id=SUBSCRIPTION,
        resource_group="backup",
        base_url=service.url,
    )


if __name__ == "__main__":
    try:
        main()
    except (osd.errors.OfflineSeedError, AzureError, OSError) as error:
        sys.exit(f"journey.py: {error}")
