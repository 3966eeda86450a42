"""
One import job on the staging location.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import final

from offlineseed._durable import make_folder
from offlineseed.errors import (
    GenerationSealedError,
    StagingError,
    StagingFullError,
    StagingLockedError,
)
from offlineseed.events import OnEvent, ignore_events
from offlineseed.manifest import BlobType
from offlineseed.seed import (
    ByteStream,
    Catalog,
    FolderStore,
    Seal,
    SeedOptions,
    SeedReader,
    SeedWriter,
    catalog_name,
    publish_seal,
    read_seal,
    seal_name,
    sealed_generations,
)
from offlineseed.staging._blobs import StagedBlob, checksum_of_file
from offlineseed.staging._document import JobDocument
from offlineseed.staging._lock import JobLock
from offlineseed.staging._opaque import OpaqueBlobs

__all__ = ["StagedJob"]


@final
class StagedJob:
    """
    An import job's folder: the seed, opaque blobs, and what belongs to its drives.

    Got from `StagingLocation`. Reading is safe from any thread; writing holds the job's lock.
    """

    def __init__(self, folder: Path, document: JobDocument) -> None:
        self.folder = folder
        """The job's folder on the staging location."""
        self.settings = document.settings
        """The wizard's inputs."""
        self.source_host = document.source_host
        """The machine that initiated the job."""
        self.created: datetime = document.created
        """When it did, UTC."""
        self.store = FolderStore(folder)
        """Holds the seed's segments, catalog and seal."""

    def __repr__(self) -> str:
        return f"StagedJob({str(self.folder)!r})"

    @property
    def name(self) -> str:
        """
        The import job's name.
        """
        return self.settings.import_job_name

    @property
    def catalog_path(self) -> Path:
        """
        The catalog of generation 0 in the making; gone when it is sealed.
        """
        return self.folder / "catalog.sqlite"

    def lock(self, *, take_over: bool = False) -> JobLock:
        """
        Return the job's lock, to be used as a context manager. See `JobLock`.
        """
        return JobLock(self.folder / "lock", take_over=take_over)

    def require_space(self, needed_bytes: int) -> None:
        """
        Check that the staging location has room.

        Raises:
            StagingFullError: it has less than `needed_bytes` free.
        """
        free = shutil.disk_usage(self.folder).free
        if free < needed_bytes:
            raise StagingFullError(
                f"{self.folder} has {free} bytes free and {needed_bytes} are needed: make room, or "
                "choose another staging location",
                needed_bytes=needed_bytes,
                free_bytes=free,
            )

    @contextmanager
    def write_seed(
        self,
        *,
        options: SeedOptions | None = None,
        needed_bytes: int = 0,
        take_over: bool = False,
        on_event: OnEvent = ignore_events,
    ) -> Iterator[SeedWriter]:
        """
        Hold the lock and write generation 0, or go on with it.

        ```
        with job.write_seed() as writer:
            writer.add_tree("/srv/data")
            seal = writer.seal()
        ```

        Args:
            options: how to write.
            needed_bytes: free space that must be there before anything is written.
            take_over: take a lock over that another machine left.
            on_event: gets progress events.

        Raises:
            StagingLockedError: another writer is at work.
            StagingFullError: there is too little room.
            GenerationSealedError: the seed is sealed.

        """
        with self.lock(take_over=take_over):
            self.require_space(needed_bytes)
            if 0 in sealed_generations(self.store):
                raise GenerationSealedError(
                    f"the seed of {self.name} is sealed: write the next generation with it as the "
                    "baseline"
                )
            with SeedWriter(
                self.store, self.catalog_path, options=options, on_event=on_event
            ) as writer:
                yield writer
            if 0 in sealed_generations(self.store):
                self._drop_catalog()

    @property
    def seal(self) -> Seal | None:
        """
        The seed's seal, or None while it is not sealed.

        A crash between sealing the catalog and publishing the seal is mended here.
        """
        if self.catalog_path.exists():
            try:
                self._mend()
            except StagingLockedError:
                # Somebody is at work; the writer that seals publishes.
                pass
            except OSError:
                # A share that is read only shows what is sealed nevertheless.
                if 0 not in sealed_generations(self.store):
                    raise
        return read_seal(self.store, 0) if 0 in sealed_generations(self.store) else None

    def reader(self, *, expected_digest: str | None = None) -> SeedReader:
        """
        Open the sealed seed for reading. See `SeedReader`.
        """
        return SeedReader(self.store, generation=0, expected_digest=expected_digest)

    def add_blob(
        self, source: str | os.PathLike[str] | ByteStream, path: str, *, blob_type: BlobType
    ) -> StagedBlob:
        """
        Stage a product's own container file as it is.

        Args:
            source: a file, or anything with `read(size)`.
            path: name of the blob inside the container.
            blob_type: page blobs have a length that is a multiple of 512.

        Raises:
            ValueError: a page blob's length is not a multiple of 512.
            UnsafeNameError: the path is not relative, has an empty, `.` or `..` part or a NUL, or
                is one of the seed's own.
            StagingLockedError: another writer is at work.

        """
        with self.lock():
            blobs = OpaqueBlobs(self.folder / "blobs", self.name)
            if isinstance(source, str | os.PathLike):
                with Path(source).open("rb") as stream:
                    return blobs.add(stream, path, blob_type)
            return blobs.add(source, path, blob_type)

    def blobs(self) -> Iterator[StagedBlob]:
        """
        Yield what goes onto drives, in order: segments, catalog, seal, opaque blobs.

        Blobs of the seed lie below the job's name in the container.

        Raises:
            StagingError: the seed is begun and not sealed.
        """
        if self.seal is not None:
            with self.reader() as reader:
                segments = reader.catalog.segments()
            for segment in segments:
                checksum = segment.checksum.hex() if segment.checksum else ""
                yield self._blob(segment.name, f"xxh3-128:{checksum}")
            for name in (catalog_name(0), seal_name(0)):
                yield self._blob(name, checksum_of_file(self.folder / name))
        elif self.catalog_path.exists():
            raise StagingError(f"the seed of {self.name} is not sealed: finish staging first")
        yield from OpaqueBlobs(self.folder / "blobs", self.name)

    def drive_folder(self, drive_id: str) -> Path:
        """
        Return the folder for what belongs to a drive; made if need be.
        """
        folder = self.folder / "drives" / drive_id
        make_folder(folder)
        return folder

    def _blob(self, name: str, checksum: str) -> StagedBlob:
        source = self.folder / name
        return StagedBlob(
            path=f"{self.name}/{name}",
            source=source,
            length=source.stat().st_size,
            blob_type=BlobType.BLOCK,
            checksum=checksum,
        )

    @property
    def _journal_path(self) -> Path:
        return self.catalog_path.with_name(f"{self.catalog_path.name}-journal")

    def _mend(self) -> None:
        with self.lock():
            if 0 not in sealed_generations(self.store):
                if not self._has_sealed_catalog():
                    return
                publish_seal(self.store, self.catalog_path)
            self._drop_catalog()

    def _drop_catalog(self) -> None:
        # The sealed catalog lies in the store; one copy of the truth is enough.
        # Its journal is empty since: a crash may have left it.
        self._journal_path.unlink(missing_ok=True)
        self.catalog_path.unlink(missing_ok=True)

    def _has_sealed_catalog(self) -> bool:
        for file, is_complete in ((self.catalog_path, True), (self._journal_path, False)):
            # Sealing is the last transaction: one that a crash cut short leaves a journal.
            if (file.exists() and file.stat().st_size > 0) is not is_complete:
                return False
        with Catalog(self.catalog_path) as catalog:
            return catalog.is_sealed
