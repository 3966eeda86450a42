"""
Where the datacentre lays blobs down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, final

import attrs

__all__ = ["BlobTarget", "BlobUpload", "Destination"]


@final
@attrs.frozen(kw_only=True)
class BlobTarget:
    """
    A blob about to be laid down.
    """

    container: str
    """Its container, or `$root`."""
    name: str
    """Its name inside the container."""
    length: int
    """Its length in bytes."""
    is_page: bool = False
    """Whether it is a page blob."""
    metadata: Mapping[str, str] = attrs.field(factory=dict)
    """Its metadata."""
    properties: Mapping[str, str] = attrs.field(factory=dict)
    """Its properties, by the names of HTTP header fields."""


class BlobUpload(Protocol):
    """
    One blob being laid down, by one thread.

    Every method raises azure-core's errors or OSError as they come.
    """

    def write(self, offset: int, data: bytes, block_id: str) -> None:
        """
        Lay down a range of at most 4 MiB; the block id counts for block blobs only.
        """

    def commit(self, block_ids: Sequence[str]) -> None:
        """
        Make the blob visible, whole, with these blocks in this order.
        """

    def commit_some(self, block_ids: Sequence[str], *, is_new: bool) -> str:
        """
        Keep what can be kept where some ranges failed, and never harm a blob that is not new.

        Return what became of the good ranges: the copy log's `Completed`, `Committed` or
        `Uncommitted`.
        """

    def abandon(self) -> None:
        """
        Let go of what is not committed. Does nothing after a commit; never raises.
        """


class Destination(Protocol):
    """
    A storage account's blobs, or something that stands for them. Called from several threads.

    Raises azure-core's errors, OSError, or UnsafeNameError where a name has no place in it.
    """

    def exists(self, container: str, name: str) -> bool:
        """
        Return whether there is such a blob.
        """

    def upload(self, target: BlobTarget) -> BlobUpload:
        """
        Begin to lay a blob down; its container is made where it is missing.
        """

    def uri(self, container: str, name: str) -> str:
        """
        Return the blob's address, without any secret.
        """
