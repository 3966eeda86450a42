"""
A store in a container of Azure Blob Storage, or of anything that speaks its protocol.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, final

from offlineseed.errors import SegmentMissingError

if TYPE_CHECKING:
    # A folder's seed needs none of Azure's client, which takes longer to import than all of ours.
    from azure.storage.blob import BlobClient, ContainerClient

__all__ = ["BlobStore"]

_BLOCK_BYTES = 4 << 20
_RANGE_NOT_SATISFIABLE = 416
"""The status of a range that begins at or after a blob's end."""


@final
class BlobStore:
    """
    A `SegmentStore` in a container: reads are range reads, an object appears when its blocks are
    committed.

    A container keeps nothing of a segment before it is closed, so `sync` reports 0 bytes and an
    interrupted segment is written anew.

    Args:
        container: the container; the caller's to close.
        prefix: virtual folder of the seed in the container, without a trailing slash.
        parallel: blocks that are uploaded at once, by each segment in the making.

    """

    def __init__(self, container: ContainerClient, *, prefix: str = "", parallel: int = 4) -> None:
        from azure.core import exceptions  # noqa: PLC0415  # see above

        self._errors = exceptions
        self._container = container
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        """Put before the names of objects."""
        self._parallel = parallel

    def __repr__(self) -> str:
        return f"BlobStore({self._container.container_name!r}, prefix={self.prefix!r})"

    def create(self, name: str) -> _BlobWriter:
        return _BlobWriter(self._blob(name), self._parallel)

    def recover(self, name: str, length: int) -> _BlobWriter:
        if length:
            raise SegmentMissingError(
                f"{self!r} keeps nothing of {name} before it is whole", name=name
            )
        return self.create(name)

    def read(self, name: str, offset: int, length: int) -> bytes:
        if length <= 0:
            return b""
        try:
            data: bytes = self._blob(name).download_blob(offset=offset, length=length).readall()
        except self._errors.ResourceNotFoundError as error:
            raise self._missing(name) from error
        except self._errors.HttpResponseError as error:
            if error.status_code != _RANGE_NOT_SATISFIABLE:
                raise
            return b""
        return data

    def length(self, name: str) -> int:
        try:
            return int(self._blob(name).get_blob_properties().size)
        except self._errors.ResourceNotFoundError as error:
            raise self._missing(name) from error

    def names(self, prefix: str) -> Iterator[str]:
        for blob in self._container.list_blob_names(name_starts_with=self.prefix + prefix):
            yield blob[len(self.prefix) :]

    def _blob(self, name: str) -> BlobClient:
        return self._container.get_blob_client(self.prefix + name)

    def _missing(self, name: str) -> SegmentMissingError:
        return SegmentMissingError(f"{self!r} has no {name}", name=name)


@final
class _BlobWriter:
    def __init__(self, blob: BlobClient, parallel: int) -> None:
        self._blob = blob
        self._parallel = parallel
        self._executor = ThreadPoolExecutor(parallel, thread_name_prefix="seed-upload")
        self._uploads: deque[Future[object]] = deque()
        self._blocks: list[str] = []
        self._buffer = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        self._buffer += data
        while len(self._buffer) >= _BLOCK_BYTES:
            block = bytes(memoryview(self._buffer)[:_BLOCK_BYTES])
            del self._buffer[:_BLOCK_BYTES]
            self._stage(block)

    def sync(self) -> int:
        return 0

    def close(self) -> None:
        from azure.storage.blob import BlobBlock  # noqa: PLC0415  # see above

        try:
            if self._buffer:
                self._stage(bytes(self._buffer))
                self._buffer.clear()
            while self._uploads:
                self._uploads.popleft().result()
            self._blob.commit_block_list([BlobBlock(block) for block in self._blocks])
        finally:
            self.abort()

    def abort(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _stage(self, data: bytes) -> None:
        while len(self._uploads) >= self._parallel:
            self._uploads.popleft().result()
        identity = base64.b64encode(len(self._blocks).to_bytes(4, "big")).decode()
        self._blocks.append(identity)
        self._uploads.append(
            self._executor.submit(
                lambda: self._blob.stage_block(identity, data, len(data), validate_content=True)
            )
        )
