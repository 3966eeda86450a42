"""
The service's rules for a manifest, as a table: all findings, not the first.

A rule yields a message for each thing it sees; the table gives it its code, its weight and the page
that it was read on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar, final

import attrs

from offlineseed.findings import Finding, Severity
from offlineseed.manifest import _blob_rules as blob_rules
from offlineseed.manifest import _list_rules as list_rules
from offlineseed.manifest._limits import CURRENT_LIMITS, ManifestLimits
from offlineseed.manifest._models import DriveManifest, ManifestBlob

__all__ = ["check_manifest", "check_manifest_blob"]

_KNOWN_VERSIONS = ("2011-10-01", "2014-11-01")

_T = TypeVar("_T")


@final
@attrs.frozen
class _Rule(Generic[_T]):
    code: str
    check: Callable[[_T, ManifestLimits], Iterator[str]]
    source: str
    severity: Severity = Severity.ERROR
    is_for_import: bool = True
    is_for_export: bool = True


_FORMAT = "manifest file format (2017-01-23)"
_NAMING = "naming and referencing containers, blobs, and metadata"
_PUT_BLOCK = "REST reference, Put Block"
_WINDOWS = "naming files, paths, and namespaces (Windows)"


def _drive_id(manifest: DriveManifest, _limits: ManifestLimits) -> Iterator[str]:
    drive_id = manifest.drive_id
    if not drive_id or any(c.isspace() or not c.isprintable() for c in drive_id):
        yield f"{drive_id!r} is no drive id: give the drive's serial number without spaces"


def _credential(manifest: DriveManifest, _limits: ManifestLimits) -> Iterator[str]:
    if bool(manifest.storage_account_key) == bool(manifest.container_sas):
        both = "both a storage account key and" if manifest.storage_account_key else "neither"
        yield f"there is {both} a container SAS: give exactly one, without it nothing is imported"


def _export_credential(manifest: DriveManifest, _limits: ManifestLimits) -> Iterator[str]:
    if manifest.storage_account_key or manifest.container_sas:
        yield "there is a storage account key or SAS: an export manifest has none"


def _sas_container(manifest: DriveManifest, _limits: ManifestLimits) -> Iterator[str]:
    if not manifest.container_sas:
        return
    container = manifest.container_sas.reveal().partition("?")[0].rstrip("/").rpartition("/")[2]
    others = {
        blob.blob_path.partition("/")[0]
        for blob_list in manifest.blob_lists
        for blob in blob_list.blobs
    } - {container}
    for other in sorted(others):
        yield f"blobs go to the container {other!r}, but the SAS is for {container!r}"


def _version(manifest: DriveManifest, _limits: ManifestLimits) -> Iterator[str]:
    if manifest.version not in _KNOWN_VERSIONS:
        yield f"the version {manifest.version!r} is none of {', '.join(_KNOWN_VERSIONS)}"


def _blob_list_there(manifest: DriveManifest, _limits: ManifestLimits) -> Iterator[str]:
    if not any(blob_list.blobs for blob_list in manifest.blob_lists):
        yield "no blob is listed: the drive would be shipped for nothing"


def _list_hashes(manifest: DriveManifest, _limits: ManifestLimits) -> Iterator[str]:
    for number, blob_list in enumerate(manifest.blob_lists, 1):
        for side in (blob_list.metadata_path, blob_list.properties_path):
            if side is not None and not list_rules.is_hash(side.hash):
                yield f"blob list {number}: the hash of {side.path!r} is no Base16 MD5"


def _blob_paths_differ(manifest: DriveManifest, _limits: ManifestLimits) -> Iterator[str]:
    seen: set[tuple[str, str | None]] = set()
    for blob_list in manifest.blob_lists:
        for blob in blob_list.blobs:
            key = (blob.blob_path, blob.snapshot)
            if key in seen:
                yield f"the blob path {blob.blob_path!r} is listed twice"
            seen.add(key)


def _file_paths_differ_in_more_than_case(
    manifest: DriveManifest, _limits: ManifestLimits
) -> Iterator[str]:
    seen: dict[str, str] = {}
    for blob_list in manifest.blob_lists:
        for blob in blob_list.blobs:
            first = seen.setdefault(blob.file_path.upper(), blob.file_path)
            if first != blob.file_path:
                yield (
                    f"the file paths {first!r} and {blob.file_path!r} differ in case only: "
                    "Windows opens one of them for both"
                )


_MANIFEST_RULES: tuple[_Rule[DriveManifest], ...] = (
    _Rule("drive-id-invalid", _drive_id, _FORMAT),
    _Rule("credential-not-one", _credential, _FORMAT, is_for_export=False),
    _Rule("credential-in-export", _export_credential, _FORMAT, is_for_import=False),
    _Rule("sas-container-differs", _sas_container, _FORMAT, is_for_export=False),
    _Rule("version-unknown", _version, _FORMAT, Severity.WARNING),
    _Rule("blob-list-empty", _blob_list_there, _FORMAT, Severity.WARNING),
    _Rule("hash-invalid", _list_hashes, _FORMAT),
    _Rule("blob-path-duplicate", _blob_paths_differ, _FORMAT),
    _Rule("file-path-case-only", _file_paths_differ_in_more_than_case, _WINDOWS),
)

_BLOB_RULES: tuple[_Rule[ManifestBlob], ...] = (
    _Rule("blob-path-invalid", blob_rules.blob_path, _NAMING),
    _Rule("blob-name-unwise", blob_rules.blob_name_is_wise, _NAMING, Severity.WARNING),
    _Rule("file-path-invalid", blob_rules.file_path, _WINDOWS),
    _Rule("file-path-long", blob_rules.file_path_length, _WINDOWS, Severity.WARNING),
    _Rule("character-not-in-xml", blob_rules.characters, "XML 1.0, section 2.2"),
    _Rule("blob-too-long", blob_rules.length, _FORMAT),
    _Rule("page-blob-unaligned", blob_rules.page_blob_length, _FORMAT),
    _Rule("disposition-unknown", blob_rules.disposition, _FORMAT, is_for_export=False),
    _Rule(
        "disposition-in-export",
        blob_rules.export_disposition,
        _FORMAT,
        Severity.WARNING,
        is_for_import=False,
    ),
    _Rule(
        "snapshot-in-import", blob_rules.snapshot, _FORMAT, Severity.WARNING, is_for_export=False
    ),
    _Rule("block-list-missing", list_rules.list_there, _FORMAT, Severity.WARNING),
    _Rule("block-list-too-long", list_rules.block_count, _FORMAT),
    _Rule("block-length-invalid", list_rules.block_lengths, _FORMAT),
    _Rule("block-list-not-contiguous", list_rules.block_coverage, _FORMAT),
    _Rule("block-ids-mixed", list_rules.block_ids_all_or_none, _FORMAT),
    _Rule("block-id-invalid", list_rules.block_ids, _PUT_BLOCK),
    _Rule("block-ids-missing", list_rules.block_ids_of_long_blob, _FORMAT, Severity.WARNING),
    _Rule("page-range-unaligned", list_rules.range_alignment, _FORMAT),
    _Rule("page-range-length-invalid", list_rules.range_lengths, _FORMAT),
    _Rule("page-ranges-out-of-order", list_rules.range_order, _FORMAT),
    _Rule("hash-invalid", list_rules.hashes, _FORMAT),
)


def check_manifest_blob(
    blob: ManifestBlob, *, limits: ManifestLimits = CURRENT_LIMITS, is_export: bool = False
) -> tuple[Finding, ...]:
    """
    Check one blob by itself against the service's rules; the finding's subject is its blob path.

    For manifests that are written or read blob by blob.
    """
    return tuple(_apply(_BLOB_RULES, blob, blob.blob_path, limits, is_export=is_export))


def check_manifest(
    manifest: DriveManifest, *, limits: ManifestLimits = CURRENT_LIMITS, is_export: bool = False
) -> tuple[Finding, ...]:
    """
    Check a manifest and every blob of it against the service's rules.

    Keeps every path of the manifest in memory. Never shows a key or a SAS.

    Args:
        manifest: the manifest.
        limits: what the service allows today, or allowed in 2017.
        is_export: whether the service wrote it for an export job.

    Returns:
        All findings: those of the drive first, then blob by blob.
    """
    findings = list(
        _apply(_MANIFEST_RULES, manifest, manifest.drive_id, limits, is_export=is_export)
    )
    for blob_list in manifest.blob_lists:
        for blob in blob_list.blobs:
            findings += check_manifest_blob(blob, limits=limits, is_export=is_export)
    return tuple(findings)


def _apply(
    rules: Iterable[_Rule[_T]], value: _T, subject: str, limits: ManifestLimits, *, is_export: bool
) -> Iterator[Finding]:
    for rule in rules:
        if rule.is_for_export if is_export else rule.is_for_import:
            for message in rule.check(value, limits):
                yield Finding(
                    code=rule.code, subject=subject, message=message, severity=rule.severity
                )
