"""
Which names an NTFS volume may carry so that Windows can open them.
"""

from __future__ import annotations

import re
from typing import Final

from offlineseed.findings import Finding

__all__ = ["LABEL_UNITS", "PROTECTED_DIRECTORY", "label_findings", "name_findings", "name_units"]

LABEL_UNITS: Final = 32
PROTECTED_DIRECTORY: Final = "System Volume Information"
"""Directory of Windows' own, which holds the reserved extents."""

_NAME_UNITS: Final = 255
_ILLEGAL = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
# Most names: printable ASCII without any problem, and not even the beginning of a device's name.
_PLAIN = re.compile(
    r"(?!aux|clo|com|con|lpt|nul|prn)[ !#-).+,\-0-9;=@A-Z\[\]^_`a-z{}~]{0,254}"
    r"[!#-)+,\-0-9;=@A-Z\[\]^_`a-z{}~]",
    re.IGNORECASE | re.ASCII,
)
_PORTS = (port + digit for port in ("COM", "LPT") for digit in "123456789\u00b9\u00b2\u00b3")
_DEVICES = frozenset(["CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$", *_PORTS])
_SYSTEM_NAMES = frozenset((
    "$MFT", "$MFTMIRR", "$LOGFILE", "$VOLUME", "$ATTRDEF", "$BITMAP", "$BOOT", "$BADCLUS",
    "$SECURE", "$UPCASE", "$EXTEND", PROTECTED_DIRECTORY.upper(),
))  # fmt: skip


def name_units(name: str) -> int:
    """
    Return the length of a name in UTF-16 units.
    """
    return len(name) if name.isascii() else len(name.encode("utf-16-le", "surrogatepass")) // 2


def name_findings(name: str, path: str, *, is_in_root: bool) -> list[Finding]:
    """
    Return everything that keeps Windows from opening this name.

    Args:
        name: One component of a path.
        path: The whole path up to and including the name, for the findings.
        is_in_root: Whether the name stands in the root directory, where NTFS has files of its own.
    """
    if _PLAIN.fullmatch(name):
        if is_in_root and name.upper() in _SYSTEM_NAMES:
            return [_system_finding(name, path)]
        return []
    findings = []

    def add(code: str, message: str) -> None:
        findings.append(Finding(code=code, subject=path, message=message))

    if not name:
        add("name-empty", "a path has an empty component; use relative paths without // or /")
        return findings
    if name in {".", ".."}:
        add("name-relative", f"{name!r} is not the name of a file; use paths without it")
        return findings
    bad = sorted(set(_ILLEGAL.findall(name)))
    if bad:
        shown = " ".join(repr(character) for character in bad)
        add("name-illegal-character", f"Windows does not allow {shown} in {name!r}; rename it")
    if name[-1] in ". ":
        add("name-trailing", f"Windows can't open {name!r}: it ends in a dot or space; rename it")
    if name.partition(".")[0].rstrip(" ").upper() in _DEVICES:
        add("name-device", f"Windows takes {name!r} for a device; rename it")
    units = name_units(name)
    if units > _NAME_UNITS:
        add("name-too-long", f"a name has at most 255 UTF-16 units, this one {units}; shorten it")
    if any("\ud800" <= character <= "\udfff" for character in name):
        add("name-surrogate", f"{name!r} is not valid Unicode: it has a lone surrogate; rename it")
    if is_in_root and name.upper() in _SYSTEM_NAMES:
        findings.append(_system_finding(name, path))
    return findings


def _system_finding(name: str, path: str) -> Finding:
    return Finding(
        code="name-system",
        subject=path,
        message=f"NTFS or Windows has a file {name!r} of its own in the root; rename it",
    )


def label_findings(label: str) -> list[Finding]:
    """
    Return everything that keeps a text from being a volume's label.
    """
    problems = []
    if name_units(label) > LABEL_UNITS:
        problems.append(f"has more than {LABEL_UNITS} UTF-16 units; shorten it")
    if _ILLEGAL.search(label) or any("\ud800" <= unit <= "\udfff" for unit in label):
        problems.append("has characters that Windows does not allow; change them")
    return [
        Finding(code="label-invalid", subject="label", message=f"the label {label!r} {problem}")
        for problem in problems
    ]
