"""
Names of files on a volume: which would leave its root, and which Windows could not hold. Pure.
"""

from __future__ import annotations

import re

from offlineseed.errors import NameNotAllowedError, UnsafeNameError
from offlineseed.findings import Finding

__all__ = ["require_portable_path", "require_relative_path"]

_REFUSED = frozenset('<>:"|?*\\')
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"]
)
_NAME_UNITS = 255


def require_relative_path(path: str) -> None:
    """
    Refuse a path that is not relative POSIX, or that would leave the volume's root.

    Raises:
        UnsafeNameError: with the path as its name.
    """
    if not isinstance(path, str):
        raise UnsafeNameError(f"a path on a volume is a str, not {type(path).__name__}")
    if "\0" in path or any(part in {"", ".", ".."} for part in re.split(r"[/\\]", path)):
        raise UnsafeNameError(
            f"{path!r} is no path on a volume: give it relative to the root, with `/` between"
            " its parts and without empty parts, `.` and `..`",
            name=path,
        )


def require_portable_path(path: str) -> None:
    """
    Refuse a path that a volume can't hold, or that Windows could not open on it.

    The service reads drives with Windows: a colon would name a stream, a backslash a folder, and
    a final dot or space would be dropped.

    Raises:
        UnsafeNameError: the path is not relative, or would leave the root.
        NameNotAllowedError: with a finding for each part that Windows refuses.
    """
    require_relative_path(path)
    findings = [
        Finding(
            code="name-not-allowed",
            subject=path,
            message=f"{part!r} {problem}; give the blob another name",
        )
        for part in path.split("/")
        if (problem := _find_problem(part))
    ]
    if findings:
        raise NameNotAllowedError(
            f"{path!r} can't lie on a drive: {findings[0].message}", findings=findings
        )


def _find_problem(part: str) -> str:
    if not _REFUSED.isdisjoint(part) or min(part) < " ":
        return "has one of the characters that Windows refuses in names"
    if part[-1] in " .":
        return "ends with a space or dot"
    if part.partition(".")[0].rstrip(" ").upper() in _DEVICES:
        return "is the name of a device on Windows"
    try:
        units = len(part.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        return "is not Unicode text"
    return f"is longer than {_NAME_UNITS} UTF-16 units" if units > _NAME_UNITS else ""
