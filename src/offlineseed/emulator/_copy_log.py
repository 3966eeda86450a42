"""
Writes copy logs, blob by blob, in the form of 2014-11-01.

Source: "Azure Import/Export service log file format". The error log has the same structure with
only what failed in it.
"""

from __future__ import annotations

import tempfile
from typing import IO, final
from xml.sax.saxutils import escape, quoteattr

from offlineseed.emulator._blob_copy import BlobOutcome
from offlineseed.emulator._manifest_reader import ManifestPart, SideFile

__all__ = ["DriveCopyLog"]

_IN_MEMORY_BYTES = 1 << 20


@final
class DriveCopyLog:
    """
    One copy log of one drive, in a temporary file until it is uploaded.

    Args:
        drive_id: the drive.
        errors_only: whether it is the error log.
    """

    def __init__(self, drive_id: str, *, errors_only: bool) -> None:
        self._errors_only = errors_only
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # close() closes
            max_size=_IN_MEMORY_BYTES
        )
        self._line('<?xml version="1.0" encoding="UTF-8"?>')
        self._line('<DriveLog Version="2014-11-01">')
        self._line(f"  <DriveId>{escape(drive_id)}</DriveId>")

    def blob(self, outcome: BlobOutcome) -> None:
        """
        Write down what became of a blob; an error log takes it only where something failed.
        """
        if self._errors_only and outcome.status == "Completed":
            return
        entry = outcome.entry
        self._line(f"  <Blob Status={quoteattr(outcome.status)}>")
        self._line(f"    <BlobPath>{escape(outcome.blob_path)}</BlobPath>")
        self._line(f"    <FilePath>{escape(entry.file_path)}</FilePath>")
        self._line(f"    <Length>{entry.length}</Length>")
        self._line(
            f"    <ImportDisposition Status={quoteattr(outcome.disposition)}>"
            f"{entry.disposition}</ImportDisposition>"
        )
        self._parts(outcome)
        self._side("Metadata", entry.metadata, outcome.metadata)
        self._side("Properties", entry.properties, outcome.properties)
        self._line("  </Blob>")

    def end(self, drive_status: str) -> tuple[IO[bytes], int]:
        """
        Write the drive's status; return the file, at its start, and its length.
        """
        self._line(f"  <Status>{escape(drive_status)}</Status>")
        self._line("</DriveLog>")
        length = self._file.tell()
        self._file.seek(0)
        return self._file, length

    def close(self) -> None:
        """
        Drop the temporary file.
        """
        self._file.close()

    def _parts(self, outcome: BlobOutcome) -> None:
        entry = outcome.entry
        name = "PageRange" if entry.is_page else "Block"
        if not outcome.parts:
            return
        self._line(f"    <{name}List>")
        for part, status in zip(entry.parts, outcome.parts, strict=True):
            if not (self._errors_only and status == "Completed"):
                self._line(f"      <{name} {_part(part)} Status={quoteattr(status)} />")
        self._line(f"    </{name}List>")

    def _side(self, name: str, side: SideFile | None, status: str | None) -> None:
        if side is None or status is None or (self._errors_only and status == "Completed"):
            return
        element = "GlobalPath" if side.is_global else "Path"
        self._line(f"    <{name} Status={quoteattr(status)}>")
        self._line(f'      <{element} Hash="{side.md5}">{escape(side.path)}</{element}>')
        self._line(f"    </{name}>")

    def _line(self, text: str) -> None:
        self._file.write(text.encode("utf-8") + b"\n")


def _part(part: ManifestPart) -> str:
    block_id = f" Id={quoteattr(part.block_id)}" if part.block_id else ""
    return f'Offset="{part.offset}" Length="{part.length}"{block_id} Hash="{part.md5}"'
