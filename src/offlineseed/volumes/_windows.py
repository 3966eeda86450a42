"""
Volumes that Windows makes: its own NTFS and BitLocker, asked for by PowerShell.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, final

import attrs

from offlineseed.bitlocker import CipherMethod, RecoveryPassword
from offlineseed.errors import (
    AdapterUnavailableError,
    DriveChangedError,
    VolumeError,
    VolumeFullError,
)
from offlineseed.findings import Finding
from offlineseed.volumes._commands import CommandRunner, SystemCommands
from offlineseed.volumes._directory import DirectoryVolumes, survey_contents
from offlineseed.volumes._directory_reader import DirectoryReader
from offlineseed.volumes._directory_writer import DirectoryWriter
from offlineseed.volumes._eligibility import MAX_DRIVE_BYTES, check_drive
from offlineseed.volumes._model import Drive, VolumeCapacity, VolumeFile
from offlineseed.volumes._windows_replies import (
    WindowsDisk,
    WindowsVolume,
    parse_disks,
    parse_reply,
    parse_volume,
)
from offlineseed.volumes._windows_scripts import FORMAT_DRIVE, LIST_DISKS, OPEN_VOLUME

__all__ = ["WindowsVolumes"]

_METHODS = {
    CipherMethod.CBC_128: "Aes128",
    CipherMethod.CBC_256: "Aes256",
    CipherMethod.XTS_128: "XtsAes128",
    CipherMethod.XTS_256: "XtsAes256",
}
_PATIENCE_SECONDS = 600
_OVERHEAD_BYTES = 512 * 1024 * 1024  # partitions, log, metadata and what Windows adds by itself
_OVERHEAD_SHARE = 64


def _drives(value: Collection[Drive]) -> tuple[Drive, ...]:
    return tuple(value)


@final
@attrs.frozen(kw_only=True)
class WindowsVolumes:
    """
    The adapter for copy machines that run Windows: Windows formats, encrypts and stores.

    Disks are found by serial number and size; `Drive.path` is not looked at. Needs Windows 10 or
    Server 2016 with BitLocker, and an administrator.

    **It has not been run on Windows yet.** Its scripts are checked for grammar, its parsers
    against outputs of the documented shape. The how-to guide about it lists what is to be tried.
    """

    cipher: CipherMethod = CipherMethod.XTS_128
    """How sectors are encrypted."""
    label: str = "SEED"
    """The volumes' name."""
    erasable: tuple[Drive, ...] = attrs.field(default=(), converter=_drives)
    """Drives whose owner agreed that all on them is lost, by id and size. Blank ones need no
    word."""
    commands: CommandRunner = attrs.field(factory=SystemCommands, repr=False)
    """Runs PowerShell."""

    def disks(self) -> tuple[WindowsDisk, ...]:
        """
        Return every disk of the machine.

        Raises:
            AdapterUnavailableError: this is not Windows, or it has no PowerShell.
            VolumeError: Windows can't tell.
        """
        return parse_disks(self._ask(LIST_DISKS, {}))

    def check_drive(self, drive: Drive, *, max_bytes: int = MAX_DRIVE_BYTES) -> tuple[Finding, ...]:
        """
        Return what is wrong with a drive by the service's rules: for `DrivePreparer`.

        Raises:
            VolumeError: it is not attached, or Windows can't tell.
        """
        return check_drive(self._find(drive).facts, max_bytes=max_bytes, drive=drive)

    def capacity(self, drive: Drive, /) -> VolumeCapacity:
        """
        Return what a new volume holds at least; by the drive's size alone.
        """
        overhead = _OVERHEAD_BYTES + drive.size_bytes // _OVERHEAD_SHARE
        return VolumeCapacity(usable_bytes=max(0, drive.size_bytes - overhead), folder_bytes=10240)

    def create(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> DirectoryWriter:
        """
        Erase the drive and begin a volume; see `VolumeAdapter`. Takes a minute or two.

        Raises:
            ConsentError: it has partitions and is not among `erasable`.
            AdapterUnavailableError: this is not Windows, or it has no PowerShell.
        """
        _, needed = survey_contents(contents)
        free = self.capacity(drive).usable_bytes
        if needed > free:
            raise VolumeFullError(
                f"drive {drive.drive_id}: {needed} bytes do not fit into {free};"
                " use a larger drive, or plan fewer blobs onto this one",
                needed_bytes=needed,
                free_bytes=free,
            )
        named = {(one.drive_id, one.size_bytes) for one in self.erasable}
        request = self._request(self._find(drive), drive, recovery_password) | {
            "label": self.label,
            "encryptionMethod": _METHODS[self.cipher],
            "mayErase": (drive.drive_id, drive.size_bytes) in named,
            "patienceSeconds": _PATIENCE_SECONDS,
        }
        volume = parse_volume(self._ask(FORMAT_DRIVE, request))
        _require_encrypted(drive, volume)
        return DirectoryVolumes().create(_at(drive, volume), contents, recovery_password)

    def resume(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> DirectoryWriter:
        """
        Unlock the drive and go on with a volume; see `VolumeAdapter`.
        """
        try:
            volume = self._open(drive, recovery_password)
        except VolumeError as error:
            if type(error) is not VolumeError:
                raise
            raise DriveChangedError(
                f"drive {drive.drive_id} does not hold the unfinished volume: {error}"
            ) from error
        return DirectoryVolumes().resume(_at(drive, volume), contents, recovery_password)

    def open(self, drive: Drive, recovery_password: RecoveryPassword) -> DirectoryReader:
        """
        Unlock the drive and open a finished volume; see `VolumeAdapter`.
        """
        volume = self._open(drive, recovery_password)
        return DirectoryVolumes().open(_at(drive, volume), recovery_password)

    def _open(self, drive: Drive, recovery_password: RecoveryPassword) -> WindowsVolume:
        request = self._request(self._find(drive), drive, recovery_password)
        volume = parse_volume(self._ask(OPEN_VOLUME, request))
        _require_encrypted(drive, volume)
        return volume

    def _find(self, drive: Drive) -> WindowsDisk:
        found = [
            disk
            for disk in self.disks()
            if (disk.facts.serial, disk.facts.size_bytes) == (drive.drive_id, drive.size_bytes)
        ]
        if len(found) != 1:
            raise VolumeError(
                f"drive {drive.drive_id} of {drive.size_bytes} bytes:"
                f" {len(found) or 'no'} such disks are attached; attach it, and it alone"
            )
        return found[0]

    @staticmethod
    def _request(
        disk: WindowsDisk, drive: Drive, recovery_password: RecoveryPassword
    ) -> dict[str, Any]:
        return {
            "number": disk.number,
            "driveId": drive.drive_id,
            "sizeBytes": drive.size_bytes,
            "recoveryPassword": recovery_password.reveal(),
        }

    def _ask(self, script: str, request: dict[str, Any]) -> Any:
        if not self.commands.find("powershell.exe"):
            raise AdapterUnavailableError(
                "there is no PowerShell here: use this adapter on Windows, and NativeVolumes"
                f" elsewhere (this is {sys.platform})",
                missing=["powershell.exe"],
            )
        encoded = base64.b64encode(script.encode("utf-16-le")).decode("ascii")
        done = self.commands.run(
            ["powershell.exe", "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded],
            given=json.dumps(request).encode("ascii"),
        )
        secret = request.get("recoveryPassword", "")
        shown = (
            text.replace(secret, "…") if secret else text for text in (done.output, done.errors)
        )
        return parse_reply(*shown)


def _at(drive: Drive, volume: WindowsVolume) -> Drive:
    return attrs.evolve(drive, path=Path(volume.root))


def _require_encrypted(drive: Drive, volume: WindowsVolume) -> None:
    if not volume.is_encrypted:
        raise VolumeError(
            f"drive {drive.drive_id}: BitLocker has not encrypted all of {volume.root} yet;"
            " let it finish, then go on"
        )
