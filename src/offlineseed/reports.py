"""
Verification reports: what was compared, how much of it, and everything that was wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import final

import attrs

from offlineseed.errors import VerificationError
from offlineseed.findings import Finding

__all__ = ["ReportBuilder", "VerificationFailure", "VerificationReport"]

_KEPT_FAILURES = 10_000


@final
@attrs.frozen(kw_only=True)
class VerificationFailure:
    """
    One thing that is not as it should be.
    """

    code: str
    """Stable, lower case with hyphens, such as `range-differs` or `file-missing`."""
    subject: str
    """The file, blob, segment or item."""
    offset: int | None = None
    """Where in it the wrong range begins, in bytes; None where the whole is meant."""
    length: int | None = None
    """How long the range is, in bytes; None where the whole is meant."""
    expected: str = ""
    """What it should be: a hash, a length, or `present`."""
    found: str = ""
    """What it is."""

    def __str__(self) -> str:
        place = "" if self.offset is None else f" at {self.offset}+{self.length}"
        return f"{self.subject}{place}: {self.code}, expected {self.expected}, found {self.found}"


@final
@attrs.frozen(kw_only=True)
class VerificationReport:
    """
    The outcome of a verification.
    """

    subject: str
    """What was verified, such as `drive 9WM35C2V`."""
    checks: tuple[tuple[str, int], ...]
    """What was compared, and how many of each: (name, count), sorted by name."""
    failures: tuple[VerificationFailure, ...]
    """What was wrong, in the order of the check: the first 10,000, so that memory is bounded."""
    failure_count: int
    """How much was wrong."""
    findings: tuple[Finding, ...] = ()
    """What the reader of the report should know besides, such as that a cache may have answered."""

    @property
    def is_ok(self) -> bool:
        """
        Whether nothing was wrong.
        """
        return self.failure_count == 0

    def count(self, check: str) -> int:
        """
        Return how many of a kind were compared; 0 for a kind that was not.
        """
        return dict(self.checks).get(check, 0)

    def raise_if_failed(self) -> None:
        """
        Raise where anything was wrong.

        Raises:
            VerificationError: with this report; its message shows the first failures.
        """
        if self.is_ok:
            return
        shown = "; ".join(str(failure) for failure in self.failures[:3])
        more = self.failure_count - len(self.failures[:3])
        raise VerificationError(
            f"{self.subject}: {shown}" + (f"; and {more} more" if more else ""), report=self
        )


@final
class ReportBuilder:
    """
    Collects what a verification sees.

    Thread rule: one thread at a time.
    """

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._checks: Counter[str] = Counter()
        self._failures: list[VerificationFailure] = []
        self._findings: list[Finding] = []
        self.failure_count = 0
        """Failures so far."""

    def count(self, check: str, number: int = 1) -> None:
        """
        Say that this many more of a kind were compared, right or wrong.
        """
        self._checks[check] += number

    def fail(
        self,
        code: str,
        subject: str,
        *,
        expected: str,
        found: str,
        offset: int | None = None,
        length: int | None = None,
    ) -> None:
        """
        Add a failure; the arguments are those of `VerificationFailure`.
        """
        self.failure_count += 1
        if len(self._failures) < _KEPT_FAILURES:
            self._failures.append(
                VerificationFailure(
                    code=code,
                    subject=subject,
                    offset=offset,
                    length=length,
                    expected=expected,
                    found=found,
                )
            )

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """
        Add what is no failure but should be known.
        """
        self._findings.extend(findings)

    def merge(self, report: VerificationReport) -> None:
        """
        Add all that another report has.
        """
        self._checks.update(dict(report.checks))
        self.failure_count += report.failure_count
        self._failures.extend(report.failures[: _KEPT_FAILURES - len(self._failures)])
        self._findings.extend(report.findings)

    def build(self) -> VerificationReport:
        """
        Return the report.
        """
        return VerificationReport(
            subject=self._subject,
            checks=tuple(sorted(self._checks.items())),
            failures=tuple(self._failures),
            failure_count=self.failure_count,
            findings=tuple(self._findings),
        )
