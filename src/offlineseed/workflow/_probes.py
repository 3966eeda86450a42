"""
Finding out what the preflight rules ask: the staging location, drives, tools, service, account.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import ContainerClient

from offlineseed.errors import AdapterUnavailableError, OfflineSeedError
from offlineseed.findings import Finding
from offlineseed.jobs import ImportJobs
from offlineseed.settings import SeedSettings
from offlineseed.volumes import Drive, VolumeAdapter
from offlineseed.workflow._machine import Machine
from offlineseed.workflow._preflight import PreflightFacts, check_preflight
from offlineseed.workflow._workload import Workload

__all__ = ["CheckDrive", "preflight"]

CheckDrive = Callable[[Drive], Iterable[Finding]]
"""Says what is wrong with a drive, as `DrivePreparer.check_drive` does."""


def preflight(
    settings: SeedSettings,
    *,
    location: str | os.PathLike[str] | None = None,
    workload: Workload | None = None,
    needed_bytes: int | None = None,
    source: Machine | None = None,
    copy_machine: Machine | None = None,
    drives: Iterable[Drive] | None = None,
    volumes: VolumeAdapter | None = None,
    check_drive: CheckDrive | None = None,
    jobs: ImportJobs | None = None,
    container: ContainerClient | None = None,
) -> tuple[Finding, ...]:
    """
    Check everything that can be checked before a step, and return all that is wrong at once.

    What is None is not checked. Nothing is changed.

    Args:
        settings: the wizard's inputs.
        location: the path by which this machine reaches the staging location; by default that of
            the settings.
        workload: what is backed up.
        needed_bytes: how much the source has; the staging location needs that at most.
        source: the source machine.
        copy_machine: the machine that is to prepare the drives.
        drives: drives that are attached to it.
        volumes: makes their volumes; asked whether its tools are there.
        check_drive: says which drives must not be used.
        jobs: the import service; asked once, with its credential.
        container: where the data will land; asked whether the account answers.
    """
    path = settings.staging_location if location is None else os.fspath(location)
    is_reachable, free = _probe_staging(Path(path))
    attached = None if drives is None else tuple(drives)
    probed = list(_probe_drives(attached or (), volumes, check_drive))
    if jobs is not None:
        probed += _probe_service(jobs)
    if container is not None:
        probed += _probe_account(container)
    return check_preflight(
        PreflightFacts(
            settings=settings,
            workload=workload,
            location=path,
            is_reachable=is_reachable,
            free_bytes=free,
            needed_bytes=needed_bytes,
            source=source,
            copy_machine=copy_machine,
            drive_ids=None if attached is None else [drive.drive_id for drive in attached],
            probed=probed,
        )
    )


def _probe_staging(location: Path) -> tuple[bool, int | None]:
    """
    Return whether the staging location can be written to, and what it has free.

    A folder that is not there yet is judged by the one above it.
    """
    try:
        folder = location if location.exists() else location.parent
        is_reachable = folder.is_dir() and os.access(folder, os.W_OK)
        return is_reachable, shutil.disk_usage(folder).free if is_reachable else None
    except OSError:
        return False, None


def _probe_drives(
    drives: Iterable[Drive], volumes: VolumeAdapter | None, check_drive: CheckDrive | None
) -> Iterator[Finding]:
    """
    Yield what keeps drives from being prepared here: tools that are missing, drives out of bounds.
    """
    missing: set[str] = set()
    for drive in drives:
        if check_drive is not None:
            yield from check_drive(drive)
        if volumes is None:
            continue
        try:
            volumes.capacity(drive)
        except AdapterUnavailableError as error:
            if str(error) not in missing:
                missing.add(str(error))
                yield Finding(code="tool-missing", subject="volumes", message=str(error))
        except (OSError, OfflineSeedError) as error:
            yield Finding(
                code="drive-not-reachable",
                subject=drive.drive_id,
                message=f"drive {drive.drive_id} can't be looked at: {error}; attach it again",
            )


def _probe_service(jobs: ImportJobs) -> Iterator[Finding]:
    """
    Yield what keeps the import service from answering this credential.
    """
    try:
        next(iter(jobs.list_jobs()), None)
    except AzureError as error:
        yield _refusal("service", "the import service", error)


def _probe_account(container: ContainerClient) -> Iterator[Finding]:
    """
    Yield what keeps the storage account from answering; the container need not be there yet.
    """
    try:
        container.exists()
    except AzureError as error:
        name = f"storage account {container.account_name}"
        yield _refusal("account", name, error)


def _refusal(kind: str, name: str, error: AzureError) -> Finding:
    # Without the error's text: that may repeat what was sent.
    if isinstance(error, HttpResponseError) and error.status_code in (401, 403):
        return Finding(
            code=f"{kind}-credentials-refused",
            subject=kind,
            message=(
                f"{name} refuses the credentials with status {error.status_code}: sign in with an "
                "account that may use it, or get the publish settings file anew"
            ),
        )
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return Finding(
            code=f"{kind}-not-reachable",
            subject=kind,
            message=f"{name} does not answer: check this machine's network, proxy and firewall",
        )
    status = getattr(error, "status_code", None) or type(error).__name__
    return Finding(
        code=f"{kind}-refused",
        subject=kind,
        message=f"{name} answers {status}: check its name and that it is in the subscription",
    )
