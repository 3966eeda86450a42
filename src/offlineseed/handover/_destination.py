"""
Where repair puts what is missing: a container of Azure Blob Storage, or a folder that plays one.
"""

from __future__ import annotations

import base64
import os
import threading
import uuid
from pathlib import Path
from typing import IO, Protocol, final

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient, ContainerClient

from offlineseed.errors import UnsafeNameError
from offlineseed.manifest import Block, ManifestBlob, PageRange
from offlineseed.verify import BlobLanded, FolderLanded, LandedBlobs

__all__ = ["BlobRepairs", "BlobUpload", "FolderRepairs", "Repairs"]

_FORBIDDEN = 403


class BlobUpload(Protocol):
    """
    One blob being repaired.

    Thread rule: `put` from any thread, several at once; the rest from one.

    Every method raises azure-core's errors or OSError as they come.
    """

    def has(self, part: Block | PageRange, status: str, /) -> bool:
        """
        Return whether the destination still has a part that the copy log says was uploaded.

        `status` is the log's word, lower case: `completed`, `committed` or `uncommitted`.
        """

    def put(self, part: Block | PageRange, data: bytes, /) -> None:
        """
        Upload a part. It may become visible only with `commit`.
        """

    def commit(self) -> None:
        """
        Make the blob whole: all parts of the manifest, in its order.
        """

    def close(self) -> None:
        """
        Let go of what is not committed. Does nothing after a commit; never raises.
        """


class Repairs(Protocol):
    """
    A container that can be repaired.
    """

    @property
    def landed(self) -> LandedBlobs:
        """
        The container for reading: what is there, and for the verification.
        """

    def begin(self, name: str, blob: ManifestBlob, /) -> BlobUpload:
        """
        Begin to repair a blob; nothing is changed yet that was whole.

        Args:
            name: its name inside the container.
            blob: what the manifest says of it.

        Raises:
            AzureError, OSError: the container can't be asked.
        """


@final
class BlobRepairs:
    """
    A container of Azure Blob Storage, or of anything that speaks its protocol.

    Block blobs get the blocks that are missing, under the ids of the manifest, and then the whole
    block list; page blobs get the page ranges that are missing.

    Args:
        container: the container, made where it is missing; the caller's to close. For blocks of
            4 MiB in one request each, its client is as good as any.
    """

    def __init__(self, container: ContainerClient) -> None:
        self._container = container
        self._is_made = False

    @property
    def landed(self) -> BlobLanded:
        return BlobLanded(self._container)

    def begin(self, name: str, blob: ManifestBlob) -> BlobUpload:
        if not self._is_made:
            self._make_container()
            self._is_made = True
        client = self._container.get_blob_client(name)
        if blob.page_ranges is None:
            return _BlockUpload(client, blob)
        return _PageUpload(client, blob)

    def _make_container(self) -> None:
        try:
            self._container.create_container()
        except ResourceExistsError:
            return
        except HttpResponseError as error:
            # A SAS of the container may not make it: it is there, or the first upload says so.
            if error.status_code != _FORBIDDEN:
                raise


@final
class FolderRepairs:
    """
    A folder that plays a container: `<path>/<container>/<blob name>`.

    A folder keeps no blocks: a block blob is written whole and appears by a rename. A page blob's
    missing ranges are written in place.

    Args:
        path: the folder that stands for the storage account.
        container: the container's name.
    """

    def __init__(self, path: str | os.PathLike[str], container: str) -> None:
        self._root = Path(path) / container
        self._landed = FolderLanded(path, container)

    @property
    def landed(self) -> FolderLanded:
        return self._landed

    def begin(self, name: str, blob: ManifestBlob) -> BlobUpload:
        parts = name.split("/")
        if "\0" in name or any(part in ("", ".", "..") for part in parts):
            raise UnsafeNameError(f"the blob name {name!r} has no place in a folder", name=name)
        return _FileUpload(self._root.joinpath(*parts), blob)


class _BlockUpload:
    def __init__(self, client: BlobClient, blob: ManifestBlob) -> None:
        self._client = client
        self._ids = [_id_of(block, index) for index, block in enumerate(blob.blocks or ())]
        self._by_offset = {
            block.offset: identity
            for block, identity in zip(blob.blocks or (), self._ids, strict=True)
        }
        self._committed: dict[str, int] = {}
        self._uncommitted: dict[str, int] = {}
        try:
            committed, uncommitted = client.get_block_list("all")
        except ResourceNotFoundError:
            return
        self._committed = {block.id: int(block.size) for block in committed}
        self._uncommitted = {block.id: int(block.size) for block in uncommitted}

    def has(self, part: Block | PageRange, status: str) -> bool:
        # A committed block may be an older blob's under the same id: blocks that were never
        # committed are looked for among the uncommitted ones, which the service keeps for a week.
        kept = self._uncommitted if status == "uncommitted" else self._committed
        return kept.get(_listed(self._by_offset[part.offset])) == part.length

    def put(self, part: Block | PageRange, data: bytes) -> None:
        self._client.stage_block(
            _WireId(self._by_offset[part.offset]), data, length=len(data), validate_content=True
        )

    def commit(self) -> None:
        self._client.commit_block_list([BlobBlock(_WireId(identity)) for identity in self._ids])

    def close(self) -> None:
        """
        Nothing to do: the service drops blocks that stay uncommitted.
        """


class _PageUpload:
    def __init__(self, client: BlobClient, blob: ManifestBlob) -> None:
        self._client = client
        try:
            properties = client.get_blob_properties()
            kind = getattr(properties.blob_type, "value", properties.blob_type)
            self._is_there = kind == "PageBlob" and int(properties.size) == blob.length
        except ResourceNotFoundError:
            self._is_there = False
        self._length = blob.length
        self._lock = threading.Lock()

    def has(self, part: Block | PageRange, status: str) -> bool:  # noqa: ARG002  # protocol
        return self._is_there

    def put(self, part: Block | PageRange, data: bytes) -> None:
        self._require_blob()
        self._client.upload_page(data, part.offset, len(data), validate_content=True)

    def commit(self) -> None:
        self._require_blob()

    def close(self) -> None:
        """
        Nothing to do: pages are there once they are written.
        """

    def _require_blob(self) -> None:
        with self._lock:
            if not self._is_there:
                self._client.create_page_blob(self._length)
                self._is_there = True


class _FileUpload:
    def __init__(self, path: Path, blob: ManifestBlob) -> None:
        self._path = path
        self._is_page = blob.page_ranges is not None
        self._length = blob.length
        self._in_place = self._is_page and path.is_file() and path.stat().st_size == blob.length
        self._partial = path.with_name(f".{uuid.uuid4().hex}.repair")
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()

    def has(self, part: Block | PageRange, status: str) -> bool:  # noqa: ARG002  # protocol
        return self._in_place

    def put(self, part: Block | PageRange, data: bytes) -> None:
        with self._lock:
            file = self._open()
            file.seek(part.offset)
            file.write(data)

    def commit(self) -> None:
        file = self._open()
        file.flush()
        os.fsync(file.fileno())
        file.close()
        if not self._in_place:
            self._partial.replace(self._path)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def _open(self) -> IO[bytes]:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._in_place:
                self._file = self._path.open("r+b")
            else:
                self._file = self._partial.open("w+b")
                self._file.truncate(self._length)
        return self._file


class _WireId(str):
    """
    A block id as it is on the wire.

    Azure's client takes an id for text and encodes it in Base64. A manifest's ids are Base64
    already and most decode to no text. So this is a text that gives the decoded bytes when it is
    asked for its bytes.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return self

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002
        return base64.b64decode(str.__str__(self))


def _listed(identity: str) -> str:
    """
    Return an id as Azure's client shows it in a block list: decoded where that gives text.
    """
    try:
        return base64.b64decode(identity).decode("utf-8")
    except UnicodeDecodeError:
        return identity


def _id_of(block: Block, index: int) -> str:
    # The service chooses ids where a manifest has none; such blobs are uploaded whole, under these.
    if block.id is not None:
        return block.id
    return base64.b64encode(f"repair-{index:06d}".encode()).decode("ascii")
