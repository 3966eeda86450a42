"""
Volumes that are plain folders: for trials, and for volumes that somebody else made and unlocked.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection
from hashlib import sha256
from pathlib import Path
from typing import final

import attrs

from offlineseed._durable import make_folder, sync_folder
from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import DriveChangedError, VolumeError, VolumeFullError
from offlineseed.volumes._directory_reader import DirectoryReader, is_system_name
from offlineseed.volumes._directory_writer import MARKER, DirectoryWriter, is_ours
from offlineseed.volumes._model import Drive, VolumeCapacity, VolumeFile
from offlineseed.volumes._names import require_portable_path

__all__ = ["DirectoryVolumes", "survey_contents"]

_BLOCK_BYTES = 4096
_FILE_BYTES = 4096
_BOOKKEEPING_SHARE = 64  # of a whole disk, for the file system's own tables


@final
@attrs.frozen(kw_only=True)
class DirectoryVolumes:
    """
    The adapter for a folder, or the root of a volume that somebody else formatted and unlocked.

    It neither formats nor encrypts, and leaves recovery passwords aside. `create` wants an empty
    folder: it erases what an unfinished volume of its own left there, and refuses to touch
    anything else unless told that it may. While a volume is unfinished its root holds a marker
    file, and a file that is not closed has a name that is not its own.

    `Drive.size_bytes` bounds what the folder may hold, together with the size of its disk. Free
    space counts only when a volume is created: plans must not change while drives fill up.
    """

    may_erase: bool = False
    """Whether `create` may delete other people's files in the folder."""

    def capacity(self, drive: Drive, /) -> VolumeCapacity:
        """
        Return what the folder may hold: the lesser of the drive's size and its disk's.
        """
        usable = drive.size_bytes
        if drive.path.exists():
            disk = shutil.disk_usage(drive.path)
            room = disk.used + disk.free  # what is reserved for root is in neither
            usable = min(usable, room - room // _BOOKKEEPING_SHARE)
        return VolumeCapacity(
            usable_bytes=usable, allocation_bytes=_BLOCK_BYTES, file_bytes=_FILE_BYTES
        )

    def create(
        self,
        drive: Drive,
        contents: Collection[VolumeFile],
        recovery_password: RecoveryPassword,  # noqa: ARG002  # a folder has no protector
    ) -> DirectoryWriter:
        """
        Begin a volume in the folder, which is made where it is missing; see `VolumeAdapter`.
        """
        root = drive.path
        digest, needed = survey_contents(contents)
        found = [name for name in _names(root) if not is_system_name(name)]
        if found and MARKER not in found and not self.may_erase:
            raise VolumeError(
                f"drive {drive.drive_id}: the folder holds other files, {found[0]!r} among them;"
                " empty it, or allow it to be erased"
            )
        free = self._room(drive, found)
        if needed > free:
            raise VolumeFullError(
                f"drive {drive.drive_id}: {needed} bytes do not fit into {free};"
                " use a larger drive, or plan fewer blobs onto this one",
                needed_bytes=needed,
                free_bytes=free,
            )
        make_folder(root)
        _write_marker(root, digest)
        for name in found:
            if name != MARKER:
                _erase(root / name)
        sync_folder(root)
        return DirectoryWriter(root, contents)

    def resume(
        self,
        drive: Drive,
        contents: Collection[VolumeFile],
        recovery_password: RecoveryPassword,  # noqa: ARG002  # a folder has no protector
    ) -> DirectoryWriter:
        """
        Go on with the unfinished volume in the folder; see `VolumeAdapter`.
        """
        digest, _ = survey_contents(contents)
        if _read_marker(drive.path) != digest:
            raise DriveChangedError(
                f"drive {drive.drive_id}: it does not hold the unfinished volume that was begun"
                " for these blobs; attach the right drive, or prepare this one anew"
            )
        return DirectoryWriter(drive.path, contents)

    def open(
        self,
        drive: Drive,
        recovery_password: RecoveryPassword,  # noqa: ARG002  # a folder has no protector
    ) -> DirectoryReader:
        """
        Open the folder for reading; see `VolumeAdapter`.
        """
        if not drive.path.is_dir():
            raise VolumeError(f"drive {drive.drive_id}: there is no folder at its path; attach it")
        if (drive.path / MARKER).exists():
            raise VolumeError(
                f"drive {drive.drive_id}: its volume is unfinished; go on with its preparation"
            )
        return DirectoryReader(drive.path)

    def _room(self, drive: Drive, found: list[str]) -> int:
        """
        Return what `create` may count on, the space of what it is going to erase included.
        """
        place = drive.path
        while not place.exists():
            place = place.parent
        free = shutil.disk_usage(place).free
        erased = sum(
            (Path(folder) / name).lstat().st_size
            for top in found
            for folder, _, names in os.walk(drive.path / top)
            for name in names
        )
        erased += sum((drive.path / name).lstat().st_size for name in found)
        return min(drive.size_bytes, free + erased)


def survey_contents(contents: Collection[VolumeFile]) -> tuple[str, int]:
    """
    Return a digest that tells these contents from others, and the bytes that they need.
    """
    digest, needed = sha256(), 0
    for file in contents:
        require_portable_path(file.path)
        if is_ours(file.path) or is_system_name(file.path.split("/", 1)[0]):
            raise VolumeError(f"{file.path!r} is a name that the volume needs for itself")
        record = json.dumps([file.path, file.length, file.is_maximum])
        digest.update(record.encode("ascii") + b"\n")
        needed += VolumeCapacity(usable_bytes=0, file_bytes=_FILE_BYTES).cost(file.length)
    return digest.hexdigest(), needed


def _names(root: Path) -> list[str]:
    return sorted(entry.name for entry in root.iterdir()) if root.exists() else []


def _erase(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _write_marker(root: Path, digest: str) -> None:
    # Emptied first: a torn marker belongs to no contents, so nobody resumes by it.
    with (root / MARKER).open("w", encoding="ascii") as marker:
        json.dump({"format": 1, "contents": digest}, marker)
        marker.flush()
        os.fsync(marker.fileno())
    sync_folder(root)


def _read_marker(root: Path) -> str:
    try:
        marker = json.loads((root / MARKER).read_text("ascii"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return ""
    return str(marker.get("contents", "")) if isinstance(marker, dict) else ""
