"""
What a copy log says, as values. Pure.

Two forms are read: the one whose root is `DriveLog` (2014-11-01, 2018-10-01), and the later one of
fragments without a root (2021-08-01). Samples of the first differ in order and attributes, so the
order does not matter and nothing but XML is required.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import cast, final

import attrs

from offlineseed.errors import CopyLogError
from offlineseed.findings import Finding, Severity
from offlineseed.jobs._copylog_words import RENAMED_WORDS, UPLOADED_WORDS, advice, hyphenated

__all__ = ["BlobCopyResult", "CopyLog", "CopySummary", "PartCopyResult", "parse_copy_log"]

_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>")
_RESULTS = frozenset({"blob", "erroredentity", "file"})


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


def parse_copy_log(data: bytes) -> CopyLog:
    """
    Parse a copy log, verbose or error, of either form.

    A log that breaks off gives what stands before the break, with `is_complete` False.

    Raises:
        CopyLogError: nothing of it can be read, or it has a document type declaration.
    """
    reader = _Reader()
    parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(("start", "end"))
    try:
        # The later form has no root of its own; a declaration may stand at the top only.
        parser.feed("<log>")
        parser.feed(_DECLARATION.sub("", _decode(data)))
        parser.feed("</log>")
        reader.read(parser)
        parser.close()
    except ET.ParseError as error:
        line, column = error.position
        if not reader.is_started:
            raise CopyLogError(
                f"this is no copy log: its XML breaks at line {line}, column {column}; get it "
                "from the storage account again",
                context=f"line {line}",
            ) from None
        return reader.log(is_complete=False)
    if not reader.is_started:
        raise CopyLogError(
            "this is no copy log: it has neither a DriveLog nor a CopyLog in it; get it from the "
            "storage account again"
        )
    return reader.log(is_complete=True)


def _decode(data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise CopyLogError(
            f"this is no copy log: it is not text at byte {error.start}",
            context=f"byte {error.start}",
        ) from None
    if "<!DOCTYPE" in text:
        raise CopyLogError("this is no copy log: it has a document type declaration")
    return text


class _Reader:
    """
    Gathers a log from parser events; each result is forgotten by the tree once it is read.
    """

    def __init__(self) -> None:
        self.is_started = False
        self._path: list[str] = []
        self._fields: dict[str, str] = {}
        self._blobs: list[BlobCopyResult] = []
        self._summary: list[CopySummary] = []

    def read(self, parser: ET.XMLPullParser[ET.Element]) -> None:
        # What was parsed before an error comes out first, then the error is raised.
        events = cast("Iterator[tuple[str, ET.Element]]", parser.read_events())
        for event, element in events:
            name = _local(element.tag)
            if event == "start":
                self._path.append(name)
                self._begin(name, element)
            else:
                self._path.pop()
                self._end(name, element)

    def _begin(self, name: str, element: ET.Element) -> None:
        if name in ("drivelog", "copylog", "erroredentity") or self._path[1:] == ["file"]:
            self.is_started = True
        if name == "drivelog":
            self._fields["drivelogversion"] = _attribute(element, "version")

    def _end(self, name: str, element: ET.Element) -> None:
        # The path is now that of the parent; its first name is the root that was put around.
        is_top = len(self._path) == 1
        parent = self._path[-1] if self._path else ""
        if name in _RESULTS and (is_top or parent == "drivelog"):
            self._blobs.append(_parse_blob(name, element))
            element.clear()
        elif parent in ("drivelog", "copylog") and name == "summary":
            self._summary.extend(_parse_summary(element))
        elif parent in ("drivelog", "copylog"):
            self._fields[name] = (element.text or "").strip()

    def log(self, *, is_complete: bool) -> CopyLog:
        fields = self._fields
        return CopyLog(
            drive_id=fields.get("driveid", ""),
            version=fields.get("drivelogversion", ""),
            status=fields.get("status", ""),
            blobs=tuple(self._blobs),
            summary=tuple(self._summary),
            total_count=_number(fields.get("totalfiles_blobs", "")),
            errored_count=_number(fields.get("fileserrored", "")),
            is_complete=is_complete,
        )


def _parse_blob(name: str, element: ET.Element) -> BlobCopyResult:
    if name == "file":
        # A line of the later verbose log: what landed.
        path, size = _attribute(element, "path"), _attribute(element, "size")
        return BlobCopyResult(blob_path=path, length=_number(size))
    if name == "erroredentity":
        return BlobCopyResult(
            blob_path=_attribute(element, "path"),
            status=_text(element, "category") or "Failed",
            error_code=_text(element, "errorcode"),
            message=_text(element, "errormessage"),
        )
    disposition = _child(element, "importdisposition")
    ranges, blocks = _child(element, "pagerangelist"), _child(element, "blocklist")
    part_list = blocks if ranges is None else ranges
    return BlobCopyResult(
        blob_path=_text(element, "blobpath"),
        file_path=_text(element, "filepath") or _text(element, "originalfilepath"),
        status=_attribute(element, "status") or "Completed",
        length=_number(_text(element, "length") or _text(element, "sizeinbytes")),
        import_disposition="" if disposition is None else (disposition.text or "").strip(),
        disposition_status="" if disposition is None else _attribute(disposition, "status"),
        is_page_blob=ranges is not None,
        parts=tuple(_parse_parts(() if part_list is None else part_list)),
        metadata_status=_child_status(element, "metadata"),
        properties_status=_child_status(element, "properties"),
    )


def _parse_parts(elements: Iterable[ET.Element]) -> Iterator[PartCopyResult]:
    for element in elements:
        offset, length = _attribute(element, "offset"), _attribute(element, "length")
        yield PartCopyResult(
            offset=_number(offset) or 0,
            length=_number(length) or 0,
            status=_attribute(element, "status") or "Completed",
            id=_attribute(element, "id"),
            hash=_attribute(element, "hash"),
        )


def _parse_summary(element: ET.Element) -> Iterator[CopySummary]:
    for section in element:
        for line in section:
            yield CopySummary(
                section=section.tag.rpartition("}")[2],
                name=line.tag.rpartition("}")[2],
                count=_number(_attribute(line, "count")),
                description=_attribute(line, "description"),
            )


def _local(tag: str) -> str:
    return tag.rpartition("}")[2].casefold()


def _attribute(element: ET.Element, name: str) -> str:
    for key, value in element.attrib.items():
        if _local(key) == name:
            return value.strip()
    return ""


def _child(element: ET.Element, name: str) -> ET.Element | None:
    for child in element:
        if _local(child.tag) == name:
            return child
    return None


def _child_status(element: ET.Element, name: str) -> str:
    child = _child(element, name)
    return "" if child is None else _attribute(child, "status") or "Completed"


def _text(element: ET.Element, name: str) -> str:
    child = _child(element, name)
    return "" if child is None else (child.text or "").strip()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


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
