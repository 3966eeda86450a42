"""
A lock on an open file, which ends with the process that holds it.
"""

from __future__ import annotations

import errno
import os
import sys

__all__ = ["lock_file"]

_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EDEADLK, errno.EWOULDBLOCK}


def lock_file(fd: int, *, wait: bool) -> bool:
    """
    Take the lock of a file, until the file is closed.

    A file system without locks, as some network shares are, counts as one where nobody else is.

    Args:
        fd: the open file.
        wait: whether to wait for whoever holds the lock.

    Returns:
        Whether the lock is ours; always so after waiting.
    """
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  # only Windows has it

            os.lseek(fd, 2**62, os.SEEK_SET)  # beyond all content: a locked byte can't be read
            msvcrt.locking(fd, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415  # Windows has none

            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        return error.errno not in _TAKEN
    return True
