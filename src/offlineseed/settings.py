"""
The six inputs of an offline backup, and the service's rules for their names.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import final

import attrs

from offlineseed.errors import SettingsError
from offlineseed.findings import Finding

__all__ = [
    "SeedSettings",
    "check_container_name",
    "check_import_job_name",
    "check_storage_account_name",
    "check_subscription_id",
]

_IMPORT_JOB_NAME = re.compile(r"[a-z][a-z0-9-]{1,22}[a-z0-9]", re.ASCII)
_STORAGE_ACCOUNT = re.compile(r"[a-z0-9]{3,24}", re.ASCII)
_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9])+", re.ASCII)


@final
@attrs.frozen(kw_only=True)
class SeedSettings:
    """
    What the initiating wizard asks for, checked.

    Raises:
        SettingsError: with one finding for every input that the service would refuse.

    Source: the offline backup article, "Initiate offline backup"; naming rules of the Import/Export
    and Blob services.
    """

    staging_location: str
    """Where the initial backup is written: a path that source and copy machine both reach."""
    import_job_name: str
    """By which the shipped data is tracked in Azure: 3 to 24 of a-z, 0-9, `-`; a letter first."""
    publish_settings_path: str | None = None
    """The publish settings file, on this machine; None where another credential is used."""
    subscription_id: str
    """The subscription that holds the storage account: a GUID."""
    storage_account: str
    """The storage account: 3 to 24 of a-z and 0-9."""
    container: str
    """The container that the data is imported to: 3 to 63 of a-z, 0-9 and single hyphens."""

    def __attrs_post_init__(self) -> None:
        findings = tuple(_check(self))
        if findings:
            count = "one input is" if len(findings) == 1 else f"{len(findings)} inputs are"
            raise SettingsError(
                f"{count} not usable: " + "; ".join(str(finding) for finding in findings),
                findings=findings,
            )


def check_import_job_name(name: str) -> Finding | None:
    """
    Check an import job's name against the strictest rule that Microsoft's sources give.
    """
    if isinstance(name, str) and _IMPORT_JOB_NAME.fullmatch(name):
        return None
    return Finding(
        code="import-job-name-invalid",
        subject="import_job_name",
        message=(
            f"{name!r} is no import job name: use 3 to 24 lower-case letters, digits and hyphens, "
            "start with a letter and end with a letter or digit"
        ),
    )


def check_storage_account_name(name: str) -> Finding | None:
    """
    Check a storage account's name.
    """
    if isinstance(name, str) and _STORAGE_ACCOUNT.fullmatch(name):
        return None
    return Finding(
        code="storage-account-name-invalid",
        subject="storage_account",
        message=f"{name!r} is no storage account name: use 3 to 24 lower-case letters and digits",
    )


def check_container_name(name: str) -> Finding | None:
    """
    Check a container's name; `$root` is the root container's.
    """
    if isinstance(name, str) and (
        name == "$root" or (3 <= len(name) <= 63 and _CONTAINER.fullmatch(name))
    ):
        return None
    return Finding(
        code="container-name-invalid",
        subject="container",
        message=(
            f"{name!r} is no container name: use 3 to 63 lower-case letters, digits and single "
            "hyphens, start and end with a letter or digit"
        ),
    )


def check_subscription_id(subscription_id: str) -> Finding | None:
    """
    Check that a subscription id is a GUID with hyphens.
    """
    try:
        is_guid = str(uuid.UUID(subscription_id)) == subscription_id.lower()
    except (ValueError, AttributeError, TypeError):
        is_guid = False
    if is_guid:
        return None
    return Finding(
        code="subscription-id-invalid",
        subject="subscription_id",
        message=(
            f"{subscription_id!r} is no subscription id: it is a GUID such as "
            "01234567-89ab-cdef-0123-456789abcdef"
        ),
    )


def _check(settings: SeedSettings) -> Iterator[Finding]:
    location = settings.staging_location
    if not isinstance(location, str) or not location.strip() or "\0" in location:
        yield Finding(
            code="staging-location-invalid",
            subject="staging_location",
            message=f"{location!r} is no path: give the folder or share to write the backup to",
        )
    path = settings.publish_settings_path
    if path is not None and (not isinstance(path, str) or not path.strip() or "\0" in path):
        yield Finding(
            code="publish-settings-path-invalid",
            subject="publish_settings_path",
            message=f"{path!r} is no path: give the file, or None for another credential",
        )
    for finding in (
        check_import_job_name(settings.import_job_name),
        check_subscription_id(settings.subscription_id),
        check_storage_account_name(settings.storage_account),
        check_container_name(settings.container),
    ):
        if finding is not None:
            yield finding
