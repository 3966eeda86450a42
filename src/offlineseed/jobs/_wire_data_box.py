"""
Import jobs as Microsoft.DataBox's JSON, SKU `DataBoxCustomerDisk`; models in, documents out. Pure.

Source: Microsoft.DataBox 2025-07-01, as the client azure-mgmt-databox 4.0.0 describes it.
"""

from __future__ import annotations

from typing import Any

from offlineseed.errors import JobError
from offlineseed.jobs._addresses import DeliveryPackage, Location, ShippingInformation
from offlineseed.jobs._json import JsonObject, with_unknown, without_none
from offlineseed.jobs._models import DriveRecoveryPassword, ImportJob, JobChanges, JobDrive
from offlineseed.jobs._stages import drive_state_of_copy, is_cancelled_stage, job_state_of_stage
from offlineseed.jobs._wire_data_box_postal import (
    parse_address,
    parse_datacenter,
    parse_packages,
    parse_return_shipping,
    render_address,
    render_return_shipping,
)
from offlineseed.jobs._words import JobType, LogLevel

__all__ = [
    "SKU",
    "is_customer_disk",
    "parse_job",
    "parse_location",
    "parse_recovery_passwords",
    "render_cancellation",
    "render_changes",
    "render_job",
    "render_location_request",
    "render_shipped",
]

SKU = "DataBoxCustomerDisk"
"""The SKU of a job with the customer's own disks, and the type of its details."""

_PROPERTIES = "/properties"
_DETAILS = "/properties/details"
_TRANSFER_TYPES = {"importtoazure": JobType.IMPORT, "exportfromazure": JobType.EXPORT}
# Set by the service only: read where this library has a use for them, never written back.
_READ_ONLY_PROPERTIES = (
    "allDevicesLost",
    "delayedStage",
    "error",
    "isCancellable",
    "isCancellableWithoutFee",
    "isDeletable",
    "isPrepareToShipEnabled",
    "isShippingAddressEditable",
    "reverseShippingDetailsUpdate",
    "reverseTransportPreferenceUpdate",
)
_READ_ONLY_DETAILS = (
    "actions",
    "chainOfCustodySasKey",
    "dataCenterCode",
    "deviceErasureDetails",
    "exportDiskDetailsCollection",
    "jobDetailsType",
    "jobStages",
    "lastMitigationActionOnJob",
    "reverseShipmentLabelSasKey",
)


def is_customer_disk(document: JsonObject) -> bool:
    """
    Return whether a listed job is one with the customer's own disks.
    """
    sku = document.member("sku")
    return sku is not None and sku.text("name").casefold() == SKU.casefold()


def render_job(job: ImportJob) -> dict[str, Any]:
    """
    Render what PUT sends: everything that a customer may set, and what a newer service had set.

    Raises:
        JobError: a drive is there twice, which this form can't say.
    """
    address, shipping = job.return_address, job.return_shipping
    details = without_none(
        {
            "jobDetailsType": SKU,
            **(render_address(address) if address else {}),
            "dataImportDetails": [
                {
                    "accountDetails": {
                        "dataAccountType": "StorageAccount",
                        "storageAccountId": job.storage_account,
                    },
                    "logCollectionLevel": str(job.log_level),
                }
            ],
            "importDiskDetailsCollection": _render_drives(job),
            # Required by the service, even if there is nothing to say.
            "returnToCustomerPackageDetails": render_return_shipping(shipping) if shipping else {},
            "enableManifestBackup": job.backup_drive_manifest,
        }
    )
    properties: dict[str, Any] = {
        "transferType": "ImportToAzure",
        "details": with_unknown(details, job.unknown, _DETAILS),
    }
    document = without_none(
        {
            "location": job.location or None,
            "tags": dict(job.tags) or None,
            "sku": {"name": SKU},
            "properties": with_unknown(properties, job.unknown, _PROPERTIES),
        }
    )
    return with_unknown(document, job.unknown)


def _render_drives(job: ImportJob) -> dict[str, Any]:
    drives = {drive.drive_id: _render_drive(drive) for drive in job.drives}
    if len(drives) != len(job.drives):
        raise JobError(f"import job {job.name!r} has a drive twice: give each drive once")
    return drives


def render_changes(changes: JobChanges) -> dict[str, Any]:
    """
    Render what PATCH sends for a set of changes.

    Raises:
        JobError: Data Box fixes one of them when the job is created.
    """
    fixed = {
        "log level": changes.log_level,
        "drive manifest backup": changes.backup_drive_manifest,
        "drives": changes.drives,
    }
    wanted = [name for name, value in fixed.items() if value is not None]
    if wanted:
        raise JobError(
            f"Data Box can't change {', '.join(wanted)} of a job: cancel it and create another"
        )
    address, shipping = changes.return_address, changes.return_shipping
    details = render_address(address) if address else {}
    if shipping:
        details["returnToCustomerPackageDetails"] = render_return_shipping(shipping)
    return without_none(
        {
            "tags": None if changes.tags is None else dict(changes.tags),
            "properties": {"details": details} if details else None,
        }
    )


def render_shipped(package: DeliveryPackage) -> dict[str, Any]:
    """
    Render what markDevicesShipped sends; Data Box asks for no number of drives and no date.
    """
    members = {"carrierName": package.carrier_name, "trackingId": package.tracking_number}
    return {"deliverToDcPackageDetails": with_unknown(members, package.unknown)}


def render_cancellation(reason: str) -> dict[str, Any]:
    """
    Render what cancel sends; the service requires a reason.
    """
    return {"reason": reason.strip() or "The customer cancelled the job."}


def render_location_request(location: str) -> dict[str, Any]:
    """
    Render what regionConfiguration sends to learn a datacentre's address.
    """
    return {"datacenterAddressRequest": {"storageLocation": location, "skuName": SKU}}


def parse_job(document: JsonObject) -> ImportJob:
    """
    Parse a job as GET answers it; without `details`, only the outline is there.

    Raises:
        ServiceFormatError: a property is of the wrong kind, or the name is missing.
    """
    properties = document.member("properties") or JsonObject({}, document.where("properties"))
    details = properties.member("details") or JsonObject({}, properties.where("details"))
    system_data = document.member("systemData")
    document.ignore("type", "etag", "sku")
    properties.ignore(*_READ_ONLY_PROPERTIES)
    details.ignore(*_READ_ONLY_DETAILS)
    stage = properties.text("status")
    cancellation_reason = properties.text("cancellationReason")
    transfer_type = properties.text("transferType")
    storage_account, log_level = _parse_destination(details)
    sent, back = parse_packages(details)
    drives = _parse_drives(details, stage)
    started_at = properties.time("startTime")
    created_at = system_data.time("createdAt") if system_data else None
    return ImportJob(
        id=document.text("id"),
        name=document.required_text("name"),
        location=document.text("location"),
        tags=document.pairs("tags"),
        job_type=_TRANSFER_TYPES.get(transfer_type.casefold(), transfer_type or JobType.IMPORT),
        storage_account=storage_account,
        log_level=log_level,
        drives=drives,
        return_address=parse_address(details),
        return_shipping=parse_return_shipping(details),
        shipping_information=parse_datacenter(details.member("datacenterAddress")),
        delivery_package=sent,
        return_package=back,
        backup_drive_manifest=details.flag("enableManifestBackup"),
        state=job_state_of_stage(stage),
        raw_state=stage,
        cancel_requested=bool(cancellation_reason) or is_cancelled_stage(stage),
        percent_complete=_percent(
            sum(drive.bytes_succeeded or 0 for drive in drives),
            sum(drive.bytes_total or 0 for drive in drives),
        ),
        created_at=created_at or started_at,
        unknown=tuple(
            sorted(document.unknown() + properties.unknown(_PROPERTIES) + details.unknown(_DETAILS))
        ),
    )


def parse_location(document: JsonObject, region: str) -> Location:
    """
    Parse the answer of regionConfiguration.

    Raises:
        ServiceFormatError: a property is of the wrong kind.
    """
    address = document.member("datacenterAddressResponse") or JsonObject(
        {}, document.where("datacenterAddressResponse")
    )
    return Location(
        name=address.text("dataCenterAzureLocation") or region,
        supported_carriers=address.texts("supportedCarriersForReturnShipment"),
        shipping_information=parse_datacenter(address) or ShippingInformation(),
    )


def parse_recovery_passwords(document: JsonObject) -> tuple[DriveRecoveryPassword, ...]:
    """
    Parse the answer of listCredentials.

    Raises:
        ServiceFormatError: a drive lacks its serial number or its key.
    """
    return tuple(
        DriveRecoveryPassword(
            drive_id=item.required_text("diskSerialNumber"),
            recovery_password=item.required_secret("bitLockerKey"),
        )
        for credentials in document.members("value")
        for secrets in (credentials.member("jobSecrets"),)
        if secrets is not None
        for item in secrets.members("diskSecrets")
    )


def _parse_destination(details: JsonObject) -> tuple[str, str]:
    for item in details.members("dataImportDetails"):
        account = item.member("accountDetails")
        account_id = account.text("storageAccountId") if account else ""
        return account_id, item.text("logCollectionLevel") or LogLevel.ERROR
    return "", LogLevel.ERROR


def _render_drive(drive: JobDrive) -> dict[str, Any]:
    password = drive.recovery_password
    members = {
        "manifestFile": drive.manifest_file,
        "manifestHash": drive.manifest_hash,
        "bitLockerKey": None if password is None else password.reveal(),
    }
    return with_unknown(without_none(members), drive.unknown)


def _parse_drives(details: JsonObject, stage: str) -> tuple[JobDrive, ...]:
    progress = {item.text("serialNumber"): item for item in details.members("copyProgress")}
    logs = {item.text("serialNumber"): item for item in details.members("copyLogDetails")}
    return tuple(
        _parse_drive(serial, item, progress.get(serial), logs.get(serial), stage)
        for serial, item in details.named_members("importDiskDetailsCollection")
    )


def _parse_drive(
    serial: str,
    item: JsonObject,
    progress: JsonObject | None,
    logs: JsonObject | None,
    stage: str,
) -> JobDrive:
    item.ignore("bitLockerKey")
    copy_status = progress.text("copyStatus") if progress else ""
    done = progress.count("bytesProcessed") if progress else None
    total = progress.count("totalBytesToProcess") if progress else None
    return JobDrive(
        drive_id=serial,
        manifest_file=item.text("manifestFile"),
        manifest_hash=item.text("manifestHash"),
        manifest_uri=item.text("backupManifestCloudPath"),
        state=drive_state_of_copy(copy_status, job_state_of_stage(stage)),
        copy_status=copy_status,
        bytes_succeeded=done,
        bytes_total=total,
        percent_complete=_percent(done, total),
        error_log_uri=logs.text("errorLogLink") if logs else "",
        verbose_log_uri=logs.text("verboseLogLink") if logs else "",
        unknown=item.unknown(),
    )


def _percent(done: int | None, total: int | None) -> int | None:
    return min(100, 100 * (done or 0) // total) if total else None
