"""
A holder for key bytes.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Any, NoReturn, final

__all__ = ["Key"]


@final
class Key:
    """
    Secret bytes: a volume's keys, or what they are derived from.

    Printing, formatting and logging show `Key('…')`; `reveal()` is the only way to the bytes.
    Equality takes constant time. A key is unhashable and refuses to be pickled by accident.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    @classmethod
    def generate(
        cls, length: int, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> Key:
        """
        Return a new random key of so many bytes.
        """
        return cls(random_bytes(length))

    def reveal(self) -> bytes:
        """
        Return the bytes. The caller keeps them out of logs, errors and files.
        """
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a hash would leak equality

    def __repr__(self) -> str:
        return "Key('…')"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Key is not pickled: reveal() it and say so")

    def __copy__(self) -> Key:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Key:
        return self
