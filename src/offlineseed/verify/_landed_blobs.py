"""
Where landed blobs are looked at: a container of Azure Blob Storage, or a folder that plays one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, final

import attrs
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from offlineseed.errors import UnsafeNameError
from offlineseed.manifest import BlobType

__all__ = ["BlobLanded", "FolderLanded", "LandedBlob", "LandedBlobs"]

_RANGE_NOT_SATISFIABLE = 416


@final
@attrs.frozen(kw_only=True)
class LandedBlob:
    """
    What a container knows of a blob without reading it.
    """

    length: int
    """Its length in bytes."""
    blob_type: BlobType | str | None = None
    """Its type as the service says it; None where none is kept."""


class LandedBlobs(Protocol):
    """
    One container's blobs, for reading.

    Thread rule: any thread, several at once.
    """

    @property
    def container(self) -> str:
        """
        The container's name.
        """

    def find(self, name: str) -> LandedBlob | None:
        """
        Return what is known of a blob, or None where there is none of that name.

        Raises:
            AzureError, OSError: the container can't be asked.
        """

    def block_lengths(self, name: str) -> tuple[int, ...] | None:
        """
        Return the lengths of a block blob's committed blocks, in order; None where no block list
        is kept.

        Raises:
            AzureError, OSError: the container can't be asked.
        """

    def read(self, name: str, offset: int, length: int) -> bytes:
        """
        Return that range of a blob: shorter only where the blob ends before it.

        Raises:
            AzureError, OSError: the blob can't be read.
        """


@final
class BlobLanded:
    """
    A container of Azure Blob Storage, or of anything that speaks its protocol.

    Args:
        container: the container; the caller's to close.
    """

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    @property
    def container(self) -> str:
        return str(self._container.container_name)

    def find(self, name: str) -> LandedBlob | None:
        try:
            properties = self._container.get_blob_client(name).get_blob_properties()
        except ResourceNotFoundError:
            return None
        word = str(getattr(properties.blob_type, "value", properties.blob_type))
        known = {one.value: one for one in BlobType}
        return LandedBlob(length=int(properties.size), blob_type=known.get(word, word))

    def block_lengths(self, name: str) -> tuple[int, ...] | None:
        committed, _ = self._container.get_blob_client(name).get_block_list("committed")
        # A blob that was put in one request has no blocks.
        return tuple(int(block.size) for block in committed) or None

    def read(self, name: str, offset: int, length: int) -> bytes:
        if length <= 0:
            return b""
        blob = self._container.get_blob_client(name)
        try:
            data: bytes = blob.download_blob(offset=offset, length=length).readall()
        except HttpResponseError as error:
            if error.status_code != _RANGE_NOT_SATISFIABLE:
                raise
            return b""
        return data


@final
class FolderLanded:
    """
    A folder that plays a container: `<path>/<container>/<blob name>`, as the emulator's
    `FolderDestination` lays blobs down.

    Args:
        path: the folder that stands for the storage account.
        container: the container's name.
    """

    def __init__(self, path: str | os.PathLike[str], container: str) -> None:
        self._root = Path(path) / container
        self._container = container

    @property
    def container(self) -> str:
        return self._container

    def find(self, name: str) -> LandedBlob | None:
        path = self._locate(name)
        return LandedBlob(length=path.stat().st_size) if path.is_file() else None

    def block_lengths(self, name: str) -> tuple[int, ...] | None:  # noqa: ARG002  # files have none
        return None

    def read(self, name: str, offset: int, length: int) -> bytes:
        with self._locate(name).open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def _locate(self, name: str) -> Path:
        parts = name.split("/")
        if "\0" in name or any(part in {"", ".", ".."} for part in parts):
            raise UnsafeNameError(f"the blob name {name!r} has no place in a folder", name=name)
        return self._root.joinpath(*parts)
