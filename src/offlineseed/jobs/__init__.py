"""
Import jobs: one set of models, one protocol, and a client for each dialect of the service.
"""

from offlineseed.jobs._addresses import (
    DeliveryPackage,
    Location,
    ReturnAddress,
    ReturnShipping,
    ShippingInformation,
)
from offlineseed.jobs._import_export import ImportExportJobs
from offlineseed.jobs._models import DriveRecoveryPassword, ImportJob, JobChanges, JobDrive
from offlineseed.jobs._protocol import ImportJobs
from offlineseed.jobs._states import (
    CUSTOMER_ACTIONS,
    DRIVE_TRANSITIONS,
    JOB_TRANSITIONS,
    Actor,
    DriveTransition,
    JobAction,
    JobTransition,
    allowed_actions,
    can_move,
    can_move_drive,
    require_action,
)
from offlineseed.jobs._words import DriveState, JobState, JobType, LogLevel

__all__ = [
    "CUSTOMER_ACTIONS",
    "DRIVE_TRANSITIONS",
    "JOB_TRANSITIONS",
    "Actor",
    "DeliveryPackage",
    "DriveRecoveryPassword",
    "DriveState",
    "DriveTransition",
    "ImportExportJobs",
    "ImportJob",
    "ImportJobs",
    "JobAction",
    "JobChanges",
    "JobDrive",
    "JobState",
    "JobTransition",
    "JobType",
    "Location",
    "LogLevel",
    "ReturnAddress",
    "ReturnShipping",
    "ShippingInformation",
    "allowed_actions",
    "can_move",
    "can_move_drive",
    "require_action",
]
