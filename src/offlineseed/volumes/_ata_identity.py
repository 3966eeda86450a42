"""
What an ATA drive says of itself. Pure.

Source: ATA/ATAPI Command Set (ACS-3), IDENTIFY DEVICE data, words 10-19, 168 and 217.
"""

from __future__ import annotations

import struct
from typing import final

import attrs

from offlineseed.volumes._eligibility import FormFactor

__all__ = ["IDENTITY_BYTES", "AtaIdentity", "parse_identity"]

IDENTITY_BYTES = 512
"""Bytes of the answer."""

_FORM_FACTORS = {
    1: FormFactor.LARGER,
    2: FormFactor.INCH_3_5,
    3: FormFactor.INCH_2_5,
    4: FormFactor.SMALLER,
    5: FormFactor.SMALLER,
    6: FormFactor.SMALLER,
    7: FormFactor.SMALLER,
    8: FormFactor.SMALLER,
}


@final
@attrs.frozen(kw_only=True)
class AtaIdentity:
    """
    The parts of an answer that matter here.
    """

    serial: str
    """The serial number without spaces; empty where the drive has none."""
    form_factor: FormFactor
    """How large its case is."""
    is_rotational: bool | None
    """Whether it has platters; None where it does not say."""


def parse_identity(data: bytes) -> AtaIdentity | None:
    """
    Read an answer whose strings stand in the order of reading, as Linux gives them.

    None where it is not as long as an answer.
    """
    if len(data) != IDENTITY_BYTES:
        return None
    words = struct.unpack("<256H", data)
    serial = data[20:40].decode("ascii", "replace").replace("\0", "")
    rate = words[217]
    is_rotational = None if rate in (0, 0xFFFF) else rate != 1
    return AtaIdentity(
        serial="".join(serial.split()),
        form_factor=_FORM_FACTORS.get(words[168] & 0xF, FormFactor.UNKNOWN),
        is_rotational=is_rotational,
    )
