"""
How the public API is typed, as a type checker sees it; checked by mypy, never run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from azure.storage.blob import ContainerClient
from typing_extensions import assert_type

import offlineseed
from offlineseed.bitlocker import RecoveryPassword
from offlineseed.clouds import PUBLIC, AzureCloud, cloud_of_url
from offlineseed.drives import (
    Consent,
    DrivePlan,
    DrivePlanner,
    DrivePreparer,
    DriveSpace,
    FileKeyStore,
    KeyStore,
    MemoryKeyStore,
    PreparedDrive,
    prepare_drives,
)
from offlineseed.emulator import FolderDestination, ImportService, Package, ShippedDrive
from offlineseed.errors import (
    ChunkDamagedError,
    FormatError,
    SettingsError,
    StagingLockedError,
    VerificationError,
)
from offlineseed.events import Event, FindingSeen, GenerationSealed, OnEvent, ignore_events
from offlineseed.findings import Finding, Severity
from offlineseed.handover import (
    BlobRepairs,
    FolderRepairs,
    Handover,
    HandoverRecord,
    Repairs,
    repair,
)
from offlineseed.jobs import ImportJobs, JobRegistry
from offlineseed.manifest import BlobType, parse_manifest
from offlineseed.seed import (
    BlobStore,
    ByteStream,
    Catalog,
    DamagedFrame,
    Extent,
    FolderStore,
    Item,
    LostRange,
    PrunePlan,
    Seal,
    SeedOptions,
    SeedReader,
    SeedWriter,
    SegmentStore,
    fetch_catalog,
    plan_prune,
    read_seal,
    verify_chain,
)
from offlineseed.settings import SeedSettings, check_container_name
from offlineseed.staging import StagedBlob, StagedJob
from offlineseed.testing import MemoryStore, MemoryVolumes
from offlineseed.verify import (
    BlobLanded,
    FolderLanded,
    LandedBlobs,
    VerificationFailure,
    VerificationReport,
    VerifyLevel,
    verify_drive,
    verify_landed,
)
from offlineseed.volumes import DirectoryVolumes, Drive, DriveCheck, NativeVolumes, VolumeAdapter
from offlineseed.workflow import OfflineSeed, SeedStatus


def check_version() -> None:
    assert_type(offlineseed.__version__, str)


def check_settings() -> None:
    settings = SeedSettings(
        staging_location="/srv/staging",
        import_job_name="contoso-first-backup",
        subscription_id="01234567-89ab-cdef-0123-456789abcdef",
        storage_account="contosobackups",
        container="nightly",
    )
    assert_type(settings.publish_settings_path, str | None)
    assert_type(check_container_name("nightly"), Finding | None)


def check_clouds() -> None:
    assert_type(PUBLIC, AzureCloud)
    assert_type(cloud_of_url("https://management.azure.com"), AzureCloud | None)
    assert_type(PUBLIC.blob_endpoint("contosobackups"), str)


def check_findings(finding: Finding) -> None:
    assert_type(finding.severity, Severity)


def check_errors() -> None:
    assert_type(FormatError("x").context, str)
    assert_type(SettingsError("x").findings, tuple[Finding, ...])
    assert_type(StagingLockedError("x").age_seconds, float)
    assert_type(ChunkDamagedError("x").frame_offset, int)
    error: ValueError = FormatError("x")
    raised: Exception = VerificationError("x", report=None)
    del error, raised


def check_events() -> None:
    def listener(event: Event) -> None:
        if isinstance(event, FindingSeen):
            assert_type(event.finding, Finding)
        elif isinstance(event, GenerationSealed):
            assert_type(event.content_bytes, int)

    on_event: OnEvent = listener
    on_event = ignore_events
    del on_event


def check_staging(settings: SeedSettings, stream: ByteStream) -> None:
    location = offlineseed.StagingLocation("staging")
    job = location.open_or_create(settings)
    assert_type(job, StagedJob)
    assert_type([each.name for each in location], list[str])
    with job.write_seed(options=SeedOptions(level=3), on_event=ignore_events) as writer:
        assert_type(writer, SeedWriter)
        writer.add_tree(Path("data"), prefix="data")
        writer.add_file("data/file", name="file")
        writer.add_stream(stream, "dump", mode=0o600, mtime_ns=0)
        assert_type(writer.seal(), Seal)
    assert_type(job.seal, Seal | None)
    assert_type(job.add_blob("disk.vhd", "disk.vhd", blob_type=BlobType.PAGE), StagedBlob)
    assert_type(job.blobs(), Iterator[StagedBlob])


def check_stores(container: ContainerClient) -> tuple[SegmentStore, ...]:
    return FolderStore(Path("store")), BlobStore(container, prefix="nightly"), MemoryStore()


def check_reading(store: SegmentStore) -> None:
    with SeedReader(store, generation=0, expected_digest="0" * 64) as reader:
        assert_type(reader, SeedReader)
        assert_type(reader.items("data"), Iterator[Item])
        assert_type(reader.read("data/file", 0, 10), bytes)
        assert_type(reader.open("data/file").read(), bytes)
        assert_type(reader.seal.parent, str | None)
        assert_type(reader.catalog, Catalog)
        assert_type(next(reader.catalog.extents(reader.catalog.item("x"))), Extent)
        assert_type(next(reader.check()), DamagedFrame)
        report = reader.restore(Path("target"), salvage=True)
        assert_type(report.lost, tuple[LostRange, ...])
        with SeedWriter(store, Path("catalog.sqlite"), baseline=reader.catalog) as writer:
            assert_type(writer.generation, int)


def check_fetching(store: SegmentStore) -> None:
    seal = read_seal(store, 0)
    assert_type(seal, Seal)
    fetch_catalog(store, seal, Path("baseline.sqlite"))
    assert_type(verify_chain(store, expected_digest=seal.digest), VerificationReport)


def check_pruning(store: SegmentStore) -> None:
    plan = plan_prune(store, keep=[0, 3])
    assert_type(plan, PrunePlan)
    assert_type([(each.name, each.length) for each in plan.objects], list[tuple[str, int]])
    assert_type(plan.freed_bytes, int)


def check_adapters_and_key_stores() -> tuple[tuple[VolumeAdapter, ...], tuple[KeyStore, ...]]:
    return (
        (DirectoryVolumes(may_erase=True), NativeVolumes(), MemoryVolumes()),
        (FileKeyStore(Path("keys.json")), MemoryKeyStore()),
    )


def check_drives(job: StagedJob, volumes: VolumeAdapter, keys: KeyStore) -> None:
    drive = Drive(drive_id="9WM35C2V", path=Path("drive"), size_bytes=1 << 40)
    space = DriveSpace(drive_id=drive.drive_id, capacity=volumes.capacity(drive))
    plans = DrivePlanner().plan(job.blobs(), [space])
    assert_type(plans, tuple[DrivePlan, ...])
    preparer = DrivePreparer(
        volumes=volumes,
        keys=keys,
        storage_account_key=offlineseed.Secret("key"),
        check_drive=DriveCheck(),
    )
    consent = Consent(drive_id=drive.drive_id, size_bytes=drive.size_bytes)
    prepared = preparer.prepare(job, plans[0], drive=drive, consent=consent)
    assert_type(prepared, PreparedDrive)
    assert_type(prepared.recovery_password, RecoveryPassword)
    assert_type(
        prepare_drives(preparer, job, plans=plans, drives=[drive], consents=[consent]),
        tuple[PreparedDrive, ...],
    )
    report = verify_drive(drive, volumes, recovery_password=prepared.recovery_password)
    assert_type(report, VerificationReport)


def check_landed(container: ContainerClient, manifest: bytes) -> tuple[LandedBlobs, ...]:
    landed = BlobLanded(container), FolderLanded("landed", "seed")
    report = verify_landed(landed[0], [parse_manifest(manifest)], level=VerifyLevel.SAMPLE)
    assert_type(report.failures, tuple[VerificationFailure, ...])
    assert_type(report.is_ok, bool)
    return landed


def check_the_facade_gives_what_the_rooms_give() -> None:
    assert_type(offlineseed.SeedOptions(), SeedOptions)
    assert_type(offlineseed.DirectoryVolumes(), DirectoryVolumes)


def check_emulator() -> None:
    with ImportService(destination=FolderDestination("landed")) as service:
        assert_type(service.url, str)
        box = ShippedDrive(drive_id="9WM35C2V", path=Path("drive"))
        receipt = service.datacenter.receive(Package(tracking_number="1Z", drives=[box]))
        assert_type(receipt.received, tuple[str, ...])


def check_hand_over(job: StagedJob, landed: LandedBlobs, store: SegmentStore) -> None:
    handover = Handover(job, landed, store=store)
    assert_type(handover.verify(expected_digest="0" * 64), VerificationReport)

    def take(container: LandedBlobs, reader: SeedReader | None) -> None:
        assert_type(container.container, str)
        if reader is not None:
            reader.restore("vault")

    assert_type(handover.hand_over(take), HandoverRecord)


def check_repair(job: StagedJob, manifest: bytes, container: ContainerClient) -> None:
    places: tuple[Repairs, ...] = (BlobRepairs(container), FolderRepairs("landed", "seed"))
    report = repair(job, parse_manifest(manifest), places[0], log=None)
    assert_type(report.uploaded_bytes, int)


def check_workflow(settings: SeedSettings, jobs: ImportJobs, preparer: DrivePreparer) -> None:
    seed = OfflineSeed.initiate(settings, registry=JobRegistry(Path("state")))
    assert_type(seed, OfflineSeed)
    assert_type(seed.stage(Path("data")), Seal)
    assert_type(seed.preflight(jobs=jobs), tuple[Finding, ...])
    assert_type(seed.prepare(preparer, [], consents=[]), tuple[PreparedDrive, ...])
    assert_type(seed.problems(), tuple[Finding, ...])
    assert_type(seed.status(jobs), SeedStatus)
    assert_type(list(OfflineSeed.waiting(JobRegistry("state"))), list[OfflineSeed])
