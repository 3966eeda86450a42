"""
Files that appear whole and survive a power cut.
"""

from __future__ import annotations

import errno
import glob
import os
import secrets
from pathlib import Path

__all__ = ["make_folder", "remove_partials", "sync_folder", "write_whole"]


def write_whole(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """
    Write a file so that it appears at once, whole and durable, in place of an older one.

    Args:
        path: where; its folder exists.
        data: the content.
        mode: permission bits, less the process's umask.

    """
    # On a share two machines may write at once, and their processes have numbers alike.
    partial = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(partial, flags, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove_partials(path: Path) -> None:
    """
    Remove what writers of a file left behind when they were killed.

    The caller holds a lock that keeps other writers of the file away.
    """
    for partial in path.parent.glob(f"{glob.escape(path.name)}.*.partial"):
        partial.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """
    Make a folder and the folders above it, durably.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for child in reversed(missing):
        child.mkdir(exist_ok=True)
        sync_folder(child.parent)


def sync_folder(folder: Path) -> None:
    """
    Make a folder's entries durable, where the system can.
    """
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems have no fsync of folders: renames are the server's business.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
