"""
Findings: what a check saw, as values.

Checks report everything they see, not the first thing. A finding carries a stable `code`, so its
words may change and a caller's tests do not.
"""

from __future__ import annotations

from enum import Enum
from typing import final

import attrs

__all__ = ["Finding", "Severity"]


class Severity(str, Enum):
    """
    How much a finding matters.
    """

    ERROR = "error"
    """The thing can't be used as it is."""
    WARNING = "warning"
    """The thing can be used; somebody should look."""


@final
@attrs.frozen(kw_only=True)
class Finding:
    """
    One thing that a check saw.
    """

    code: str
    """Stable, lower case with hyphens, such as `container-name-invalid`."""
    subject: str
    """What it is about: a file, a setting, a blob path, a drive id."""
    message: str
    """What is so and what to do about it, for a person."""
    severity: Severity = Severity.ERROR
    """Whether it stops the show."""

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"
