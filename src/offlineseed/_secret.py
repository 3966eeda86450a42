"""
A holder for values that must never be shown.
"""

from __future__ import annotations

import hmac
from typing import Any, NoReturn, final

__all__ = ["Secret"]


@final
class Secret:
    """
    A secret string: an account key, a SAS, a recovery password.

    Printing, formatting and logging show `Secret('…')`; `reveal()` is the only way to the value.
    Equality takes constant time. A secret is unhashable and refuses to be pickled by accident.

    Raises:
        TypeError: the value is not a string.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"a secret holds a str, not {type(value).__name__}")
        self._value = value

    def reveal(self) -> str:
        """
        Return the value. The caller keeps it out of logs, errors, URLs and files.
        """
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"),
            other._value.encode("utf-8", "surrogatepass"),
        )

    __hash__ = None  # type: ignore[assignment]  # a hash would leak equality

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: reveal() it and say so, or use a KeyStore")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self
