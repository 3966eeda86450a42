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
from offlineseed.jobs._carriers import KNOWN_CARRIERS, same_carrier, same_tracking_number
from offlineseed.jobs._classic import ClassicJobs
from offlineseed.jobs._copylog import parse_copy_log
from offlineseed.jobs._copylog_models import (
    BlobCopyResult,
    CopyLog,
    CopySummary,
    PartCopyResult,
)
from offlineseed.jobs._data_box import DataBoxJobs
from offlineseed.jobs._deadlines import Deadline, job_deadlines
from offlineseed.jobs._import_export import ImportExportJobs
from offlineseed.jobs._locations import choose_location, same_location
from offlineseed.jobs._models import DriveRecoveryPassword, ImportJob, JobChanges, JobDrive
from offlineseed.jobs._protocol import ImportJobs
from offlineseed.jobs._records import (
    ShippingRecord,
    WaitingJob,
    parse_shipping_record,
    render_shipping_record,
)
from offlineseed.jobs._registry import JobRegistry, taken_tracking_numbers
from offlineseed.jobs._shipping import (
    RULES,
    Shipment,
    ShippingRule,
    check_shipping,
    require_shipping,
)
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
    "KNOWN_CARRIERS",
    "RULES",
    "Actor",
    "BlobCopyResult",
    "ClassicJobs",
    "CopyLog",
    "CopySummary",
    "DataBoxJobs",
    "Deadline",
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
    "JobRegistry",
    "JobState",
    "JobTransition",
    "JobType",
    "Location",
    "LogLevel",
    "PartCopyResult",
    "ReturnAddress",
    "ReturnShipping",
    "Shipment",
    "ShippingInformation",
    "ShippingRecord",
    "ShippingRule",
    "WaitingJob",
    "allowed_actions",
    "can_move",
    "can_move_drive",
    "check_shipping",
    "choose_location",
    "job_deadlines",
    "parse_copy_log",
    "parse_shipping_record",
    "render_shipping_record",
    "require_action",
    "require_shipping",
    "same_carrier",
    "same_location",
    "same_tracking_number",
    "taken_tracking_numbers",
]
