"""
A copy log as values, and what a person should know of it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import attrs

from offlineseed.findings import Finding, Severity
from offlineseed.jobs._copylog_words import RENAMED_WORDS, UPLOADED_WORDS, advice, hyphenated

__all__ = ["BlobCopyResult", "CopyLog", "CopySummary", "PartCopyResult"]


@final
@attrs.frozen(kw_only=True)
class PartCopyResult:
    """
    How one block or page range of a blob fared.
    """

    offset: int
    """Where in the blob it begins, in bytes."""
    length: int
    """Its length in bytes."""
    status: str
    """The service's word."""
    id: str = ""
    """The block's id; empty for a page range."""
    hash: str = ""
    """The MD5 that the manifest has for it, where the log repeats it."""

    @property
    def is_uploaded(self) -> bool:
        """
        Whether its bytes are in the storage account, committed or not.
        """
        return self.status.casefold() in UPLOADED_WORDS


@final
@attrs.frozen(kw_only=True)
class BlobCopyResult:
    """
    How one blob fared.
    """

    blob_path: str
    """Container and name, as the log has it; the new name where it was renamed."""
    file_path: str = ""
    """The file on the drive."""
    status: str = "Completed"
    """The service's word: `Completed`, or what went wrong."""
    length: int | None = None
    """Its length in bytes, where the log says."""
    import_disposition: str = ""
    """The disposition asked for, such as `rename`."""
    disposition_status: str = ""
    """What came of it: `Created`, `Renamed`, `Skipped`, `Overwritten`, `Cancelled`."""
    is_page_blob: bool = False
    """Whether its parts are page ranges."""
    parts: tuple[PartCopyResult, ...] = ()
    """Its blocks or page ranges, in the log's order; the later form has none."""
    metadata_status: str = ""
    """How setting its metadata fared; empty where it has none."""
    properties_status: str = ""
    """How setting its properties fared; empty where it has none."""
    error_code: str = ""
    """The later form's number of the error."""
    message: str = ""
    """The later form's words about the error."""

    @property
    def has_landed(self) -> bool:
        """
        Whether the destination has its content, whole, under `blob_path`.
        """
        word = self.status.casefold()
        is_whole = word == "completed" or word in RENAMED_WORDS
        return is_whole and self.disposition_status.casefold() not in ("skipped", "cancelled")

    @property
    def parts_to_upload(self) -> tuple[PartCopyResult, ...]:
        """
        The blocks or page ranges whose bytes are missing at the destination.

        Empty for a blob that has not landed means that the log does not know its parts: upload it
        whole.
        """
        return tuple(part for part in self.parts if not part.is_uploaded)

    def findings(self) -> tuple[Finding, ...]:
        """
        Return what a person should know about this blob; empty for one that landed as asked.
        """
        return tuple(_blob_findings(self))


@final
@attrs.frozen(kw_only=True)
class CopySummary:
    """
    One line of a later log's summary.
    """

    section: str
    """`ValidationErrors` or `CopyErrors`."""
    name: str
    """The kind of error; `None` means that there were none."""
    count: int | None = None
    """How often."""
    description: str = ""
    """In the service's words."""


@final
@attrs.frozen(kw_only=True)
class CopyLog:
    """
    A drive's copy log. An error log has the blobs that failed only; a verbose log has all.
    """

    drive_id: str = ""
    """The drive's hardware serial number."""
    version: str = ""
    """The log format's version, where it says."""
    status: str = ""
    """The service's word for the drive as a whole."""
    blobs: tuple[BlobCopyResult, ...] = ()
    """The blobs, in the log's order."""
    summary: tuple[CopySummary, ...] = ()
    """A later log's counts."""
    total_count: int | None = None
    """How many blobs the drive has, where the log says."""
    errored_count: int | None = None
    """How many of them failed, where the log says."""
    is_complete: bool = True
    """False where the log breaks off: what stands before is here."""

    def failed_blobs(self) -> tuple[BlobCopyResult, ...]:
        """
        Return the blobs that have not landed.
        """
        return tuple(blob for blob in self.blobs if not blob.has_landed)

    def findings(self) -> tuple[Finding, ...]:
        """
        Return everything that a person should know: about the log, the drive, then each blob.
        """
        return tuple(_log_findings(self))


def _log_findings(log: CopyLog) -> Iterator[Finding]:
    drive = log.drive_id or "drive"
    if not log.is_complete:
        yield Finding(
            code="copy-log-torn",
            subject=drive,
            message="the copy log breaks off: what follows is unknown; get it again",
            severity=Severity.WARNING,
        )
    word = log.status.casefold()
    if word and word != "completed":
        has_problem = not word.startswith("completedwith")
        yield Finding(
            code=f"drive-{hyphenated(log.status)}",
            subject=drive,
            message=f"drive {drive}: {advice(log.status)}",
            severity=Severity.ERROR if has_problem else Severity.WARNING,
        )
    for blob in log.blobs:
        yield from _blob_findings(blob)


def _blob_findings(blob: BlobCopyResult) -> Iterator[Finding]:
    path, word = blob.blob_path or blob.file_path, blob.status.casefold()
    if word != "completed":
        message = advice(blob.status)
        if blob.message:
            message = f"{message}: {blob.message}"
        if blob.error_code:
            message = f"{message} ({blob.error_code})"
        yield Finding(
            code=f"blob-{hyphenated(blob.status)}",
            subject=path,
            message=message,
            severity=Severity.WARNING if word in RENAMED_WORDS else Severity.ERROR,
        )
    if blob.disposition_status.casefold() in ("renamed", "skipped", "overwritten"):
        yield Finding(
            code=f"disposition-{hyphenated(blob.disposition_status)}",
            subject=path,
            message=advice(blob.disposition_status),
            severity=Severity.WARNING,
        )
    kind = "page-range" if blob.is_page_blob else "block"
    for part in blob.parts:
        # Where the whole blob failed, its untried parts say nothing new.
        if part.status.casefold() in ("completed", "cancelled"):
            continue
        yield Finding(
            code=f"{kind}-{hyphenated(part.status)}",
            subject=path,
            message=(
                f"{kind.replace('-', ' ')} at offset {part.offset}, {part.length} bytes: "
                f"{advice(part.status)}"
            ),
            severity=Severity.WARNING if part.is_uploaded else Severity.ERROR,
        )
    for kind, status in (
        ("metadata", blob.metadata_status),
        ("properties", blob.properties_status),
    ):
        if status.casefold() not in ("", "completed", "cancelled"):
            yield Finding(
                code=f"{kind}-{hyphenated(status)}",
                subject=path,
                message=f"{kind}: {advice(status)}",
            )
