"""
What Windows answers. Pure.
"""

from __future__ import annotations

import json
from typing import Any, final

import attrs

from offlineseed.errors import (
    ConsentError,
    DriveNotEligibleError,
    UnlockRefusedError,
    VolumeError,
)
from offlineseed.findings import Finding
from offlineseed.volumes._eligibility import Bus, DriveFacts

__all__ = ["WindowsDisk", "WindowsVolume", "parse_disks", "parse_reply", "parse_volume"]

_BUSES = {
    "sata": Bus.SATA,
    "ata": Bus.SATA,
    "raid": Bus.UNKNOWN,  # what stands behind a controller is not told
    "usb": Bus.USB,
    "sas": Bus.SAS,
    "nvme": Bus.NVME,
    "virtual": Bus.VIRTUAL,
    "file backed virtual": Bus.VIRTUAL,
    "sd": Bus.OTHER,
    "mmc": Bus.OTHER,
}
_ROTATIONS = {"hdd": True, "ssd": False}


@final
@attrs.frozen(kw_only=True)
class WindowsDisk:
    """
    A disk as Windows describes it.
    """

    number: int
    """Windows' number of it, which changes with what is attached."""
    facts: DriveFacts
    """What the rules for drives want to know."""
    is_blank: bool
    """Whether it has no partition table."""


@final
@attrs.frozen(kw_only=True)
class WindowsVolume:
    """
    A volume that BitLocker has unlocked.
    """

    root: str
    """Its root folder."""
    is_encrypted: bool
    """Whether all of it is encrypted."""
    encryption_method: str
    """How, in Windows' words."""


def parse_reply(output: str, errors: str = "") -> Any:
    """
    Return the value that a script answered with.

    Raises:
        UnlockRefusedError: the recovery password does not open the volume.
        ConsentError: the disk is another one, or has partitions.
        DriveNotEligibleError: Windows runs from the disk.
        VolumeError: anything else that went wrong, or no answer at all.
    """
    reply = _last_object(output)
    if reply is None:
        said = " ".join(errors.split())
        raise VolumeError(
            "Windows gave no answer; are its modules Storage and BitLocker there, and does this"
            f" run as administrator? {said[:300]}".rstrip()
        )
    if reply.get("ok") is True:
        return reply.get("value")
    code, message = str(reply.get("code", "")), str(reply.get("message", ""))
    text = f"Windows says: {message or code or 'nothing'}"
    if code == "unlock-refused":
        raise UnlockRefusedError(text)
    if code in ("drive-other", "drive-not-blank"):
        raise ConsentError(text)
    if code == "drive-of-system":
        finding = Finding(code=code, subject="disk", message=message)
        raise DriveNotEligibleError(text, findings=[finding])
    raise VolumeError(text)


def parse_disks(value: Any) -> tuple[WindowsDisk, ...]:
    """
    Return the disks of an answer to `LIST_DISKS`.

    Raises:
        VolumeError: the answer is none.
    """
    try:
        return tuple(_disk(disk) for disk in _listed(value["disks"]))
    except (KeyError, TypeError, ValueError) as error:
        raise VolumeError(f"Windows described its disks in an unknown way: {error!r}") from error


def parse_volume(value: Any) -> WindowsVolume:
    """
    Return the volume of an answer to `FORMAT_DRIVE` or `OPEN_VOLUME`.

    Raises:
        VolumeError: the answer is none, or the volume is still locked.
    """
    try:
        volume = WindowsVolume(
            root=str(value["root"]),
            is_encrypted=str(value["volumeStatus"]) == "FullyEncrypted",
            encryption_method=str(value["encryptionMethod"]),
        )
        is_locked = str(value["lockStatus"]) != "Unlocked"
    except (KeyError, TypeError) as error:
        raise VolumeError(f"Windows described the volume in an unknown way: {error!r}") from error
    if is_locked:
        raise VolumeError(f"the volume at {volume.root} is locked; unlock it in Windows")
    return volume


def _last_object(output: str) -> dict[str, Any] | None:
    # Modules may write lines of their own before the answer.
    for line in reversed(output.replace("\ufeff", "").splitlines()):
        if line.lstrip().startswith("{"):
            try:
                reply = json.loads(line)
            except ValueError:
                continue
            if isinstance(reply, dict) and "ok" in reply:
                return reply
    return None


def _listed(value: Any) -> list[Any]:
    # PowerShell makes one of a list of one, and nothing of a list of none.
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _disk(disk: Any) -> WindowsDisk:
    bus = str(disk["bus"]).lower()
    return WindowsDisk(
        number=int(disk["number"]),
        facts=DriveFacts(
            path=str(disk["path"]),
            size_bytes=int(disk["sizeBytes"]),
            logical_sector_bytes=int(disk["logicalSectorBytes"]),
            physical_sector_bytes=int(disk["physicalSectorBytes"]),
            serial=str(disk["serial"]),
            model=str(disk["model"]),
            bus=_BUSES.get(bus, Bus.UNKNOWN),
            is_rotational=_ROTATIONS.get(str(disk.get("media")).lower()),
            is_read_only=disk["isReadOnly"] is True,
            is_system=disk["isSystem"] is True,
            mounts=tuple(str(mount) for mount in _listed(disk.get("mounts"))),
        ),
        is_blank=str(disk["partitionStyle"]).upper() == "RAW",
    )
