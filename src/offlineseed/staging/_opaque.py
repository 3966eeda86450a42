"""
Opaque blobs: a product's own container files, staged as they are.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, final

import xxhash

from offlineseed._durable import make_folder, sync_folder, write_whole
from offlineseed.errors import FormatError, UnsafeNameError
from offlineseed.manifest import BlobType
from offlineseed.staging._blobs import StagedBlob

__all__ = ["OpaqueBlobs"]

_INDEX = "index.json"
_FILE = re.compile(r"\d{6,}\.blob", re.ASCII)
_PIECE = 1 << 20


class ByteStream(Protocol):
    """
    Anything with `read(size)` that returns bytes, and none at the end.
    """

    def read(self, size: int, /) -> bytes: ...


@final
class OpaqueBlobs:
    """
    The folder `blobs/` of a staged job: numbered files and an index that names them.

    Args:
        folder: the folder.
        seed: name below which the seed's own blobs land.

    """

    def __init__(self, folder: Path, seed: str) -> None:
        self._folder = folder
        self._seed = seed

    def __iter__(self) -> Iterator[StagedBlob]:
        path = self._folder / _INDEX
        if not path.exists():
            return
        try:
            blobs = [self._parse(entry) for entry in json.loads(path.read_bytes())]
        except (ValueError, KeyError, TypeError, RecursionError, UnsafeNameError) as error:
            raise FormatError(f"{path} is damaged: {error}", context=str(path)) from error
        yield from blobs

    def add(self, stream: ByteStream, path: str, blob_type: BlobType) -> StagedBlob:
        """
        Copy a stream in. An earlier blob of the same path is replaced.
        """
        self._require_path(path)
        make_folder(self._folder)
        blobs = {blob.path: blob for blob in self}
        numbers = (int(blob.source.name.partition(".")[0]) for blob in blobs.values())
        file = self._folder / f"{max(numbers, default=0) + 1:06d}.blob"
        partial = file.with_name(f"{file.name}.partial")
        checksum = xxhash.xxh3_128()
        length = 0
        try:
            with partial.open("wb") as out:
                while piece := stream.read(_PIECE):
                    out.write(piece)
                    checksum.update(piece)
                    length += len(piece)
                out.flush()
                os.fsync(out.fileno())
            if blob_type is BlobType.PAGE and length % 512:
                raise ValueError(
                    f"{path!r} has {length} bytes: a page blob's are a multiple of 512"
                )
            partial.replace(file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(self._folder)
        replaced = blobs.pop(path, None)
        blob = StagedBlob(
            path=path,
            source=file,
            length=length,
            blob_type=blob_type,
            checksum=f"xxh3-128:{checksum.hexdigest()}",
        )
        blobs[path] = blob
        self._write_index(blobs)
        if replaced is not None:
            replaced.source.unlink(missing_ok=True)
        return blob

    def _parse(self, entry: dict[str, Any]) -> StagedBlob:
        path, file, length = entry["path"], entry["file"], entry["length"]
        self._require_path(path)
        if not _FILE.fullmatch(file) or type(length) is not int or length < 0:
            raise ValueError(f"the entry of {path!r} has an impossible file or length")
        return StagedBlob(
            path=path,
            source=self._folder / file,
            length=length,
            blob_type=BlobType(entry["blob_type"]),
            checksum=str(entry["checksum"]),
        )

    def _require_path(self, path: str) -> None:
        parts = path.split("/")
        if "\0" in path or not {"", ".", ".."}.isdisjoint(parts):
            raise UnsafeNameError(
                f"{path!r} can't be a blob's path: give a relative POSIX path without '..'",
                name=path,
            )
        if parts[0] == self._seed and parts[1:2] in (["segments"], ["catalogs"], ["seals"]):
            raise UnsafeNameError(
                f"{path!r} can't be a blob's path: the seed's own blobs lie there", name=path
            )

    def _write_index(self, blobs: dict[str, StagedBlob]) -> None:
        entries = [
            {
                "path": blob.path,
                "file": blob.source.name,
                "length": blob.length,
                "blob_type": blob.blob_type.value,
                "checksum": blob.checksum,
            }
            for blob in blobs.values()
        ]
        write_whole(self._folder / _INDEX, (json.dumps(entries, indent=1) + "\n").encode())
