"""
What the service refuses, whatever the dialect: illegal steps, impossible drives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from offlineseed.emulator._http import Refusal
from offlineseed.emulator._job import ServiceDrive, ServiceJob
from offlineseed.emulator._locations import ServiceLocation, find_location
from offlineseed.emulator._states import CANCELLABLE, JobWord

__all__ = [
    "require_drives",
    "require_job_name",
    "require_location",
    "require_may_cancel",
    "require_may_ship",
    "wrong_state",
]

_MOST_DRIVES = 10


def wrong_state(job: ServiceJob, action: str) -> Refusal:
    """
    Return the refusal of something that the job's state does not allow.
    """
    cancelled = " and was cancelled" if job.cancel_requested else ""
    return Refusal(
        409,
        "InvalidJobState",
        f"The job '{job.name}' can't be {action}: it is in state {job.state.value}{cancelled}.",
    )


def require_job_name(name: str) -> None:
    """
    Refuse a name that no job can have.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{1,63}", name):
        raise Refusal(
            400,
            "InvalidJobName",
            f"The job name '{name}' is invalid: 2 to 64 letters, digits, hyphens and underscores, "
            "a letter first.",
        )


def require_location(name: str, target: str, resource_type: str) -> ServiceLocation:
    """
    Return the location of a name, or refuse.
    """
    location = find_location(name)
    if location is None:
        raise Refusal(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{name}' is not available for resource type '{resource_type}'.",
            target=target,
        )
    return location


def require_drives(drives: Iterable[ServiceDrive]) -> list[ServiceDrive]:
    """
    Return the drives of a job, or refuse them.
    """
    checked: list[ServiceDrive] = []
    seen: set[str] = set()
    for drive in drives:
        if " " in drive.drive_id or drive.drive_id.upper() in seen:
            raise Refusal(
                400,
                "InvalidArgument",
                f"Drive '{drive.drive_id}' has spaces in its id or stands in the list twice.",
                target="driveId",
            )
        seen.add(drive.drive_id.upper())
        if not re.fullmatch(r"[0-9A-Fa-f]{32}([0-9A-Fa-f]{32})?", drive.manifest_hash):
            raise Refusal(
                400,
                "InvalidArgument",
                f"The manifest hash of drive '{drive.drive_id}' is not Base16 of an MD5.",
                target="manifestHash",
            )
        checked.append(drive)
    if not 1 <= len(checked) <= _MOST_DRIVES:
        raise Refusal(
            400,
            "InvalidArgument",
            f"An import job has 1 to {_MOST_DRIVES} drives, not {len(checked)}.",
            target="driveList",
        )
    return checked


def require_may_ship(
    job: ServiceJob, *, has_package: bool, has_return_address: bool, is_cancelled: bool = False
) -> None:
    """
    Refuse to mark a job as shipped where that is no legal step.
    """
    if job.state is not JobWord.CREATING or job.cancel_requested or is_cancelled:
        raise wrong_state(job, "marked as shipped")
    if not (has_package or job.tracking_number):
        raise Refusal(
            400,
            "DeliveryPackageMissing",
            "State Shipping needs the delivery package, now or before.",
            target="deliveryPackage",
        )
    if not (has_return_address or job.has_return_address):
        raise Refusal(
            400,
            "ReturnAddressMissing",
            "State Shipping needs the return address, now or before.",
            target="returnAddress",
        )


def require_may_cancel(job: ServiceJob) -> None:
    """
    Refuse to cancel a job that is too far on.
    """
    if job.state not in CANCELLABLE:
        raise wrong_state(job, "cancelled")
