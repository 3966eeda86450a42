"""
A blob endpoint: a storage account, or an emulator of one.
"""

from __future__ import annotations

import base64
import contextlib
import threading
from collections.abc import Sequence
from typing import Any, final

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient, ContentSettings

from offlineseed.emulator._destination import BlobTarget, BlobUpload

__all__ = ["BlobDestination"]


@final
class BlobDestination:
    """
    Blobs at an endpoint of Azure Storage, in staged blocks and page ranges.

    Blocks get the ids that the drive manifest gives them.

    Args:
        account: a connection string, or a client, which the caller closes.
    """

    def __init__(self, account: str | BlobServiceClient) -> None:
        self._is_ours = isinstance(account, str)
        if isinstance(account, str):
            account = BlobServiceClient.from_connection_string(
                # A range of the manifest is one request.
                account,
                max_single_put_size=4 << 20,
                max_block_size=4 << 20,
                max_page_size=4 << 20,
            )
        self._account = account
        self._containers: set[str] = set()
        self._lock = threading.Lock()

    def exists(self, container: str, name: str) -> bool:
        return self._account.get_blob_client(container, name).exists()

    def upload(self, target: BlobTarget) -> BlobUpload:
        self._require_container(target.container)
        client = self._account.get_blob_client(target.container, target.name)
        return _PageUpload(client, target) if target.is_page else _BlockUpload(client, target)

    def uri(self, container: str, name: str) -> str:
        # A client made with a SAS has it in its URL.
        return self._account.get_blob_client(container, name).url.partition("?")[0]

    def close(self) -> None:
        """
        Close the client that was made from a connection string.
        """
        if self._is_ours:
            self._account.close()

    def __enter__(self) -> BlobDestination:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _require_container(self, container: str) -> None:
        with self._lock:
            if container in self._containers:
                return
        client = self._account.get_container_client(container)
        if not client.exists():
            # Another thread may be first.
            with contextlib.suppress(ResourceExistsError):
                client.create_container()
        with self._lock:
            self._containers.add(container)


class _BlockUpload:
    def __init__(self, client: BlobClient, target: BlobTarget) -> None:
        self._client = client
        self._target = target

    def write(self, offset: int, data: bytes, block_id: str) -> None:  # noqa: ARG002  # protocol
        self._client.stage_block(_RawId(block_id), data, length=len(data))

    def commit(self, block_ids: Sequence[str]) -> None:
        self._client.commit_block_list(
            [BlobBlock(_RawId(block_id)) for block_id in block_ids],
            content_settings=_settings(self._target),
            metadata=dict(self._target.metadata) or None,
        )

    def commit_some(self, block_ids: Sequence[str], *, is_new: bool) -> str:
        if not is_new:
            return "Uncommitted"
        self.commit(block_ids)
        return "Committed"

    def abandon(self) -> None:
        """
        Nothing to do: the endpoint drops blocks that stay uncommitted.
        """


class _PageUpload:
    def __init__(self, client: BlobClient, target: BlobTarget) -> None:
        self._client = client
        client.create_page_blob(
            target.length,
            content_settings=_settings(target),
            metadata=dict(target.metadata) or None,
        )

    def write(self, offset: int, data: bytes, block_id: str) -> None:  # noqa: ARG002  # protocol
        self._client.upload_page(data, offset=offset, length=len(data))

    def commit(self, block_ids: Sequence[str]) -> None:
        """
        Nothing to do: pages are there once they are written.
        """

    def commit_some(self, block_ids: Sequence[str], *, is_new: bool) -> str:  # noqa: ARG002
        return "Completed"

    def abandon(self) -> None:
        """
        Nothing to do: what was written stays, as at the service.
        """


class _RawId(str):
    """
    A block id as it is on the wire.

    The client library takes an id's text and encodes it. A manifest's ids are encoded already, and
    most decode to bytes that are no text: 4-byte counters, MD5 digests. So this is a text that,
    asked for its bytes, gives the decoded ones.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return self

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002
        return base64.b64decode(str.__str__(self))


def _settings(target: BlobTarget) -> ContentSettings | None:
    given = target.properties
    if not given:
        return None
    settings: dict[str, Any] = {
        "content_type": given.get("Content-Type"),
        "content_encoding": given.get("Content-Encoding"),
        "content_language": given.get("Content-Language"),
        "cache_control": given.get("Cache-Control"),
    }
    if given.get("Content-MD5"):
        settings["content_md5"] = bytearray(base64.b64decode(given["Content-MD5"]))
    return ContentSettings(**settings)
