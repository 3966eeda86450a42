"""
Writing a drive manifest, blob by blob or whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import final

import attrs

from offlineseed.errors import ManifestError
from offlineseed.manifest._models import (
    BlobList,
    Block,
    DriveManifest,
    ImportDisposition,
    ManifestBlob,
    PageRange,
)
from offlineseed.manifest._xml import (
    XML_DECLARATION,
    attributes_text,
    element_text,
    escape_attribute,
    hashed_path_text,
    unknown_text,
)

__all__ = ["ManifestWriter", "WrittenManifest", "render_manifest"]

_FLUSH_BYTES = 256 * 1024


@final
@attrs.frozen(kw_only=True)
class WrittenManifest:
    """
    What a `ManifestWriter` really wrote.
    """

    hash: str
    """Base16 MD5 of the whole file, upper case: the job's manifest hash."""
    length: int
    """The file's length in bytes."""
    blobs: int
    """How many blobs it lists."""


@final
class ManifestWriter:
    """
    Writes a manifest of any number of blobs in bounded memory.

    Bytes go to `write` in order, in pieces of about 256 KiB. Blobs go to the blob list begun last,
    or to a plain one where none was begun. `finish()` must be called; a file without it is no
    manifest. Not thread safe. Once a call raised, the writer is of no further use.

    Args:
        write: takes the next bytes; what it raises passes through.
        manifest: everything but the blob lists.

    Raises:
        ManifestError: the manifest has blob lists; or, from any method, text that XML can't carry,
            or a call after `finish()`.
    """

    def __init__(self, write: Callable[[bytes], object], manifest: DriveManifest) -> None:
        if manifest.blob_lists:
            raise ManifestError("blobs are added one by one here: give a manifest without lists")
        self._write = write
        self._manifest = manifest
        self._blob_list: BlobList | None = None
        self._parts: list[str] = []
        self._pending = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._length = 0
        self._blobs = 0
        self._is_finished = False
        self._push(_manifest_start(manifest))

    @property
    def length(self) -> int:
        """
        Bytes handed to `write` so far.
        """
        return self._length

    def begin_blob_list(self, blob_list: BlobList) -> None:
        """
        Begin a blob list and add the blobs that it has.
        """
        self._require_open()
        self._end_blob_list()
        self._blob_list = blob_list
        self._push(_blob_list_start(blob_list))
        for blob in blob_list.blobs:
            self.add(blob)

    def add(self, blob: ManifestBlob) -> None:
        """
        Add a blob to the blob list begun last.
        """
        self._require_open()
        if self._blob_list is None:
            self.begin_blob_list(BlobList())
        self._push(blob_text(blob))
        self._blobs += 1

    def finish(self) -> WrittenManifest:
        """
        Write the end and return the record of what was written.
        """
        self._require_open()
        if self._blob_list is None:
            self.begin_blob_list(BlobList())
        self._end_blob_list()
        self._push(_manifest_end(self._manifest))
        self._flush()
        self._is_finished = True
        return WrittenManifest(
            hash=self._md5.hexdigest().upper(), length=self._length, blobs=self._blobs
        )

    def _require_open(self) -> None:
        if self._is_finished:
            raise ManifestError("the manifest is finished: nothing more can be added to it")

    def _end_blob_list(self) -> None:
        if self._blob_list is not None:
            self._push("    </BlobList>\n")

    def _push(self, text: str) -> None:
        self._parts.append(text)
        self._pending += len(text)
        if self._pending >= _FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        data = "".join(self._parts).encode("utf-8")
        self._parts.clear()
        self._pending = 0
        if data:
            self._md5.update(data)
            self._length += len(data)
            self._write(data)


def render_manifest(manifest: DriveManifest) -> bytes:
    """
    Return a manifest's bytes: UTF-8, line feeds, two blanks a level, a final line feed.

    Raises:
        ManifestError: some text has a character that XML 1.0 can't carry.
    """
    pieces: list[bytes] = []
    writer = ManifestWriter(pieces.append, attrs.evolve(manifest, blob_lists=()))
    for blob_list in manifest.blob_lists:
        writer.begin_blob_list(blob_list)
    writer.finish()
    return b"".join(pieces)


def _manifest_start(manifest: DriveManifest) -> str:
    extra = manifest.unknown_attributes
    lines = [
        XML_DECLARATION,
        "<DriveManifest",
        attributes_text((("Version", manifest.version), *_own(extra)), "DriveManifest"),
        ">\n  <Drive",
        attributes_text(_of(extra, "Drive"), "Drive"),
        ">\n",
        element_text("    ", "DriveId", manifest.drive_id, _of(extra, "Drive/DriveId")),
    ]
    for name, secret in (
        ("StorageAccountKey", manifest.storage_account_key),
        ("ContainerSas", manifest.container_sas),
    ):
        if secret is not None:
            lines.append(element_text("    ", name, secret.reveal(), _of(extra, f"Drive/{name}")))
    if manifest.client_creator is not None:
        lines.append(
            element_text(
                "    ",
                "ClientCreator",
                manifest.client_creator,
                _of(extra, "Drive/ClientCreator"),
            )
        )
    lines.append(unknown_text("    ", manifest.unknown_elements, within="Drive"))
    return "".join(lines)


def _manifest_end(manifest: DriveManifest) -> str:
    return "  </Drive>\n" + unknown_text("  ", manifest.unknown_elements) + "</DriveManifest>\n"


def _blob_list_start(blob_list: BlobList) -> str:
    own = _own(blob_list.unknown_attributes)
    attributes = own if blob_list.id is None else (("Id", blob_list.id), *own)
    return (
        f"    <BlobList{attributes_text(attributes, 'BlobList')}>\n"
        + hashed_path_text("      ", "MetadataPath", blob_list.metadata_path)
        + hashed_path_text("      ", "PropertiesPath", blob_list.properties_path)
        + unknown_text("      ", blob_list.unknown_elements)
    )


def blob_text(blob: ManifestBlob) -> str:
    """
    Return a blob's element, in lines.

    Raises:
        ManifestError: some text has a character that XML 1.0 can't carry.
    """
    extra = blob.unknown_attributes
    disposition = blob.import_disposition
    leaves = (
        ("BlobPath", blob.blob_path),
        ("FilePath", blob.file_path),
        ("ClientData", blob.client_data),
        ("Snapshot", blob.snapshot),
        ("Length", str(blob.length)),
        (
            "ImportDisposition",
            disposition.value if isinstance(disposition, ImportDisposition) else disposition,
        ),
    )
    lines = [f"      <Blob{attributes_text(_own(extra), 'Blob')}>\n"]
    lines += [
        element_text("        ", name, text, _of(extra, name) if extra else ())
        for name, text in leaves
        if text is not None
    ]
    if blob.blocks is not None:
        lines += _list_lines(blob, "BlockList", [block_line(block) for block in blob.blocks])
    if blob.page_ranges is not None:
        lines += _list_lines(
            blob, "PageRangeList", [range_line(page_range) for page_range in blob.page_ranges]
        )
    lines.append(hashed_path_text("        ", "MetadataPath", blob.metadata_path))
    lines.append(hashed_path_text("        ", "PropertiesPath", blob.properties_path))
    lines.append(unknown_text("        ", blob.unknown_elements))
    lines.append("      </Blob>\n")
    return "".join(lines)


def _list_lines(blob: ManifestBlob, name: str, lines: list[str]) -> list[str]:
    start = f"        <{name}{attributes_text(_of(blob.unknown_attributes, name), name)}"
    unknown = unknown_text("          ", blob.unknown_elements, within=name)
    if not lines and not unknown:
        return [start + " />\n"]
    return [start + ">\n", *lines, unknown, f"        </{name}>\n"]


def block_line(block: Block) -> str:
    """
    Return a block's line.
    """
    identity = (
        "" if block.id is None else f' Id="{escape_attribute(block.id, context="Block/@Id")}"'
    )
    return (
        f'          <Block Offset="{block.offset}" Length="{block.length}"{identity} '
        f'Hash="{escape_attribute(block.hash, context="Block/@Hash")}"'
        f"{attributes_text(block.unknown_attributes, 'Block')} />\n"
    )


def range_line(page_range: PageRange) -> str:
    """
    Return a page range's line.
    """
    return (
        f'          <PageRange Offset="{page_range.offset}" Length="{page_range.length}" '
        f'Hash="{escape_attribute(page_range.hash, context="PageRange/@Hash")}"'
        f"{attributes_text(page_range.unknown_attributes, 'PageRange')} />\n"
    )


def _own(attributes: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in attributes if "/" not in pair[0])


def _of(attributes: tuple[tuple[str, str], ...], place: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.rpartition("/")[2], text)
        for name, text in attributes
        if name.rpartition("/")[0] == place
    )
