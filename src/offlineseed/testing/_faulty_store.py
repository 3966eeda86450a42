"""
A segment store that breaks another one at a chosen moment.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar, final

import attrs

from offlineseed.seed import SegmentStore, SegmentWriter
from offlineseed.testing._faulty_volumes import FaultEffect

__all__ = ["FaultyStore", "StoreFault"]

_T = TypeVar("_T")


@final
@attrs.frozen(kw_only=True)
class StoreFault:
    """
    When a store fails, and how.
    """

    operation: str | None = attrs.field(
        default=None,
        validator=attrs.validators.in_(
            (None, "create", "recover", "write", "sync", "close", "read", "length", "names")
        ),
    )
    """One operation of the store or of its writers, or None: any that changes the store."""
    number: int = 1
    """The how-manieth of its kind fails, from 1."""
    effect: FaultEffect = FaultEffect.NOTHING
    """What is done nevertheless."""
    is_final: bool = False
    """Whether everything after it fails, too, as when the power is cut or a share vanishes."""
    make_error: Callable[[], Exception] = lambda: OSError(errno.EIO, "injected fault")
    """Makes the error that is raised."""


@final
class FaultyStore:
    """
    Wraps a store and fails at the n-th operation of a kind.

    Around a `MemoryStore`, a final fault and then `MemoryStore.power_cut` play a power cut: only
    what was synced survives.

    Thread rule: that of the store within.
    """

    def __init__(self, store: SegmentStore, fault: StoreFault) -> None:
        self._store = store
        self._injector = _Injector(fault)

    def __repr__(self) -> str:
        return f"FaultyStore({self._store!r})"

    @property
    def has_failed(self) -> bool:
        """
        Whether the fault's moment has come.
        """
        return self._injector.has_failed

    def create(self, name: str) -> SegmentWriter:
        return self._writer("create", lambda: self._store.create(name))

    def recover(self, name: str, length: int) -> SegmentWriter:
        return self._writer("recover", lambda: self._store.recover(name, length))

    def read(self, name: str, offset: int, length: int) -> bytes:
        return self._injector.run("read", lambda: self._store.read(name, offset, length))

    def length(self, name: str) -> int:
        return self._injector.run("length", lambda: self._store.length(name))

    def names(self, prefix: str) -> Iterator[str]:
        return self._injector.run("names", lambda: self._store.names(prefix))

    def _writer(self, operation: str, act: Callable[[], SegmentWriter]) -> SegmentWriter:
        return _FaultySegmentWriter(self._injector.run(operation, act), self._injector)


@final
class _FaultySegmentWriter:
    def __init__(self, writer: SegmentWriter, injector: _Injector) -> None:
        self._writer = writer
        self._injector = injector

    def write(self, data: bytes | memoryview) -> None:
        self._injector.run(
            "write",
            lambda: self._writer.write(data),
            lambda: self._writer.write(data[: len(data) // 2]),
        )

    def sync(self) -> int:
        return self._injector.run("sync", self._writer.sync)

    def close(self) -> None:
        self._injector.run("close", self._writer.close)

    def abort(self) -> None:
        self._writer.abort()


@final
class _Injector:
    def __init__(self, fault: StoreFault) -> None:
        self._fault = fault
        self._lock = threading.Lock()
        self._seen = 0

    @property
    def has_failed(self) -> bool:
        return self._seen >= self._fault.number

    def run(
        self, operation: str, act: Callable[[], _T], tear: Callable[[], object] = lambda: None
    ) -> _T:
        fault = self._fault
        with self._lock:
            was_due = self._seen >= fault.number
            counts = (
                operation == fault.operation
                if fault.operation
                else operation not in ("read", "length", "names")
            )
            self._seen += counts
            is_due = counts and self._seen == fault.number
        if was_due and fault.is_final:
            raise fault.make_error()
        if not is_due:
            return act()
        if fault.effect is FaultEffect.TORN:
            tear()
        elif fault.effect is FaultEffect.EVERYTHING:
            act()
        raise fault.make_error()
