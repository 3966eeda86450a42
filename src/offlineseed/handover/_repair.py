"""
Repair: uploading over the network, from the staging location, just what a copy log says failed.

Source: "Repairing an import job", 2017: only failed blocks and page ranges are uploaded again.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import final

import attrs

from offlineseed.drives import BlobSource
from offlineseed.errors import SourceChangedError
from offlineseed.events import FindingSeen, OnEvent, ignore_events
from offlineseed.findings import Finding
from offlineseed.handover._destination import BlobUpload, Repairs
from offlineseed.handover._missing import MissingBlob, find_missing
from offlineseed.handover._report import RepairedBlob, RepairReport
from offlineseed.jobs import CopyLog
from offlineseed.manifest import BlobList, Block, DriveManifest, PageRange, path_of_file_path
from offlineseed.verify import verify_landed

__all__ = ["repair"]

_PARTS_AHEAD = 3
"""Parts of one blob in memory, 4 MiB each."""


def repair(
    job: BlobSource,
    manifest: DriveManifest,
    destination: Repairs,
    *,
    log: CopyLog | None,
    may_overwrite: bool = False,
    threads: int = 4,
    on_event: OnEvent = ignore_events,
) -> RepairReport:
    """
    Upload what one drive did not bring, and verify it.

    What landed is not touched. A failed blob gets the blocks or page ranges that failed, or all
    where the destination kept none, and becomes whole by its block list. A drive that brought
    nothing (it never arrived, its manifest was damaged, its key was refused) is uploaded as far as
    the destination lacks its blobs. May be repeated at any time.

    Every part is compared with the manifest before it is uploaded.

    Args:
        job: the staged job, whose blobs are still on the staging location.
        manifest: the drive's manifest; a copy lies in the drive's folder of the staging location.
        destination: where the blobs land.
        log: the drive's copy log; None for a drive that never arrived.
        may_overwrite: replace other blobs of the same names, which kept ours from landing.
        threads: blobs, and parts of them, that are uploaded at once.
        on_event: gets a `BlobVerified` for each repaired blob, and a `FindingSeen` for each that
            is left alone.

    Raises:
        SourceChangedError: a staged blob is not what the drive's manifest says any more.
        AzureError, OSError: the destination or the staging location refuses.
    """
    findings: list[Finding] = []
    repaired: list[RepairedBlob] = []
    whole: list[MissingBlob] = []
    # Blobs are small or large: some of them at once, and some parts of each at once.
    with (
        ThreadPoolExecutor(threads, thread_name_prefix="offlineseed-parts") as parts,
        ThreadPoolExecutor(threads, thread_name_prefix="offlineseed-repair") as blobs,
    ):
        missing = tuple(find_missing(manifest, log, destination.landed, blobs))
        sources = _sources(job, missing)

        def mend(one: MissingBlob) -> RepairedBlob | Finding | None:
            source = sources.get(one.blob.file_path)
            if source is None:
                return _staged_finding(one)
            obstacle = None if may_overwrite else one.obstacle(destination.landed)
            if obstacle is not None:
                # An earlier repair may have put it there.
                return None if one.is_whole(destination.landed) else obstacle
            if one.was_repaired(destination.landed):
                return None
            return _BlobRepair(missing=one, source=source, pool=parts).run(destination)

        waiting: deque[tuple[MissingBlob, Future[RepairedBlob | Finding | None]]] = deque()
        ahead = iter(missing)
        try:
            while True:
                for one in islice(ahead, 2 * threads - len(waiting)):
                    waiting.append((one, blobs.submit(mend, one)))
                if not waiting:
                    break
                one, future = waiting.popleft()
                outcome = future.result()
                if isinstance(outcome, RepairedBlob):
                    repaired.append(outcome)
                    whole.append(one)
                elif outcome is not None:
                    findings.append(outcome)
                    on_event(FindingSeen(finding=outcome))
        finally:
            for _, future in waiting:
                future.cancel()
    return RepairReport(
        repaired=repaired,
        findings=findings,
        verification=verify_landed(
            destination.landed,
            [attrs.evolve(manifest, blob_lists=[BlobList(blobs=[one.blob for one in whole])])],
            renamed={one.blob.blob_path: one.target for one in whole},
            threads=threads,
            on_event=on_event,
        ),
    )


def _sources(job: BlobSource, missing: Iterable[MissingBlob]) -> dict[str, Path]:
    paths = {path_of_file_path(one.blob.file_path): one.blob.file_path for one in missing}
    if not paths:
        return {}
    return {paths[blob.path]: blob.source for blob in job.blobs() if blob.path in paths}


def _staged_finding(missing: MissingBlob) -> Finding:
    return Finding(
        code="staged-blob-missing",
        subject=missing.target,
        message=(
            f"{missing.blob.file_path} is not on the staging location any more: restore it there "
            "and repair again, or make a new seed"
        ),
    )


@final
@attrs.frozen(kw_only=True)
class _BlobRepair:
    missing: MissingBlob
    source: Path
    pool: ThreadPoolExecutor

    def run(self, destination: Repairs) -> RepairedBlob:
        upload = destination.begin(self.missing.name, self.missing.blob)
        waiting: deque[Future[None]] = deque()
        count = total = 0
        try:
            with self.source.open("rb") as file:
                for part in self._parts(upload):
                    file.seek(part.offset)
                    data = file.read(part.length)
                    self._require_same(part, data)
                    waiting.append(self.pool.submit(upload.put, part, data))
                    count, total = count + 1, total + len(data)
                    if len(waiting) >= _PARTS_AHEAD:
                        waiting.popleft().result()
            while waiting:
                waiting.popleft().result()
            upload.commit()
        finally:
            for future in waiting:
                if not future.cancel():
                    future.exception()  # nothing is let go of while it is being written
            upload.close()
        return RepairedBlob(
            blob_path=self.missing.target,
            parts=len(self.missing.parts),
            uploaded_parts=count,
            uploaded_bytes=total,
        )

    def _parts(self, upload: BlobUpload) -> Iterator[Block | PageRange]:
        uploaded = self.missing.uploaded()
        for part in self.missing.parts:
            status = uploaded.get((part.offset, part.length))
            if status is None or not upload.has(part, status):
                yield part

    def _require_same(self, part: Block | PageRange, data: bytes) -> None:
        found = hashlib.md5(data, usedforsecurity=False).hexdigest().upper()
        if found != part.hash:
            raise SourceChangedError(
                f"{self.source} is not what was put on the drive, at offset {part.offset}: restore "
                "it from a backup of the staging location, or make a new seed",
                path=self.missing.blob.file_path,
                expected=part.hash,
                found=found,
            )
