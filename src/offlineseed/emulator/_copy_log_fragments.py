"""
Writes copy logs in the form of 2021-08-01: a row of XML fragments without a root.

Source: the sample copy log of Data Box Disk, and "Review copy logs" for Import/Export. The `crc64`
of the verbose form is left out: the datacentre checks MD5.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from typing import IO, final
from xml.sax.saxutils import escape, quoteattr

from offlineseed.emulator._blob_copy import BlobOutcome

__all__ = ["FragmentCopyLog"]

_IN_MEMORY_BYTES = 1 << 20
_CAUSES = {
    "FileNotFound": ("UploadErrorWin32", 2, "The file is not on the drive."),
    "FileAccessDenied": ("UploadErrorWin32", 5, "Access to the file is denied."),
    "FileNameInvalid": ("UploadErrorWin32", 123, "The file name is invalid."),
    "FileNameTooLong": ("UploadErrorWin32", 206, "The file name is too long."),
    "IOFailed": ("UploadErrorWin32", 1117, "The file can't be read."),
    "BlobRequestForbidden": ("UploadErrorCloudHttp", 403, "Access to the blob is forbidden."),
    "BlobRequestFailed": ("UploadErrorCloudHttp", 400, "The blob request failed."),
    "LeasePresent": ("UploadErrorCloudHttp", 412, "There is a lease on the blob."),
}
"""From a blob status to category, error code and message."""
_DESCRIPTIONS = {
    "UploadErrorWin32": "Files that could not be read.",
    "UploadErrorCloudHttp": "Blobs that could not be written.",
    "UploadErrorDataValidationError": "Files whose content does not match the drive manifest.",
    "BlobRenamed": "Renamed the blob as another of its name was there.",
}


@final
class FragmentCopyLog:
    """
    One copy log of one drive, in a temporary file until it is uploaded.

    Args:
        drive_id: the drive.
        errors_only: whether it is the error log.
    """

    def __init__(self, drive_id: str, *, errors_only: bool) -> None:
        self._drive_id = drive_id
        self._errors_only = errors_only
        self._blobs = 0
        self._failed = 0
        self._categories: Counter[str] = Counter()
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # close() closes
            max_size=_IN_MEMORY_BYTES
        )

    def blob(self, outcome: BlobOutcome) -> None:
        """
        Write down what became of a blob.
        """
        self._blobs += 1
        if outcome.status != "Completed":
            self._failed += 1
            self._entity(outcome, *_cause(outcome))
        elif outcome.disposition == "Renamed":
            message = f"The original Blob has been renamed to: {outcome.blob_path} :from: "
            message += f"{outcome.entry.blob_path} :because the name is taken"
            self._entity(outcome, "BlobRenamed", 1, message)
        if outcome.is_landed and not self._errors_only:
            self._line(
                f"<File CloudFormat={quoteattr(_format(outcome))} "
                f'Path={quoteattr(outcome.blob_path)} Size="{outcome.entry.length}" />'
            )

    def end(self, drive_status: str) -> tuple[IO[bytes], int]:
        """
        Write the summary; return the file, at its start, and its length.
        """
        self._line('<CopyLog Summary="Summary">')
        self._line("  <DriveLogVersion>2021-08-01</DriveLogVersion>")
        self._line(f"  <DriveId>{escape(self._drive_id)}</DriveId>")
        self._line(f"  <Status>{escape(drive_status)}</Status>")
        self._line(f"  <TotalFiles_Blobs>{self._blobs}</TotalFiles_Blobs>")
        self._line(f"  <FilesErrored>{self._failed}</FilesErrored>")
        self._line("  <Summary>")
        self._line("    <ValidationErrors>")
        self._line('      <None Count="0" />')
        self._line("    </ValidationErrors>")
        self._line("    <CopyErrors>")
        for category, count in sorted(self._categories.items()):
            description = quoteattr(_DESCRIPTIONS.get(category, "Unknown failures."))
            self._line(f'      <{category} Count="{count}" Description={description} />')
        self._line("    </CopyErrors>")
        self._line("  </Summary>")
        self._line("</CopyLog>")
        length = self._file.tell()
        self._file.seek(0)
        return self._file, length

    def close(self) -> None:
        """
        Drop the temporary file.
        """
        self._file.close()

    def _entity(self, outcome: BlobOutcome, category: str, code: int, message: str) -> None:
        self._categories[category] += 1
        self._line(
            f"<ErroredEntity CloudFormat={quoteattr(_format(outcome))} "
            f"Path={quoteattr(outcome.entry.blob_path)}>"
        )
        self._line(f"  <Category>{category}</Category>")
        self._line(f"  <ErrorCode>{code}</ErrorCode>")
        self._line(f"  <ErrorMessage>{escape(message)}</ErrorMessage>")
        self._line("  <Type>File</Type>")
        self._line("</ErroredEntity>")

    def _line(self, text: str) -> None:
        self._file.write(text.encode("utf-8") + b"\n")


def _format(outcome: BlobOutcome) -> str:
    return "PageBlob" if outcome.entry.is_page else "BlockBlob"


def _cause(outcome: BlobOutcome) -> tuple[str, int, str]:
    known = _CAUSES.get(outcome.status)
    if known is not None:
        return known
    for part, status in zip(outcome.entry.parts, outcome.parts, strict=True):
        if status in ("Corrupted", "FileUnexpectedEnd"):
            return (
                "UploadErrorDataValidationError",
                1,
                f"{status}: not the MD5 {part.md5} in {part.length} bytes at {part.offset}.",
            )
        if status == "IOFailed":
            return _CAUSES["IOFailed"]
    for name, side in (("metadata", outcome.metadata), ("properties", outcome.properties)):
        if side not in (None, "Completed"):
            return "UploadErrorDataValidationError", 1, f"{side}: the file with its {name}."
    return "UploadErrorUnknownType", 1, outcome.status
