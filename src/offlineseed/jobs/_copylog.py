"""
Reading copy logs. Pure.

Two forms are read: the one whose root is `DriveLog` (2014-11-01, 2018-10-01), and the later one of
fragments without a root (2021-08-01). Samples of the first differ in order and attributes, so the
order does not matter and nothing but XML is required.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import cast

from offlineseed.errors import CopyLogError
from offlineseed.jobs._copylog_models import (
    BlobCopyResult,
    CopyLog,
    CopySummary,
    PartCopyResult,
)

__all__ = ["parse_copy_log"]

_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>")
_RESULTS = frozenset({"blob", "erroredentity", "file"})


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
