"""
The article's workflow as one object: initiate, stage, prepare, create the job, ship, follow.

It composes the packages below and adds no mechanism of its own. What it knows lies on the staging
location, without secrets, so every step goes on from there on another machine.
"""

from offlineseed.workflow._allotment import Allotment, AllottedDrive
from offlineseed.workflow._machine import FirmwareFacts, Machine, judge_machine, read_machine
from offlineseed.workflow._preflight import PreflightFacts, check_preflight
from offlineseed.workflow._probes import CheckDrive, preflight
from offlineseed.workflow._problems import ReadLogs
from offlineseed.workflow._seed import OfflineSeed
from offlineseed.workflow._status import WAITING_FOR_IMPORT_JOB, SeedStatus, SeedStep
from offlineseed.workflow._workload import Workload, check_workload

__all__ = [
    "WAITING_FOR_IMPORT_JOB",
    "Allotment",
    "AllottedDrive",
    "CheckDrive",
    "FirmwareFacts",
    "Machine",
    "OfflineSeed",
    "PreflightFacts",
    "ReadLogs",
    "SeedStatus",
    "SeedStep",
    "Workload",
    "check_preflight",
    "check_workload",
    "judge_machine",
    "preflight",
    "read_machine",
]
