"""
Import jobs as Microsoft.ImportExport's JSON; models in, documents out, and back. Pure.

Source: Microsoft.ImportExport 2021-01-01 (2016-11-01 differs in nothing that is read or written
here).
"""

from __future__ import annotations

from typing import Any

from offlineseed.jobs._addresses import (
    DeliveryPackage,
    Location,
    ReturnAddress,
    ReturnShipping,
    ShippingInformation,
)
from offlineseed.jobs._json import JsonObject, with_unknown, without_none
from offlineseed.jobs._models import DriveRecoveryPassword, ImportJob, JobChanges, JobDrive
from offlineseed.jobs._words import JobState, JobType, LogLevel

__all__ = [
    "parse_job",
    "parse_location",
    "parse_recovery_passwords",
    "render_changes",
    "render_job",
    "render_shipping",
]

_PROPERTIES = "/properties"


def render_job(job: ImportJob) -> dict[str, Any]:
    """
    Render what PUT sends: everything that a customer may set, and what a newer service had set.
    """
    properties = without_none(
        {
            "storageAccountId": job.storage_account or None,
            "jobType": str(job.job_type),
            "returnAddress": job.return_address and _render_return_address(job.return_address),
            "returnShipping": job.return_shipping and _render_return_shipping(job.return_shipping),
            "deliveryPackage": job.delivery_package and _render_package(job.delivery_package),
            "diagnosticsPath": job.diagnostics_path or None,
            "logLevel": str(job.log_level),
            "backupDriveManifest": job.backup_drive_manifest,
            "driveList": [_render_drive(drive) for drive in job.drives],
        }
    )
    document = without_none(
        {
            "location": job.location or None,
            "tags": dict(job.tags) or None,
            "properties": with_unknown(properties, job.unknown, _PROPERTIES),
        }
    )
    return with_unknown(document, job.unknown)


def render_changes(changes: JobChanges) -> dict[str, Any]:
    """
    Render what PATCH sends for a set of changes.
    """
    return_address, return_shipping = changes.return_address, changes.return_shipping
    properties = without_none(
        {
            "returnAddress": return_address and _render_return_address(return_address),
            "returnShipping": return_shipping and _render_return_shipping(return_shipping),
            "logLevel": None if changes.log_level is None else str(changes.log_level),
            "backupDriveManifest": changes.backup_drive_manifest,
            "driveList": None
            if changes.drives is None
            else [_render_drive(drive) for drive in changes.drives],
        }
    )
    return without_none(
        {
            "tags": None if changes.tags is None else dict(changes.tags),
            "properties": properties or None,
        }
    )


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
            "state": None if state is None else str(state),
            "returnAddress": return_address and _render_return_address(return_address),
            "returnShipping": return_shipping and _render_return_shipping(return_shipping),
            "deliveryPackage": _render_package(package),
        }
    )
    return {"properties": properties}


def parse_job(document: JsonObject) -> ImportJob:
    """
    Parse a job as GET, PUT, PATCH and list answer it.

    Raises:
        ServiceFormatError: a property is of the wrong kind, or the name is missing.
    """
    properties = document.member("properties") or JsonObject({}, document.where("properties"))
    system_data = document.member("systemData")
    document.ignore("type", "etag")
    # Secrets of older versions: never kept, should a service repeat them.
    properties.ignore("storageAccountKey", "containerSas")
    raw_state = properties.text("state")
    return_address = properties.member("returnAddress")
    return_shipping = properties.member("returnShipping")
    shipping_information = properties.member("shippingInformation")
    delivery_package = properties.member("deliveryPackage")
    return_package = properties.member("returnPackage")
    return ImportJob(
        id=document.text("id"),
        name=document.required_text("name"),
        location=document.text("location"),
        tags=document.pairs("tags"),
        storage_account=properties.text("storageAccountId"),
        job_type=properties.text("jobType") or JobType.IMPORT,
        return_address=return_address and _parse_return_address(return_address),
        return_shipping=return_shipping and _parse_return_shipping(return_shipping),
        shipping_information=shipping_information
        and _parse_shipping_information(shipping_information),
        delivery_package=delivery_package and _parse_package(delivery_package),
        return_package=return_package and _parse_package(return_package),
        diagnostics_path=properties.text("diagnosticsPath"),
        log_level=properties.text("logLevel") or LogLevel.ERROR,
        backup_drive_manifest=properties.flag("backupDriveManifest"),
        state=raw_state or JobState.CREATING,
        raw_state=raw_state,
        cancel_requested=properties.flag("cancelRequested"),
        percent_complete=properties.count("percentComplete"),
        incomplete_blob_list_uri=properties.text("incompleteBlobListUri"),
        drives=[_parse_drive(drive) for drive in properties.members("driveList")],
        provisioning_state=properties.text("provisioningState"),
        created_at=system_data.time("createdAt") if system_data else None,
        unknown=tuple(sorted(document.unknown() + properties.unknown(_PROPERTIES))),
    )


def parse_location(document: JsonObject) -> Location:
    """
    Parse a location as GET and list answer it.

    Raises:
        ServiceFormatError: a property is of the wrong kind, or the name is missing.
    """
    properties = document.member("properties") or JsonObject({}, document.where("properties"))
    document.ignore("type")
    return Location(
        id=document.text("id"),
        name=document.required_text("name"),
        shipping_information=ShippingInformation(
            recipient_name=properties.text("recipientName"),
            street_address1=properties.text("streetAddress1"),
            street_address2=properties.text("streetAddress2"),
            city=properties.text("city"),
            state_or_province=properties.text("stateOrProvince"),
            postal_code=properties.text("postalCode"),
            country_or_region=properties.text("countryOrRegion"),
            phone=properties.text("phone"),
            additional_information=properties.text("additionalShippingInformation"),
        ),
        supported_carriers=properties.texts("supportedCarriers"),
        alternate_locations=properties.texts("alternateLocations"),
        unknown=tuple(sorted(document.unknown() + properties.unknown(_PROPERTIES))),
    )


def parse_recovery_passwords(document: JsonObject) -> tuple[DriveRecoveryPassword, ...]:
    """
    Parse the answer of listBitLockerKeys.

    Raises:
        ServiceFormatError: a drive lacks its id or its key.
    """
    return tuple(
        DriveRecoveryPassword(
            drive_id=item.required_text("driveId"),
            recovery_password=item.required_secret("bitLockerKey"),
        )
        for item in document.members("value")
    )


def _render_return_address(address: ReturnAddress) -> dict[str, Any]:
    members = {
        "recipientName": address.recipient_name,
        "streetAddress1": address.street_address1,
        "streetAddress2": address.street_address2 or None,
        "city": address.city,
        "stateOrProvince": address.state_or_province or None,
        "postalCode": address.postal_code,
        "countryOrRegion": address.country_or_region,
        "phone": address.phone,
        "email": address.email,
    }
    return with_unknown(without_none(members), address.unknown)


def _parse_return_address(document: JsonObject) -> ReturnAddress:
    return ReturnAddress(
        recipient_name=document.text("recipientName"),
        street_address1=document.text("streetAddress1"),
        street_address2=document.text("streetAddress2"),
        city=document.text("city"),
        state_or_province=document.text("stateOrProvince"),
        postal_code=document.text("postalCode"),
        country_or_region=document.text("countryOrRegion"),
        phone=document.text("phone"),
        email=document.text("email"),
        unknown=document.unknown(),
    )


def _render_return_shipping(shipping: ReturnShipping) -> dict[str, Any]:
    return with_unknown(
        {
            "carrierName": shipping.carrier_name,
            "carrierAccountNumber": shipping.carrier_account_number,
        },
        shipping.unknown,
    )


def _parse_return_shipping(document: JsonObject) -> ReturnShipping:
    return ReturnShipping(
        carrier_name=document.text("carrierName"),
        carrier_account_number=document.text("carrierAccountNumber"),
        unknown=document.unknown(),
    )


def _render_package(package: DeliveryPackage) -> dict[str, Any]:
    members = {
        "carrierName": package.carrier_name,
        "trackingNumber": package.tracking_number,
        "driveCount": package.drive_count,
        "shipDate": package.ship_date or None,
    }
    return with_unknown(without_none(members), package.unknown)


def _parse_package(document: JsonObject) -> DeliveryPackage:
    return DeliveryPackage(
        carrier_name=document.text("carrierName"),
        tracking_number=document.text("trackingNumber"),
        drive_count=document.count("driveCount"),
        ship_date=document.text("shipDate"),
        unknown=document.unknown(),
    )


def _parse_shipping_information(document: JsonObject) -> ShippingInformation:
    return ShippingInformation(
        recipient_name=document.text("recipientName"),
        street_address1=document.text("streetAddress1"),
        street_address2=document.text("streetAddress2"),
        city=document.text("city"),
        state_or_province=document.text("stateOrProvince"),
        postal_code=document.text("postalCode"),
        country_or_region=document.text("countryOrRegion"),
        phone=document.text("phone"),
        additional_information=document.text("additionalInformation"),
        unknown=document.unknown(),
    )


def _render_drive(drive: JobDrive) -> dict[str, Any]:
    password = drive.recovery_password
    members = {
        "driveId": drive.drive_id,
        "bitLockerKey": None if password is None else password.reveal(),
        "manifestFile": drive.manifest_file or None,
        "manifestHash": drive.manifest_hash or None,
        "driveHeaderHash": drive.drive_header_hash or None,
    }
    return with_unknown(without_none(members), drive.unknown)


def _parse_drive(document: JsonObject) -> JobDrive:
    # A key must never come back here; an older service that sends one is not repeated.
    document.ignore("bitLockerKey")
    return JobDrive(
        drive_id=document.required_text("driveId"),
        manifest_file=document.text("manifestFile"),
        manifest_hash=document.text("manifestHash"),
        drive_header_hash=document.text("driveHeaderHash"),
        state=document.text("state") or "Specified",
        copy_status=document.text("copyStatus"),
        percent_complete=document.count("percentComplete"),
        bytes_succeeded=document.count("bytesSucceeded"),
        verbose_log_uri=document.text("verboseLogUri"),
        error_log_uri=document.text("errorLogUri"),
        manifest_uri=document.text("manifestUri"),
        unknown=document.unknown(),
    )
