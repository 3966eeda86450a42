"""
From the landing container to a vault: verified, taken over, and only then free to be deleted.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, final

import attrs

from offlineseed._durable import write_whole
from offlineseed.errors import FormatError, VerificationError
from offlineseed.events import OnEvent, ignore_events
from offlineseed.manifest import DriveManifest, parse_manifest
from offlineseed.reports import ReportBuilder
from offlineseed.seed import SeedReader, SegmentStore
from offlineseed.staging import StagedJob
from offlineseed.verify import LandedBlobs, VerificationReport, VerifyLevel, verify_landed

__all__ = ["Handover", "HandoverRecord", "HandoverStage", "read_handover", "read_manifests"]

_FILE = "handover.json"
_FORMAT = 1
_MANIFEST = "DriveManifest.xml"


class HandoverStage(str, Enum):
    """
    How far a landed seed is on its way into a vault.
    """

    LANDED = "landed"
    """The import job is done; nobody looked at what landed."""
    VERIFIED = "verified"
    """Everything that was shipped is there, byte for byte."""
    HANDED_OVER = "handed-over"
    """A vault has it: the data on the staging location and in the container may be deleted."""


@final
@attrs.frozen(kw_only=True)
class HandoverRecord:
    """
    The content of `handover.json`, in a job's folder.
    """

    stage: HandoverStage = HandoverStage.LANDED
    """How far it is."""
    digest: str = ""
    """The seal that was verified; empty for a job of opaque blobs only."""
    verified_at: dt.datetime | None = None
    """When it was verified, aware."""
    handed_over_at: dt.datetime | None = None
    """When the vault had it, aware."""

    @property
    def may_delete(self) -> bool:
        """
        Whether staging location and container are needed no more.
        """
        return self.stage is HandoverStage.HANDED_OVER


@final
class Handover:
    """
    The hand-over of one landed seed.

    Args:
        job: the staged job; the record of the hand-over lies in its folder.
        landed: the container.
        store: the landed seed for reading, such as a `BlobStore` with the job's name as its
            prefix; None for a job of opaque blobs only.
    """

    def __init__(
        self, job: StagedJob, landed: LandedBlobs, *, store: SegmentStore | None = None
    ) -> None:
        self._job = job
        self._landed = landed
        self._store = store
        self._path = job.folder / _FILE

    @property
    def record(self) -> HandoverRecord:
        """
        How far the hand-over is.

        Raises:
            FormatError: the record is damaged.
        """
        return read_handover(self._job)

    def verify(
        self,
        *,
        expected_digest: str | None = None,
        renamed: dict[str, str] | None = None,
        level: VerifyLevel = VerifyLevel.FULL,
        check_chunks: bool = True,
        now: dt.datetime | None = None,
        on_event: OnEvent = ignore_events,
    ) -> VerificationReport:
        """
        Compare what landed with the drives' manifests, and the seed with its seal.

        Args:
            expected_digest: the seal's digest as the source kept it; by default that on the
                staging location.
            renamed: blob paths of the manifests to those under which they landed.
            level: how much of each blob is read and compared with the MD5s of the manifests.
            check_chunks: read the seed's chunks too, and compare them with the SHA-256 of each: so
                everything is read twice, and proven by the digest that the source kept.
            now: the time, aware; the machine's where None.
            on_event: gets a `BlobVerified` for each blob.

        Returns:
            The report. Where it is well, the record says `VERIFIED`.

        Raises:
            FormatError: a manifest or the seed's catalog is damaged, or not the one of the seal.
            SegmentMissingError: the seed's catalog or seal did not land under its own name.
            AzureError, OSError: the container can't be read.
        """
        report = ReportBuilder(f"import job {self._job.name}")
        manifests = read_manifests(self._job)
        report.merge(
            verify_landed(self._landed, manifests, level=level, renamed=renamed, on_event=on_event)
        )
        seal = self._job.seal
        digest = expected_digest or (seal.digest if seal else "")
        if seal is not None and self._store is not None:
            with SeedReader(self._store, generation=0, expected_digest=digest) as reader:
                report.count("seals")
                for damage in reader.check() if check_chunks else ():
                    report.fail(
                        "chunk-differs",
                        damage.segment,
                        offset=damage.offset,
                        expected=damage.expected,
                        found=damage.found,
                    )
        built = report.build()
        if built.is_ok and self.record.stage is HandoverStage.LANDED:
            self._write(
                HandoverRecord(
                    stage=HandoverStage.VERIFIED, digest=digest, verified_at=now or _utc_now()
                )
            )
        return built

    def hand_over(
        self,
        take: Callable[[LandedBlobs, SeedReader | None], object],
        *,
        now: dt.datetime | None = None,
    ) -> HandoverRecord:
        """
        Let the vault take the seed, once: the article's "next scheduled backup".

        Args:
            take: copies the seed into the vault and returns when it is safe there. Gets the
                container, and a reader of the seed where there is one. What it raises passes
                through, and it is called again the next time.
            now: the time, aware; the machine's where None.

        Raises:
            VerificationError: what landed is not verified.
        """
        record = self.record
        if record.stage is HandoverStage.HANDED_OVER:
            return record
        if record.stage is not HandoverStage.VERIFIED:
            raise VerificationError(
                f"what landed of {self._job.name} is not verified: verify it, and repair what did "
                "not land, before a vault takes it"
            )
        if self._store is not None and record.digest:
            with SeedReader(self._store, generation=0, expected_digest=record.digest) as reader:
                take(self._landed, reader)
        else:
            take(self._landed, None)
        record = attrs.evolve(
            record, stage=HandoverStage.HANDED_OVER, handed_over_at=now or _utc_now()
        )
        self._write(record)
        return record

    def _write(self, record: HandoverRecord) -> None:
        document: dict[str, Any] = {
            "format": _FORMAT,
            "stage": record.stage.value,
            "digest": record.digest,
        }
        for name in ("verified_at", "handed_over_at"):
            moment = getattr(record, name)
            document[name] = None if moment is None else moment.isoformat()
        write_whole(self._path, (json.dumps(document, indent=2) + "\n").encode("ascii"))


def read_handover(job: StagedJob) -> HandoverRecord:
    """
    Return how far a job's hand-over is.

    Raises:
        FormatError: the record is damaged.
    """
    try:
        return _parse((job.folder / _FILE).read_bytes())
    except FileNotFoundError:
        return HandoverRecord()


def read_manifests(job: StagedJob, drive_ids: Iterable[str] | None = None) -> list[DriveManifest]:
    """
    Read the copies of the drives' manifests on the staging location.

    Args:
        job: the staged job.
        drive_ids: the drives; None for all that have a manifest.

    Raises:
        ManifestError: one is damaged.
        OSError: one is not there.
    """
    drives = job.folder / "drives"
    if drive_ids is None:
        paths = sorted(drives.glob(f"*/{_MANIFEST}"))
    else:
        paths = [drives / drive_id / _MANIFEST for drive_id in drive_ids]
    return [parse_manifest(path.read_bytes()) for path in paths]


def _parse(data: bytes) -> HandoverRecord:
    try:
        document = json.loads(data)
        if document["format"] != _FORMAT:
            raise ValueError("not of this format")
        return HandoverRecord(
            stage=HandoverStage(document["stage"]),
            digest=str(document["digest"]),
            verified_at=_time(document["verified_at"]),
            handed_over_at=_time(document["handed_over_at"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(
            f"{_FILE} is damaged or of a newer format: delete it and verify again", context=_FILE
        ) from error


def _time(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
