"""
Whether the import service takes a drive: facts about it, and the service's rules. Pure.

Source: Import/Export service requirements (2022) and the offline backup article: internal SATA II
or III disks of 2.5 or 3.5 inches, solid-state ones of 2.5 inches; logical sectors of 512 bytes;
up to 10 TB by the article.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import final

import attrs

from offlineseed.findings import Finding, Severity
from offlineseed.volumes._model import Drive

__all__ = ["MAX_DRIVE_BYTES", "Bus", "DriveFacts", "FormFactor", "check_drive"]

MAX_DRIVE_BYTES = 10 * 10**12
"""The largest drive by the article. Later pages of the service name 8 TB, or no limit."""


class Bus(str, Enum):
    """
    What a drive is attached by.
    """

    SATA = "sata"
    """As the service wants it."""
    USB = "usb"
    """An adaptor or an enclosure."""
    SAS = "sas"
    """Serial Attached SCSI."""
    NVME = "nvme"
    """NVM Express."""
    VIRTUAL = "virtual"
    """A disk of a virtual machine, or a loop device."""
    IMAGE = "image"
    """A file that stands for a disk."""
    OTHER = "other"
    """Something else."""
    UNKNOWN = "unknown"
    """Could not be found out."""


class FormFactor(str, Enum):
    """
    How large a drive's case is.
    """

    INCH_3_5 = "3.5 inch"
    """A desktop's or server's disk."""
    INCH_2_5 = "2.5 inch"
    """A laptop's or server's disk, or a solid-state one."""
    SMALLER = "smaller than 2.5 inch"
    """1.8 inch, mSATA, M.2, CompactFlash."""
    LARGER = "larger than 3.5 inch"
    """5.25 inch."""
    UNKNOWN = "unknown"
    """Could not be found out."""


@final
@attrs.frozen(kw_only=True)
class DriveFacts:
    """
    What is known of a drive.
    """

    path: str
    """Where it is attached."""
    size_bytes: int
    """Its size; 0 where it could not be found out."""
    logical_sector_bytes: int = 512
    """Its logical sector."""
    physical_sector_bytes: int = 512
    """Its physical sector: 4096 on a drive that is called 512e."""
    serial: str = ""
    """Its serial number without spaces; empty where it could not be found out."""
    model: str = ""
    """What its maker calls it."""
    bus: Bus = Bus.UNKNOWN
    """What it is attached by."""
    is_rotational: bool | None = None
    """Whether it has platters; None where it could not be found out."""
    form_factor: FormFactor = FormFactor.UNKNOWN
    """How large its case is."""
    is_removable: bool = False
    """Whether it is a stick or card."""
    is_read_only: bool = False
    """Whether it can't be written."""
    is_system: bool = False
    """Whether this machine runs from it."""
    mounts: tuple[str, ...] = ()
    """Where volumes of it are mounted."""


def check_drive(
    facts: DriveFacts, *, max_bytes: int = MAX_DRIVE_BYTES, drive: Drive | None = None
) -> tuple[Finding, ...]:
    """
    Return everything that keeps a drive from being an import drive, and what is to be considered.

    Args:
        facts: what is known of the drive.
        max_bytes: the largest size.
        drive: what the drive should be; None leaves the comparison out.
    """
    subject = facts.serial or facts.path
    return tuple(
        Finding(code=code, subject=subject, message=message, severity=severity)
        for code, message, severity in (
            *_identity(facts, drive),
            *_use(facts),
            *_sectors(facts, max_bytes),
            *_attachment(facts),
            *_case(facts),
        )
    )


_Problem = tuple[str, str, Severity]


def _identity(facts: DriveFacts, drive: Drive | None) -> Iterator[_Problem]:
    if drive is None:
        return
    if facts.serial and facts.serial != drive.drive_id:
        yield (
            "drive-other",
            f"its serial number is {facts.serial}, not {drive.drive_id}; attach the right drive",
            Severity.ERROR,
        )
    elif not facts.serial and facts.bus is not Bus.IMAGE:
        yield (
            "drive-serial-unknown",
            f"its serial number can't be read; make sure that the label says {drive.drive_id}",
            Severity.WARNING,
        )
    if facts.size_bytes and facts.size_bytes != drive.size_bytes:
        yield (
            "drive-size-other",
            f"it has {facts.size_bytes} bytes, not {drive.size_bytes}; attach the right drive",
            Severity.ERROR,
        )


def _use(facts: DriveFacts) -> Iterator[_Problem]:
    if facts.is_system:
        yield "drive-of-system", "this machine runs from it; take another drive", Severity.ERROR
    elif facts.mounts:
        yield (
            "drive-mounted",
            f"it is mounted at {', '.join(facts.mounts)}; unmount it",
            Severity.ERROR,
        )
    if facts.is_read_only:
        yield "drive-read-only", "it can't be written; remove its write protection", Severity.ERROR


def _sectors(facts: DriveFacts, max_bytes: int) -> Iterator[_Problem]:
    if facts.logical_sector_bytes != 512:
        yield (
            "drive-sector-size",
            (
                f"its logical sectors have {facts.logical_sector_bytes} bytes, the service takes"
                " only 512; take a drive that is 512n or 512e"
            ),
            Severity.ERROR,
        )
    if facts.size_bytes > max_bytes:
        yield (
            "drive-too-large",
            f"it has {facts.size_bytes} bytes, the service takes at most {max_bytes}",
            Severity.ERROR,
        )


def _attachment(facts: DriveFacts) -> Iterator[_Problem]:
    bus = facts.bus
    if facts.is_removable:
        yield (
            "drive-removable",
            "it is a stick or card, the service takes internal SATA disks",
            Severity.ERROR,
        )
    elif bus is Bus.USB:
        yield (
            "drive-by-usb",
            (
                "it is attached by USB: ship a bare SATA disk, neither an enclosure nor a disk"
                " taken out of one"
            ),
            Severity.WARNING,
        )
    elif bus in (Bus.NVME, Bus.SAS, Bus.OTHER):
        yield (
            "drive-bus",
            f"it is attached by {bus.value}, the service takes SATA disks",
            Severity.ERROR,
        )
    elif bus in (Bus.VIRTUAL, Bus.UNKNOWN):
        yield (
            "drive-bus-unknown",
            "whether it is a SATA disk can't be found out; the service takes no others",
            Severity.WARNING,
        )


def _case(facts: DriveFacts) -> Iterator[_Problem]:
    form = facts.form_factor
    if form in (FormFactor.SMALLER, FormFactor.LARGER):
        yield (
            "drive-form-factor",
            f"it is {form.value}, the service takes 2.5 and 3.5 inch disks",
            Severity.ERROR,
        )
    elif form is FormFactor.INCH_3_5 and facts.is_rotational is False:
        yield (
            "drive-form-factor",
            "it is a solid-state disk of 3.5 inch, the service takes those of 2.5 inch",
            Severity.ERROR,
        )
