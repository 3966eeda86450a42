"""
NTFS's small encodings: run lists, fix-ups, attributes, records.

All lengths of attributes are multiples of eight, and a record's attributes stand in ascending
order of type, then of upper-cased name; the callers see to the order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = [
    "END_MARKER",
    "HOLE",
    "RECORD_BYTES",
    "encode_record",
    "encode_runs",
    "non_resident_attribute",
    "protect",
    "resident_attribute",
    "round_up",
]

RECORD_BYTES: Final = 1024
"""Length of a record of the master file table, with sectors of 512 bytes."""
HOLE: Final = -1
"""As the first cluster of a run: nothing is stored, the run reads as zeros."""
END_MARKER: Final = b"\xff\xff\xff\xff\0\0\0\0"
"""What closes a record's attributes."""

_STRIDE: Final = 512
_RECORD_HEADER: Final = struct.Struct("<4sHHQHHHHIIQHHIHHHH")
_RESIDENT: Final = struct.Struct("<IIBBHHHIHBB")
_NON_RESIDENT: Final = struct.Struct("<IIBBHHHQQHHIQQQ")
_ATTRIBUTES_AT: Final = 0x38
_RECORD_USN: Final = 2


def round_up(number: int, unit: int) -> int:
    """
    Return the smallest multiple of `unit` that is not below `number`.
    """
    return -(-number // unit) * unit


def _signed(number: int) -> bytes:
    # Two's complement in as few bytes as keep the sign.
    magnitude = number if number >= 0 else ~number
    return number.to_bytes(magnitude.bit_length() // 8 + 1, "little", signed=True)


def encode_runs(runs: Iterable[tuple[int, int]]) -> bytes:
    """
    Return a run list: (first cluster or `HOLE`, number of clusters) in the order of the data.
    """
    parts = []
    previous = 0
    for first, count in runs:
        length = _signed(count)
        if first == HOLE:
            parts.append(bytes((len(length),)) + length)
            continue
        delta = _signed(first - previous)
        previous = first
        parts.append(bytes((len(delta) << 4 | len(length),)) + length + delta)
    return b"".join(parts) + b"\0"


def resident_attribute(
    kind: int, value: bytes, *, instance: int, name: str = "", is_indexed: bool = False
) -> bytes:
    """
    Return an attribute whose value stands in the record.
    """
    value_at = round_up(_RESIDENT.size + 2 * len(name), 8)
    length = round_up(value_at + len(value), 8)
    header = _RESIDENT.pack(
        kind, length, 0, len(name), _RESIDENT.size, 0, instance, len(value), value_at, is_indexed, 0
    )
    head = (header + name.encode("utf-16-le")).ljust(value_at, b"\0")
    return (head + value).ljust(length, b"\0")


def non_resident_attribute(
    kind: int,
    runs: Sequence[tuple[int, int]],
    *,
    length: int,
    cluster_bytes: int,
    instance: int,
    name: str = "",
    initialised: int | None = None,
) -> bytes:
    """
    Return an attribute whose value lies in clusters.

    Args:
        kind: The attribute's type.
        runs: Where the value lies; the allocated size is theirs.
        length: The value's length in bytes.
        cluster_bytes: Bytes in a cluster.
        instance: The attribute's number in its record.
        name: The attribute's name.
        initialised: Bytes that were ever written; `length` where not given.
    """
    clusters = sum(count for _, count in runs)
    runs_at = round_up(_NON_RESIDENT.size + 2 * len(name), 8)
    encoded = encode_runs(runs)
    total = round_up(runs_at + len(encoded), 8)
    header = _NON_RESIDENT.pack(
        kind, total, 1, len(name), _NON_RESIDENT.size, 0, instance,
        0, clusters - 1, runs_at, 0, 0,
        clusters * cluster_bytes, length, length if initialised is None else initialised,
    )  # fmt: skip
    head = (header + name.encode("utf-16-le")).ljust(runs_at, b"\0")
    return (head + encoded).ljust(total, b"\0")


def protect(buffer: bytearray, offset: int, length: int, usa_offset: int, usn: int) -> None:
    """
    Put the fix-ups into a record or index block, once, when all else is in it.

    The strides are of 512 bytes whatever the sector size.
    """
    place = offset + usa_offset
    buffer[place : place + 2] = mark = usn.to_bytes(2, "little")
    for end in range(offset + _STRIDE, offset + length + 1, _STRIDE):
        place += 2
        buffer[place : place + 2] = buffer[end - 2 : end]
        buffer[end - 2 : end] = mark


def encode_record(
    number: int,
    attributes: Iterable[bytes],
    *,
    sequence: int,
    links: int,
    flags: int,
    next_instance: int,
    stored_number: int | None = None,
) -> bytes:
    """
    Return a whole record of the master file table, fix-ups included.

    Raises:
        ValueError: the attributes do not fit.
    """
    body = b"".join(attributes) + END_MARKER
    used = _ATTRIBUTES_AT + len(body)
    if used > RECORD_BYTES:
        raise ValueError(f"record {number} would take {used} bytes of {RECORD_BYTES}")
    header = _RECORD_HEADER.pack(
        b"FILE", 0x30, RECORD_BYTES // _STRIDE + 1, 0, sequence, links, _ATTRIBUTES_AT, flags,
        used, RECORD_BYTES, 0, next_instance, 0,
        number if stored_number is None else stored_number, 0, 0, 0, 0,
    )  # fmt: skip
    record = bytearray((header + body).ljust(RECORD_BYTES, b"\0"))
    protect(record, 0, RECORD_BYTES, 0x30, _RECORD_USN)
    return bytes(record)
