"""
Faults on request: what goes wrong in an import job, one thing at a time.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import final

import attrs

from offlineseed.emulator._http import Refusal
from offlineseed.emulator._manifest_reader import ManifestEntry
from offlineseed.emulator._shipped_volume import ShippedFile, ShippedVolume

__all__ = ["Faults", "FaultyVolume"]


@final
@attrs.frozen(kw_only=True)
class HttpFault:
    """
    What befalls one request.
    """

    refusal: Refusal | None = None
    """It is refused like this, without effect."""
    is_cut: bool = False
    """The connection breaks in the middle of the answer."""
    pause_seconds: float = 0.0
    """How long the answer's body takes."""


@final
class Faults:
    """
    What shall go wrong. Thread-safe; a fault that happened is used up.

    `throttle`, `fail`, `cut` and `slow` meet the next requests, in the order they were asked for.
    The others meet drives when the datacentre handles them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._http: deque[HttpFault] = deque()
        self._drives: dict[str, set[str]] = {}
        self._blocks: dict[str, set[tuple[str, int]]] = {}
        self._files: dict[str, set[str]] = {}
        self._conflicts: set[str] = set()
        self._postponed = 0

    def throttle(self, times: int = 1, *, retry_after_seconds: int = 1) -> None:
        """
        Answer 429 with a Retry-After.
        """
        self._meet(
            times,
            HttpFault(
                refusal=Refusal(
                    429,
                    "TooManyRequests",
                    "Too many requests: try again later.",
                    headers=(("Retry-After", str(retry_after_seconds)),),
                )
            ),
        )

    def fail(self, times: int = 1) -> None:
        """
        Answer 500; the request took no effect.
        """
        self._meet(
            times,
            HttpFault(refusal=Refusal(500, "InternalServerError", "The service had an error.")),
        )

    def cut(self, times: int = 1) -> None:
        """
        Break the connection in the middle of the answer; the request took effect.
        """
        self._meet(times, HttpFault(is_cut=True))

    def slow(self, times: int = 1, *, seconds: float = 1.0) -> None:
        """
        Take this long to send the answer's body.
        """
        self._meet(times, HttpFault(pause_seconds=seconds))

    def postpone(self, times: int = 1) -> None:
        """
        Only accept the next PUT, PATCH or DELETE of a Data Box order: its outcome comes later.
        """
        with self._lock:
            self._postponed += times

    def lose_drive(self, drive_id: str) -> None:
        """
        Let the package arrive without this drive.
        """
        self._mark(drive_id, "lost")

    def destroy_drive(self, drive_id: str) -> None:
        """
        Let the drive arrive with no disk to be found on it.
        """
        self._mark(drive_id, "destroyed")

    def refuse_recovery_password(self, drive_id: str) -> None:
        """
        Let the job's recovery password not unlock the drive.
        """
        self._mark(drive_id, "locked")

    def damage_manifest(self, drive_id: str) -> None:
        """
        Flip a byte of the drive's manifest.
        """
        self._mark(drive_id, "manifest")

    def refuse_storage_key(self, drive_id: str) -> None:
        """
        Let the storage account refuse the key of the drive's manifest.
        """
        self._mark(drive_id, "key")

    def corrupt_block(self, drive_id: str, blob_path: str, index: int = 0) -> None:
        """
        Flip a byte of one of the blob's blocks or page ranges, counted from 0.
        """
        with self._lock:
            self._blocks.setdefault(drive_id.upper(), set()).add((blob_path, index))

    def lose_file(self, drive_id: str, blob_path: str) -> None:
        """
        Let the blob's file not be on the drive.
        """
        with self._lock:
            self._files.setdefault(drive_id.upper(), set()).add(blob_path)

    def conflict(self, blob_path: str) -> None:
        """
        Let a blob of that name be there already when this one is laid down.
        """
        with self._lock:
            self._conflicts.add(blob_path)

    def take_http_fault(self) -> HttpFault | None:
        """
        For the service: what befalls this request; None where nothing does.

        Raises:
            Refusal: it is to be refused.
        """
        with self._lock:
            fault = self._http.popleft() if self._http else None
        if fault is not None and fault.refusal is not None:
            refusal = fault.refusal
            raise Refusal(refusal.status, refusal.code, refusal.message, headers=refusal.headers)
        return fault

    def take_postponement(self) -> bool:
        """
        For the service: whether this write's outcome is to come later; it is used up.
        """
        with self._lock:
            is_there = self._postponed > 0
            self._postponed -= is_there
            return is_there

    def take(self, drive_id: str, what: str) -> bool:
        """
        For the datacentre: whether a fault was asked for; it is used up.
        """
        with self._lock:
            marks = self._drives.get(drive_id.upper(), set())
            is_there = what in marks
            marks.discard(what)
            return is_there

    def take_conflict(self, blob_path: str) -> bool:
        """
        For the datacentre: whether a blob is to be met by another; it is used up.
        """
        with self._lock:
            is_there = blob_path in self._conflicts
            self._conflicts.discard(blob_path)
            return is_there

    def on_volume(self, drive_id: str, volume: ShippedVolume) -> FaultyVolume:
        """
        For the datacentre: the volume with the faults asked for.
        """
        with self._lock:
            blocks = self._blocks.pop(drive_id.upper(), set())
            files = self._files.pop(drive_id.upper(), set())
        return FaultyVolume(volume, blocks, files)

    def _meet(self, times: int, fault: HttpFault) -> None:
        with self._lock:
            self._http.extend([fault] * times)

    def _mark(self, drive_id: str, what: str) -> None:
        with self._lock:
            self._drives.setdefault(drive_id.upper(), set()).add(what)


@final
class FaultyVolume:
    """
    A volume with files missing and bytes flipped.
    """

    def __init__(
        self, volume: ShippedVolume, blocks: set[tuple[str, int]], files: set[str]
    ) -> None:
        self._volume = volume
        self._blocks = blocks
        self._files = files
        self._lost_paths: set[str] = set()
        self._flipped: dict[str, list[int]] = {}

    def meet(self, entry: ManifestEntry) -> None:
        """
        Learn which file a blob with a fault is.
        """
        if not (self._blocks or self._files):
            return
        if entry.blob_path in self._files:
            self._lost_paths.add(entry.file_path)
        for index, part in enumerate(entry.parts):
            if (entry.blob_path, index) in self._blocks:
                self.flip(entry.file_path, part.offset)

    def flip(self, path: str, offset: int) -> None:
        """
        Flip a byte of a file.
        """
        self._flipped.setdefault(path, []).append(offset)

    def open(self, path: str) -> ShippedFile:
        if path in self._lost_paths:
            raise FileNotFoundError(path)
        file = self._volume.open(path)
        flipped = self._flipped.get(path)
        return _FaultyFile(file, flipped) if flipped else file

    def close(self) -> None:
        self._volume.close()


class _FaultyFile:
    def __init__(self, file: ShippedFile, flipped: list[int]) -> None:
        self._file = file
        self._flipped = flipped

    @property
    def length(self) -> int:
        return self._file.length

    def read_at(self, offset: int, length: int) -> bytes:
        data = bytearray(self._file.read_at(offset, length))
        for place in self._flipped:
            if offset <= place < offset + len(data):
                data[place - offset] ^= 0xFF
        return bytes(data)

    def close(self) -> None:
        self._file.close()
