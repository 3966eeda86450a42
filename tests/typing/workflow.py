"""
How the workflow and what follows it are typed, as a type checker sees it; checked, never run.
"""

from __future__ import annotations

from azure.storage.blob import BlobServiceClient, ContainerClient
from typing_extensions import assert_type

import offlineseed
from offlineseed.drives import DrivePreparer, KeyStore, PreparedDrive
from offlineseed.findings import Finding
from offlineseed.handover import (
    BlobRepairs,
    FolderRepairs,
    HandoverRecord,
    RepairReport,
    Repairs,
    read_drive_logs,
)
from offlineseed.jobs import Deadline, ImportJob, ImportJobs
from offlineseed.seed import Seal, SeedReader
from offlineseed.verify import LandedBlobs
from offlineseed.volumes import Drive
from offlineseed.workflow import Allotment, OfflineSeed, SeedStatus, SeedStep


def check_every_destination_can_be_repaired(container: ContainerClient) -> tuple[Repairs, ...]:
    return (BlobRepairs(container), FolderRepairs("landed", "backups"))


def check_steps(
    seed: OfflineSeed, jobs: ImportJobs, preparer: DrivePreparer, keys: KeyStore, drive: Drive
) -> None:
    assert_type(seed.stage("data"), Seal)
    assert_type(seed.stage(lambda writer: writer.add_file("data")), Seal)
    assert_type(seed.plan(preparer.volumes, [drive]), Allotment)
    assert_type(seed.prepare(preparer, [drive], consents=[]), tuple[PreparedDrive, ...])
    assert_type(seed.create_job(jobs, keys=keys, region="westeurope"), ImportJob)
    assert_type(seed.status(jobs), SeedStatus)
    assert_type(seed.status().step, SeedStep)
    assert_type(seed.deadlines(), tuple[Deadline, ...])


def check_what_follows(
    seed: OfflineSeed, container: ContainerClient, account: BlobServiceClient
) -> None:
    assert_type(seed.problems(lambda drive: read_drive_logs(drive, account)), tuple[Finding, ...])
    assert_type(seed.repair(BlobRepairs(container)), tuple[RepairReport, ...])

    def take(landed: LandedBlobs, reader: SeedReader | None) -> None:
        assert reader is not None

    handover = seed.handover(BlobRepairs(container).landed)
    assert_type(handover.hand_over(take), HandoverRecord)


def check_facade() -> type[OfflineSeed]:
    return offlineseed.OfflineSeed
