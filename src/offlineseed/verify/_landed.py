"""
Verifying landed blobs against the manifests of the drives that brought them.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum
from typing import final

import attrs

from offlineseed.events import BlobVerified, OnEvent, ignore_events
from offlineseed.manifest import BLOCK_BYTES, Block, DriveManifest, ManifestBlob, PageRange
from offlineseed.reports import ReportBuilder, VerificationReport
from offlineseed.verify._landed_blobs import LandedBlob, LandedBlobs

__all__ = ["VerifyLevel", "verify_landed"]


class VerifyLevel(str, Enum):
    """
    How much of each landed blob is looked at.
    """

    NAMES = "names"
    """That it is there, its length, its type and its block list."""
    SAMPLE = "sample"
    """Besides, the content of its first, its last and every n-th range."""
    FULL = "full"
    """Besides, the content of every range, and that all else of a page blob is zero."""


def verify_landed(
    landed: LandedBlobs,
    manifests: Iterable[DriveManifest],
    *,
    level: VerifyLevel = VerifyLevel.FULL,
    sample_every: int = 64,
    renamed: Mapping[str, str] | None = None,
    threads: int = 4,
    on_event: OnEvent = ignore_events,
) -> VerificationReport:
    """
    Compare a container's blobs with what the drives' manifests say of them.

    Checks: `blobs` (presence, length, type), `block-lists` (where the endpoint keeps them),
    `ranges` (the MD5 of each range that was read) and `bytes`. Failures name the blob path, the
    range, and the MD5s expected and found. Other blobs in the container are nobody's business.

    Args:
        landed: the container.
        manifests: those of the drives, or their copies from the staging location.
        level: how much to look at.
        sample_every: with `SAMPLE`, the n of every n-th range.
        renamed: blob paths of the manifests to the blob paths that they landed under, as the
            job's copy logs say.
        threads: blobs that are looked at, at once.
        on_event: gets a `BlobVerified` for each blob, in the manifests' order.

    Raises:
        AzureError, OSError: the container can't be asked.
    """
    report = ReportBuilder(f"container {landed.container}")
    check = _Check(
        landed=landed, level=level, sample_every=max(sample_every, 1), renamed=renamed or {}
    )
    waiting: deque[tuple[ManifestBlob, Future[VerificationReport]]] = deque()

    def collect() -> None:
        blob, future = waiting.popleft()
        outcome = future.result()
        report.merge(outcome)
        on_event(
            BlobVerified(
                blob_path=blob.blob_path,
                length=outcome.count("bytes"),
                failures=outcome.failure_count,
            )
        )

    with ThreadPoolExecutor(threads, thread_name_prefix="offlineseed-landed") as pool:
        try:
            for blob in _blobs(manifests):
                waiting.append((blob, pool.submit(check.run, blob)))
                if len(waiting) > 2 * threads:
                    collect()
            while waiting:
                collect()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return report.build()


def _blobs(manifests: Iterable[DriveManifest]) -> Iterator[ManifestBlob]:
    for manifest in manifests:
        for blob_list in manifest.blob_lists:
            yield from blob_list.blobs


@final
@attrs.frozen(kw_only=True)
class _Check:
    landed: LandedBlobs
    level: VerifyLevel
    sample_every: int
    renamed: Mapping[str, str]

    def run(self, blob: ManifestBlob) -> VerificationReport:
        report = ReportBuilder(blob.blob_path)
        report.count("blobs")
        path = self.renamed.get(blob.blob_path, blob.blob_path)
        container, _, name = path.partition("/")
        if container != self.landed.container:
            report.fail("container-differs", path, expected=self.landed.container, found=container)
            return report.build()
        found = self.landed.find(name)
        if found is None:
            report.fail("blob-missing", path, expected="present", found="none")
            return report.build()
        self._check_properties(path, blob, found, report)
        self._check_blocks(path, name, blob, found, report)
        if self.level is not VerifyLevel.NAMES:
            for wanted in self._chosen(blob.blocks or blob.page_ranges or ()):
                self._check_range(path, name, wanted, report)
        if self.level is VerifyLevel.FULL and blob.page_ranges is not None:
            self._check_gaps(path, name, blob, report)
        return report.build()

    def _check_properties(
        self, path: str, blob: ManifestBlob, found: LandedBlob, report: ReportBuilder
    ) -> None:
        if found.length != blob.length:
            report.fail(
                "length-differs",
                path,
                expected=f"{blob.length} bytes",
                found=f"{found.length} bytes",
            )
        if found.blob_type is not None and found.blob_type != blob.blob_type:
            report.fail(
                "blob-type-differs",
                path,
                expected=blob.blob_type.value,
                found=str(getattr(found.blob_type, "value", found.blob_type)),
            )

    def _check_blocks(
        self, path: str, name: str, blob: ManifestBlob, found: LandedBlob, report: ReportBuilder
    ) -> None:
        if not blob.blocks or found.blob_type not in {None, blob.blob_type}:
            return
        lengths = self.landed.block_lengths(name)
        if lengths is None:
            return
        report.count("block-lists")
        expected = tuple(block.length for block in blob.blocks)
        if lengths != expected:
            report.fail(
                "block-list-differs",
                path,
                expected=f"{len(expected)} blocks of {sum(expected)} bytes",
                found=f"{len(lengths)} blocks of {sum(lengths)} bytes",
            )

    def _chosen(self, ranges: Sequence[Block | PageRange]) -> Iterator[Block | PageRange]:
        step = self.sample_every if self.level is VerifyLevel.SAMPLE else 1
        last = len(ranges) - 1
        for index, wanted in enumerate(ranges):
            if index % step == 0 or index == last:
                yield wanted

    def _check_range(
        self, path: str, name: str, wanted: Block | PageRange, report: ReportBuilder
    ) -> None:
        data = self.landed.read(name, wanted.offset, wanted.length)
        report.count("ranges")
        report.count("bytes", len(data))
        found = hashlib.md5(data, usedforsecurity=False).hexdigest().upper()
        if found != wanted.hash:
            if len(data) < wanted.length:
                found = f"only {len(data)} bytes"
            report.fail(
                "range-differs",
                path,
                offset=wanted.offset,
                length=wanted.length,
                expected=wanted.hash,
                found=found,
            )

    def _check_gaps(self, path: str, name: str, blob: ManifestBlob, report: ReportBuilder) -> None:
        for offset, length in _gaps(blob):
            data = self.landed.read(name, offset, length)
            report.count("bytes", len(data))
            if data.count(0) != length:
                report.fail(
                    "gap-not-zero",
                    path,
                    offset=offset,
                    length=length,
                    expected="zeros",
                    found=f"{len(data) - data.count(0)} other bytes",
                )


def _gaps(blob: ManifestBlob) -> Iterator[tuple[int, int]]:
    position = 0
    ends = [(one.offset, one.offset + one.length) for one in blob.page_ranges or ()]
    for start, end in [*ends, (blob.length, blob.length)]:
        while position < start:
            length = min(BLOCK_BYTES, start - position)
            yield position, length
            position += length
        position = max(position, end)
