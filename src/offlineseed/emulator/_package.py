"""
What the carrier hands over at the datacentre's door.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import final

import attrs

__all__ = ["Package", "Receipt", "ShippedDrive"]


@final
@attrs.frozen(kw_only=True)
class ShippedDrive:
    """
    A drive in a package.
    """

    drive_id: str
    """The serial number that its hardware reports."""
    path: Path = attrs.field(converter=Path)
    """Its contents: a folder that stands for its volume, an image file, or a block device."""


def _drives(value: Iterable[ShippedDrive]) -> tuple[ShippedDrive, ...]:
    return tuple(value)


@final
@attrs.frozen(kw_only=True)
class Package:
    """
    A package with a job's drives.
    """

    tracking_number: str
    """The carrier's number on its label."""
    drives: tuple[ShippedDrive, ...] = attrs.field(converter=_drives)
    """What is inside."""


@final
@attrs.frozen(kw_only=True)
class Receipt:
    """
    What the datacentre found in a package.
    """

    job_names: tuple[str, ...]
    """The jobs that the package belongs to."""
    received: tuple[str, ...]
    """Drives of those jobs that are there."""
    missing: tuple[str, ...]
    """Drives of those jobs that are not."""
    extra: tuple[str, ...]
    """Drives of no job: they go back unprocessed."""
