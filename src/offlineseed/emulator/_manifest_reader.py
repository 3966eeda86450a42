"""
Reads a drive manifest as the service does: in one pass, however many blobs it has.

A reader of its own, so that the library's writer is judged by somebody else.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import final
from xml.parsers import expat

import attrs

from offlineseed._secret import Secret
from offlineseed.errors import ManifestError

__all__ = ["ManifestEntry", "ManifestPart", "ManifestReader", "SideFile"]

_MOST_OF_A_PART = 4 << 20
_MOST_BLOCKS = 50_000
_PAGE = 512
_HASH = re.compile(r"[0-9A-Fa-f]{32}")
_DISPOSITIONS = ("rename", "no-overwrite", "overwrite")


@final
@attrs.frozen
class ManifestPart:
    """
    A block or a page range.
    """

    offset: int
    """Where it starts."""
    length: int
    """How long it is."""
    md5: str
    """The MD5 of its bytes, Base16, upper case."""
    block_id: str
    """The block's id, Base64; empty where it has none."""


@final
@attrs.frozen
class SideFile:
    """
    A metadata or properties file on the drive.
    """

    path: str
    """Its path on the drive."""
    md5: str
    """The MD5 of its bytes, Base16, upper case."""
    is_global: bool
    """Whether it is the blob list's default."""


@final
@attrs.frozen(kw_only=True)
class ManifestEntry:
    """
    A blob of the manifest.
    """

    container: str
    """The container that it goes to."""
    name: str
    """Its name in the container."""
    file_path: str
    """The file on the drive, as written."""
    length: int
    """Its length in bytes."""
    disposition: str
    """`rename`, `no-overwrite` or `overwrite`."""
    is_page: bool
    """Whether it is a page blob."""
    parts: tuple[ManifestPart, ...]
    """Its blocks or page ranges, ordered, without overlap; blocks without gaps too."""
    metadata: SideFile | None
    """The file with its metadata."""
    properties: SideFile | None
    """The file with its properties."""

    @property
    def blob_path(self) -> str:
        """
        Container and name.
        """
        return f"{self.container}/{self.name}"


@final
class ManifestReader:
    """
    Reads one manifest; what stands before the blob lists is known with the first blob.
    """

    def __init__(self) -> None:
        self.version = ""
        """The format version that it claims."""
        self.drive_id = ""
        """The drive it belongs to."""
        self.storage_account_key = Secret("")
        """The account key, or empty."""
        self.container_sas = Secret("")
        """The container SAS, or empty."""
        self._path: list[str] = []
        self._text: list[str] = []
        self._attributes: dict[str, str] = {}
        self._list: dict[str, SideFile] = {}
        self._fields: dict[str, str] = {}
        self._sides: dict[str, SideFile] = {}
        self._parts: list[ManifestPart] = []
        self._kind = ""
        self._blobs = 0
        self._ready: deque[ManifestEntry] = deque()

    def read(self, pieces: Iterable[bytes]) -> Iterator[ManifestEntry]:
        """
        Yield the manifest's blobs in order.

        Raises:
            ManifestError: it is not what the service takes.
        """
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            for piece in pieces:
                parser.Parse(piece, False)
                while self._ready:
                    yield self._ready.popleft()
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise ManifestError(
                f"the drive manifest is not well-formed XML: {error}",
                context=f"line {error.lineno}",
            ) from None
        yield from self._ready
        if not self.drive_id:
            raise self._error("has no DriveId")
        if not (self.storage_account_key or self.container_sas):
            raise self._error("has neither a StorageAccountKey nor a ContainerSas")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        parent = self._path[-1] if self._path else ""
        self._path.append(name)
        self._text.clear()
        self._attributes = attributes
        if not parent:
            if name != "DriveManifest":
                raise self._error(f"has the root {name}, not DriveManifest")
            self.version = attributes.get("Version", "")
        elif name == "BlobList":
            if not self.drive_id:
                raise self._error("has a BlobList before its DriveId")
            self._list = {}
        elif name == "Blob":
            self._fields, self._sides, self._parts, self._kind = {}, {}, [], ""
        elif name in ("BlockList", "PageRangeList"):
            if self._kind:
                raise self._error("has a blob with two lists")
            self._kind = name
        elif (parent, name) in (("BlockList", "Block"), ("PageRangeList", "PageRange")):
            self._parts.append(
                ManifestPart(
                    self._number(attributes.get("Offset", ""), "Offset"),
                    self._number(attributes.get("Length", ""), "Length"),
                    self._hash(attributes),
                    attributes.get("Id", "").strip(),
                )
            )

    def _end(self, name: str) -> None:
        self._path.pop()
        parent = self._path[-1] if self._path else ""
        text = "".join(self._text)
        self._text.clear()
        if parent == "Drive":
            if name == "DriveId":
                self.drive_id = text.strip()
            elif name == "StorageAccountKey":
                self.storage_account_key = Secret(text.strip())
            elif name == "ContainerSas":
                self.container_sas = Secret(text.strip())
        elif parent == "BlobList" and name == "Blob":
            self._ready.append(self._entry())
            self._blobs += 1
        elif name in ("MetadataPath", "PropertiesPath") and parent in ("Blob", "BlobList"):
            side = SideFile(text, self._hash(self._attributes), parent == "BlobList")
            (self._list if parent == "BlobList" else self._sides)[name] = side
        elif parent == "Blob":
            self._fields[name] = text

    def _entry(self) -> ManifestEntry:
        container, _, name = self._field("BlobPath").partition("/")
        if not container or not name:
            raise self._error("has a BlobPath without container or name")
        length = self._number(self._field("Length").strip(), "Length")
        disposition = self._fields.get("ImportDisposition", "rename").strip()
        if disposition not in _DISPOSITIONS:
            raise self._error(f"has the ImportDisposition {disposition!r}")
        is_page = self._kind == "PageRangeList"
        self._require_parts(length, is_page=is_page)
        return ManifestEntry(
            container=container,
            name=name,
            file_path=self._field("FilePath"),
            length=length,
            disposition=disposition,
            is_page=is_page,
            parts=tuple(self._parts),
            metadata=self._sides.get("MetadataPath", self._list.get("MetadataPath")),
            properties=self._sides.get("PropertiesPath", self._list.get("PropertiesPath")),
        )

    def _require_parts(self, length: int, *, is_page: bool) -> None:
        at = 0
        for part in self._parts:
            if not 0 < part.length <= _MOST_OF_A_PART:
                raise self._error("has a range that is empty or longer than 4 MiB")
            if part.offset < at or (part.offset > at and not is_page):
                raise self._error("has ranges with overlaps, gaps or in the wrong order")
            at = part.offset + part.length
        if is_page:
            if any((part.offset | part.length) % _PAGE for part in self._parts) or length % _PAGE:
                raise self._error("has a page blob or range off the 512-byte grid")
            if at > length:
                raise self._error("has a page range past the blob's end")
            return
        if at != length:
            raise self._error("has blocks that do not cover their blob")
        if len(self._parts) > _MOST_BLOCKS:
            raise self._error(f"has a blob with more than {_MOST_BLOCKS} blocks")
        self._require_ids()

    def _require_ids(self) -> None:
        ids = [part.block_id for part in self._parts]
        if not any(ids):
            return
        try:
            raw = {len(base64.b64decode(block_id, validate=True)) for block_id in ids}
        except binascii.Error:
            raise self._error("has a block id that is not Base64") from None
        if len(raw) != 1 or not 0 < raw.pop() <= 64:
            raise self._error("has block ids of unequal length, over 64 bytes, or missing")

    def _field(self, name: str) -> str:
        value = self._fields.get(name)
        if not value:
            raise self._error(f"has a blob without {name}")
        return value

    def _number(self, text: str, name: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise self._error(f"has a {name} that is no number")
        return int(text)

    def _hash(self, attributes: dict[str, str]) -> str:
        text = attributes.get("Hash", "").strip()
        if not _HASH.fullmatch(text):
            raise self._error("has a Hash that is no MD5 in Base16")
        return text.upper()

    def _error(self, what: str) -> ManifestError:
        return ManifestError(
            f"the drive manifest {what}: prepare the drive again",
            context=f"Drive/BlobList/Blob[{self._blobs}]" if self._fields else "Drive",
        )


def _refuse_doctype(*_: object) -> None:
    raise ManifestError("the drive manifest has a DOCTYPE: prepare the drive again")
