"""
What must be so before the workflow, or its next step, begins: every rule over facts. Pure.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import final

import attrs

from offlineseed.findings import Finding, Severity
from offlineseed.settings import SeedSettings, check_container_name
from offlineseed.workflow._machine import Machine
from offlineseed.workflow._workload import Workload, check_workload

__all__ = ["PreflightFacts", "check_preflight"]


def _findings(value: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(value)


def _drive_ids(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


@final
@attrs.frozen(kw_only=True)
class PreflightFacts:
    """
    What is known. What is None was not asked, and is not judged.
    """

    settings: SeedSettings
    """The wizard's inputs."""
    workload: Workload | None = None
    """What is backed up."""
    location: str | None = None
    """The path by which this machine opened the staging location."""
    is_reachable: bool | None = None
    """Whether the staging location is a folder that can be written to."""
    free_bytes: int | None = None
    """What it has free."""
    needed_bytes: int | None = None
    """What the backup is going to need, at most: the article says, as much as the source has."""
    source: Machine | None = None
    """The source machine."""
    copy_machine: Machine | None = None
    """The machine that prepares the drives."""
    drive_ids: tuple[str, ...] | None = attrs.field(default=None, converter=_drive_ids)
    """Drives that are attached for it."""
    probed: tuple[Finding, ...] = attrs.field(default=(), converter=_findings)
    """What probing drives, tools and the account brought up."""


def check_preflight(facts: PreflightFacts) -> tuple[Finding, ...]:
    """
    Check all facts and return everything that is wrong, errors and warnings, at once.
    """
    return tuple(_check(facts))


def _check(facts: PreflightFacts) -> Iterator[Finding]:
    for finding in (
        check_workload(facts.workload) if facts.workload else None,
        check_container_name(facts.settings.container),
    ):
        if finding:
            yield finding
    yield from _check_staging(facts)
    yield from _check_machines(facts)
    yield from _check_drives(facts)
    yield from facts.probed


def _check_staging(facts: PreflightFacts) -> Iterator[Finding]:
    wanted, location = facts.settings.staging_location, facts.location
    if location is not None and _plain(location) != _plain(wanted):
        yield Finding(
            code="staging-path-differs",
            subject="staging_location",
            message=(
                f"the job was initiated at {wanted!r} and is opened at {location!r}: open it by "
                "the same network path, so that every machine means the same"
            ),
            severity=Severity.WARNING,
        )
    if facts.is_reachable is False:
        yield Finding(
            code="staging-not-reachable",
            subject="staging_location",
            message=(
                f"{location or wanted!r} is no folder that this machine can write to: connect the "
                "share, make the folder, or give this account access"
            ),
        )
    free, needed = facts.free_bytes, facts.needed_bytes
    if free is not None and needed is not None and free < needed:
        yield Finding(
            code="staging-too-small",
            subject="staging_location",
            message=(
                f"{location or wanted!r} has {free} bytes free and the backup may need {needed}: "
                "make room, or choose another staging location"
            ),
        )


def _check_machines(facts: PreflightFacts) -> Iterator[Finding]:
    source, copy = facts.source, facts.copy_machine
    if copy is None:
        return
    if source is not None and source.is_virtual and source.host == copy.host:
        yield Finding(
            code="source-is-virtual",
            subject=copy.host,
            message=(
                "the source machine is a virtual machine: prepare the drives on another, physical "
                "machine"
            ),
        )
    elif copy.is_virtual:
        is_forbidden = source is not None and bool(source.is_virtual)
        yield Finding(
            code="copy-machine-is-virtual",
            subject=copy.host,
            message=(
                f"{copy.host} is a virtual machine ({copy.product or 'by its processor'}): prepare "
                "the drives on a physical machine, to which they are attached themselves"
            ),
            severity=Severity.ERROR if is_forbidden else Severity.WARNING,
        )


def _check_drives(facts: PreflightFacts) -> Iterator[Finding]:
    ids = facts.drive_ids
    if ids is None:
        return
    if not ids:
        yield Finding(
            code="drive-missing",
            subject="drives",
            message="no drive is attached: attach an internal SATA disk or SSD, 2.5 or 3.5 inch",
        )
    for drive_id in sorted({one for one in ids if ids.count(one) > 1}):
        yield Finding(
            code="drive-twice",
            subject=drive_id,
            message=f"drive {drive_id} is given twice: give each drive once",
        )


def _plain(path: str) -> str:
    return os.path.normcase(os.path.normpath(path))
