"""
How Microsoft.DataBox shows orders.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from offlineseed.emulator._job import ServiceDrive, ServiceJob
from offlineseed.emulator._locations import ServiceLocation
from offlineseed.emulator._states import CANCELLABLE, TERMINAL, DriveWord, JobWord

__all__ = ["DELETABLE", "TYPE", "datacenter_document", "job_document"]

TYPE = "Microsoft.DataBox/jobs"
"""The type of a job's resource."""

DELETABLE = TERMINAL
"""An order is deleted when it has ended; before that it is cancelled."""

_STAGES = (
    (JobWord.CREATING, "AwaitingShipmentDetails", "Awaiting shipment information"),
    (JobWord.SHIPPING, "ShippedToAzureDC", "Shipped"),
    (JobWord.RECEIVED, "AtAzureDC", "Received"),
    (JobWord.TRANSFERRING, "DataCopy", "Data copy in progress"),
    (JobWord.PACKAGING, "PreparingToShipFromAzureDC", "Preparing to ship"),
)
_COPY_STATUS = {
    "InProgress": "InProgress",
    "Completed": "Completed",
    "CompletedWithWarnings": "Completed",
    "CompletedWithErrors": "CompletedWithErrors",
    "DiskNotFound": "DriveNotDetected",
    "DiskOperationFailed": "HardwareError",
    "VolumeNotNtfs": "UnsupportedDrive",
    "BlobRequestForbidden": "StorageAccountNotAccessible",
    "InternalError": "OtherServiceError",
}
"""From the drive status codes of the copy log to CopyStatus. BitLocker's codes are below."""


def job_document(job: ServiceJob, *, has_details: bool = False) -> dict[str, Any]:
    """
    Return a job as GET shows it.
    """
    known = job.document
    properties: dict[str, Any] = {
        "transferType": "ImportToAzure",
        "isCancellable": job.state in CANCELLABLE and not job.cancel_requested,
        "isDeletable": job.state in DELETABLE,
        "isShippingAddressEditable": job.state not in TERMINAL,
        "reverseShippingDetailsUpdate": "NotSupported",
        "reverseTransportPreferenceUpdate": "NotSupported",
        "isPrepareToShipEnabled": False,
        "isCancellableWithoutFee": job.state is JobWord.CREATING,
        "status": _status(job),
        "startTime": _time(job.created),
        "deliveryType": "NonScheduled",
        "allDevicesLost": all(d.state is DriveWord.NEVER_RECEIVED for d in job.drives),
    }
    if known["reason"] is not None:
        properties["cancellationReason"] = known["reason"]
    if has_details:
        properties["details"] = _details(job)
    document: dict[str, Any] = {
        "id": f"/subscriptions/{job.subscription}/resourceGroups/{job.scope}"
        f"/providers/{TYPE}/{job.name}",
        "name": job.name,
        "type": TYPE,
        "location": known["location"],
        "sku": {"name": "DataBoxCustomerDisk", "displayName": "DataBox Customer Disk"},
        "identity": known["identity"],
        "systemData": {
            "createdAt": _time(job.created),
            "createdByType": "Application",
            "lastModifiedAt": _time(job.touched),
            "lastModifiedByType": "Application",
        },
        "properties": properties,
    }
    if known["tags"] is not None:
        document["tags"] = known["tags"]
    return document


def datacenter_document(place: ServiceLocation) -> dict[str, Any]:
    """
    Return where packages for a location go: an address, or what to do to get one.
    """
    common = {
        "supportedCarriersForReturnShipment": list(place.carriers),
        "dataCenterAzureLocation": place.name,
    }
    if not place.street.strip():
        return {
            "datacenterAddressType": "DatacenterAddressInstruction",
            "communicationInstruction": place.recipient,
            **common,
        }
    return {
        "datacenterAddressType": "DatacenterAddressLocation",
        "contactPersonName": place.recipient,
        "company": "Microsoft",
        "street1": place.street,
        "street2": place.street_2,
        "city": place.city,
        "state": place.state,
        "zip": place.postal_code,
        "country": place.country,
        "phone": place.phone or "",
        "addressType": "Commercial",
        **common,
    }


def _details(job: ServiceJob) -> dict[str, Any]:
    known = job.document
    details: dict[str, Any] = {
        "jobDetailsType": "DataBoxCustomerDisk",
        "jobStages": _stages(job),
        **known["details"],
        "dataImportDetails": [
            {
                "accountDetails": {
                    "dataAccountType": "StorageAccount",
                    "storageAccountId": known["account"],
                },
                "logCollectionLevel": "Verbose" if job.is_verbose else "Error",
            }
        ],
        "importDiskDetailsCollection": {drive.drive_id: _disk(drive) for drive in job.drives},
        "copyProgress": [_progress(job, drive) for drive in job.drives],
        "copyLogDetails": [_logs(drive) for drive in job.drives if drive.copy_status],
        "enableManifestBackup": job.is_manifest_backed_up,
        "returnToCustomerPackageDetails": dict(known["return"]),
        "datacenterAddress": datacenter_document(job.location),
        "actions": [],
    }
    if job.tracking_number:
        details["deliverToDcPackageDetails"] = {
            "carrierName": job.carrier,
            "trackingId": job.tracking_number,
        }
    if job.returned is not None:
        details["returnToCustomerPackageDetails"]["trackingId"] = job.return_tracking_number
    return details


def _status(job: ServiceJob) -> str:
    if job.state is JobWord.COMPLETED:
        if job.cancel_requested:
            return "Cancelled"
        if any(drive.copy_status == "CompletedWithWarnings" for drive in job.drives):
            return "CompletedWithWarnings"
        return "Completed"
    if job.state is JobWord.CLOSED:
        # Drives that never came end the order without a copy.
        return "CompletedWithErrors" if job.returned is not None else "Aborted"
    return next(name for state, name, _ in _STAGES if state is job.state)


def _stages(job: ServiceJob) -> list[dict[str, Any]]:
    states = [state for state, _, _ in _STAGES]
    reached = states.index(job.state) if job.state in states else len(states)
    stages: list[dict[str, Any]] = []
    for index, (_, name, display) in enumerate(_STAGES):
        status = "None"
        if index < reached:
            status = "Cancelled" if job.cancel_requested else "Succeeded"
        elif index == reached:
            status = "Cancelling" if job.cancel_requested else "InProgress"
        stage = {"stageName": name, "displayName": display, "stageStatus": status}
        if index == reached:
            stage["stageTime"] = _time(job.since)
        stages.append(stage)
    if job.state in TERMINAL:
        name = _status(job)
        status = {
            "Completed": "Succeeded",
            "CompletedWithWarnings": "SucceededWithWarnings",
            "CompletedWithErrors": "SucceededWithErrors",
            "Cancelled": "Cancelled",
        }.get(name, "Failed")
        stages.append(
            {
                "stageName": name,
                "displayName": name,
                "stageStatus": status,
                "stageTime": _time(job.since),
            }
        )
    return stages


def _disk(drive: ServiceDrive) -> dict[str, Any]:
    # The recovery password stays out: listCredentials alone shows it.
    disk = {"manifestFile": drive.manifest_file, "manifestHash": drive.manifest_hash}
    if drive.manifest_uri is not None:
        disk["backupManifestCloudPath"] = drive.manifest_uri
    return disk


def _progress(job: ServiceJob, drive: ServiceDrive) -> dict[str, Any]:
    return {
        "serialNumber": drive.drive_id,
        "copyStatus": _copy_status(drive),
        "accountId": job.document["account"],
        "storageAccountName": job.document["account"].rpartition("/")[2],
        "dataAccountType": "StorageAccount",
        "transferType": "ImportToAzure",
        "bytesProcessed": drive.bytes_succeeded,
        "totalBytesToProcess": drive.total_bytes,
        "filesProcessed": drive.blobs_done,
        "totalFilesToProcess": drive.total_blobs,
        "filesErroredOut": drive.blobs_failed,
        "invalidFilesProcessed": 0,
        "renamedContainerCount": 0,
        "isEnumerationInProgress": False,
    }


def _copy_status(drive: ServiceDrive) -> str:
    if drive.state is DriveWord.NEVER_RECEIVED:
        return "DriveNotReceived"
    code = drive.copy_status
    if code is None:
        return "NotStarted"
    if code.startswith(("Manifest", "ReadManifest")):
        return "MetadataFilesModifiedOrRemoved"
    if code.startswith("BitLocker"):
        return "OtherUserError"
    return _COPY_STATUS.get(code, "Failed")


def _logs(drive: ServiceDrive) -> dict[str, Any]:
    logs: dict[str, Any] = {
        "copyLogDetailsType": "DataBoxCustomerDisk",
        "serialNumber": drive.drive_id,
    }
    if drive.error_log_uri is not None:
        logs["errorLogLink"] = drive.error_log_uri
    if drive.verbose_log_uri is not None:
        logs["verboseLogLink"] = drive.verbose_log_uri
    return logs


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
