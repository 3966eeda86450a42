"""
Facts about block devices, as Linux tells them in `/sys` and `/proc`.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import final

import attrs

from offlineseed.errors import AdapterUnavailableError
from offlineseed.findings import Finding
from offlineseed.volumes._ata_identity import IDENTITY_BYTES, AtaIdentity, parse_identity
from offlineseed.volumes._eligibility import (
    MAX_DRIVE_BYTES,
    Bus,
    DriveFacts,
    FormFactor,
    check_drive,
)
from offlineseed.volumes._model import Drive

__all__ = ["DriveCheck", "drive_facts"]

_SECTOR_BYTES = 512  # the unit of `size` in sysfs, whatever the drive's sectors are
_GET_IDENTITY = 0x030D  # HDIO_GET_IDENTITY, linux/hdreg.h
_SYSTEM_MOUNTS = frozenset({"/", "/usr", "/boot", "/boot/efi", "/var", "/home"})
_OCTAL = re.compile(r"\\([0-7]{3})")


@final
@attrs.frozen(kw_only=True)
class DriveCheck:
    """
    The check of a drive that is attached here, by the service's rules: for `DrivePreparer`.

    Images pass with their size alone. Elsewhere than on Linux nothing is known of devices.
    """

    max_bytes: int = MAX_DRIVE_BYTES
    """The largest drive that is taken."""

    def __call__(self, drive: Drive) -> tuple[Finding, ...]:
        """
        Return what is wrong with the drive.

        Raises:
            OSError: there is nothing at its path that could be looked at.
        """
        if not drive.path.exists():
            facts = DriveFacts(path=str(drive.path), size_bytes=drive.size_bytes, bus=Bus.IMAGE)
        else:
            facts = drive_facts(drive.path)
            if facts.bus is Bus.IMAGE and not facts.size_bytes:
                facts = attrs.evolve(facts, size_bytes=drive.size_bytes)
        return check_drive(facts, max_bytes=self.max_bytes, drive=drive)


def drive_facts(
    path: Path, *, sysfs: Path = Path("/sys"), procfs: Path = Path("/proc")
) -> DriveFacts:
    """
    Return what the system knows of a drive: a block device, or an image file. Changes nothing.

    Args:
        path: the device or file.
        sysfs: where the kernel shows devices.
        procfs: where it shows mounts.

    Raises:
        FileNotFoundError: there is nothing.
        AdapterUnavailableError: it is a device, and this is not Linux.
        OSError: it can't be looked at.
    """
    status = path.stat()
    if not stat.S_ISBLK(status.st_mode):
        is_read_only = not os.access(path, os.W_OK)
        return DriveFacts(
            path=str(path), size_bytes=status.st_size, bus=Bus.IMAGE, is_read_only=is_read_only
        )
    if sys.platform != "linux":
        raise AdapterUnavailableError(
            f"{path}: facts about block devices are read on Linux only; use an image, or the"
            " adapter of this system",
            missing=["sysfs"],
        )
    number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    return device_facts(str(path), number, sysfs=sysfs, procfs=procfs)


def device_facts(path: str, number: str, *, sysfs: Path, procfs: Path) -> DriveFacts:
    """
    Return the facts of the device with that number, such as `8:16`; see `drive_facts`.
    """
    folder = (sysfs / "dev" / "block" / number).resolve()
    if (folder / "partition").exists():
        folder = folder.parent
    mounts = tuple(sorted(_mounts(folder, sysfs, procfs)))
    identity = _ask(path)
    bus = _bus(folder)
    is_rotational = identity.is_rotational if identity else None
    if is_rotational is None and bus is not Bus.USB:  # adaptors say what they like
        is_rotational = {"0": False, "1": True}.get(_text(folder / "queue" / "rotational"))
    return DriveFacts(
        path=path,
        size_bytes=_number(folder / "size") * _SECTOR_BYTES,
        logical_sector_bytes=_number(folder / "queue" / "logical_block_size") or _SECTOR_BYTES,
        physical_sector_bytes=_number(folder / "queue" / "physical_block_size") or _SECTOR_BYTES,
        serial=(identity.serial if identity else "") or _serial(folder),
        model=_text(folder / "device" / "model"),
        bus=bus,
        is_rotational=is_rotational,
        form_factor=identity.form_factor if identity else FormFactor.UNKNOWN,
        is_removable=_text(folder / "removable") == "1",
        is_read_only=_text(folder / "ro") == "1",
        is_system=any(mount in _SYSTEM_MOUNTS or mount == "[swap]" for mount in mounts),
        mounts=mounts,
    )


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace").strip()
    except OSError:
        return ""


def _number(file: Path) -> int:
    text = _text(file)
    return int(text) if text.isdecimal() else 0


def _serial(folder: Path) -> str:
    with contextlib.suppress(OSError):
        page = (folder / "device" / "vpd_pg80").read_bytes()
        serial = page[4 : 4 + int.from_bytes(page[2:4], "big")].decode("ascii", "replace")
        if serial.strip("\0 "):
            return "".join(serial.replace("\0", "").split())
    for file in (folder / "device" / "serial", folder / "serial"):
        serial = "".join(_text(file).split())
        if serial:
            return serial
    return ""


def _bus(folder: Path) -> Bus:
    # The device's place in the tree names everything between it and the processor.
    parts = folder.parts
    if any(part.startswith("usb") for part in parts):
        return Bus.USB
    if any(re.fullmatch(r"ata\d+", part) for part in parts):
        return Bus.SATA
    if any(part.startswith("nvme") for part in parts):
        return Bus.NVME
    if any(part.startswith("virtio") for part in parts) or "virtual" in parts:
        return Bus.VIRTUAL
    if any(part.startswith("end_device-") for part in parts):
        # A SATA disk behind a SAS controller says so by its maker's name.
        return Bus.SATA if _text(folder / "device" / "vendor") == "ATA" else Bus.SAS
    if any(part.startswith("mmc") for part in parts):
        return Bus.OTHER
    return Bus.UNKNOWN


def _ask(path: str) -> AtaIdentity | None:
    if sys.platform != "linux":
        return None
    import fcntl  # noqa: PLC0415  # Windows has none

    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return parse_identity(fcntl.ioctl(fd, _GET_IDENTITY, bytes(IDENTITY_BYTES)))
    except OSError:
        return None
    finally:
        os.close(fd)


def _mounts(folder: Path, sysfs: Path, procfs: Path) -> Iterator[str]:
    """
    Yield where the disk, its partitions and all that is built on them are mounted.
    """
    family = set(_family(folder, sysfs))
    numbers = {_text(member / "dev") for member in family}
    names = {f"/dev/{member.name}" for member in family}
    names |= {f"/dev/mapper/{_text(member / 'dm' / 'name')}" for member in family}
    for line in _lines(procfs / "self" / "mountinfo"):
        fields = line.split(" ")
        source = fields[fields.index("-") + 2] if "-" in fields[:-2] else ""
        if fields[2:3] and (fields[2] in numbers or source in names):
            yield _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4])
    if any(line.split(" ")[0].split("\t")[0] in names for line in _lines(procfs / "swaps")):
        yield "[swap]"


def _family(folder: Path, sysfs: Path) -> Iterator[Path]:
    yield folder
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            if (entry / "partition").exists():
                yield from _family(entry, sysfs)
    with contextlib.suppress(OSError):
        for holder in (folder / "holders").iterdir():
            yield from _family(holder.resolve(), sysfs)


def _lines(file: Path) -> Iterable[str]:
    try:
        return file.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ()
