"""
Names of items: relative POSIX paths that can't leave the place where they are restored.

In a catalog a name is its bytes, as the source's file system has them: UTF-8 nearly always. In
Python it is a `str`, with bytes that are not UTF-8 as surrogate escapes.
"""

from __future__ import annotations

from offlineseed.errors import UnsafeNameError

__all__ = ["decode_name", "encode_name", "join_names", "require_safe_name"]

_MAX_NAME_BYTES = 65535
_UNSAFE_PARTS = frozenset((b"", b".", b".."))


def encode_name(name: str) -> bytes:
    """
    Check a name and return it as a catalog holds it.

    Raises:
        UnsafeNameError: the name is empty, absolute or too long, or has an empty, `.` or `..` part
            or a NUL.
    """
    try:
        encoded = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UnsafeNameError(
            f"{name!r} can't be an item's name: it has a lone surrogate", name=name
        ) from error
    require_safe_name(encoded)
    return encoded


def decode_name(name: bytes) -> str:
    """
    Return a catalog's name as Python has it.
    """
    return name.decode("utf-8", "surrogateescape")


def join_names(prefix: bytes, name: bytes) -> bytes:
    """
    Put a name below a prefix; an empty prefix is the root.
    """
    return prefix + b"/" + name if prefix else name


def require_safe_name(name: bytes) -> None:
    """
    Refuse a name that would leave its root.

    Raises:
        UnsafeNameError: see `encode_name`.
    """
    if b"\0" in name:
        reason = "it has a NUL"
    elif len(name) > _MAX_NAME_BYTES:
        reason = f"it is longer than {_MAX_NAME_BYTES} bytes"
    elif not _UNSAFE_PARTS.isdisjoint(name.split(b"/")):
        reason = "it is empty or absolute, or has an empty, '.' or '..' part"
    else:
        return
    shown = decode_name(name[:200])
    raise UnsafeNameError(
        f"{shown!r} can't be an item's name: {reason}; names are relative POSIX paths", name=shown
    )
