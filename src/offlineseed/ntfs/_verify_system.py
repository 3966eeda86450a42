"""
Checks of the system's own files: bitmaps, mirror, boot sectors, security descriptors.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from offlineseed.errors import NtfsError
from offlineseed.ntfs._decode import BITMAP, DATA, Attribute
from offlineseed.ntfs._verify_index import walk_index
from offlineseed.ntfs._verify_records import RecordTable
from offlineseed.ntfs._verify_report import Report
from offlineseed.ntfs._volume import ReadVolume

__all__ = [
    "verify_boot_sectors",
    "verify_cluster_bitmap",
    "verify_mirror",
    "verify_record_bitmap",
    "verify_security",
    "verify_volume_flags",
]

_MFT, _MIRROR, _VOLUME, _CLUSTER_BITMAP, _SECURE = 0, 1, 3, 6, 9
_VOLUME_INFORMATION: Final = 0x70
_WINDOW: Final = 1 << 20
_SDS_BLOCK: Final = 0x40000
_MOST_SDS: Final = 1 << 30
_SDS_HEADER = struct.Struct("<IIQI")


def _stream(volume: ReadVolume, number: int, kind: int, name: str = "") -> Attribute:
    attribute = volume.attribute(volume.record(number), kind, name)
    if attribute is None:
        raise NtfsError(f"record {number} has no attribute {kind:#x} {name}".rstrip())
    return attribute


def verify_boot_sectors(volume: ReadVolume, report: Report) -> None:
    """
    Compare the boot sector with its copy.
    """
    offset = volume.boot.sectors * volume.boot.sector_bytes
    if volume.read(offset, 512) != volume.read(0, 512):
        report.error("boot-copy", "boot sector", "the boot sector's copy is another")


def verify_volume_flags(volume: ReadVolume, report: Report) -> None:
    """
    Check that the volume was left clean.
    """
    information = volume.value(_stream(volume, _VOLUME, _VOLUME_INFORMATION))
    if len(information) < 12:
        raise NtfsError("the volume's information is cut short")
    if int.from_bytes(information[10:12], "little") & 1:
        report.error("volume-dirty", "$Volume", "the volume is marked as not closed cleanly")


def verify_mirror(volume: ReadVolume, report: Report) -> None:
    """
    Compare the mirror with the first records.
    """
    mirror = _stream(volume, _MIRROR, DATA)
    if mirror.runs and mirror.runs[0][0] != volume.boot.mirror:
        report.error("mirror-place", "$MFTMirr", "the boot sector says another place")
    count = mirror.length // volume.boot.record_bytes
    table = b"".join([volume.raw_record(number) for number in range(min(count, volume.records))])
    if volume.value(mirror) != table.ljust(mirror.length, b"\0") or count < 4:
        report.error("mirror-differs", "$MFTMirr", "the mirror is not like the first records")


def verify_record_bitmap(volume: ReadVolume, report: Report, table: RecordTable) -> None:
    """
    Compare the master file table's bitmap with the records that are in use.
    """
    bits = volume.value(_stream(volume, _MFT, BITMAP))
    for number, sequence in enumerate(table.sequences):
        is_set = number // 8 < len(bits) and bool(bits[number // 8] >> number % 8 & 1)
        if is_set != bool(sequence):
            report.error(
                "record-bit",
                f"record {number}",
                f"the record's bit says {'in use' if is_set else 'free'}, its flags do not",
            )


def verify_cluster_bitmap(volume: ReadVolume, report: Report, table: RecordTable) -> None:
    """
    Check that no cluster has two owners, and that `$Bitmap` has exactly the clusters with one.
    """
    starts, counts, owners = table.run_starts, table.run_counts, table.run_owners
    merged: list[list[int]] = []
    last_owner = 0
    for index in sorted(range(len(starts)), key=starts.__getitem__):
        start, count = starts[index], counts[index]
        if merged and start < merged[-1][1]:
            report.error(
                "cluster-twice",
                f"record {owners[index]}",
                f"cluster {start} belongs to record {last_owner} too",
            )
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], start + count)
        else:
            merged.append([start, start + count])
        last_owner = owners[index]
    bitmap = _stream(volume, _CLUSTER_BITMAP, DATA)
    clusters = volume.boot.clusters
    if bitmap.length * 8 < clusters:
        raise NtfsError("$Bitmap is too short for the volume")
    length = min(bitmap.length, -(-clusters // 64) * 8)
    merged.append([clusters, length * 8])
    for offset, expected in _expected_bits(merged, length):
        found = volume.read_value(bitmap, offset, len(expected))
        if found != expected:
            place = next(i for i, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b)
            differ = found[place] ^ expected[place]
            bit = (differ & -differ).bit_length() - 1
            cluster = (offset + place) * 8 + bit
            is_taken = found[place] >> bit & 1
            report.error(
                "cluster-bit",
                f"cluster {cluster}",
                "the cluster is taken by its bit, but belongs to nothing"
                if is_taken
                else "the cluster is in use, but free by its bit",
            )


def _expected_bits(runs: list[list[int]], length: int) -> Iterator[tuple[int, bytes]]:
    # Windows of the bitmap that has ones in these runs, ascending and apart.
    position = 0
    for offset in range(0, length, _WINDOW):
        size = min(_WINDOW, length - offset)
        low, high = offset * 8, (offset + size) * 8
        window = bytearray(size)
        while position < len(runs) and runs[position][0] < high:
            start, end = max(runs[position][0], low) - low, min(runs[position][1], high) - low
            _set_range(window, start, end)
            if runs[position][1] > high:
                break
            position += 1
        yield offset, bytes(window)


def _set_range(window: bytearray, start: int, end: int) -> None:
    while start < end and (start % 8 or end - start < 8):
        window[start // 8] |= 1 << start % 8
        start += 1
    whole = (end - start) // 8
    window[start // 8 : start // 8 + whole] = b"\xff" * whole
    for bit in range(start + whole * 8, end):
        window[bit // 8] |= 1 << bit % 8


def _hash(descriptor: bytes) -> int:
    value = 0
    for (word,) in struct.iter_unpack("<I", descriptor[: len(descriptor) & ~3]):
        value = (((value << 3) | (value >> 29)) + word) & 0xFFFFFFFF
    return value


def verify_security(volume: ReadVolume, report: Report, table: RecordTable) -> None:
    """
    Check the security descriptors, their mirror and their two indexes, and the ids in use.
    """
    stream = _stream(volume, _SECURE, DATA, "$SDS")
    if stream.length > _MOST_SDS:
        raise NtfsError(f"{stream.length} bytes of security descriptors are absurd")
    headers: dict[int, bytes] = {}
    for start in range(0, stream.length, 2 * _SDS_BLOCK):
        block = volume.read_value(stream, start, min(_SDS_BLOCK, stream.length - start))
        rest = min(_SDS_BLOCK, max(0, stream.length - start - _SDS_BLOCK))
        mirror = volume.read_value(stream, start + _SDS_BLOCK, rest) if rest else b""
        if block[: len(mirror)] != mirror:
            report.error("security-mirror", "$Secure", "the descriptors' mirror is another")
        place = 0
        while place + _SDS_HEADER.size <= len(mirror):
            known_hash, security_id, offset, length = _SDS_HEADER.unpack_from(block, place)
            if not length:
                break
            subject = f"security id {security_id:#x}"
            descriptor = block[place + _SDS_HEADER.size : place + length]
            if offset != start + place or length < _SDS_HEADER.size:
                report.error("security-place", subject, "the descriptor says another place")
                break
            if _hash(descriptor) != known_hash:
                report.error("security-hash", subject, "the descriptor's hash is another")
            headers[security_id] = block[place : place + _SDS_HEADER.size]
            place = -(-(place + length) // 16) * 16
    record = volume.record(_SECURE)
    for name, size in (("$SDH", 8), ("$SII", 4)):
        previous: tuple[int, ...] = ()
        listed = set()
        for entry in walk_index(volume, report, record, name):
            key = struct.unpack(f"<{size // 4}I", entry.key[:size].ljust(size, b"\0"))
            if key <= previous:
                report.error(
                    "security-order", name, f"the entry of id {key[-1]:#x} is out of order"
                )
            previous = key
            listed.add(key[-1])
            if headers.get(key[-1]) != entry.data[: _SDS_HEADER.size]:
                report.error("security-entry", name, f"the entry of id {key[-1]:#x} is wrong")
        for security_id in headers.keys() - listed:
            report.error("security-unlisted", name, f"id {security_id:#x} is missing")
    for security_id, number in sorted(table.security_ids.items()):
        if security_id not in headers:
            note = report.warn if security_id == 0 else report.error
            note("security-unknown", f"record {number}", f"nothing is known of id {security_id:#x}")
