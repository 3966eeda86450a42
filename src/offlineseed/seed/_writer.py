"""
Writing a generation: the seed, or an increment.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import final

from typing_extensions import Self

from offlineseed._durable import make_folder
from offlineseed.errors import CatalogError, GenerationSealedError
from offlineseed.events import Event, FindingSeen, GenerationSealed, OnEvent, ignore_events
from offlineseed.seed._catalog import Catalog
from offlineseed.seed._catalog_writer import CatalogWriter
from offlineseed.seed._model import SeedOptions
from offlineseed.seed._names import encode_name
from offlineseed.seed._pipeline import Pipeline
from offlineseed.seed._recovery import finish_open_segments
from offlineseed.seed._seal import Seal, publish_seal, require_unsealed
from offlineseed.seed._source import ByteStream, Source
from offlineseed.seed._stager import Stager
from offlineseed.seed._stores import SegmentStore

__all__ = ["SeedWriter"]


@final
class SeedWriter:
    """
    Writes one generation into a store.

    Adding is asynchronous: an item is safe from a crash once a `SeedCheckpoint` event counts it,
    or `checkpoint()` or `seal()` returned. A writer that is opened on an interrupted generation
    goes on after what was acknowledged; add the same things again, and what is known and unchanged
    is not read. Of two items with one name the later stays.

    Used by one thread, which also calls `on_event`. An exception from `on_event` reaches the
    caller; what was acknowledged stays. As a context manager it makes a checkpoint and closes at
    the end, or aborts on an error.

    Args:
        store: where segments, catalog and seal go.
        catalog: local file of the generation's catalog in the making; made or gone on with.
        baseline: the sealed catalog of the generation before; None writes the seed. Stays the
            caller's to close, after the writer.
        options: how to write; all generations of a seed share `chunk_bytes`.
        on_event: gets progress events.

    Raises:
        GenerationSealedError: the catalog is sealed already, or the store holds a sealed
            generation of that number, from another machine or a work folder that was lost.
        CatalogError: the catalog was begun with another baseline or chunk length, or is damaged.
        SegmentMissingError: the store lost bytes that were acknowledged.

    """

    def __init__(
        self,
        store: SegmentStore,
        catalog: str | os.PathLike[str],
        *,
        baseline: Catalog | None = None,
        options: SeedOptions | None = None,
        on_event: OnEvent = ignore_events,
    ) -> None:
        options = options or SeedOptions(chunk_bytes=baseline.chunk_bytes if baseline else 1 << 20)
        _require_baseline(baseline, options)
        self.catalog_path = Path(catalog)
        """The catalog in the making."""
        self._store = store
        self._on_event = on_event
        self._is_open = True
        self._was_stopped = False
        generation = baseline.generation + 1 if baseline else 0
        require_unsealed(store, generation, may_be_torn=self.catalog_path.exists())
        make_folder(self.catalog_path.parent)
        self._catalog = CatalogWriter(
            self.catalog_path,
            seed_id=baseline.seed_id if baseline else str(uuid.uuid4()),
            chunk_bytes=options.chunk_bytes,
            started_ns=time.time_ns(),
            baseline=baseline,
        )
        try:
            if self._catalog.was_interrupted:
                finish_open_segments(self._catalog, store)
            self._pipeline = Pipeline(
                store,
                self._catalog,
                options,
                workers=options.workers or max(1, (os.cpu_count() or 1) - 1),
            )
        except BaseException:
            self._catalog.close()
            raise
        self._stager = Stager(
            self._pipeline,
            chunk_bytes=options.chunk_bytes,
            last_item=self._catalog.greatest_ids()[0],
        )
        trusts = not options.compare_content
        own = self._catalog.own_items() if self._catalog.was_interrupted else None
        self._source = Source(
            self._stager,
            chunk_bytes=options.chunk_bytes,
            own=own,
            baseline=self._catalog.baseline_items() if trusts else None,
            trusted_before_ns=baseline.started_ns if baseline else self._catalog.started_ns,
            skipped=_identities(self.catalog_path.parent, getattr(store, "root", None)),
            on_finding=lambda finding: self._pass_on(FindingSeen(finding=finding)),
            after_item=self._pass_events_on,
            has_failed=lambda: self._was_stopped or self._pipeline.has_failed,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if not self._is_open:
            return
        if kind is None:
            self.close()
        else:
            self.abort()

    @property
    def generation(self) -> int:
        """
        The generation being written; 0 is the seed.
        """
        return self._catalog.generation

    def add_tree(self, root: str | os.PathLike[str], *, prefix: str = "") -> None:
        """
        Add a directory and all that is below it: files, directories and symbolic links.

        What vanishes, changes or can't be read meanwhile becomes a finding, in an event and in the
        catalog. The folder of the seed itself is left out.

        Args:
            root: the directory.
            prefix: name under which it is stored; empty stores its contents at the top.

        Raises:
            OSError: the root itself can't be read.
            UnsafeNameError: the prefix can't be an item's name.
            StagingFullError: the store has no room.

        """
        self._require_open()
        self._source.stage_tree(os.fspath(root), encode_name(prefix) if prefix else b"")

    def add_file(self, path: str | os.PathLike[str], *, name: str | None = None) -> None:
        """
        Add one file. What keeps it from being read becomes a finding.

        Args:
            path: the file; a symbolic link is followed.
            name: name under which it is stored; its last component by default.

        """
        self._require_open()
        encoded = encode_name(Path(path).name if name is None else name)
        self._source.stage_file(os.fspath(path), encoded)

    def add_stream(
        self, stream: ByteStream, name: str, *, mode: int = 0o644, mtime_ns: int | None = None
    ) -> None:
        """
        Add all that a stream gives; its length need not be known.

        Args:
            stream: has `read(size)`; its errors pass through, and then nothing was added.
            name: name under which it is stored.
            mode: POSIX permission bits.
            mtime_ns: nanoseconds since 1970 (UTC); by default when the generation was begun.

        """
        self._require_open()
        when = self._catalog.started_ns if mtime_ns is None else mtime_ns
        self._source.stage_stream(stream, encode_name(name), mode, when)

    def checkpoint(self) -> None:
        """
        Make everything added so far durable.

        A store that keeps nothing before a segment is closed (a container) keeps it then.
        """
        self._require_open()
        self._stager.flush()
        self._pipeline.flush()
        self._pass_events_on()

    def seal(self) -> Seal:
        """
        Complete the generation: segments, catalog and, last, its seal. The writer is closed then.

        Keep the returned digest: it proves what lands and what is restored.
        """
        self._finish()
        try:
            self._catalog.seal()
        finally:
            self._catalog.close()
        seal = publish_seal(self._store, self.catalog_path)
        self._on_event(
            GenerationSealed(
                generation=seal.generation,
                digest=seal.digest,
                items=seal.items,
                content_bytes=seal.content_bytes,
                stored_bytes=seal.stored_bytes,
            )
        )
        return seal

    def close(self) -> None:
        """
        Make a checkpoint, close the open segment and let go. The generation can be gone on with.
        """
        self._finish()
        self._catalog.close()

    def abort(self) -> None:
        """
        Stop at once. What was acknowledged stays, the rest is lost.
        """
        if self._is_open:
            self._is_open = False
            self._pipeline.abort()
            self._catalog.close()

    def _finish(self) -> None:
        self._require_open()
        try:
            self._stager.flush()
            self._pipeline.close()
            self._pass_events_on()
        except BaseException:
            self.abort()
            raise
        self._is_open = False

    def _pass_events_on(self) -> None:
        events = self._pipeline.events
        while not events.empty():
            self._pass_on(events.get())

    def _pass_on(self, event: Event) -> None:
        try:
            self._on_event(event)
        except BaseException:
            # An OSError of the listener's is no error of the source's.
            self._was_stopped = True
            raise

    def _require_open(self) -> None:
        self._was_stopped = False
        if not self._is_open:
            raise GenerationSealedError(
                "the writer is closed: open a new one to go on, or write the next generation"
            )


def _require_baseline(baseline: Catalog | None, options: SeedOptions) -> None:
    if baseline is None:
        return
    if not baseline.is_sealed:
        raise CatalogError(
            f"the baseline {baseline.path} is not sealed: seal it before writing on it",
            context=str(baseline.path),
        )
    if options.chunk_bytes != baseline.chunk_bytes:
        raise CatalogError(
            f"the baseline has chunks of {baseline.chunk_bytes} bytes, the options say "
            f"{options.chunk_bytes}: a seed has one chunk length",
            context=str(baseline.path),
        )


def _identities(*folders: object) -> frozenset[tuple[int, int]]:
    found = set()
    for folder in folders:
        if isinstance(folder, Path):
            make_folder(folder)
            status = folder.stat()
            found.add((status.st_dev, status.st_ino))
    return frozenset(found)
