"""
How Microsoft.ImportExport shows jobs and locations.

Source: answers of the service recorded in 2020, in its own order of members.
"""

from __future__ import annotations

from typing import Any

from offlineseed.emulator._job import ServiceDrive, ServiceJob
from offlineseed.emulator._locations import ServiceLocation
from offlineseed.emulator._states import DriveWord, JobWord

__all__ = ["TYPE", "job_document", "location_document"]

TYPE = "Microsoft.ImportExport/jobs"
"""The type of a job's resource."""


def location_document(place: ServiceLocation) -> dict[str, Any]:
    """
    Return a location as GET shows it.
    """
    properties = _address(place)
    properties["supportedCarriers"] = list(place.carriers)
    properties["alternateLocations"] = [_location_id(place.alternate)]
    return {
        "properties": properties,
        "id": _location_id(place.name),
        "name": place.display_name,
        "type": "Microsoft.ImportExport/locations",
    }


def _location_id(name: str) -> str:
    return f"/providers/Microsoft.ImportExport/locations/{name}"


def _address(place: ServiceLocation) -> dict[str, Any]:
    address: dict[str, Any] = {
        "recipientName": place.recipient,
        "streetAddress1": place.street,
        "streetAddress2": place.street_2,
        "city": place.city,
        "stateOrProvince": place.state,
        "postalCode": place.postal_code,
        "countryOrRegion": place.country,
    }
    if place.phone is not None:
        address["phone"] = place.phone
    return address


def job_document(
    job: ServiceJob, *, has_drives: bool = True, location: str | None = None
) -> dict[str, Any]:
    """
    Return a job as GET shows it, with the location as it was written where that is given.
    """
    known = job.document
    properties: dict[str, Any] = {
        "storageAccountId": known["storageAccountId"],
        "jobType": known["jobType"],
    }
    for name in ("returnAddress", "returnShipping"):
        if name in known:
            properties[name] = known[name]
    properties["shippingInformation"] = _address(job.location)
    if "deliveryPackage" in known:
        properties["deliveryPackage"] = known["deliveryPackage"]
    if job.returned is not None:
        properties["returnPackage"] = {
            "carrierName": known.get("returnShipping", {}).get("carrierName") or job.carrier,
            "trackingNumber": job.return_tracking_number,
            "driveCount": sum(d.state is DriveWord.SHIPPED_BACK for d in job.drives),
            "shipDate": job.returned.strftime("%m/%d/%Y %I:%M:%S %p"),
        }
    properties |= {
        "diagnosticsPath": known["diagnosticsPath"],
        "logLevel": "Verbose" if job.is_verbose else "Error",
        "backupDriveManifest": job.is_manifest_backed_up,
        "cancelRequested": job.cancel_requested,
        "state": job.state.value,
    }
    if job.state not in (JobWord.CREATING, JobWord.SHIPPING):
        properties["percentComplete"] = job.percent_complete
    if has_drives:
        properties["driveList"] = [_drive(drive) for drive in job.drives]
    properties["provisioningState"] = "Succeeded"
    properties["encryptionKey"] = known["encryptionKey"]
    document = {
        "properties": properties,
        "identity": known["identity"],
        "id": f"/subscriptions/{job.subscription}/resourceGroups/{job.scope}"
        f"/providers/{TYPE}/{job.name}",
        "name": job.name,
        "type": TYPE,
        "location": location or job.location.display_name,
    }
    if "tags" in known:
        document["tags"] = known["tags"]
    return document


def _drive(drive: ServiceDrive) -> dict[str, Any]:
    document: dict[str, Any] = {
        "driveId": drive.drive_id,
        "manifestFile": drive.manifest_file,
        "manifestHash": drive.manifest_hash,
    }
    if drive.header_hash is not None:
        document["driveHeaderHash"] = drive.header_hash
    document["state"] = drive.state.value
    if drive.copy_status is not None:
        document["copyStatus"] = drive.copy_status
        document["percentComplete"] = drive.percent_complete
        document["bytesSucceeded"] = drive.bytes_succeeded
    uris = {
        "verboseLogUri": drive.verbose_log_uri,
        "errorLogUri": drive.error_log_uri,
        "manifestUri": drive.manifest_uri,
    }
    return document | {name: uri for name, uri in uris.items() if uri is not None}
