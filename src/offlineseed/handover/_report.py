"""
What a repair did.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import attrs

from offlineseed.findings import Finding
from offlineseed.verify import VerificationReport

__all__ = ["RepairReport", "RepairedBlob"]


@final
@attrs.frozen(kw_only=True)
class RepairedBlob:
    """
    A blob that was made whole.
    """

    blob_path: str
    """Container and name."""
    parts: int
    """How many of its blocks or page ranges it has."""
    uploaded_parts: int
    """How many of them were uploaded; the others were there."""
    uploaded_bytes: int
    """Their bytes."""


def _blobs(value: Iterable[RepairedBlob]) -> tuple[RepairedBlob, ...]:
    return tuple(value)


def _findings(value: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(value)


@final
@attrs.frozen(kw_only=True)
class RepairReport:
    """
    The outcome of a repair: what was uploaded, what could not be, and what is there now.
    """

    repaired: tuple[RepairedBlob, ...] = attrs.field(default=(), converter=_blobs)
    """The blobs that were made whole, in the manifests' order."""
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=_findings)
    """What was left alone, and why."""
    verification: VerificationReport
    """The repaired blobs, read again from the destination and compared with the manifests."""

    @property
    def is_ok(self) -> bool:
        """
        Whether everything that had not landed is there now.
        """
        return self.verification.is_ok and not self.findings

    @property
    def uploaded_bytes(self) -> int:
        """
        Bytes that went over the network.
        """
        return sum(blob.uploaded_bytes for blob in self.repaired)
