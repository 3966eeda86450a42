"""
Reading a drive manifest: as the tools of the last decade wrote it, not only as we do.

Elements come in any order, hashes may have blanks around them, unknown elements and attributes are
kept, any version is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import attrs

from offlineseed._secret import Secret
from offlineseed.errors import ManifestError
from offlineseed.manifest._fields import Fields
from offlineseed.manifest._models import (
    BlobList,
    Block,
    DriveManifest,
    HashedPath,
    ImportDisposition,
    ManifestBlob,
    PageRange,
)
from offlineseed.manifest._tree import Node, TreeReader, shown

__all__ = ["MAXIMUM_MANIFEST_BYTES", "ManifestReader", "parse_manifest"]

MAXIMUM_MANIFEST_BYTES = 4 * 1024**3
"""The longest manifest that a `ManifestReader` takes by default: some ten million blobs."""

_MAXIMUM_WHOLE_BYTES = 512 * 1024**2
_FEED_BYTES = 64 * 1024


def parse_manifest(
    data: bytes | bytearray | memoryview, *, max_bytes: int = _MAXIMUM_WHOLE_BYTES
) -> DriveManifest:
    """
    Read a whole manifest. What breaks only a service rule is read: see `check_manifest`.

    For millions of blobs use a `ManifestReader`.

    Raises:
        ManifestError: not well-formed XML, a DOCTYPE, longer than `max_bytes`, or a value that the
            format requires is missing, there twice, or of the wrong form. Never shows a key or a
            SAS.
    """
    blobs: dict[int, list[ManifestBlob]] = {}
    reader = ManifestReader(
        lambda index, blob: blobs.setdefault(index, []).append(blob), max_bytes=max_bytes
    )
    reader.feed(data)
    manifest = reader.close()
    return attrs.evolve(
        manifest,
        blob_lists=tuple(
            attrs.evolve(blob_list, blobs=blobs.get(index, ()))
            for index, blob_list in enumerate(manifest.blob_lists)
        ),
    )


@final
class ManifestReader:
    """
    Reads a manifest of any number of blobs in bounded memory.

    Feed the file's bytes in any split. Each blob goes to `on_blob` with the index of its blob list,
    counted from 0, in the order of the manifest, from within `feed` or `close`. What `on_blob`
    raises passes through and ends the reading. Not thread safe.

    Raises:
        ManifestError: from every method, as `parse_manifest` does.
    """

    def __init__(
        self,
        on_blob: Callable[[int, ManifestBlob], object],
        *,
        max_bytes: int = MAXIMUM_MANIFEST_BYTES,
    ) -> None:
        self._on_blob = on_blob
        self._tree = TreeReader(
            what="drive manifest",
            max_bytes=max_bytes,
            detached_path=("DriveManifest", "Drive", "BlobList", "Blob"),
            on_detached=self._take,
        )
        self._ready: list[tuple[int, ManifestBlob]] = []
        self._list: Node | None = None
        self._list_index = 0
        self._blob_count = 0

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """
        Take the next bytes.
        """
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _FEED_BYTES):
            self._tree.feed(view[start : start + _FEED_BYTES])
            self._hand_out()

    def close(self) -> DriveManifest:
        """
        Return everything but the blobs: the manifest's blob lists have none.
        """
        root = self._tree.close()
        self._hand_out()
        return _manifest(root)

    def _hand_out(self) -> None:
        # Not from within the parser: the caller's errors are not to be taken for the document's.
        ready, self._ready = self._ready, []
        for index, blob in ready:
            self._on_blob(index, blob)

    def _take(self, node: Node, around: tuple[Node, ...]) -> None:
        _root, drive, blob_list = around
        if blob_list is not self._list:
            self._list = blob_list
            self._list_index = sum(n.name == "BlobList" for n in drive.elements()) - 1
            self._blob_count = 0
        self._blob_count += 1
        context = f"Drive/BlobList[{self._list_index + 1}]/Blob[{self._blob_count}]"
        self._ready.append((self._list_index, _blob(node, context)))


def _manifest(root: Node) -> DriveManifest:
    if root.name != "DriveManifest":
        raise ManifestError(
            f"the document is a {shown(root.name)}, not a DriveManifest: give the drive's manifest",
            context=root.name,
        )
    top = Fields(root, "")
    version = top.attribute("Version")
    drive = top.child("Drive")
    if drive is None:
        raise ManifestError("the drive manifest has no Drive", context="Drive")
    drive_id = drive.text("DriveId")
    if drive_id is None:
        raise ManifestError("the Drive has no DriveId", context="Drive/DriveId")
    key = drive.text("StorageAccountKey")
    sas = drive.text("ContainerSas")
    manifest = DriveManifest(
        drive_id=drive_id.strip(),
        storage_account_key=None if key is None else Secret(key.strip()),
        container_sas=None if sas is None else Secret(sas.strip()),
        client_creator=drive.text("ClientCreator"),
        blob_lists=tuple(_blob_list(fields) for fields in drive.children("BlobList")),
        version="" if version is None else version.strip(),
    )
    return attrs.evolve(
        manifest,
        unknown_attributes=(*top.unknown_attributes(), *drive.unknown_attributes("Drive")),
        unknown_elements=(*top.unknown_elements(), *drive.unknown_elements("Drive")),
    )


def _blob_list(fields: Fields) -> BlobList:
    identity = fields.attribute("Id")
    metadata_path = _hashed_path(fields, "MetadataPath")
    properties_path = _hashed_path(fields, "PropertiesPath")
    return BlobList(
        metadata_path=metadata_path,
        properties_path=properties_path,
        id=identity,
        unknown_attributes=fields.unknown_attributes(),
        unknown_elements=fields.unknown_elements(),
    )


def _blob(node: Node, context: str) -> ManifestBlob:
    fields = Fields(node, context)
    blob_path = fields.required_text("BlobPath")
    file_path = fields.required_text("FilePath")
    length = fields.required_number("Length")
    disposition = fields.text("ImportDisposition")
    client_data = fields.text("ClientData")
    snapshot = fields.text("Snapshot")
    block_list = fields.child("BlockList")
    range_list = fields.child("PageRangeList")
    if block_list is not None and range_list is not None:
        raise ManifestError("a blob has a BlockList and a PageRangeList", context=context)
    blocks = None if block_list is None else [_block(f) for f in block_list.children("Block")]
    ranges = None if range_list is None else [_range(f) for f in range_list.children("PageRange")]
    metadata_path = _hashed_path(fields, "MetadataPath")
    properties_path = _hashed_path(fields, "PropertiesPath")
    unknown_attributes = fields.unknown_attributes()
    unknown_elements = fields.unknown_elements()
    for inner, name in ((block_list, "BlockList"), (range_list, "PageRangeList")):
        if inner is not None:
            unknown_attributes += inner.unknown_attributes(name)
            unknown_elements += inner.unknown_elements(name)
    return ManifestBlob(
        blob_path=blob_path,
        file_path=file_path,
        length=length,
        import_disposition=None if disposition is None else _disposition(disposition.strip()),
        blocks=blocks,
        page_ranges=ranges,
        metadata_path=metadata_path,
        properties_path=properties_path,
        client_data=client_data,
        snapshot=None if snapshot is None else snapshot.strip(),
        unknown_attributes=unknown_attributes,
        unknown_elements=unknown_elements,
    )


def _disposition(word: str) -> ImportDisposition | str:
    # The service compares case; a word that it does not know is kept and found by the rules.
    return next((member for member in ImportDisposition if member.value == word), word)


def _block(fields: Fields) -> Block:
    identity = fields.attribute("Id")
    return Block(
        offset=fields.number_attribute("Offset"),
        length=fields.number_attribute("Length"),
        hash=fields.required_attribute("Hash"),
        id=None if identity is None else identity.strip(),
        unknown_attributes=fields.leaf_attributes(),
    )


def _range(fields: Fields) -> PageRange:
    return PageRange(
        offset=fields.number_attribute("Offset"),
        length=fields.number_attribute("Length"),
        hash=fields.required_attribute("Hash"),
        unknown_attributes=fields.leaf_attributes(),
    )


def _hashed_path(fields: Fields, name: str) -> HashedPath | None:
    child = fields.child(name)
    if child is None:
        return None
    value = HashedPath(path=child.own_text(), hash=child.required_attribute("Hash"))
    return attrs.evolve(value, unknown_attributes=child.leaf_attributes())
