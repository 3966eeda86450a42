"""
One session of preparing a drive, from wherever its journal says that it is.
"""

from __future__ import annotations

import os
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import final

import attrs

from offlineseed._durable import sync_folder
from offlineseed.bitlocker import RecoveryPassword
from offlineseed.drives._contents import PlannedContents, volume_file
from offlineseed.drives._journal import Journal
from offlineseed.drives._keys import KeyStore
from offlineseed.drives._prepared import MANIFEST_COPY
from offlineseed.drives._read_ahead import BlobPiece, BlobReader, BlobStart
from offlineseed.drives._read_back import verify_volume
from offlineseed.drives._records import blob_members, manifest_blob
from offlineseed.errors import DriveChangedError, DriveError, VolumeError
from offlineseed.events import BlobCopied, DriveStarted, FindingSeen, OnEvent
from offlineseed.manifest import ManifestWriter, WrittenManifest
from offlineseed.volumes import Drive, VolumeAdapter, VolumeFileWriter, VolumeWriter

__all__ = ["Preparation"]


@final
@attrs.frozen(kw_only=True)
class Preparation:
    """
    The steps. Each is journalled when it is durable, and is left out where the journal has it.
    """

    volumes: VolumeAdapter
    """Makes and reads the volume."""
    keys: KeyStore
    """Keeps its recovery password."""
    drive: Drive
    """The drive."""
    contents: PlannedContents
    """What belongs on it."""
    folder: Path
    """Where the drive's records lie."""
    journal: Journal
    """The drive's journal."""
    hash_threads: int
    """Threads that compute MD5s."""
    on_event: OnEvent
    """The listener."""

    def run(self, given_password: RecoveryPassword | None) -> None:
        """
        Go through all steps up to the seal.
        """
        recovery_password = self._recovery_password(given_password)
        plan = self.contents.plan
        self.on_event(
            DriveStarted(
                drive_id=self.drive.drive_id,
                blobs=plan.blobs,
                total_bytes=plan.total_bytes,
                resumed_bytes=self.journal.state.blob_bytes,
            )
        )
        if not self._is_finished(recovery_password):
            with closing(self._writer(recovery_password)) as writer:
                self._copy(writer)
                self._write_manifest(writer)
                writer.finish()
        self._copy_manifest()
        self._read_back(recovery_password)

    def _recovery_password(self, given: RecoveryPassword | None) -> RecoveryPassword:
        drive_id = self.drive.drive_id
        if not self.journal.state.has_volume:
            # Kept before the volume exists: a volume whose password is lost is lost.
            recovery_password = given or RecoveryPassword.generate()
            self.keys.put(drive_id, recovery_password)
            return recovery_password
        kept = self.keys.get(drive_id)
        if given is not None and kept is not None and given != kept:
            raise DriveError(
                f"drive {drive_id}: the recovery password given is not the one that the volume was"
                " made with; leave it out, or prepare the drive anew"
            )
        if given is not None:
            self.keys.put(drive_id, given)
        elif kept is None:
            raise DriveError(
                f"drive {drive_id}: the key store has no recovery password for it; use the key"
                " store it was begun with, or prepare the drive anew"
            )
        return given or kept  # type: ignore[return-value]  # one of them is there

    def _is_finished(self, recovery_password: RecoveryPassword) -> bool:
        if not self.journal.state.manifest_hash:
            return False
        try:
            self.volumes.open(self.drive, recovery_password).close()
        except VolumeError:
            return False  # the last session ended before the volume was whole
        return True

    def _writer(self, recovery_password: RecoveryPassword) -> VolumeWriter:
        if not self.journal.state.has_volume:
            writer = self.volumes.create(self.drive, self.contents, recovery_password)
            record = partial(self.journal.append, "volume")
        else:
            writer = self.volumes.resume(self.drive, self.contents, recovery_password)
            record = partial(self._keep, writer)
        try:
            record()
        except BaseException:
            writer.close()
            raise
        return writer

    def _keep(self, writer: VolumeWriter) -> None:
        for record, blob in zip(self.journal.blobs(), self.contents.blobs(), strict=False):
            is_same = (record["path"], record["length"]) == (blob.path, blob.length)
            if not is_same or not writer.keep(volume_file(blob)):
                raise DriveChangedError(
                    f"drive {self.drive.drive_id} changed behind the journal's back:"
                    f" {record['path']} is not there as it was; prepare the drive anew"
                )

    def _copy(self, writer: VolumeWriter) -> None:
        out: VolumeFileWriter | None = None
        blobs = islice(self.contents.blobs(), self.journal.state.blobs, None)
        with BlobReader(blobs, hash_threads=self.hash_threads) as reader:
            for part in reader:
                if isinstance(part, BlobStart):
                    out = writer.open(volume_file(part.blob))
                    continue
                assert out is not None
                if isinstance(part, BlobPiece):
                    out.write(part.data)
                    reader.release(part)
                    continue
                blob = part.blob
                members = blob_members(blob, part.hashing.finish())
                out.close()
                self.journal.append("blob", **members)
                self.on_event(
                    BlobCopied(
                        drive_id=self.drive.drive_id,
                        blob_path=f"{self.contents.container}/{blob.path}",
                        length=blob.length,
                    )
                )

    def _write_manifest(self, writer: VolumeWriter) -> None:
        out = writer.open(self.contents.manifest)
        written = self._list_blobs(ManifestWriter(out.write, self.contents.header))
        out.close()
        self.journal.append("manifest", hash=written.hash, length=written.length)

    def _copy_manifest(self) -> None:
        # Without the key or SAS: secrets never lie on the staging location.
        header = attrs.evolve(self.contents.header, storage_account_key=None, container_sas=None)
        partial = self.folder / f"{MANIFEST_COPY}.partial"
        with partial.open("wb") as file:
            self._list_blobs(ManifestWriter(file.write, header))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.folder / MANIFEST_COPY)
        sync_folder(self.folder)

    def _list_blobs(self, manifest: ManifestWriter) -> WrittenManifest:
        for record in self.journal.blobs():
            manifest.add(
                manifest_blob(
                    record,
                    container=self.contents.container,
                    import_disposition=self.contents.import_disposition,
                )
            )
        return manifest.finish()

    def _read_back(self, recovery_password: RecoveryPassword) -> None:
        with closing(self.volumes.open(self.drive, recovery_password)) as reader:
            report = verify_volume(
                reader,
                drive_id=self.drive.drive_id,
                manifest_hash=self.journal.state.manifest_hash,
                hash_threads=self.hash_threads,
                on_event=self.on_event,
            )
            bypass = reader.cache_bypass
        for finding in report.findings:
            self.on_event(FindingSeen(finding=finding))
        report.raise_if_failed()
        self.journal.append(
            "sealed", manifest_hash=self.journal.state.manifest_hash, cache_bypass=bypass.value
        )
