"""
Volumes on drives: what an adapter is, and the adapters there are.
"""

from __future__ import annotations

from offlineseed.volumes._adapter import (
    VolumeAdapter,
    VolumeFileWriter,
    VolumeReader,
    VolumeWriter,
)
from offlineseed.volumes._block_devices import DriveCheck, drive_facts
from offlineseed.volumes._commands import CommandResult, CommandRunner, SystemCommands
from offlineseed.volumes._directory import DirectoryVolumes
from offlineseed.volumes._eligibility import (
    MAX_DRIVE_BYTES,
    Bus,
    DriveFacts,
    FormFactor,
    check_drive,
)
from offlineseed.volumes._linux import LinuxVolumes
from offlineseed.volumes._model import CacheBypass, Drive, VolumeCapacity, VolumeFile
from offlineseed.volumes._names import require_portable_path
from offlineseed.volumes._native import NativeVolumes, survey_disk
from offlineseed.volumes._windows import WindowsVolumes
from offlineseed.volumes._windows_replies import WindowsDisk

__all__ = [
    "MAX_DRIVE_BYTES",
    "Bus",
    "CacheBypass",
    "CommandResult",
    "CommandRunner",
    "DirectoryVolumes",
    "Drive",
    "DriveCheck",
    "DriveFacts",
    "FormFactor",
    "LinuxVolumes",
    "NativeVolumes",
    "SystemCommands",
    "VolumeAdapter",
    "VolumeCapacity",
    "VolumeFile",
    "VolumeFileWriter",
    "VolumeReader",
    "VolumeWriter",
    "WindowsDisk",
    "WindowsVolumes",
    "check_drive",
    "drive_facts",
    "require_portable_path",
    "survey_disk",
]
