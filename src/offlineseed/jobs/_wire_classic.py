"""
Import jobs as the classic Service Management API's JSON; models in, documents out. Pure.

An address is one string here. Reading it back gives `street_address1` the whole of it.

Source: Storage Import/Export, Service Management 2014-11-01, as its public client sample describes
it.
"""

from __future__ import annotations

from typing import Any

from offlineseed._secret import Secret
from offlineseed.errors import JobError
from offlineseed.jobs._addresses import (
    DeliveryPackage,
    Location,
    ReturnAddress,
    ReturnShipping,
    ShippingInformation,
)
from offlineseed.jobs._json import JsonObject, with_unknown, without_none
from offlineseed.jobs._models import DriveRecoveryPassword, ImportJob, JobChanges, JobDrive
from offlineseed.jobs._words import DriveState, JobState, JobType, LogLevel

__all__ = [
    "parse_error",
    "parse_job",
    "parse_location",
    "parse_recovery_passwords",
    "render_changes",
    "render_job",
    "render_shipping",
]

_PROPERTIES = "/Properties"
_ODATA = ("odata.metadata", "odata.id", "odata.editLink", "odata.type", "odata.etag")


def render_job(
    job: ImportJob,
    *,
    storage_account_key: Secret | None = None,
    container_sas: Secret | None = None,
) -> dict[str, Any]:
    """
    Render what PUT sends: everything that a customer may set, and what a newer service had set.

    The service wants one of the storage account's key and a container's SAS. It knows no tags.
    """
    address, shipping = job.return_address, job.return_shipping
    properties = without_none(
        {
            "StorageAccountName": job.storage_account or None,
            "StorageAccountKey": storage_account_key and storage_account_key.reveal(),
            "ContainerSas": container_sas and container_sas.reveal(),
            "Location": job.location or None,
            "Type": str(job.job_type),
            "ReturnAddress": address and _render_return_address(address),
            "ReturnShipping": shipping and _render_return_shipping(shipping),
            "ImportExportStatesPath": job.diagnostics_path or None,
            "EnableVerboseLog": job.log_level == LogLevel.VERBOSE,
            "BackupDriveManifest": job.backup_drive_manifest,
        }
    )
    document: dict[str, Any] = {
        "Name": job.name,
        "Properties": with_unknown(properties, job.unknown, _PROPERTIES),
        "DriveList": [_render_drive(drive) for drive in job.drives],
    }
    return with_unknown(document, job.unknown)


def render_changes(changes: JobChanges) -> dict[str, Any]:
    """
    Render what PATCH sends for a set of changes.

    Raises:
        JobError: the classic API can't change one of them.
    """
    fixed = {"drives": changes.drives, "tags": changes.tags}
    wanted = [name for name, value in fixed.items() if value is not None]
    if wanted:
        raise JobError(
            f"the classic API can't change {', '.join(wanted)} of a job: delete it and create "
            "another"
        )
    address, shipping = changes.return_address, changes.return_shipping
    verbose = None if changes.log_level is None else changes.log_level == LogLevel.VERBOSE
    properties = without_none(
        {
            "ReturnAddress": address and _render_return_address(address),
            "ReturnShipping": shipping and _render_return_shipping(shipping),
            "EnableVerboseLog": verbose,
            "BackupDriveManifest": changes.backup_drive_manifest,
        }
    )
    return {"Properties": properties}


def render_shipping(
    package: DeliveryPackage,
    *,
    return_address: ReturnAddress | None = None,
    return_shipping: ReturnShipping | None = None,
    state: JobState | None = JobState.SHIPPING,
) -> dict[str, Any]:
    """
    Render what PATCH sends when the package is on its way.
    """
    properties = without_none(
        {
            "State": None if state is None else str(state),
            "ReturnAddress": return_address and _render_return_address(return_address),
            "ReturnShipping": return_shipping and _render_return_shipping(return_shipping),
            "DeliveryPackage": _render_package(package),
        }
    )
    return {"Properties": properties}


def parse_job(document: JsonObject, storage_account: str) -> ImportJob:
    """
    Parse a job as GET and list answer it; a list leaves the drives out.

    Raises:
        ServiceFormatError: a property is of the wrong kind, or the name is missing.
    """
    properties = document.member("Properties") or JsonObject({}, document.where("Properties"))
    document.ignore(*_ODATA)
    # An older service that repeats a secret is not repeated.
    properties.ignore("StorageAccountName", "StorageAccountKey", "ContainerSas")
    raw_state = properties.text("State")
    return_address = properties.member("ReturnAddress")
    return_shipping = properties.member("ReturnShipping")
    shipping_information = properties.member("ShippingInformation")
    delivery_package = properties.member("DeliveryPackage")
    return_package = properties.member("ReturnPackage")
    # One set of logs for the whole job: each drive without its own shows them.
    logs = {
        "verbose_log_uri": properties.text("VerboseLogUri"),
        "error_log_uri": properties.text("ErrorLogUri"),
        "manifest_uri": properties.text("ManifestUri"),
    }
    return ImportJob(
        id=document.text("odata.id"),
        name=document.required_text("Name"),
        location=properties.text("Location"),
        storage_account=storage_account,
        job_type=properties.text("Type") or JobType.IMPORT,
        return_address=return_address and _parse_return_address(return_address),
        return_shipping=return_shipping and _parse_return_shipping(return_shipping),
        shipping_information=shipping_information
        and _parse_shipping_information(shipping_information),
        delivery_package=delivery_package and _parse_package(delivery_package),
        return_package=return_package and _parse_package(return_package),
        diagnostics_path=properties.text("ImportExportStatesPath"),
        log_level=LogLevel.VERBOSE if properties.flag("EnableVerboseLog") else LogLevel.ERROR,
        backup_drive_manifest=properties.flag("BackupDriveManifest"),
        state=raw_state or JobState.CREATING,
        raw_state=raw_state,
        cancel_requested=properties.flag("CancelRequested"),
        percent_complete=properties.count("PercentComplete"),
        incomplete_blob_list_uri=properties.text("IncompleteBlobListUri"),
        drives=[_parse_drive(drive, logs) for drive in document.members("DriveList")],
        unknown=tuple(sorted(document.unknown() + properties.unknown(_PROPERTIES))),
    )


def parse_location(document: JsonObject) -> Location:
    """
    Parse one location of the list.

    Raises:
        ServiceFormatError: a property is of the wrong kind, or the name is missing.
    """
    document.ignore(*_ODATA)
    return Location(
        id=document.text("odata.id"),
        name=document.required_text("Name"),
        shipping_information=ShippingInformation(
            recipient_name=document.text("RecipientName"),
            street_address1=document.text("StreetAddress1"),
            street_address2=document.text("StreetAddress2"),
            city=document.text("City"),
            state_or_province=document.text("StateOrProvince"),
            postal_code=document.text("PostalCode"),
            country_or_region=document.text("CountryOrRegion"),
            phone=document.text("Phone"),
        ),
        supported_carriers=document.texts("SupportedCarriers"),
        alternate_locations=document.texts("AlternateLocations"),
        unknown=document.unknown(),
    )


def parse_recovery_passwords(document: JsonObject) -> tuple[DriveRecoveryPassword, ...]:
    """
    Parse the recovery passwords out of a job, where the service gives them.

    Raises:
        ServiceFormatError: a drive lacks its id.
    """
    return tuple(
        DriveRecoveryPassword(
            drive_id=item.required_text("DriveId"),
            recovery_password=item.required_secret("BitLockerKey"),
        )
        for item in document.members("DriveList")
        if item.text("BitLockerKey")
    )


def parse_error(document: JsonObject) -> str:
    """
    Return what a refusal says, as `code: message`; empty where it is not in the API's form.

    Raises:
        ServiceFormatError: a property is of the wrong kind.
    """
    error = document.member("odata.error")
    if error is None:
        return ""
    message = error.member("message")
    values = error.member("azure.values")
    codes = dict.fromkeys((error.text("code"), values.text("ExtendedCode") if values else ""))
    words = message.text("value") if message else ""
    return ": ".join(filter(None, ("/".join(filter(None, codes)), words)))


def _render_return_address(address: ReturnAddress) -> dict[str, Any]:
    # The recipient has a field of their own.
    lines = address.lines()[1:] if address.recipient_name.strip() else address.lines()
    members = {
        "Name": address.recipient_name,
        "Address": ", ".join(lines),
        "Phone": address.phone,
        "Email": address.email,
    }
    return with_unknown(members, address.unknown)


def _parse_return_address(document: JsonObject) -> ReturnAddress:
    return ReturnAddress(
        recipient_name=document.text("Name"),
        street_address1=document.text("Address"),
        phone=document.text("Phone"),
        email=document.text("Email"),
        unknown=document.unknown(),
    )


def _render_return_shipping(shipping: ReturnShipping) -> dict[str, Any]:
    members = {
        "CarrierName": shipping.carrier_name,
        "CarrierAccountNumber": shipping.carrier_account_number,
    }
    return with_unknown(members, shipping.unknown)


def _parse_return_shipping(document: JsonObject) -> ReturnShipping:
    return ReturnShipping(
        carrier_name=document.text("CarrierName"),
        carrier_account_number=document.text("CarrierAccountNumber"),
        unknown=document.unknown(),
    )


def _render_package(package: DeliveryPackage) -> dict[str, Any]:
    members = {
        "CarrierName": package.carrier_name,
        "TrackingNumber": package.tracking_number,
        "DriveCount": package.drive_count,
        "ShipDate": package.ship_date or None,
    }
    return with_unknown(without_none(members), package.unknown)


def _parse_package(document: JsonObject) -> DeliveryPackage:
    return DeliveryPackage(
        carrier_name=document.text("CarrierName"),
        tracking_number=document.text("TrackingNumber"),
        drive_count=document.count("DriveCount"),
        ship_date=document.text("ShipDate"),
        unknown=document.unknown(),
    )


def _parse_shipping_information(document: JsonObject) -> ShippingInformation:
    return ShippingInformation(
        recipient_name=document.text("Name"),
        street_address1=document.text("Address"),
        unknown=document.unknown(),
    )


def _render_drive(drive: JobDrive) -> dict[str, Any]:
    password = drive.recovery_password
    members = {
        "DriveId": drive.drive_id,
        "BitLockerKey": None if password is None else password.reveal(),
        "ManifestFile": drive.manifest_file,
        "ManifestHash": drive.manifest_hash,
    }
    return with_unknown(without_none(members), drive.unknown)


def _parse_drive(document: JsonObject, logs: dict[str, str]) -> JobDrive:
    document.ignore("BitLockerKey")
    return JobDrive(
        drive_id=document.required_text("DriveId"),
        manifest_file=document.text("ManifestFile"),
        manifest_hash=document.text("ManifestHash"),
        state=document.text("State") or DriveState.SPECIFIED,
        copy_status=document.text("CopyStatus"),
        percent_complete=document.count("PercentComplete"),
        verbose_log_uri=document.text("VerboseLogUri") or logs["verbose_log_uri"],
        error_log_uri=document.text("ErrorLogUri") or logs["error_log_uri"],
        manifest_uri=document.text("ManifestUri") or logs["manifest_uri"],
        unknown=document.unknown(),
    )
