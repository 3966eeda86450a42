"""
A folder that stands for a storage account.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import IO, final

from offlineseed.emulator._destination import BlobTarget, BlobUpload
from offlineseed.errors import UnsafeNameError

__all__ = ["FolderDestination"]

_CONTAINER = re.compile(r"\$root|\$web|\$logs|[a-z0-9](?:-?[a-z0-9]){2,62}")
_UNFINISHED = ".landing"  # No container starts with a dot.


@final
class FolderDestination:
    """
    Blobs as files: `<path>/<container>/<blob name>`.

    A blob appears whole, by a rename, or not at all. A name is taken byte for byte, so every
    name works that the file system has a place for. Metadata and properties are checked by the
    datacentre and not kept here. A block blob with a failed block does not appear; a page blob
    does, with zeros in the failed range, as at the service.

    Args:
        path: the folder; it is made where it is missing.

    Raises:
        UnsafeNameError: from every method, where a name would leave the folder or has an empty
            part, which no file can have.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        """The folder."""

    def exists(self, container: str, name: str) -> bool:
        # A folder of that name is no blob; to lay one down there fails, and says so.
        return self._file(container, name).is_file()

    def upload(self, target: BlobTarget) -> BlobUpload:
        final_path = self._file(target.container, target.name)
        unfinished = self.path / _UNFINISHED
        unfinished.mkdir(parents=True, exist_ok=True)
        return _FolderUpload(unfinished / uuid.uuid4().hex, final_path, target)

    def uri(self, container: str, name: str) -> str:
        return self._file(container, name).absolute().as_uri()

    def _file(self, container: str, name: str) -> Path:
        if not _CONTAINER.fullmatch(container):
            raise UnsafeNameError(
                f"{container!r} is no container name: use 3 to 63 lower-case letters, digits and "
                "single hyphens",
                name=container,
            )
        parts = name.split("/")
        if "\0" in name or any(part in ("", ".", "..") for part in parts):
            raise UnsafeNameError(
                f"the blob name {name!r} has no place in a folder: give every part of it between "
                "slashes a name",
                name=name,
            )
        return self.path.joinpath(container, *parts)

    def __repr__(self) -> str:
        return f"FolderDestination({str(self.path)!r})"


class _FolderUpload:
    def __init__(self, unfinished: Path, final_path: Path, target: BlobTarget) -> None:
        self._unfinished = unfinished
        self._final = final_path
        self._is_page = target.is_page
        self._file: IO[bytes] = unfinished.open("xb", buffering=0)
        self._position = 0
        if target.is_page:
            # Pages that nobody writes read as zeros.
            self._file.truncate(target.length)

    def write(self, offset: int, data: bytes, block_id: str) -> None:  # noqa: ARG002  # protocol
        if offset != self._position:
            self._file.seek(offset)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._position = offset + len(data)

    def commit(self, block_ids: Sequence[str]) -> None:  # noqa: ARG002  # protocol
        self._file.close()
        self._final.parent.mkdir(parents=True, exist_ok=True)
        self._unfinished.replace(self._final)

    def commit_some(self, block_ids: Sequence[str], *, is_new: bool) -> str:  # noqa: ARG002
        if not self._is_page:
            self.abandon()
            return "Uncommitted"
        self.commit(block_ids)
        return "Completed"

    def abandon(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
            self._unfinished.unlink(missing_ok=True)
