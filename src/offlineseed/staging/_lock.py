"""
One writer at a time: the lock of a staged job.

The operating system's lock on the file is the truth on one machine: it ends with its process. The
file's text says who holds it, because a share may not pass locks from machine to machine.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import final

import attrs
from typing_extensions import Self

from offlineseed.errors import StagingLockedError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["JobLock", "LockHolder"]

_MOST_BYTES = 4096


@final
@attrs.frozen(kw_only=True)
class LockHolder:
    """
    Who holds a lock.
    """

    host: str
    """The machine's name."""
    pid: int
    """The process id on that machine."""
    since: float
    """When the lock was taken, in seconds since 1970 (UTC)."""


@final
class JobLock:
    """
    The lock of a staged job, as a context manager.

    A lock left by a process that died on this machine is taken over silently. One left by another
    machine can't be told from a lock that is held: `take_over=True` says that its holder is gone.

    Args:
        path: the lock file.
        take_over: take a lock over that another machine left.

    """

    def __init__(self, path: Path, *, take_over: bool = False) -> None:
        self._path = path
        self._take_over = take_over
        self._descriptor = -1

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()

    def acquire(self) -> None:
        """
        Take the lock.

        Raises:
            StagingLockedError: another process holds it, or another machine left it.
        """
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self._path, flags, 0o666)
        try:
            if not _try_lock(descriptor):
                raise self._locked(_read_holder(self._path))
            holder = _read_holder(self._path)
            is_foreign = holder is not None and holder.host != socket.gethostname()
            if is_foreign and not self._take_over:
                raise self._locked(holder)
            text = json.dumps(
                {"host": socket.gethostname(), "pid": os.getpid(), "since": time.time()}
            )
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, text.encode())
            os.fsync(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """
        Give the lock back.
        """
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            try:
                os.ftruncate(descriptor, 0)
            finally:
                os.close(descriptor)

    def _locked(self, holder: LockHolder | None) -> StagingLockedError:
        if holder is None:
            return StagingLockedError(f"{self._path.parent} is being written by another process")
        age = max(0.0, time.time() - holder.since)
        return StagingLockedError(
            f"{self._path.parent} is locked by process {holder.pid} on {holder.host} for "
            f"{age:.0f} seconds: wait for it, or take the lock over if that process is gone",
            host=holder.host,
            pid=holder.pid,
            age_seconds=age,
        )


def _read_holder(path: Path) -> LockHolder | None:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_MOST_BYTES))
        return LockHolder(
            host=str(document["host"]), pid=int(document["pid"]), since=float(document["since"])
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            # A byte beyond the text: Windows locks keep others from reading.
            os.lseek(descriptor, _MOST_BYTES, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
