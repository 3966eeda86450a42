"""
An adapter that breaks another one at a chosen moment.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Collection, Iterator
from enum import Enum
from typing import TypeVar, final

import attrs
from typing_extensions import Buffer

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.volumes import (
    CacheBypass,
    Drive,
    VolumeAdapter,
    VolumeCapacity,
    VolumeFile,
    VolumeFileWriter,
    VolumeReader,
    VolumeWriter,
)

__all__ = ["FaultEffect", "FaultyVolumes", "VolumeFault"]

_T = TypeVar("_T")


class FaultEffect(str, Enum):
    """
    What is done of an operation that fails.
    """

    NOTHING = "nothing"
    """It fails before anything was done."""
    TORN = "torn"
    """Half of a write's bytes are written; other operations are as with `NOTHING`."""
    EVERYTHING = "everything"
    """It is done, and then reported as failed."""


@final
@attrs.frozen(kw_only=True)
class VolumeFault:
    """
    When an adapter fails, and how.
    """

    operation: str = attrs.field(
        validator=attrs.validators.in_(
            ("create", "resume", "open", "write", "close", "finish", "read")
        )
    )
    """`create`, `resume`, `open`, `write` and `close` (of one file), `finish`, or `read`."""
    number: int = 1
    """The how-manieth of its kind fails, from 1; later ones work again."""
    effect: FaultEffect = FaultEffect.NOTHING
    """What is done nevertheless."""
    make_error: Callable[[], Exception] = lambda: OSError(errno.EIO, "injected fault")
    """Makes the error that is raised."""


@final
class FaultyVolumes:
    """
    Wraps an adapter and fails once, at the n-th operation of a kind over all its drives.

    Thread rule: that of the adapter within.
    """

    def __init__(self, volumes: VolumeAdapter, fault: VolumeFault) -> None:
        self._volumes = volumes
        self._injector = _Injector(fault)

    @property
    def has_failed(self) -> bool:
        """
        Whether the fault's moment has come.
        """
        return self._injector.has_failed

    def capacity(self, drive: Drive, /) -> VolumeCapacity:
        return self._volumes.capacity(drive)

    def create(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> VolumeWriter:
        writer = self._injector.run(
            "create", lambda: self._volumes.create(drive, contents, recovery_password)
        )
        return _FaultyWriter(writer, self._injector)

    def resume(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> VolumeWriter:
        writer = self._injector.run(
            "resume", lambda: self._volumes.resume(drive, contents, recovery_password)
        )
        return _FaultyWriter(writer, self._injector)

    def open(self, drive: Drive, recovery_password: RecoveryPassword) -> VolumeReader:
        return _FaultyReader(self._volumes.open(drive, recovery_password), self._injector)


class _Injector:
    def __init__(self, fault: VolumeFault) -> None:
        self._fault = fault
        self._lock = threading.Lock()
        self._seen = 0

    @property
    def has_failed(self) -> bool:
        return self._seen >= self._fault.number

    def run(
        self,
        operation: str,
        act: Callable[[], _T],
        tear: Callable[[], object] = lambda: None,
    ) -> _T:
        with self._lock:
            self._seen += operation == self._fault.operation
            is_due = operation == self._fault.operation and self._seen == self._fault.number
        if not is_due:
            return act()
        if self._fault.effect is FaultEffect.TORN:
            tear()
        elif self._fault.effect is FaultEffect.EVERYTHING:
            act()
        raise self._fault.make_error()


class _FaultyWriter:
    def __init__(self, writer: VolumeWriter, injector: _Injector) -> None:
        self._writer = writer
        self._injector = injector

    def open(self, file: VolumeFile, /) -> VolumeFileWriter:
        inner = self._injector.run("open", lambda: self._writer.open(file))
        return _FaultyFileWriter(inner, self._injector)

    def keep(self, file: VolumeFile, /) -> bool:
        return self._writer.keep(file)

    def finish(self) -> None:
        self._injector.run("finish", self._writer.finish)

    def close(self) -> None:
        self._writer.close()


class _FaultyFileWriter:
    def __init__(self, writer: VolumeFileWriter, injector: _Injector) -> None:
        self._writer = writer
        self._injector = injector

    def write(self, data: Buffer, /) -> None:
        view = memoryview(data).cast("B")
        self._injector.run(
            "write",
            lambda: self._writer.write(view),
            lambda: self._writer.write(view[: len(view) // 2]),
        )

    def close(self) -> None:
        self._injector.run("close", self._writer.close)

    def discard(self) -> None:
        self._writer.discard()


class _FaultyReader:
    def __init__(self, reader: VolumeReader, injector: _Injector) -> None:
        self._reader = reader
        self._injector = injector

    @property
    def cache_bypass(self) -> CacheBypass:
        return self._reader.cache_bypass

    def files(self) -> Iterator[VolumeFile]:
        return self._reader.files()

    def read(self, path: str, offset: int, length: int) -> bytes:
        return self._injector.run("read", lambda: self._reader.read(path, offset, length))

    def close(self) -> None:
        self._reader.close()
