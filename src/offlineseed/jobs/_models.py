"""
An import job as a value: one set of models for every dialect of the service.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, final

import attrs
from attrs.validators import deep_iterable, instance_of, optional

from offlineseed._secret import Secret
from offlineseed.jobs._addresses import (
    DeliveryPackage,
    ReturnAddress,
    ReturnShipping,
    ShippingInformation,
    Unknown,
)
from offlineseed.jobs._words import DriveState, JobState, JobType, LogLevel, known_word

__all__ = ["DriveRecoveryPassword", "ImportJob", "JobChanges", "JobDrive"]

_text = instance_of(str)


class _Revealing(Protocol):
    def reveal(self) -> str: ...


def _secret(value: _Revealing | None) -> Secret | None:
    if value is None or isinstance(value, Secret):
        return value
    reveal = getattr(value, "reveal", None)
    if reveal is None:
        raise TypeError(f"give a Secret or a RecoveryPassword, not {type(value).__name__}")
    return Secret(reveal())


def _required_secret(value: _Revealing) -> Secret:
    secret = _secret(value)
    if secret is None:
        raise TypeError("give a Secret or a RecoveryPassword, not None")
    return secret


def _drive_state(value: DriveState | str) -> DriveState | str:
    return known_word(DriveState, value)


def _job_state(value: JobState | str) -> JobState | str:
    return known_word(JobState, value)


def _job_type(value: JobType | str) -> JobType | str:
    return known_word(JobType, value)


def _log_level(value: LogLevel | str) -> LogLevel | str:
    return known_word(LogLevel, value)


def _optional_log_level(value: LogLevel | str | None) -> LogLevel | str | None:
    return None if value is None else _log_level(value)


def _tags(value: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    pairs = value.items() if isinstance(value, Mapping) else value
    return tuple(sorted((str(name), str(text)) for name, text in pairs))


def _optional_tags(
    value: Mapping[str, str] | Iterable[tuple[str, str]] | None,
) -> tuple[tuple[str, str], ...] | None:
    return None if value is None else _tags(value)


def _drives(value: Iterable[JobDrive]) -> tuple[JobDrive, ...]:
    return tuple(value)


def _optional_drives(value: Iterable[JobDrive] | None) -> tuple[JobDrive, ...] | None:
    return None if value is None else tuple(value)


def _is_count(_: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError(f"{attribute.name} is a whole number, 0 or more, not {value!r}")


@final
@attrs.frozen(kw_only=True)
class JobDrive:
    """
    One drive of an import job: what the customer names, and what the service reports.
    """

    drive_id: str = attrs.field(validator=_text)
    """The drive's hardware serial number, without spaces."""
    recovery_password: Secret | None = attrs.field(
        default=None, repr=False, hash=False, converter=_secret
    )
    """Opens the volume. Given when a job is created; answers of the service leave it out."""
    manifest_file: str = attrs.field(default="", validator=_text)
    """Path of the drive manifest on the volume, such as `\\DriveManifest.xml`."""
    manifest_hash: str = attrs.field(default="", validator=_text)
    """Base16 MD5 of the drive manifest."""
    drive_header_hash: str = attrs.field(default="", validator=_text)
    """The drive header's hash, where a tool computed one."""
    state: DriveState | str = attrs.field(default=DriveState.SPECIFIED, converter=_drive_state)
    """Where the drive stands; a plain string where the service has a newer word."""
    copy_status: str = attrs.field(default="", validator=_text)
    """The service's own word for how copying goes; empty before it begins."""
    percent_complete: int | None = attrs.field(default=None, validator=_is_count)
    """Whole percents that are copied, as the service counts them."""
    bytes_succeeded: int | None = attrs.field(default=None, validator=_is_count)
    """Bytes that are copied."""
    bytes_total: int | None = attrs.field(default=None, validator=_is_count)
    """Bytes to copy; only Data Box tells."""
    verbose_log_uri: str = attrs.field(default="", validator=_text)
    """Where the verbose copy log lies, once there is one."""
    error_log_uri: str = attrs.field(default="", validator=_text)
    """Where the error log lies, once there is one."""
    manifest_uri: str = attrs.field(default="", validator=_text)
    """Where the copy of the drive manifest lies, once there is one."""
    unknown: Unknown = attrs.field(default=(), repr=False)
    """Properties of a newer service, kept for writing back."""


@final
@attrs.frozen(kw_only=True)
class DriveRecoveryPassword:
    """
    What opens one drive of a job, as the service gives it back.
    """

    drive_id: str = attrs.field(validator=_text)
    """The drive's hardware serial number."""
    recovery_password: Secret = attrs.field(repr=False, hash=False, converter=_required_secret)
    """The recovery password; a drive of the oldest tool may have a Base64 key instead."""


@final
@attrs.frozen(kw_only=True)
class ImportJob:
    """
    An import job: what to create, or a snapshot of what the service has.

    A job lasts weeks and outlives a process. A snapshot does not change; get another one later.
    """

    name: str = attrs.field(validator=_text)
    """The job's name, unique in its resource group or storage account."""
    storage_account: str = attrs.field(default="", validator=_text)
    """The destination: the account's resource id, or its plain name in the classic dialect."""
    location: str = attrs.field(default="", validator=_text)
    """The region that takes the drives."""
    drives: tuple[JobDrive, ...] = attrs.field(
        default=(), converter=_drives, validator=deep_iterable(instance_of(JobDrive))
    )
    """The drives, ten at most."""
    return_address: ReturnAddress | None = attrs.field(
        default=None, validator=optional(instance_of(ReturnAddress))
    )
    """Where the drives go afterwards."""
    return_shipping: ReturnShipping | None = attrs.field(
        default=None, validator=optional(instance_of(ReturnShipping))
    )
    """By whom they come back."""
    delivery_package: DeliveryPackage | None = attrs.field(
        default=None, validator=optional(instance_of(DeliveryPackage))
    )
    """The package that was sent; None while nobody said so."""
    log_level: LogLevel | str = attrs.field(default=LogLevel.ERROR, converter=_log_level)
    """How much the copy logs tell."""
    backup_drive_manifest: bool = attrs.field(default=False, validator=instance_of(bool))
    """Whether the service keeps a copy of each drive manifest in the storage account."""
    diagnostics_path: str = attrs.field(default="", validator=_text)
    """Virtual directory for logs; empty means the service's default, `waimportexport`."""
    tags: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_tags)
    """Tags of the resource, as sorted pairs."""
    job_type: JobType | str = attrs.field(default=JobType.IMPORT, converter=_job_type)
    """The direction; the service lists export jobs too."""

    id: str = attrs.field(default="", validator=_text)
    """The job's resource id; the service sets it."""
    state: JobState | str = attrs.field(default=JobState.CREATING, converter=_job_state)
    """Where the job stands; a plain string where the service has a newer word."""
    raw_state: str = attrs.field(default="", validator=_text)
    """The dialect's own word for the state."""
    cancel_requested: bool = attrs.field(default=False, validator=instance_of(bool))
    """Whether somebody asked to cancel the job."""
    percent_complete: int | None = attrs.field(default=None, validator=_is_count)
    """Whole percents that are copied, as the service counts them."""
    shipping_information: ShippingInformation | None = attrs.field(
        default=None, validator=optional(instance_of(ShippingInformation))
    )
    """Where to send the drives; the service sets it."""
    return_package: DeliveryPackage | None = attrs.field(
        default=None, validator=optional(instance_of(DeliveryPackage))
    )
    """The package that came back; the service sets it."""
    incomplete_blob_list_uri: str = attrs.field(default="", validator=_text)
    """Where the list of blobs lies that were not copied, if any."""
    provisioning_state: str = attrs.field(default="", validator=_text)
    """Resource Manager's word for the resource itself, such as `Succeeded`."""
    created_at: dt.datetime | None = None
    """When the job was created, aware, where the service tells."""
    unknown: Unknown = attrs.field(default=(), repr=False)
    """Properties of a newer service, kept for writing back."""

    @property
    def is_terminal(self) -> bool:
        """
        Whether the service is done with the job, one way or the other.
        """
        return self.state in (JobState.COMPLETED, JobState.CLOSED)

    @property
    def is_cancelled(self) -> bool:
        """
        Whether the job ended because somebody asked to cancel it.

        A cancelled job ends in `JobState.COMPLETED`; cancelling is best effort, so look at the
        drives to learn what had been copied by then.
        """
        return self.is_terminal and self.cancel_requested

    def drive(self, drive_id: str) -> JobDrive | None:
        """
        Return the drive of that id, or None.
        """
        for drive in self.drives:
            if drive.drive_id == drive_id:
                return drive
        return None


@final
@attrs.frozen(kw_only=True)
class JobChanges:
    """
    What to change about a job; None leaves a thing as it is.

    The shipping information has a call of its own, `ImportJobs.update_shipping`.
    """

    return_address: ReturnAddress | None = None
    """Where the drives go afterwards."""
    return_shipping: ReturnShipping | None = None
    """By whom they come back."""
    log_level: LogLevel | str | None = attrs.field(default=None, converter=_optional_log_level)
    """How much the copy logs tell."""
    backup_drive_manifest: bool | None = None
    """Whether the service keeps a copy of each drive manifest."""
    drives: tuple[JobDrive, ...] | None = attrs.field(default=None, converter=_optional_drives)
    """All drives of the job, with their recovery passwords."""
    tags: tuple[tuple[str, str], ...] | None = attrs.field(default=None, converter=_optional_tags)
    """Tags of the resource."""

    @property
    def is_empty(self) -> bool:
        """
        Whether nothing is to be changed.
        """
        return all(value is None for value in attrs.astuple(self, recurse=False))
