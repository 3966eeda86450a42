"""
What a verification has seen so far.
"""

from __future__ import annotations

from typing import Final, final

from offlineseed.findings import Finding, Severity

__all__ = ["Report"]

_MOST: Final = 1000


@final
class Report:
    """
    Collects findings, up to a thousand: a volume that is wholly wrong ends the list early.
    """

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._left_out = 0

    def error(self, code: str, subject: str, message: str) -> None:
        """
        Note something that makes the volume wrong.
        """
        self._add(Finding(code=code, subject=subject, message=message))

    def warn(self, code: str, subject: str, message: str) -> None:
        """
        Note something that readers put up with.
        """
        self._add(Finding(code=code, subject=subject, message=message, severity=Severity.WARNING))

    def findings(self) -> tuple[Finding, ...]:
        """
        Return the findings in the order in which they were seen.
        """
        if not self._left_out:
            return tuple(self._findings)
        more = Finding(
            code="more-findings",
            subject="volume",
            message=f"{self._left_out} more findings are not listed; write the volume again",
        )
        return (*self._findings, more)

    def _add(self, finding: Finding) -> None:
        if len(self._findings) < _MOST:
            self._findings.append(finding)
        else:
            self._left_out += 1
