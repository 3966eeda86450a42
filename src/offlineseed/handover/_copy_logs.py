"""
Getting a drive's copy log from where the service left it.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from azure.storage.blob import BlobServiceClient

from offlineseed.errors import CopyLogError
from offlineseed.jobs import CopyLog, JobDrive, parse_copy_log

__all__ = ["read_copy_log", "read_drive_logs"]

_MOST_BYTES = 1 << 30


def read_copy_log(uri: str, account: BlobServiceClient | None = None) -> CopyLog:
    """
    Read a copy log from its address, as a job's drive names it.

    Args:
        uri: a blob's URL, or a `file` URL of an emulator that lays blobs down in a folder.
        account: the storage account with a credential that may read it.

    Raises:
        CopyLogError: the address is of another account, or what lies there is no copy log.
        AzureError, OSError: it can't be read.
    """
    parts = urlsplit(uri)
    if parts.scheme == "file":
        path = Path(url2pathname(parts.path))
        if path.stat().st_size > _MOST_BYTES:
            raise _too_long(uri)
        return parse_copy_log(path.read_bytes())
    if account is None:
        raise CopyLogError(
            f"the copy log lies at {parts.netloc}: give a client of its storage account",
            context=parts.netloc,
        )
    root = urlsplit(account.url)
    prefix = root.path.rstrip("/") + "/"
    if parts.netloc.casefold() != root.netloc.casefold() or not parts.path.startswith(prefix):
        raise CopyLogError(
            f"the copy log lies at {parts.netloc} and not in this account, {root.netloc}: give a "
            "client of its storage account",
            context=parts.netloc,
        )
    container, _, name = unquote(parts.path[len(prefix) :]).partition("/")
    blob = account.get_blob_client(container, name)
    if int(blob.get_blob_properties().size) > _MOST_BYTES:
        raise _too_long(uri)
    return parse_copy_log(blob.download_blob().readall())


def read_drive_logs(
    drive: JobDrive, account: BlobServiceClient | None = None
) -> tuple[CopyLog, ...]:
    """
    Read the copy logs that the service has for a drive: the verbose one, which tells everything,
    before the error log; none before the drive is done.

    Raises:
        CopyLogError, AzureError, OSError: as `read_copy_log`.
    """
    return tuple(
        read_copy_log(uri, account) for uri in (drive.verbose_log_uri, drive.error_log_uri) if uri
    )


def _too_long(uri: str) -> CopyLogError:
    return CopyLogError(
        f"the copy log is longer than {_MOST_BYTES} bytes: read it in parts and repair from those",
        context=uri.partition("?")[0],
    )
