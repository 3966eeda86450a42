"""
Data Box's words for where a job and a drive stand, in the words of this library. Pure.

Source: the enumerations StageName and CopyStatus of Microsoft.DataBox 2025-07-01.
"""

from __future__ import annotations

from offlineseed.jobs._words import DriveState, JobState

__all__ = [
    "COPY_STATES",
    "STAGES",
    "drive_state_of_copy",
    "is_cancelled_stage",
    "job_state_of_stage",
]

STAGES: dict[str, JobState] = {
    "DeviceOrdered": JobState.CREATING,
    "Created": JobState.CREATING,
    "AwaitingShipmentDetails": JobState.CREATING,
    "DevicePrepared": JobState.CREATING,
    "Dispatched": JobState.CREATING,
    "Delivered": JobState.CREATING,
    "ReadyToReceiveAtAzureDC": JobState.CREATING,
    "PickedUp": JobState.SHIPPING,
    "ShippedToAzureDC": JobState.SHIPPING,
    "AtAzureDC": JobState.RECEIVED,
    "DataCopy": JobState.TRANSFERRING,
    "PreparingToShipFromAzureDC": JobState.PACKAGING,
    "ReadyToDispatchFromAzureDC": JobState.PACKAGING,
    # On its way home: the job ends when it is there.
    "ShippedToCustomer": JobState.PACKAGING,
    "Completed": JobState.COMPLETED,
    "CompletedWithWarnings": JobState.COMPLETED,
    "CompletedWithErrors": JobState.CLOSED,
    "Cancelled": JobState.COMPLETED,
    "Aborted": JobState.CLOSED,
    "Failed_IssueReportedAtCustomer": JobState.CLOSED,
    "Failed_IssueDetectedAtAzureDC": JobState.CLOSED,
}
"""Every stage of a job, and the state that it means."""

COPY_STATES: dict[str, DriveState] = {
    "InProgress": DriveState.TRANSFERRING,
    "Completed": DriveState.COMPLETED,
    "CompletedWithErrors": DriveState.COMPLETED_MORE_INFO,
    "Failed": DriveState.COMPLETED_MORE_INFO,
    "NotReturned": DriveState.NEVER_RECEIVED,
    "DriveNotReceived": DriveState.NEVER_RECEIVED,
    "HardwareError": DriveState.COMPLETED_MORE_INFO,
    "DeviceFormatted": DriveState.COMPLETED_MORE_INFO,
    "DeviceMetadataModified": DriveState.COMPLETED_MORE_INFO,
    "StorageAccountNotAccessible": DriveState.COMPLETED_MORE_INFO,
    "UnsupportedData": DriveState.COMPLETED_MORE_INFO,
    "UnsupportedDrive": DriveState.COMPLETED_MORE_INFO,
    "OtherServiceError": DriveState.COMPLETED_MORE_INFO,
    "OtherUserError": DriveState.COMPLETED_MORE_INFO,
    "DriveNotDetected": DriveState.COMPLETED_MORE_INFO,
    "DriveCorrupted": DriveState.COMPLETED_MORE_INFO,
    "MetadataFilesModifiedOrRemoved": DriveState.COMPLETED_MORE_INFO,
}
"""Every status of a copy that is more than `NotStarted`, and the drive state that it means."""

_STAGES = {name.casefold(): state for name, state in STAGES.items()}
_COPY_STATES = {name.casefold(): state for name, state in COPY_STATES.items()}
_BEFORE_COPY = {
    JobState.CREATING: DriveState.SPECIFIED,
    JobState.SHIPPING: DriveState.SPECIFIED,
    JobState.RECEIVED: DriveState.RECEIVED,
    JobState.TRANSFERRING: DriveState.RECEIVED,
    JobState.PACKAGING: DriveState.RECEIVED,
    JobState.COMPLETED: DriveState.SHIPPED_BACK,
    JobState.CLOSED: DriveState.SHIPPED_BACK,
}


def job_state_of_stage(stage: str) -> JobState | str:
    """
    Return the state that a stage means; a stage of a newer service stays as it is.
    """
    return _STAGES.get(stage.casefold(), stage) if stage else JobState.CREATING


def is_cancelled_stage(stage: str) -> bool:
    """
    Return whether a stage says that the job was cancelled.
    """
    return stage.casefold() == "cancelled"


def drive_state_of_copy(copy_status: str, job_state: JobState | str) -> DriveState | str:
    """
    Return the drive state that a copy's status means; an unknown status stays as it is.

    Before copying begins the job's own state says where its drives are.
    """
    if copy_status and copy_status.casefold() != "notstarted":
        return _COPY_STATES.get(copy_status.casefold(), copy_status)
    if isinstance(job_state, JobState):
        return _BEFORE_COPY.get(job_state, DriveState.SPECIFIED)
    return DriveState.SPECIFIED
