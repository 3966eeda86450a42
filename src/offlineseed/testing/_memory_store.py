"""
A segment store that keeps everything in memory, and knows what a power cut would leave of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import final

from offlineseed.errors import SegmentMissingError

__all__ = ["MemoryStore"]


class _Partial:
    def __init__(self, data: bytearray) -> None:
        self.data = data
        self.durable = len(data)


@final
class MemoryStore:
    """
    A `SegmentStore` double. Safe from several threads, as far as any store is.

    It keeps the promises of the protocol and not a byte more: what was not synced is lost by
    `power_cut`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, bytearray] = {}
        self._partials: dict[str, _Partial] = {}

    def __repr__(self) -> str:
        return f"MemoryStore({len(self._objects)} objects)"

    def stored(self, name: str) -> bytearray:
        """
        Return the bytes of an object, whole or in the making; change them to play damage.

        Raises:
            KeyError: there is no such object.
        """
        with self._lock:
            if name in self._objects:
                return self._objects[name]
            return self._partials[name].data

    def remove(self, name: str) -> None:
        """
        Lose a whole object.

        Raises:
            KeyError: there is no such object.
        """
        with self._lock:
            del self._objects[name]

    def power_cut(self, *, survives: Callable[[int], int] = lambda _: 0) -> MemoryStore:
        """
        Return the store as it is found after a power cut at this moment.

        Args:
            survives: gets how many bytes of an object in the making were written and not synced,
                and returns how many of them survive nevertheless; none by default.

        """
        after = MemoryStore()
        with self._lock:
            after._objects = {name: bytearray(data) for name, data in self._objects.items()}
            for name, partial in self._partials.items():
                kept = partial.durable + survives(len(partial.data) - partial.durable)
                after._partials[name] = _Partial(partial.data[:kept])
        return after

    def create(self, name: str) -> MemorySegmentWriter:
        _require_name(name)
        with self._lock:
            partial = self._partials[name] = _Partial(bytearray())
        return MemorySegmentWriter(self, name, partial)

    def recover(self, name: str, length: int) -> MemorySegmentWriter:
        _require_name(name)
        with self._lock:
            partial = self._partials.get(name)
            if partial is None and name in self._objects:
                partial = _Partial(self._objects[name])
            if partial is None or len(partial.data) < length:
                raise SegmentMissingError(
                    f"{self!r} does not have {length} bytes of {name}", name=name
                )
            self._objects.pop(name, None)
            partial = self._partials[name] = _Partial(partial.data[:length])
        return MemorySegmentWriter(self, name, partial)

    def read(self, name: str, offset: int, length: int) -> bytes:
        with self._lock:
            data = self._objects.get(name)
            if data is None and name in self._partials:
                data = self._partials[name].data
            if data is None:
                raise _missing(self, name)
            return bytes(data[offset : offset + length])

    def length(self, name: str) -> int:
        with self._lock:
            if name not in self._objects:
                raise _missing(self, name)
            return len(self._objects[name])

    def names(self, prefix: str) -> Iterator[str]:
        with self._lock:
            found = sorted(name for name in self._objects if name.startswith(prefix))
        yield from found

    def _append(self, partial: _Partial, data: bytes | memoryview) -> None:
        with self._lock:
            partial.data += data

    def _sync(self, partial: _Partial) -> int:
        with self._lock:
            partial.durable = len(partial.data)
            return partial.durable

    def _close(self, name: str, partial: _Partial) -> None:
        with self._lock:
            if self._partials.get(name) is partial:
                del self._partials[name]
                self._objects[name] = partial.data


@final
class MemorySegmentWriter:
    """
    The writer of a `MemoryStore`; see `SegmentWriter`.
    """

    def __init__(self, store: MemoryStore, name: str, partial: _Partial) -> None:
        self._store = store
        self._name = name
        self._partial = partial

    def write(self, data: bytes | memoryview) -> None:
        self._store._append(self._partial, data)  # noqa: SLF001  # one lock for both

    def sync(self) -> int:
        return self._store._sync(self._partial)  # noqa: SLF001

    def close(self) -> None:
        self._store._close(self._name, self._partial)  # noqa: SLF001

    def abort(self) -> None:
        pass


def _require_name(name: str) -> None:
    if not name or name.startswith("/") or ".." in name.split("/"):
        raise ValueError(f"{name!r} is no object's name")


def _missing(store: MemoryStore, name: str) -> SegmentMissingError:
    return SegmentMissingError(f"{store!r} has no {name}", name=name)
