"""
How import jobs are typed, as a type checker sees it; checked by mypy, never run.
"""

from __future__ import annotations

from collections.abc import Iterator

from azure.core.credentials import TokenCredential
from typing_extensions import assert_type

from offlineseed._secret import Secret
from offlineseed.bitlocker import RecoveryPassword
from offlineseed.jobs import (
    ClassicJobs,
    DataBoxJobs,
    DriveState,
    ImportExportJobs,
    ImportJob,
    ImportJobs,
    JobDrive,
    JobState,
    parse_copy_log,
)
from offlineseed.publishsettings import ManagementCertificate


def check_every_client_is_an_import_jobs(
    credential: TokenCredential, certificate: ManagementCertificate
) -> tuple[ImportJobs, ...]:
    return (
        DataBoxJobs(credential, subscription_id="s", resource_group="g", retry_total=5),
        ImportExportJobs(credential, subscription_id="s", resource_group="g"),
        ClassicJobs(certificate, subscription_id="s", storage_account="a"),
    )


def check_snapshots(jobs: ImportJobs) -> None:
    assert_type(jobs.list_jobs(), Iterator[ImportJob])
    job = jobs.get_job("seed-1")
    assert_type(job.state, JobState | str)
    assert_type(job.drives[0].state, DriveState | str)
    assert_type(job.drives[0].recovery_password, Secret | None)
    assert_type(job.is_terminal, bool)


def check_drives(password: RecoveryPassword) -> JobDrive:
    return JobDrive(drive_id="9CA995BF", recovery_password=password)


def check_copy_logs(data: bytes) -> None:
    assert_type(parse_copy_log(data).failed_blobs()[0].parts_to_upload[0].offset, int)
