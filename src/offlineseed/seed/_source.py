"""
Reading the source: files, sparse files, streams and whole trees, while others use them.

What vanishes, changes or can't be read becomes a finding. The walk is the same every time: the
items of a directory by name, then its subdirectories by name.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Protocol, final

from offlineseed.findings import Finding, Severity
from offlineseed.seed._cuts import find_cut
from offlineseed.seed._known import KnownItems
from offlineseed.seed._model import ItemKind
from offlineseed.seed._names import decode_name, join_names
from offlineseed.seed._stager import Stager

__all__ = ["ByteStream", "Source"]

_OPEN_FILE = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    # A file that became a pipe meanwhile must not make us wait for its writer.
    | getattr(os, "O_NONBLOCK", 0)
)
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
_RACY_NS = 2_000_000_000
_ITEMS_BETWEEN_EVENTS = 32
_entry_name = attrgetter("name")
_KIND_BITS = 0o170000
_MODE_BITS = 0o7777


class ByteStream(Protocol):
    """
    Anything with `read(size)` that returns bytes, and none at the end.
    """

    def read(self, size: int, /) -> bytes: ...


@final
class Source:
    """
    Stages what it reads. Used by one thread.

    Args:
        stager: takes the items.
        chunk_bytes: greatest length of a chunk.
        own: items acknowledged before an interruption, or None.
        baseline: items of the generation before, or None.
        trusted_before_ns: an item modified later than this, less two seconds, may have changed
            again within the resolution of its mtime: it is read.
        skipped: `(st_dev, st_ino)` of directories that are not entered.
        on_finding: gets every finding.
        after_item: called every few items and after every chunk; may raise to stop.
        has_failed: tells whether an error is the pipeline's and not the source's.

    """

    def __init__(
        self,
        stager: Stager,
        *,
        chunk_bytes: int,
        own: KnownItems | None,
        baseline: KnownItems | None,
        trusted_before_ns: int,
        skipped: frozenset[tuple[int, int]],
        on_finding: Callable[[Finding], None],
        after_item: Callable[[], None],
        has_failed: Callable[[], bool],
    ) -> None:
        self._stager = stager
        self._chunk_bytes = chunk_bytes
        self._own = own
        self._baseline = baseline
        self._trusted_before_ns = trusted_before_ns - _RACY_NS
        self._skipped = skipped
        self._on_finding = on_finding
        self._after_item = after_item
        self._has_failed = has_failed
        self._knows = own is not None or baseline is not None
        self._held = bytearray()

    def stage_tree(self, root: str, prefix: bytes) -> None:
        """
        Stage a directory and all that is below it. The root's own row is left out without a prefix.

        Raises:
            OSError: the root itself can't be read.
        """
        pending = [(root, prefix)]
        is_root = True
        while pending:
            path, name = pending.pop()
            try:
                descriptor, status, entries = self._open_directory(path, follow=is_root)
            except OSError as error:
                if is_root or self._has_failed():
                    raise
                self._report(name, error)
                continue
            is_root = False
            try:
                if (status.st_dev, status.st_ino) in self._skipped:
                    self._find(name, "staging-location-skipped", "the seed itself is not staged")
                    continue
                if name:
                    self._stage_plain(name, ItemKind.DIRECTORY, status)
                below = self._stage_entries(entries, path, descriptor, name)
            finally:
                if descriptor is not None:
                    os.close(descriptor)
            pending.extend(reversed(below))

    def stage_file(self, path: str, name: bytes) -> None:
        """
        Stage one file, following a symbolic link.
        """
        try:
            is_same = self._knows and self._is_same(name, ItemKind.FILE, Path(path).stat(), None)
        except OSError as error:
            self._report(name, error)
        else:
            if not is_same:
                self._stage_file(path, name, None, _OPEN_FILE & ~getattr(os, "O_NOFOLLOW", 0))
        self._after_item()

    def stage_stream(self, stream: ByteStream, name: bytes, mode: int, mtime_ns: int) -> None:
        """
        Stage all that a stream gives. Its errors pass through; nothing is added then.
        """
        chunk = self._chunk_bytes
        self._held = buffer = self._stager.buffer()
        try:
            have = _fill(stream, buffer, 0, chunk + 1)
            if have <= chunk:
                self._stager.room_for(have)[:have] = memoryview(buffer)[:have]
                self._stager.put_small(name, have, mode, mtime_ns)
                self._after_item()
                return
            item, offset = self._stager.begin_large(), 0
            while have:
                cut = self._put_chunk(item, offset, have)
                offset += cut
                self._after_item()
                have = _fill(stream, self._held, have - cut, chunk + 1)
        finally:
            self._stager.put_back(self._held)
        self._stager.end_large(item, name, offset, mode, mtime_ns)
        self._after_item()

    def _open_directory(
        self, path: str, *, follow: bool
    ) -> tuple[int | None, os.stat_result, list[os.DirEntry[str]]]:
        if not _BY_DESCRIPTOR:
            with os.scandir(path) as found:
                status = Path(path).stat(follow_symlinks=follow)
                return None, status, sorted(found, key=_entry_name)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        descriptor = os.open(path, flags)
        try:
            with os.scandir(descriptor) as found:
                return descriptor, os.fstat(descriptor), sorted(found, key=_entry_name)
        except BaseException:
            os.close(descriptor)
            raise

    def _stage_entries(
        self, entries: list[os.DirEntry[str]], path: str, descriptor: int | None, prefix: bytes
    ) -> list[tuple[str, bytes]]:
        below = []
        start = join_names(prefix, b"")
        below_path = os.path.join(path, "")  # noqa: PTH118  # hot
        place_path = "" if descriptor is not None else below_path
        for number, entry in enumerate(entries):
            if not number % _ITEMS_BETWEEN_EVENTS:
                self._after_item()
            name = start + entry.name.encode("utf-8", "surrogateescape")
            try:
                if entry.is_file(follow_symlinks=False):
                    if not self._knows or not self._is_same(
                        name, ItemKind.FILE, entry.stat(follow_symlinks=False), None
                    ):
                        self._stage_file(place_path + entry.name, name, descriptor, _OPEN_FILE)
                elif entry.is_dir(follow_symlinks=False):
                    below.append((below_path + entry.name, name))
                elif entry.is_symlink():
                    status = entry.stat(follow_symlinks=False)
                    target = os.readlink(place_path + entry.name, dir_fd=descriptor)
                    encoded = target.encode("utf-8", "surrogateescape")
                    self._stage_plain(name, ItemKind.SYMLINK, status, encoded)
                else:
                    self._find(name, "item-kind-unsupported", "neither file, directory nor link")
            except OSError as error:
                self._report(name, error)
        return below

    def _stage_plain(
        self, name: bytes, kind: ItemKind, status: os.stat_result, target: bytes | None = None
    ) -> None:
        if self._knows and self._is_same(name, kind, status, target):
            return
        mode = status.st_mode & _MODE_BITS
        self._stager.put_plain(name, kind, mode, status.st_mtime_ns, target=target)

    def _stage_file(self, place: str, name: bytes, directory: int | None, flags: int) -> None:
        try:
            descriptor = os.open(place, flags, dir_fd=directory)
        except OSError as error:
            self._report(name, error)
            return
        try:
            status = os.fstat(descriptor)
            mode, length = status.st_mode, status.st_size
            if mode & _KIND_BITS != stat.S_IFREG:
                self._find(name, "item-kind-unsupported", "neither file, directory nor link")
            elif length > self._chunk_bytes:
                self._stage_large(descriptor, name, status)
            else:
                # No calls but what is needed: the time of staging small files is spent here.
                view = self._stager.room_for(length)
                got = _read_into(descriptor, view)
                if got != length:
                    got = _read_on(descriptor, view, got)
                after = os.fstat(descriptor)
                mtime_ns = status.st_mtime_ns
                self._stager.put_small(name, min(got, length), mode & _MODE_BITS, mtime_ns)
                if got != length or after.st_mtime_ns != mtime_ns or after.st_size != length:
                    self._changed(name, length, got)
        except OSError as error:
            self._report(name, error)
        finally:
            os.close(descriptor)

    def _stage_large(self, descriptor: int, name: bytes, status: os.stat_result) -> None:
        stager, chunk, length = self._stager, self._chunk_bytes, status.st_size
        is_sparse = getattr(status, "st_blocks", length) * 512 < length
        item = stager.begin_large()
        offset = have = 0
        self._held = stager.buffer()
        try:
            while offset < length:
                if is_sparse and not have:
                    offset = _next_data(descriptor, offset, length, chunk)
                    if offset >= length:
                        break
                wanted = min(chunk, length - offset)
                have += _read_at(descriptor, memoryview(self._held)[have:wanted], offset + have)
                is_end = have < wanted
                if have:
                    cut = self._put_chunk(item, offset, have)
                    offset += cut
                    have -= cut
                    self._after_item()
                if is_end and not have:
                    break
        finally:
            stager.put_back(self._held)
        after = os.fstat(descriptor)
        read = min(offset, length)
        stager.end_large(item, name, read, status.st_mode & _MODE_BITS, status.st_mtime_ns)
        if read != length or after.st_mtime_ns != status.st_mtime_ns or after.st_size != length:
            self._changed(name, length, read)

    def _put_chunk(self, item: int, offset: int, have: int) -> int:
        # Hands the first chunk of the held buffer over, and holds another one, with what is left.
        cut = find_cut(self._held, min(have, self._chunk_bytes), self._chunk_bytes)
        following = self._stager.buffer()
        following[: have - cut] = memoryview(self._held)[cut:have]
        buffer, self._held = self._held, following
        self._stager.put_block(item, offset, buffer, cut)
        return cut

    def _is_same(
        self, name: bytes, kind: ItemKind, status: os.stat_result, target: bytes | None
    ) -> bool:
        length = status.st_size if kind == ItemKind.FILE else 0
        mtime_ns = status.st_mtime_ns
        wanted = (name, kind, length, status.st_mode & _MODE_BITS, mtime_ns, target)
        is_trusted = mtime_ns < self._trusted_before_ns
        # Asked for all the same, so that what is known is read on in order.
        if self._own is not None and self._own.same(wanted) and is_trusted:
            return True
        if self._baseline is not None and (row := self._baseline.same(wanted)) and is_trusted:
            self._stager.keep(row, length)
            return True
        return False

    def _changed(self, name: bytes, length: int, got: int) -> None:
        self._find(
            name,
            "item-changed",
            f"changed while it was read: {length} bytes at first, {got} read; recorded as read",
        )

    def _report(self, name: bytes, error: OSError) -> None:
        if self._has_failed():
            raise error
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
            self._find(name, "item-vanished", "vanished before it was read; not staged")
        else:
            reason = error.strerror or type(error).__name__
            self._find(name, "item-unreadable", f"can't be read ({reason}); not staged")

    def _find(self, name: bytes, code: str, message: str) -> None:
        self._stager.put_finding(name, code, message)
        self._on_finding(
            Finding(
                code=code, subject=decode_name(name), message=message, severity=Severity.WARNING
            )
        )


def _fill(stream: ByteStream, buffer: bytearray, start: int, end: int) -> int:
    while start < end:
        data = stream.read(end - start)
        if not data:
            break
        if len(data) > end - start:
            raise ValueError("the stream's read() returned more bytes than it was asked for")
        buffer[start : start + len(data)] = data
        start += len(data)
    return start


def _next_data(descriptor: int, offset: int, length: int, chunk: int) -> int:
    # Returns the first chunk boundary at or after which there is data that is not a hole.
    if not hasattr(os, "SEEK_DATA"):
        return offset
    try:
        found = os.lseek(descriptor, offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            # The file may have become shorter: only what it still has is a hole.
            return max(offset, min(length, os.fstat(descriptor).st_size))
        return offset
    return max(offset, found // chunk * chunk)


if hasattr(os, "readv"):

    def _read_into(descriptor: int, view: memoryview) -> int:
        return os.readv(descriptor, (view,))

else:

    def _read_into(descriptor: int, view: memoryview) -> int:
        data = os.read(descriptor, len(view))
        view[: len(data)] = data
        return len(data)


def _read_on(descriptor: int, view: memoryview, got: int) -> int:
    # Short reads happen on network file systems; the end is where a read gives nothing.
    while 0 < got < len(view) and (more := _read_into(descriptor, view[got:])):
        got += more
    return got


def _read_at(descriptor: int, view: memoryview, offset: int) -> int:
    os.lseek(descriptor, offset, os.SEEK_SET)
    return _read_on(descriptor, view, _read_into(descriptor, view))
