"""
Checks the manifest of a shipped drive before anything is copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import final

import attrs

from offlineseed._secret import Secret
from offlineseed.emulator._manifest_reader import ManifestEntry, ManifestReader
from offlineseed.emulator._shipped_volume import (
    DriveUnreadableError,
    FileNameRefusedError,
    ShippedFile,
    ShippedVolume,
)
from offlineseed.errors import ManifestError

__all__ = ["CheckedManifest", "check_drive_manifest"]

_PIECE_BYTES = 1 << 20


@final
@attrs.frozen(kw_only=True)
class CheckedManifest:
    """
    A drive manifest with the right hash, the right drive and the right form.
    """

    volume: ShippedVolume
    """Where it lies."""
    path: str
    """Its path there."""
    length: int
    """Its length in bytes."""
    blobs: int
    """How many blobs it has."""
    total_bytes: int
    """The bytes of those blobs."""
    container_sas: Secret
    """The container SAS, or empty."""

    def entries(self) -> Iterator[ManifestEntry]:
        """
        Read the blobs, in order, anew.
        """
        return ManifestReader().read(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """
        Read the manifest's bytes, in pieces.
        """
        file = self.volume.open(self.path)
        try:
            yield from _pieces(file)
        finally:
            file.close()


def check_drive_manifest(
    volume: ShippedVolume, path: str, stated_hash: str, drive_id: str
) -> CheckedManifest:
    """
    Read a drive's manifest whole and check it.

    Raises:
        DriveUnreadableError: with the copy log's drive status.
    """
    try:
        file = volume.open(path)
    except FileNotFoundError:
        raise DriveUnreadableError("ManifestNotFound") from None
    except PermissionError:
        raise DriveUnreadableError("ManifestAccessDenied") from None
    except FileNameRefusedError as refused:
        status = refused.status.replace("File", "Manifest")
        raise DriveUnreadableError(status) from None
    except OSError:
        raise DriveUnreadableError("ReadManifestFailed") from None
    try:
        return _check(volume, path, file, stated_hash, drive_id)
    except OSError:
        raise DriveUnreadableError("ReadManifestFailed") from None
    finally:
        file.close()


def _check(
    volume: ShippedVolume, path: str, file: ShippedFile, stated_hash: str, drive_id: str
) -> CheckedManifest:
    # Newer jobs state 32 bytes where the documentation still says MD5.
    is_long = len(stated_hash) == 64
    digest = hashlib.sha256() if is_long else hashlib.md5(usedforsecurity=False)
    reader = ManifestReader()
    pieces = _pieces(file, digest.update)
    blobs = total_bytes = 0
    problem: ManifestError | None = None
    try:
        for entry in reader.read(pieces):
            blobs += 1
            total_bytes += entry.length
    except ManifestError as error:
        problem = error
        for _ in pieces:
            pass  # The rest counts for the hash.
    if digest.hexdigest().upper() != stated_hash.upper():
        raise DriveUnreadableError("ManifestCorrupted")
    if problem is not None:
        raise DriveUnreadableError("ManifestFormatInvalid") from problem
    if reader.drive_id.upper() != drive_id.upper():
        raise DriveUnreadableError("ManifestDriveIdMismatch")
    return CheckedManifest(
        volume=volume,
        path=path,
        length=file.length,
        blobs=blobs,
        total_bytes=total_bytes,
        container_sas=reader.container_sas,
    )


def _pieces(file: ShippedFile, see: Callable[[bytes], object] = lambda _: None) -> Iterator[bytes]:
    offset = 0
    while piece := file.read_at(offset, _PIECE_BYTES):
        see(piece)
        yield piece
        offset += len(piece)
