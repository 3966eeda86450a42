"""
What the workflow keeps in a job's folder: `workflow.json` and `job.json`. Pure; no secrets.

`job.json` is the import job as last seen. It holds neither recovery passwords nor anything that the
library does not know the meaning of, and addresses of logs lose their query, which may be a SAS.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any, final

import attrs

from offlineseed.drives import DrivePlan
from offlineseed.errors import FormatError, OfflineSeedError
from offlineseed.jobs import (
    DeliveryPackage,
    ImportJob,
    JobDrive,
    JobState,
    ReturnAddress,
    ReturnShipping,
    ShippingInformation,
    WaitingJob,
)
from offlineseed.volumes import Drive
from offlineseed.workflow._allotment import AllottedDrive
from offlineseed.workflow._machine import Machine
from offlineseed.workflow._workload import Workload

__all__ = [
    "JOB_FILE",
    "SHIPPING_FILE",
    "WORKFLOW_FILE",
    "SeenJob",
    "WorkflowRecord",
    "parse_seen_job",
    "parse_workflow",
    "render_seen_job",
    "render_workflow",
]

WORKFLOW_FILE = "workflow.json"
"""What is backed up, the source machine, and each drive's share."""

JOB_FILE = "job.json"
"""The import job as last seen."""

SHIPPING_FILE = "shipping.json"
"""The shipping information as it was entered."""

_FORMAT = 1
_NESTED: dict[str, type[Any]] = {
    "return_address": ReturnAddress,
    "return_shipping": ReturnShipping,
    "delivery_package": DeliveryPackage,
    "return_package": DeliveryPackage,
    "shipping_information": ShippingInformation,
}
_URIS = ("verbose_log_uri", "error_log_uri", "manifest_uri", "incomplete_blob_list_uri")


def _drives(value: Iterable[AllottedDrive]) -> tuple[AllottedDrive, ...]:
    return tuple(value)


@final
@attrs.frozen(kw_only=True)
class WorkflowRecord:
    """
    The content of `workflow.json`.
    """

    workload: Workload = Workload.FILES_AND_FOLDERS
    """What is backed up."""
    source: Machine | None = None
    """The source machine; None for a job that another program initiated."""
    drives: tuple[AllottedDrive, ...] = attrs.field(default=(), converter=_drives)
    """The drives and their shares."""


@final
@attrs.frozen(kw_only=True)
class SeenJob:
    """
    The content of `job.json`.
    """

    job: ImportJob
    """The job, without secrets."""
    seen_at: dt.datetime
    """When it was seen, aware."""
    created_at: dt.datetime
    """When it was created, or first seen."""
    updated_at: dt.datetime | None = None
    """When it was last changed while it was in `Creating`."""
    shipped_at: dt.datetime | None = None
    """When the shipping information was given."""
    ended_at: dt.datetime | None = None
    """When it was first seen completed or closed."""

    def seen(self, job: ImportJob, now: dt.datetime) -> SeenJob:
        """
        Return what a newer snapshot makes of it.
        """
        has_shipped = job.state != JobState.CREATING
        return attrs.evolve(
            self,
            job=job,
            seen_at=now,
            shipped_at=self.shipped_at or (now if has_shipped else None),
            ended_at=self.ended_at or (now if job.is_terminal else None),
        )

    def entry(self, staging_location: str) -> WaitingJob:
        """
        Return the job as an entry of the registry.
        """
        job = self.job
        package = job.delivery_package
        return WaitingJob(
            name=job.name,
            staging_location=staging_location,
            scope=job.id.partition("/providers/")[0] or job.storage_account,
            state=job.state,
            tracking_number=package.tracking_number if package else "",
            created_at=self.created_at,
            updated_at=self.updated_at,
            shipped_at=self.shipped_at,
            ended_at=self.ended_at,
        )


def render_workflow(record: WorkflowRecord) -> bytes:
    """
    Render `workflow.json`.
    """
    drives = [
        {
            "drive_id": one.drive_id,
            "size_bytes": one.size_bytes,
            "runs": one.plan.runs,
            "blobs": one.plan.blobs,
            "total_bytes": one.plan.total_bytes,
            "digest": one.plan.digest,
        }
        for one in record.drives
    ]
    return _render(
        {
            "format": _FORMAT,
            "workload": record.workload.value,
            "source": None if record.source is None else attrs.asdict(record.source),
            "drives": drives,
        }
    )


def parse_workflow(data: bytes) -> WorkflowRecord:
    """
    Parse `workflow.json`.

    Raises:
        FormatError: it is damaged or of a newer format.
    """
    try:
        document = _document(data)
        return WorkflowRecord(
            workload=Workload(document["workload"]),
            source=None if document["source"] is None else Machine(**document["source"]),
            drives=[_allotted(entry) for entry in document["drives"]],
        )
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise _damaged(
            WORKFLOW_FILE, "restore it from a backup, or initiate the job anew"
        ) from error


def _allotted(entry: dict[str, Any]) -> AllottedDrive:
    # A drive's id names a folder: whoever can write to the share must not choose which.
    drive = Drive(drive_id=entry["drive_id"], path=".", size_bytes=entry["size_bytes"])
    return AllottedDrive(
        plan=DrivePlan(
            drive_id=drive.drive_id,
            runs=tuple((int(first), int(stop)) for first, stop in entry["runs"]),
            blobs=entry["blobs"],
            total_bytes=entry["total_bytes"],
            digest=entry["digest"],
        ),
        size_bytes=drive.size_bytes,
    )


def render_seen_job(seen: SeenJob) -> bytes:
    """
    Render `job.json`.
    """
    document: dict[str, Any] = {"format": _FORMAT}
    for name in ("seen_at", "created_at", "updated_at", "shipped_at", "ended_at"):
        moment = getattr(seen, name)
        document[name] = None if moment is None else moment.isoformat()
    document["job"] = _plain(seen.job)
    return _render(document)


def parse_seen_job(data: bytes) -> SeenJob:
    """
    Parse `job.json`.

    Raises:
        FormatError: it is damaged or of a newer format.
    """
    try:
        document = _document(data)
        members = dict(document["job"])
        for name, kind in _NESTED.items():
            if members.get(name) is not None:
                members[name] = kind(**members[name])
        members["drives"] = [JobDrive(**drive) for drive in members["drives"]]
        members["tags"] = [tuple(pair) for pair in members["tags"]]
        members["created_at"] = _time(members.get("created_at"))
        seen_at, created_at = _time(document["seen_at"]), _time(document["created_at"])
        if seen_at is None or created_at is None:
            raise ValueError("a time is missing")
        return SeenJob(
            job=ImportJob(**members),
            seen_at=seen_at,
            created_at=created_at,
            updated_at=_time(document["updated_at"]),
            shipped_at=_time(document["shipped_at"]),
            ended_at=_time(document["ended_at"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError, OfflineSeedError) as error:
        raise _damaged(JOB_FILE, "delete it: the service is asked again") from error


def _plain(value: Any) -> dict[str, Any]:
    def is_kept(attribute: attrs.Attribute[Any], _: object) -> bool:
        return attribute.name not in ("unknown", "recovery_password")

    def plain(_: object, attribute: attrs.Attribute[Any] | None, member: Any) -> Any:
        if attribute is not None and attribute.name in _URIS:
            return str(member).partition("?")[0]
        return member.isoformat() if isinstance(member, dt.datetime) else member

    return attrs.asdict(value, filter=is_kept, value_serializer=plain)


def _time(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time lacks its zone")
    return moment


def _document(data: bytes) -> dict[str, Any]:
    document = json.loads(data)
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError("not of this format")
    return document


def _damaged(name: str, advice: str) -> FormatError:
    return FormatError(f"{name} is damaged or of a newer format: {advice}", context=name)


def _render(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode(
        "utf-8", "surrogateescape"
    )
