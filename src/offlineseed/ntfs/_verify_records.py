"""
The first pass of a verification: every record by itself, and what the later passes compare.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from typing import Final, final

from offlineseed.errors import NtfsError
from offlineseed.ntfs._decode import (
    ATTRIBUTE_LIST,
    DATA,
    FILE_NAME,
    STANDARD_INFORMATION,
    Attribute,
    Record,
)
from offlineseed.ntfs._decode_index import NameKey, parse_name_key
from offlineseed.ntfs._verify_report import Report
from offlineseed.ntfs._volume import ReadVolume, uppercase

__all__ = ["FIRST_OF_USERS", "RecordTable", "name_digest"]

FIRST_OF_USERS: Final = 24
"""Below it stand the system's records, whose copies other writers let grow old."""

_BAD_CLUSTERS: Final = 8
_PACKED: Final = 0x80FF  # sparse or compressed
_DIRECTORY: Final = 0x10000000


def name_digest(key: NameKey, allocated: int, length: int) -> int:
    """
    Return a digest of what an index entry must repeat of a record.
    """
    is_directory = bool(key.attributes & _DIRECTORY)
    return hash((key.parent, allocated, length, is_directory, key.namespace, key.name))


@final
class RecordTable:
    """
    All records of a volume, checked one by one, and kept as a few bytes each.
    """

    def __init__(self, volume: ReadVolume, report: Report, upcase: Sequence[int]) -> None:
        self._volume = volume
        self._report = report
        self._upcase = upcase
        count = volume.records
        self.sequences = array("H", bytes(2 * count))
        """Of each record: its sequence number; 0 where nothing is there."""
        self.name_counts = array("H", bytes(2 * count))
        """Of each record: its names."""
        self.digests = array("q", bytes(8 * count))
        """Of each record: the digest of its first name."""
        self.time_digests = array("q", bytes(8 * count))
        """Of each record: the digest of its times."""
        self.more_digests: dict[int, set[int]] = {}
        """Of records with more than one name: the digests of all."""
        self.unsized: set[int] = set()
        """Records whose sizes an index entry counts in ways of its own."""
        self.directories = array("I")
        """The records with an index of names."""
        self.run_starts = array("Q")
        """First clusters of all runs."""
        self.run_counts = array("Q")
        """Clusters of all runs."""
        self.run_owners = array("I")
        """Records that the runs belong to."""
        self.security_ids: dict[int, int] = {}
        """The security ids in use, each with the first record that uses it."""

    def read(self) -> None:
        """
        Read and check every record.
        """
        for number in range(self._volume.records):
            try:
                record = self._volume.record(number)
                if record.is_in_use:
                    self.sequences[number] = record.sequence
                    self._check(record)
            except NtfsError as e:
                self._report.error("record-damaged", f"record {number}", str(e))

    def _check(self, record: Record) -> None:
        subject = f"record {record.number}"
        error = self._report.error
        if not record.sequence:
            error("record-sequence", subject, "the record's sequence number is 0")
        if record.stored_number != record.number:
            error("record-number", subject, f"the record says it is {record.stored_number}")
        if record.used != record.end:
            error("record-length", subject, "the record's length is not that of its attributes")
        previous = (-1, "", -1)
        instances = set()
        for attribute in record.attributes:
            place = (attribute.kind, uppercase(attribute.name, self._upcase), attribute.lowest)
            if place < previous or (place == previous and attribute.kind != FILE_NAME):
                error("attribute-order", subject, "the record's attributes are out of order")
            previous = place
            instances.add(attribute.instance)
            if attribute.value is None:
                self._check_runs(record, attribute, subject)
        if len(instances) != len(record.attributes) or any(
            instance >= record.next_instance for instance in instances
        ):
            error("attribute-instance", subject, "the numbers of the attributes are not their own")
        if not record.base:
            self._keep(record, subject)

    def _check_runs(self, record: Record, attribute: Attribute, subject: str) -> None:
        error = self._report.error
        total = 0
        for first, count in attribute.runs:
            total += count
            if first is None:
                continue
            if first + count > self._volume.boot.clusters:
                error("run-outside", subject, f"a run of {count} clusters at {first} is outside")
                continue
            if record.number == _BAD_CLUSTERS:
                self._report.warn("bad-clusters", subject, f"{count} clusters at {first} are bad")
            self.run_starts.append(first)
            self.run_counts.append(count)
            self.run_owners.append(record.number)
        if total != attribute.highest - attribute.lowest + 1:
            error("run-count", subject, "an attribute's runs are not as long as it says")
        if attribute.lowest or attribute.flags & _PACKED or record.find(ATTRIBUTE_LIST):
            return
        if attribute.allocated != total * self._volume.boot.cluster_bytes:
            error("allocated-size", subject, "the allocated size is not that of the runs")
        if not attribute.initialised <= attribute.length <= attribute.allocated:
            error("data-size", subject, "the sizes of an attribute contradict each other")

    def _keep(self, record: Record, subject: str) -> None:
        error = self._report.error
        names: list[NameKey] = []
        data: Attribute | None = None
        information = b""
        for attribute in self._volume.all_attributes(record):
            if attribute.kind == FILE_NAME and attribute.value is not None:
                names.append(parse_name_key(attribute.value))
            elif attribute.kind == STANDARD_INFORMATION and attribute.value is not None:
                information = attribute.value
            elif attribute.kind == DATA and not attribute.name and not attribute.lowest:
                data = attribute
        if len(information) < 0x30:
            error("standard-information", subject, "the record has no standard information")
        elif len(information) >= 0x48:
            (security_id,) = struct.unpack_from("<I", information, 0x34)
            self.security_ids.setdefault(security_id, record.number)
        if len(names) != record.links:
            error(
                "link-count", subject, f"the record has {len(names)} names and says {record.links}"
            )
        if not names and record.number >= FIRST_OF_USERS:
            error("record-nameless", subject, "the record is in use and has no name")
        self.name_counts[record.number] = len(names)
        if record.is_directory:
            self.directories.append(record.number)
        allocated = length = 0
        if data is not None and not record.is_directory:
            allocated, length = data.allocated, data.length
            if data.flags & _PACKED:
                self.unsized.add(record.number)
        digests = {name_digest(name, allocated, length) for name in names}
        if names:
            self.digests[record.number] = name_digest(names[0], allocated, length)
            self.time_digests[record.number] = hash(information[:32])
        if len(digests) > 1:
            self.more_digests[record.number] = digests
