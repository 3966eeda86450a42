"""
How the classic API shows jobs and locations.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from offlineseed.emulator._job import ServiceDrive, ServiceJob
from offlineseed.emulator._locations import ServiceLocation
from offlineseed.emulator._states import DriveWord, JobWord

__all__ = ["job_document", "job_outline", "location_document"]


def location_document(place: ServiceLocation) -> dict[str, Any]:
    """
    Return a location.
    """
    return {
        "Name": place.display_name,
        "RecipientName": place.recipient,
        "StreetAddress1": place.street,
        "StreetAddress2": place.street_2,
        "City": place.city,
        "StateOrProvince": place.state,
        "PostalCode": place.postal_code,
        "CountryOrRegion": place.country,
        "SupportedCarriers": list(place.carriers),
    }


def job_document(job: ServiceJob, base_url: str) -> dict[str, Any]:
    """
    Return a job with its drives.
    """
    return {**job_outline(job, base_url), "DriveList": [_drive(drive) for drive in job.drives]}


def job_outline(job: ServiceJob, base_url: str) -> dict[str, Any]:
    """
    Return a job as the list shows it.
    """
    link = (
        f"/{quote(job.subscription)}/services/importexport/storageaccounts/{quote(job.scope)}"
        f"/jobs/{quote(job.name)}"
    )
    return {
        "odata.id": base_url + link,
        "odata.editLink": link.lstrip("/"),
        "Name": job.name,
        "Properties": _properties(job),
    }


def _properties(job: ServiceJob) -> dict[str, Any]:
    known = job.document
    properties: dict[str, Any] = {
        "StorageAccountName": job.scope,
        "Location": job.location.display_name,
        "Type": "Import",
        "State": job.state.value,
        "CancelRequested": job.cancel_requested,
        "ShippingInformation": {
            "Name": job.location.recipient,
            "Address": _address(job.location),
        },
        "ImportExportStatesPath": job.logs_path,
        "EnableVerboseLog": job.is_verbose,
        "BackupDriveManifest": job.is_manifest_backed_up,
    }
    for name in (
        "FriendlyName",
        "Description",
        "Metadata",
        "ReturnAddress",
        "ReturnShipping",
        "DeliveryPackage",
    ):
        if name in known:
            properties[name] = known[name]
    if job.state not in (JobWord.CREATING, JobWord.SHIPPING):
        properties["PercentComplete"] = job.percent_complete
    if job.returned is not None:
        properties["ReturnPackage"] = {
            "CarrierName": known.get("ReturnShipping", {}).get("CarrierName") or job.carrier,
            "TrackingNumber": job.return_tracking_number,
            "DriveCount": sum(d.state is DriveWord.SHIPPED_BACK for d in job.drives),
            "ShipDate": job.returned.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    return properties


def _address(place: ServiceLocation) -> str:
    # One string here, where the newer dialects have fields.
    parts = (
        place.street,
        place.street_2,
        place.city,
        place.state,
        place.postal_code,
        place.country,
    )
    return ", ".join(part.strip() for part in parts if part.strip())


def _drive(drive: ServiceDrive) -> dict[str, Any]:
    # The recovery password stays out: this dialect never gives it back.
    document: dict[str, Any] = {
        "DriveId": drive.drive_id,
        "ManifestFile": drive.manifest_file,
        "ManifestHash": drive.manifest_hash,
        "State": drive.state.value,
    }
    if drive.copy_status is not None:
        document["CopyStatus"] = drive.copy_status
        document["PercentComplete"] = drive.percent_complete
    uris = {
        "VerboseLogUri": drive.verbose_log_uri,
        "ErrorLogUri": drive.error_log_uri,
        "ManifestUri": drive.manifest_uri,
    }
    return document | {name: uri for name, uri in uris.items() if uri is not None}
