"""
Every exception of the library: one class for each thing that a caller would do differently.

Errors pickle: the message is positional, data are keywords with defaults and come back as
attributes. Errors of azure-core and of the operating system pass through where the library knows
nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from offlineseed.findings import Finding

__all__ = [
    "AdapterUnavailableError",
    "BitLockerFormatError",
    "CatalogError",
    "ChunkDamagedError",
    "ConsentError",
    "CopyLogError",
    "DriveChangedError",
    "DriveError",
    "DriveNotEligibleError",
    "FormatError",
    "GenerationFullError",
    "GenerationSealedError",
    "ItemNotFoundError",
    "JobError",
    "JobNotFoundError",
    "JobStateError",
    "JournalError",
    "ManifestError",
    "NameNotAllowedError",
    "NotEnoughDrivesError",
    "NtfsError",
    "OfflineSeedError",
    "PartitionTableError",
    "PublishSettingsError",
    "RecoveryPasswordError",
    "SeedError",
    "SegmentError",
    "SegmentMissingError",
    "ServiceFormatError",
    "SettingsError",
    "ShippingError",
    "SourceChangedError",
    "StagedJobExistsError",
    "StagedJobNotFoundError",
    "StagingError",
    "StagingFullError",
    "StagingLockedError",
    "TrackingNumberInUseError",
    "UnlockRefusedError",
    "UnsafeNameError",
    "VerificationError",
    "VolumeError",
    "VolumeFullError",
]


class OfflineSeedError(Exception):
    """
    Base of every error that the library raises itself.
    """


class FormatError(OfflineSeedError, ValueError):
    """
    Bytes do not follow a published format.
    """

    def __init__(self, message: str, *, context: str = "") -> None:
        super().__init__(message)
        self.context = context
        """Where in the document, such as `Drive/BlobList/Blob[3]/Length`; may be empty."""


class ManifestError(FormatError):
    """
    A drive manifest is not what the Import/Export service reads.
    """


class BitLockerFormatError(FormatError):
    """
    A volume's BitLocker structures are damaged or of an unknown kind.
    """


class NtfsError(FormatError):
    """
    A file system's NTFS structures are damaged or do not agree with each other.
    """


class PartitionTableError(FormatError):
    """
    A disk's partition table is damaged, or can't be made as asked.
    """


class RecoveryPasswordError(FormatError):
    """
    Not a recovery password. Names the wrong group, never its digits.
    """

    def __init__(self, message: str, *, context: str = "", group: int = 0) -> None:
        super().__init__(message, context=context)
        self.group = group
        """The first wrong group, 1 to 8; 0 where the whole form is wrong."""


class PublishSettingsError(FormatError):
    """
    A publish settings file can't be used. Never shows key material.
    """

    def __init__(
        self, message: str, *, context: str = "", findings: Iterable[Finding] = ()
    ) -> None:
        super().__init__(message, context=context)
        self.findings = tuple(findings)
        """Everything that is wrong with the file."""


class CatalogError(FormatError):
    """
    A seed's catalog is damaged, of a newer version, or not the one that its seal names.
    """


class SegmentError(FormatError):
    """
    A segment's frames or seek table are damaged.
    """


class JournalError(FormatError):
    """
    A drive's journal is damaged before its last record, or belongs to another drive or plan.
    """


class CopyLogError(FormatError):
    """
    A copy log of the service can't be read at all.
    """


class ServiceFormatError(FormatError):
    """
    An answer of the service is malformed.
    """


class _FindingsError(OfflineSeedError):
    findings: tuple[Finding, ...]
    """Everything that was found, not the first thing."""

    def __init__(self, message: str, *, findings: Iterable[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class SettingsError(_FindingsError):
    """
    Names or values that the service would refuse; each finding says the rule.
    """


class SeedError(OfflineSeedError):
    """
    Something about a seed: its items, its segments or its generations.
    """


class UnsafeNameError(SeedError):
    """
    An item's name would leave the place where it is restored, or can't be an item's name at all.
    """

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name
        """The name as it stands in the catalog or was given."""


class ItemNotFoundError(SeedError, LookupError):
    """
    A generation has no item of that name.
    """

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name
        """The name that was asked for."""


class GenerationSealedError(SeedError):
    """
    A generation is sealed: nothing more can be added to it.
    """


class GenerationFullError(SeedError):
    """
    A generation has as many segments as it may have. What was acknowledged is safe.
    """


class SegmentMissingError(SeedError, LookupError):
    """
    A store does not hold an object that a catalog names.
    """

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name
        """The object's name in the store."""


class ChunkDamagedError(SeedError):
    """
    Stored bytes of a chunk are not what the catalog says; none of them was handed out.
    """

    def __init__(
        self,
        message: str,
        *,
        item: str = "",
        offset: int = 0,
        segment: str = "",
        frame_offset: int = 0,
        expected: str = "",
        found: str = "",
    ) -> None:
        super().__init__(message)
        self.item = item
        """The item that was being read; empty where a segment was checked by itself."""
        self.offset = offset
        """Where in the item the damaged range begins, in bytes."""
        self.segment = segment
        """The segment's name in the store."""
        self.frame_offset = frame_offset
        """Where in the segment the chunk's frame begins, in bytes."""
        self.expected = expected
        """SHA-256 by the catalog, hex."""
        self.found = found
        """SHA-256 of what was read, hex, or why there is none."""


class StagingError(OfflineSeedError):
    """
    Something about the staging location.
    """


class StagingFullError(StagingError):
    """
    The staging location has too little space. What was acknowledged is safe; make room and go on.
    """

    def __init__(self, message: str, *, needed_bytes: int = 0, free_bytes: int = 0) -> None:
        super().__init__(message)
        self.needed_bytes = needed_bytes
        """Bytes that the next step needs, at least."""
        self.free_bytes = free_bytes
        """Bytes that were free."""


class StagingLockedError(StagingError):
    """
    Another writer holds the job's lock.
    """

    def __init__(
        self, message: str, *, host: str = "", pid: int = 0, age_seconds: float = 0.0
    ) -> None:
        super().__init__(message)
        self.host = host
        """Machine of the holder."""
        self.pid = pid
        """Process id of the holder on that machine."""
        self.age_seconds = age_seconds
        """Seconds since the lock was taken."""


class StagedJobNotFoundError(StagingError, LookupError):
    """
    The staging location has no import job of that name.
    """

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name
        """The import job's name."""


class StagedJobExistsError(StagingError):
    """
    The staging location already has an import job of that name.
    """

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name
        """The import job's name."""


class VolumeError(OfflineSeedError):
    """
    Something about a drive's volume.
    """


class AdapterUnavailableError(VolumeError):
    """
    An adapter needs something that the machine lacks.
    """

    def __init__(self, message: str, *, missing: Iterable[str] = (), install: str = "") -> None:
        super().__init__(message)
        self.missing = tuple(missing)
        """The tools, modules or kernel features that were not found."""
        self.install = install
        """What to install, as one would type it; empty where nothing helps."""


class DriveNotEligibleError(_FindingsError, VolumeError):
    """
    The service would refuse this drive, or this machine needs it; a finding for each broken rule.
    """


class NameNotAllowedError(_FindingsError, VolumeError):
    """
    Names that Windows could not open on a drive's volume; a finding for each.
    """


class ConsentError(VolumeError):
    """
    A drive would be overwritten without the caller's consent naming its serial and size.
    """


class UnlockRefusedError(VolumeError):
    """
    The recovery password does not open this volume.
    """


class VolumeFullError(VolumeError):
    """
    A volume's contents do not fit on its drive.
    """

    def __init__(self, message: str, *, needed_bytes: int = 0, free_bytes: int = 0) -> None:
        super().__init__(message)
        self.needed_bytes = needed_bytes
        """Bytes that the contents need."""
        self.free_bytes = free_bytes
        """Bytes that the volume has for them."""


class DriveError(OfflineSeedError):
    """
    Something about planning or preparing drives.
    """


class NotEnoughDrivesError(DriveError):
    """
    The staged blobs do not fit on the drives given.
    """

    def __init__(
        self,
        message: str,
        *,
        missing_bytes: int = 0,
        missing_drives: int = 0,
        largest_blob_bytes: int = 0,
    ) -> None:
        super().__init__(message)
        self.missing_bytes = missing_bytes
        """Bytes of blobs that found no place."""
        self.missing_drives = missing_drives
        """How many more drives, each as large as the largest given, would hold them."""
        self.largest_blob_bytes = largest_blob_bytes
        """The smallest capacity that makes sense for a further drive."""


class DriveChangedError(DriveError):
    """
    The drive is not the one that the journal describes, or changed behind the journal's back.
    """


class SourceChangedError(DriveError):
    """
    A staged blob is not what staging recorded; nothing wrong was put into a manifest.
    """

    def __init__(
        self, message: str, *, path: str = "", expected: str = "", found: str = ""
    ) -> None:
        super().__init__(message)
        self.path = path
        """The staged blob."""
        self.expected = expected
        """What staging recorded."""
        self.found = found
        """What was read."""


class JobError(OfflineSeedError):
    """
    Something about an import job.
    """


class JobNotFoundError(JobError, LookupError):
    """
    The service has no import job of that name.
    """

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name
        """The import job's name."""


class JobStateError(JobError):
    """
    The import job's state does not allow what was asked.
    """

    def __init__(self, message: str, *, current: str = "", wanted: str = "") -> None:
        super().__init__(message)
        self.current = current
        """The job's state."""
        self.wanted = wanted
        """The state or action that was asked for."""


class ShippingError(_FindingsError, JobError):
    """
    The service or the article refuses this shipping information; a finding for each broken rule.
    """


class TrackingNumberInUseError(ShippingError):
    """
    Another import job already has this tracking number; has every other finding, too.
    """

    def __init__(
        self, message: str, *, findings: Iterable[Finding] = (), job_name: str = ""
    ) -> None:
        super().__init__(message, findings=findings)
        self.job_name = job_name
        """The job that has it."""


class VerificationError(OfflineSeedError):
    """
    A report has failures; raised only by the report's `raise_if_failed()`.
    """

    def __init__(self, message: str, *, report: Any = None) -> None:
        super().__init__(message)
        self.report = report
        """The report."""
