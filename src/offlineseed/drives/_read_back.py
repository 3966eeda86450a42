"""
Reading a drive's files back and comparing them with its manifest.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import final

import xxhash

from offlineseed.errors import ManifestError
from offlineseed.events import BlobVerified, OnEvent, ignore_events
from offlineseed.findings import Finding, Severity
from offlineseed.manifest import (
    BLOCK_BYTES,
    MANIFEST_FILE,
    BlobList,
    Block,
    ManifestBlob,
    ManifestReader,
    PageRange,
    path_of_file_path,
)
from offlineseed.reports import ReportBuilder, VerificationReport
from offlineseed.volumes import CacheBypass, VolumeReader

__all__ = ["verify_volume"]

_MANIFEST_PATH = path_of_file_path(MANIFEST_FILE)
_IN_FLIGHT = 4
"""Ranges that are read and wait for their hash: 16 MiB."""


def verify_volume(
    reader: VolumeReader,
    *,
    drive_id: str,
    manifest_hash: str = "",
    hash_threads: int = 0,
    on_event: OnEvent = ignore_events,
) -> VerificationReport:
    """
    Compare a volume with the manifest that lies on it, in bounded memory.

    Checks: `manifest` (its hash and its drive id), `files` (presence, length, and that there are
    no others), `ranges` (the MD5 of every block and page range), `bytes` (what was read for them).

    Args:
        reader: the volume; it stays open.
        drive_id: the drive, as its manifest must call it.
        manifest_hash: the manifest's MD5 as the job has it; where it is empty, the manifest is
            taken at its word.
        hash_threads: threads that hash; 0 for as many as there are processors.
        on_event: gets a `BlobVerified` for each file.

    Returns:
        The report. A manifest that is missing or can't be read is a failure in it, too.

    Raises:
        OSError: the drive can't be read at all.
    """
    check = _Check(
        reader, ReportBuilder(f"drive {drive_id}"), hash_threads or os.cpu_count() or 1, on_event
    )
    with check.pool:
        return check.run(drive_id, manifest_hash)


@final
class _Check:
    def __init__(
        self, reader: VolumeReader, report: ReportBuilder, threads: int, on_event: OnEvent
    ) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="offlineseed-verify")
        self._reader = reader
        self._report = report
        self._on_event = on_event
        self._listed = array("Q", [_key(_MANIFEST_PATH)])

    def run(self, drive_id: str, manifest_hash: str) -> VerificationReport:
        try:
            self._check_manifest_hash(manifest_hash)
            self._check_blobs(drive_id)
        except FileNotFoundError:
            self._report.fail("manifest-missing", _MANIFEST_PATH, expected="present", found="none")
        except ManifestError as error:
            self._report.fail(
                "manifest-unreadable", _MANIFEST_PATH, expected="a manifest", found=str(error)
            )
        else:
            self._check_for_others()
        if self._reader.cache_bypass is not CacheBypass.DIRECT:
            self._report.add_findings([_cache_finding(drive_id, self._reader.cache_bypass)])
        return self._report.build()

    def _check_manifest_hash(self, manifest_hash: str) -> None:
        self._report.count("manifest")
        md5 = hashlib.md5(usedforsecurity=False)
        for piece in _pieces(self._reader, _MANIFEST_PATH):
            md5.update(piece)
        found, expected = md5.hexdigest().upper(), manifest_hash.strip().upper()
        if expected and found != expected:
            self._report.fail("manifest-differs", _MANIFEST_PATH, expected=expected, found=found)

    def _check_blobs(self, drive_id: str) -> None:
        parser = ManifestReader(self._check_blob)
        for piece in _pieces(self._reader, _MANIFEST_PATH):
            parser.feed(piece)
        manifest = parser.close()
        if manifest.drive_id != drive_id:
            self._report.fail(
                "drive-id-differs", _MANIFEST_PATH, expected=drive_id, found=manifest.drive_id
            )
        for blob_list in manifest.blob_lists:
            self._check_side_files(blob_list)

    def _check_blob(self, _list_index: int, blob: ManifestBlob) -> None:
        path = path_of_file_path(blob.file_path)
        self._listed.append(_key(path))
        failures_before = self._report.failure_count
        self._report.count("files")
        try:
            count = self._check_ranges(path, blob)
            self._check_length(path, blob.length)
        except FileNotFoundError:
            self._report.fail("file-missing", path, expected="present", found="none")
            count = 0
        self._check_side_files(blob)
        self._on_event(
            BlobVerified(
                blob_path=blob.blob_path,
                length=count,
                failures=self._report.failure_count - failures_before,
            )
        )

    def _check_ranges(self, path: str, blob: ManifestBlob) -> int:
        """
        Compare a file's ranges: read here in order, hashed by the pool meanwhile.
        """
        waiting: deque[tuple[Block | PageRange, Future[str]]] = deque()
        count = 0
        for wanted in blob.blocks or blob.page_ranges or ():
            try:
                data = self._reader.read(path, wanted.offset, wanted.length)
            except FileNotFoundError:
                raise
            except OSError as error:
                self._fail_range(path, wanted, f"unreadable: {error.strerror or error}")
                continue
            count += len(data)
            if len(data) < wanted.length:
                self._fail_range(path, wanted, f"only {len(data)} bytes")
                continue
            waiting.append((wanted, self.pool.submit(_md5, data)))
            if len(waiting) > _IN_FLIGHT:
                self._compare(path, *waiting.popleft())
        for pair in waiting:
            self._compare(path, *pair)
        self._report.count("bytes", count)
        return count

    def _compare(self, path: str, wanted: Block | PageRange, md5: Future[str]) -> None:
        self._report.count("ranges")
        if md5.result() != wanted.hash:
            self._fail_range(path, wanted, md5.result())

    def _fail_range(self, path: str, wanted: Block | PageRange, found: str) -> None:
        self._report.fail(
            "range-differs",
            path,
            offset=wanted.offset,
            length=wanted.length,
            expected=wanted.hash,
            found=found,
        )

    def _check_length(self, path: str, length: int) -> None:
        # Two bytes tell: the last one is there, and none after it.
        found = len(self._reader.read(path, max(length - 1, 0), 2))
        if found != min(length, 1):
            self._report.fail(
                "length-differs",
                path,
                expected=f"{length} bytes",
                found="more" if found else "fewer",
            )

    def _check_side_files(self, owner: ManifestBlob | BlobList) -> None:
        for side in (owner.metadata_path, owner.properties_path):
            if side is None:
                continue
            path = path_of_file_path(side.path)
            self._listed.append(_key(path))
            self._report.count("files")
            md5 = hashlib.md5(usedforsecurity=False)
            try:
                for piece in _pieces(self._reader, path):
                    md5.update(piece)
            except FileNotFoundError:
                self._report.fail("file-missing", path, expected="present", found="none")
                continue
            found = md5.hexdigest().upper()
            if found != side.hash:
                self._report.fail("file-differs", path, expected=side.hash, found=found)

    def _check_for_others(self) -> None:
        # Sorted hashes of paths: 8 bytes a file, where a set of paths would take hundreds.
        listed = array("Q", sorted(self._listed))
        for file in self._reader.files():
            key = _key(file.path)
            place = bisect_left(listed, key)
            if place == len(listed) or listed[place] != key:
                self._report.fail(
                    "file-extra", file.path, expected="none", found=f"{file.length} bytes"
                )


def _pieces(reader: VolumeReader, path: str) -> Iterator[bytes]:
    offset = 0
    while True:
        piece = reader.read(path, offset, BLOCK_BYTES)
        if not piece:
            return
        yield piece
        offset += len(piece)


def _key(path: str) -> int:
    return xxhash.xxh3_64_intdigest(path.encode("utf-8", "surrogatepass"))


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest().upper()


def _cache_finding(drive_id: str, bypass: CacheBypass) -> Finding:
    how = (
        "its pages were dropped from memory first, which is no proof"
        if bypass is CacheBypass.DROPPED
        else "memory may have answered instead of the drive"
    )
    return Finding(
        code="read-back-through-cache",
        subject=drive_id,
        message=f"the drive could not be read past the page cache: {how};"
        " to be sure, attach it again and verify it",
        severity=Severity.WARNING,
    )
