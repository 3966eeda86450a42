"""
Takes in one drive: unlocks it, checks its manifest, copies its blobs and writes its copy logs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, TypeAlias, final

from offlineseed._secret import Secret
from offlineseed.emulator._blob_copy import (
    REFUSALS,
    BlobOutcome,
    copy_blob,
    failed_blob,
    request_status,
)
from offlineseed.emulator._copy_log import DriveCopyLog
from offlineseed.emulator._copy_log_fragments import FragmentCopyLog
from offlineseed.emulator._destination import Destination
from offlineseed.emulator._drive_manifest import CheckedManifest, check_drive_manifest
from offlineseed.emulator._faults import Faults, FaultyVolume
from offlineseed.emulator._log_delivery import deliver_log
from offlineseed.emulator._manifest_reader import ManifestEntry
from offlineseed.emulator._order import DriveOutcome, DriveProgress, IntakeOrder
from offlineseed.emulator._package import ShippedDrive
from offlineseed.emulator._place import Place, PlaceBook
from offlineseed.emulator._shipped_volume import (
    DirectoryVolume,
    DriveUnreadableError,
    ShippedVolume,
)
from offlineseed.events import BlobLanded, OnEvent

__all__ = ["DriveIntake"]

_CopyLog: TypeAlias = DriveCopyLog | FragmentCopyLog
_LOGS: dict[str, type[DriveCopyLog | FragmentCopyLog]] = {
    "2014-11-01": DriveCopyLog,
    "2021-08-01": FragmentCopyLog,
}
_WORKERS = 4
_WAITING = 2 * _WORKERS
_PIECE_BYTES = 4 << 20


@final
class DriveIntake:
    """
    Takes in one drive, once. Used by one thread; blobs are copied by a few more.
    """

    def __init__(
        self,
        order: IntakeOrder,
        drive: ShippedDrive,
        destination: Destination,
        *,
        faults: Faults,
        on_event: OnEvent,
        on_progress: Callable[[DriveProgress], None],
    ) -> None:
        self._order = order
        self._drive = drive
        self._destination = destination
        self._faults = faults
        self._on_event = on_event
        self._on_progress = on_progress
        self._progress = DriveProgress()
        self._has_warnings = False
        self._is_forbidden = False
        self._sas_container = ""

    def run(self) -> DriveOutcome:
        """
        Take the drive in; everything that a copy log has a status for ends up there.

        Raises:
            AdapterUnavailableError: the drive is an image, and the readers are not installed.
        """
        log_kind = _LOGS[self._order.copy_log_format]
        logs: list[_CopyLog] = [log_kind(self._order.drive_id, errors_only=True)]
        if self._order.is_verbose:
            logs.append(log_kind(self._order.drive_id, errors_only=False))
        try:
            manifest_uri = None
            try:
                volume = self._open()
            except DriveUnreadableError as unreadable:
                status = unreadable.status
            else:
                try:
                    status, manifest_uri = self._take(volume, logs)
                finally:
                    volume.close()
            uris: list[str | None] = [None, None]
            for index, (log, kind) in enumerate(zip(logs, ("error", "verbose"), strict=False)):
                if kind == "verbose" or _is_error(status):
                    file, length = log.end(status)
                    uris[index] = self._deliver(kind, _pieces(file), length)
        finally:
            for log in logs:
                log.close()
        return DriveOutcome(
            status=status,
            error_log_uri=uris[0],
            verbose_log_uri=uris[1],
            manifest_uri=manifest_uri,
        )

    def _open(self) -> FaultyVolume:
        drive_id = self._order.drive_id
        if self._faults.take(drive_id, "destroyed"):
            raise DriveUnreadableError("DiskNotFound")
        if self._faults.take(drive_id, "locked"):
            raise DriveUnreadableError("BitLockerKeyInvalid")
        volume = _open_volume(self._drive.path, self._order.recovery_password)
        faulty = self._faults.on_volume(drive_id, volume)
        if self._faults.take(drive_id, "manifest"):
            faulty.flip(self._order.manifest_file, 0)
        return faulty

    def _take(self, volume: FaultyVolume, logs: list[_CopyLog]) -> tuple[str, str | None]:
        order = self._order
        try:
            manifest = check_drive_manifest(
                volume, order.manifest_file, order.manifest_hash, self._drive.drive_id
            )
        except DriveUnreadableError as unreadable:
            return unreadable.status, None
        self._sas_container = manifest.container_sas.reveal().partition("?")[0].strip("/")
        if self._faults.take(order.drive_id, "key"):
            return "BlobRequestForbidden", None
        self._progress.total_blobs = manifest.blobs
        self._progress.total_bytes = manifest.total_bytes
        self._on_progress(self._progress)
        self._copy(volume, manifest, logs)
        manifest_uri = None
        if order.is_manifest_backed_up and not self._is_forbidden:
            manifest_uri = self._deliver("manifest", manifest.pieces(), manifest.length)
        if self._is_forbidden:
            return "BlobRequestForbidden", manifest_uri
        if self._progress.blobs_failed:
            return "CompletedWithErrors", manifest_uri
        return ("CompletedWithWarnings" if self._has_warnings else "Completed"), manifest_uri

    def _copy(self, volume: FaultyVolume, manifest: CheckedManifest, logs: list[_CopyLog]) -> None:
        places = PlaceBook(self._exists)
        waiting: deque[tuple[Place | None, Future[BlobOutcome]]] = deque()

        def settle() -> None:
            place, future = waiting.popleft()
            outcome = future.result()
            if place is not None:
                places.done(place)
            self._settle(outcome, logs)

        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="datacentre") as pool:
            try:
                for entry in manifest.entries():
                    if self._is_forbidden:
                        break
                    volume.meet(entry)
                    waiting.append(self._start(entry, places, volume, pool))
                    while len(waiting) >= _WAITING:
                        settle()
                while waiting:
                    settle()
            except BaseException:
                for _, future in waiting:
                    future.cancel()
                raise

    def _start(
        self,
        entry: ManifestEntry,
        places: PlaceBook,
        volume: ShippedVolume,
        pool: ThreadPoolExecutor,
    ) -> tuple[Place | None, Future[BlobOutcome]]:
        done: Future[BlobOutcome] = Future()
        if self._sas_container not in ("", entry.container):
            done.set_result(failed_blob(entry, "BlobRequestForbidden"))
            return None, done
        try:
            place = places.place(entry)
        except REFUSALS as error:
            done.set_result(failed_blob(entry, request_status(error)))
            return None, done
        if place.disposition == "Skipped":
            done.set_result(
                BlobOutcome(
                    entry=entry,
                    status="Completed",
                    blob_path=entry.blob_path,
                    disposition="Skipped",
                    parts=(),
                )
            )
            return None, done
        return place, pool.submit(copy_blob, entry, place, volume, self._destination)

    def _settle(self, outcome: BlobOutcome, logs: list[_CopyLog]) -> None:
        for log in logs:
            log.blob(outcome)
        progress = self._progress
        progress.blobs_done += 1
        if outcome.status != "Completed":
            progress.blobs_failed += 1
        if outcome.status == "BlobRequestForbidden":
            self._is_forbidden = True
        if outcome.disposition in ("Skipped", "Renamed"):
            self._has_warnings = True
        if outcome.is_landed:
            progress.bytes_succeeded += outcome.entry.length
        self._on_progress(progress)
        if outcome.is_landed:
            self._on_event(
                BlobLanded(
                    drive_id=self._order.drive_id,
                    blob_path=outcome.blob_path,
                    length=outcome.entry.length,
                )
            )

    def _exists(self, container: str, name: str) -> bool:
        if self._faults.take_conflict(f"{container}/{name}"):
            return True
        return self._destination.exists(container, name)

    def _deliver(self, kind: str, pieces: Iterable[bytes], length: int) -> str | None:
        return deliver_log(
            kind,
            pieces,
            length,
            order=self._order,
            sas_container=self._sas_container,
            destination=self._destination,
            on_event=self._on_event,
        )


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _is_error(status: str) -> bool:
    return status not in ("Completed", "CompletedWithWarnings")


def _open_volume(path: Path, recovery_password: Secret) -> ShippedVolume:
    if path.is_dir():
        return DirectoryVolume(path)
    if not path.exists():
        raise DriveUnreadableError("DiskNotFound")
    # Only drives that are images need readers that may not be installed.
    from offlineseed.emulator._native_volume import open_native_volume  # noqa: PLC0415

    return open_native_volume(path, recovery_password)
