"""
Recovery passwords: the 48 digits that unlock a volume.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Callable
from typing import Any, NoReturn, final

from offlineseed.errors import RecoveryPasswordError

__all__ = ["RecoveryPassword"]

_GROUPS = 8
_GROUP_DIGITS = 6
_DIGITS = frozenset("0123456789")
_GROUP_LIMIT = 11 * 0x10000  # a group is 11 times a 16-bit number


@final
class RecoveryPassword:
    """
    A volume's recovery password ("numerical password"): 8 groups of 6 digits.

    Each group is a multiple of 11 below 720896; a group divided by 11 is 16 bits of the key.
    Printing, formatting and logging show `RecoveryPassword('…')`; `reveal()` is the way to the
    digits. Equality takes constant time. It is unhashable and refuses to be pickled by accident.

    Source: libbde, "BitLocker Drive Encryption (BDE) format", recovery password.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """
        Make the recovery password of a 16-byte key. Most callers want `generate` or `parse`.

        Raises:
            ValueError: the key is not 16 bytes long.
        """
        if len(key) != 2 * _GROUPS:
            raise ValueError(f"a recovery password's key is 16 bytes, not {len(key)}")
        self._key = bytes(key)

    @classmethod
    def generate(
        cls, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> RecoveryPassword:
        """
        Return a new recovery password of 128 random bits.

        Args:
            random_bytes: returns as many bytes as it is asked for, fit for keys.
        """
        return cls(random_bytes(2 * _GROUPS))

    @classmethod
    def parse(cls, text: str) -> RecoveryPassword:
        """
        Read a recovery password: 48 digits, groups parted by hyphens, or by nothing at all.

        White space around the whole is ignored.

        Raises:
            RecoveryPasswordError: names the first wrong group, or says that the form is wrong.
                The digits are never in it.
        """
        bare = text.strip()
        groups = bare.split("-")
        if len(groups) == 1 and len(bare) == _GROUPS * _GROUP_DIGITS:
            groups = [bare[i : i + _GROUP_DIGITS] for i in range(0, len(bare), _GROUP_DIGITS)]
        if len(groups) != _GROUPS:
            raise RecoveryPasswordError(
                "a recovery password is 8 groups of 6 digits with hyphens between them;"
                " copy it again, whole"
            )
        return cls(
            struct.pack("<8H", *(_parse_group(group, n) for n, group in enumerate(groups, 1)))
        )

    def reveal(self) -> str:
        """
        Return the 48 digits with hyphens. The caller keeps them out of logs, errors and URLs.
        """
        return "-".join(f"{11 * word:06d}" for word in struct.unpack("<8H", self._key))

    def key_bytes(self) -> bytes:
        """
        Return the 16 bytes that the digits stand for: what key stretching begins with.
        """
        return self._key

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RecoveryPassword):
            return NotImplemented
        return hmac.compare_digest(self._key, other._key)

    __hash__ = None  # type: ignore[assignment]  # a hash would leak equality

    def __repr__(self) -> str:
        return "RecoveryPassword('…')"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a RecoveryPassword is not pickled: reveal() it and say so, or use a KeyStore"
        )

    def __copy__(self) -> RecoveryPassword:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> RecoveryPassword:
        return self


def _parse_group(group: str, number: int) -> int:
    def refuse(fact: str) -> RecoveryPasswordError:
        return RecoveryPasswordError(
            f"group {number} of the recovery password {fact}; check that group's digits",
            context=f"group {number}",
            group=number,
        )

    if len(group) != _GROUP_DIGITS or not _DIGITS.issuperset(group):
        raise refuse("is not 6 digits")
    value = int(group)
    if value % 11:
        raise refuse("is not a multiple of 11")
    if value >= _GROUP_LIMIT:
        raise refuse(f"is not below {_GROUP_LIMIT}")
    return value // 11
