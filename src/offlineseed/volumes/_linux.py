"""
Native volumes, opened by the Linux kernel: dm-crypt and a mount.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import final

import attrs

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import AdapterUnavailableError, UnlockRefusedError, VolumeError
from offlineseed.volumes._commands import CommandRunner, SystemCommands
from offlineseed.volumes._directory_reader import DirectoryReader
from offlineseed.volumes._model import CacheBypass, Drive, VolumeCapacity, VolumeFile
from offlineseed.volumes._native import NativeVolumes
from offlineseed.volumes._native_reader import find_volume
from offlineseed.volumes._native_writer import NativeWriter
from offlineseed.volumes._uncached_io import UncachedReader

__all__ = ["LinuxReader", "LinuxVolumes"]

_TOOLS = {
    "cryptsetup": "cryptsetup-bin",
    "losetup": "mount",
    "umount": "mount",
    "ntfs-3g": "ntfs-3g",
}
_WRONG_KEY = 2  # cryptsetup's exit status
_UNMOUNT_TRIES = 5


@final
@attrs.frozen(kw_only=True)
class LinuxVolumes:
    """
    The adapter for a second opinion: `NativeVolumes` writes, the kernel's own drivers read.

    `open` reads through device mapper and ntfs-3g, so that a read-back rests on no line of what
    wrote the drive. `mount` gives a live file system. Both need root, device mapper and the tools
    `cryptsetup`, `losetup` and `ntfs-3g`.
    """

    native: NativeVolumes = attrs.field(factory=NativeVolumes)
    """Makes the volumes."""
    commands: CommandRunner = attrs.field(factory=SystemCommands, repr=False)
    """Runs the tools."""
    device_mapper: Path = Path("/dev/mapper")
    """Where the kernel shows what is mapped."""

    def capacity(self, drive: Drive, /) -> VolumeCapacity:
        """
        Return what a new volume holds; see `NativeVolumes`.
        """
        return self.native.capacity(drive)

    def create(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> NativeWriter:
        """
        Begin a volume; see `NativeVolumes`.

        Raises:
            AdapterUnavailableError: it could not be read back here; the drive is as it was.
        """
        self.require_available()
        return self.native.create(drive, contents, recovery_password)

    def resume(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> NativeWriter:
        """
        Go on with a volume; see `NativeVolumes`.
        """
        return self.native.resume(drive, contents, recovery_password)

    def open(self, drive: Drive, recovery_password: RecoveryPassword) -> LinuxReader:
        """
        Open a finished volume through the kernel; see `VolumeAdapter`.

        Raises:
            AdapterUnavailableError: this machine lacks something; it says what to install.
        """
        with ExitStack() as stack:
            root = stack.enter_context(self.mount(drive, recovery_password))
            return LinuxReader(root, stack.pop_all())

    @contextmanager
    def mount(
        self, drive: Drive, recovery_password: RecoveryPassword, *, is_writable: bool = False
    ) -> Iterator[Path]:
        """
        Mount a finished volume while the context lasts, in a new folder that it gives.

        Raises:
            AdapterUnavailableError: this machine lacks something; it says what to install.
            VolumeError: there is no finished volume, or the kernel does not take it.
            UnlockRefusedError: the recovery password does not open it.
            OSError: the drive can't be read.
        """
        self.require_available()
        offset, length = _find(drive)
        read_only = () if is_writable else ("--read-only",)
        with ExitStack() as stack:
            place = (*read_only, "--offset", str(offset), "--sizelimit", str(length))
            loop = self._run("losetup", "--find", "--show", *place, str(drive.path)).strip()
            stack.callback(self._run, "losetup", "--detach", loop)
            name = f"offlineseed-{os.getpid()}-{re.sub('[^A-Za-z0-9]', '-', drive.drive_id)}"
            self._unlock(drive, loop, name, recovery_password, is_writable=is_writable)
            stack.callback(self._run, "cryptsetup", "close", name)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="offlineseed-")))
            options = "rw" if is_writable else "ro"
            device = str(self.device_mapper / name)
            self._run("ntfs-3g", "-o", f"{options},norecover", device, str(folder))
            stack.callback(self._unmount, folder)
            yield folder

    def require_available(self) -> None:
        """
        Require everything that `open` and `mount` need.

        Raises:
            AdapterUnavailableError: names what is missing and says what to install.
        """
        missing = [name for name in _TOOLS if not self.commands.find(name)]
        packages = sorted({_TOOLS[name] for name in missing})
        if not (self.device_mapper / "control").exists():
            missing.append("device mapper")
        if sys.platform == "linux" and os.geteuid() != 0:
            missing.append("root")
        if not missing:
            return
        install = f"apt-get install {' '.join(packages)}" if packages else ""
        advice = [f"install with: {install}"] if install else []
        if "device mapper" in missing:
            advice.append("load the kernel's module dm_mod and dm_crypt")
        if "root" in missing:
            advice.append("run it as root")
        raise AdapterUnavailableError(
            f"volumes can't be opened by the kernel here, missing: {', '.join(missing)};"
            f" {', '.join(advice)}, or use NativeVolumes, which needs none of it",
            missing=missing,
            install=install,
        )

    def _unlock(
        self,
        drive: Drive,
        device: str,
        name: str,
        recovery_password: RecoveryPassword,
        *,
        is_writable: bool,
    ) -> None:
        read_only = () if is_writable else ("--readonly",)
        opened = self.commands.run(
            ["cryptsetup", "open", "--type", "bitlk", *read_only, "--key-file=-", device, name],
            given=recovery_password.reveal().encode("ascii"),
        )
        if opened.status == _WRONG_KEY:
            raise UnlockRefusedError(
                f"drive {drive.drive_id}: the recovery password does not open its volume;"
                " take the one that belongs to this drive"
            )
        if opened.status:
            raise _failed("cryptsetup open", opened.errors)

    def _run(self, *command: str) -> str:
        done = self.commands.run(command)
        if done.status:
            raise _failed(command[0], done.errors)
        return done.output

    def _unmount(self, folder: Path) -> None:
        for _ in range(_UNMOUNT_TRIES - 1):
            if not self.commands.run(["umount", str(folder)]).status:
                return
            self.commands.run(["sleep", "0.5"])  # somebody else looks at it, for a moment
        self._run("umount", str(folder))


@final
class LinuxReader:
    """
    The reader of `LinuxVolumes`; see `VolumeReader`.
    """

    def __init__(self, root: Path, held: ExitStack) -> None:
        self._files = DirectoryReader(root)
        self._held = held

    @property
    def cache_bypass(self) -> CacheBypass:
        # Beneath the file system the kernel keeps pages of its own, of which nobody can tell.
        weakest = self._files.cache_bypass
        return CacheBypass.DROPPED if weakest is CacheBypass.DIRECT else weakest

    def files(self) -> Iterator[VolumeFile]:
        return self._files.files()

    def read(self, path: str, offset: int, length: int) -> bytes:
        return self._files.read(path, offset, length)

    def close(self) -> None:
        self._files.close()
        self._held.close()


def _find(drive: Drive) -> tuple[int, int]:
    try:
        disk = UncachedReader(drive.path)
    except FileNotFoundError as error:
        raise VolumeError(f"drive {drive.drive_id}: nothing is at its path; attach it") from error
    try:
        place = find_volume(disk.read, drive.size_bytes)
    finally:
        disk.close()
    if place is None:
        raise VolumeError(
            f"drive {drive.drive_id}: there is no finished BitLocker volume on it;"
            " prepare it, or go on with its preparation"
        )
    return place


def _failed(what: str, errors: str) -> VolumeError:
    said = errors.strip().splitlines()
    return VolumeError(f"{what} failed: {said[-1] if said else 'it did not say why'}")
