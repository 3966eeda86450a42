"""
The words of copy logs: what each means and what to do about it. Pure.

Source: "Azure Import/Export service log file format", 2014-11-01; "Review job status and
understand errors", 2022-03.
"""

from __future__ import annotations

import re

__all__ = ["RENAMED_WORDS", "UPLOADED_WORDS", "advice", "hyphenated"]

UPLOADED_WORDS = frozenset({"completed", "committed", "uncommitted"})
"""Statuses of a block or page range whose bytes are in the storage account."""

RENAMED_WORDS = frozenset(
    {"containerrenamed", "sharerenamed", "blobrenamed", "filerenamed", "diskrenamed"}
)
"""Statuses of an entity that landed whole, under another name."""

_NEW_JOB = "prepare the drive again for a new job"
_REPAIR = "upload it from the staging location over the network"
_WAIT = "ask the service's support; the drive itself may be sound"

_ADVICE = {
    "completedwithwarnings": ("some blobs met others of their names", "see their dispositions"),
    "completedwitherrors": ("parts of it failed", "see its parts; repair uploads them"),
    # The drive.
    "disknotfound": ("no disk was found in the datacentre", _NEW_JOB),
    "volumenotntfs": ("the first data volume is not NTFS", _NEW_JOB),
    "diskoperationfailed": ("reading the disk failed", "check the drive; " + _NEW_JOB),
    "bitlockervolumenotfound": ("no BitLocker volume was found", _NEW_JOB),
    "bitlockernotactivated": ("BitLocker is not active on the volume", _NEW_JOB),
    "bitlockerprotectornotfound": ("the volume has no numerical password protector", _NEW_JOB),
    "bitlockerkeyinvalid": (
        "the job's recovery password is not one",
        "correct it in the job, or make a new job",
    ),
    "bitlockerunlockvolumefailed": (
        "the job's recovery password does not open the volume",
        "correct it in the job, or make a new job",
    ),
    "bitlockerfailed": ("BitLocker failed in the datacentre", _WAIT),
    "manifestnameinvalid": ("the manifest's path in the job is not valid", "make a new job"),
    "manifestnametoolong": ("the manifest's path in the job is too long", "make a new job"),
    "manifestnotfound": ("the drive has no manifest where the job says", _NEW_JOB),
    "manifestaccessdenied": ("the manifest on the drive can't be read", _NEW_JOB),
    "manifestcorrupted": ("the manifest's hash is not the job's", _NEW_JOB),
    "manifestformatinvalid": ("the manifest is not of the published form", _NEW_JOB),
    "manifestdriveidmismatch": ("the manifest is another drive's", _NEW_JOB),
    "readmanifestfailed": ("reading the manifest from the drive failed", _NEW_JOB),
    "bloblistformatinvalid": ("the list of blobs to export is malformed", "correct the list"),
    "internalerror": ("the service failed", _WAIT),
    # A blob and its parts.
    "blobrequestforbidden": (
        "the storage account refused the job's key or signature",
        "check its key, its firewall and the job's access; then repair",
    ),
    "filenameinvalid": ("its file's name on the drive is not valid", _REPAIR),
    "filenametoolong": ("its file's name on the drive is too long", _REPAIR),
    "filenotfound": ("its file is not on the drive", _REPAIR),
    "fileaccessdenied": ("its file on the drive can't be opened", _REPAIR),
    "blobrequestfailed": ("the storage account refused a request", _REPAIR),
    "renamefailed": ("no free name was found for it", _REPAIR),
    "blobunexpectedchange": ("it changed while it was exported", "export it again"),
    "leasepresent": ("it has a lease at its destination", "break the lease; then repair"),
    "iofailed": ("reading the drive failed", _REPAIR),
    "failed": ("it failed for an unknown reason", _REPAIR),
    "corrupted": ("its bytes on the drive do not have the manifest's hash", _REPAIR),
    "fileunexpectedend": ("its file on the drive is too short", _REPAIR),
    "blobunexpectedend": ("it is shorter than the list says", _REPAIR),
    "uncommitted": ("it was uploaded and not committed", "repair commits it"),
    "committed": ("it was committed before all of its blob was there", "repair the rest"),
    "cancelled": ("it was not tried after an earlier failure", _REPAIR),
    "xmlreadfailed": ("its metadata or properties file can't be read", "set them by hand"),
    "xmlwritefailed": ("its metadata or properties file can't be written", "set them by hand"),
    # Dispositions.
    "renamed": ("a blob of its name was there: it landed under another name", "rename or keep it"),
    "skipped": (
        "a blob of its name was there: nothing was written",
        "delete the old one and repair, or keep it",
    ),
    "overwritten": ("a blob of its name was there: it was replaced", "check that this was meant"),
    # The later form's categories.
    "uploaderrorwin32": ("reading its file on the drive failed", _REPAIR),
    "uploaderrorcloudhttp": ("the storage account refused it", _REPAIR),
    "uploaderrordatavalidationerror": ("its bytes do not have the manifest's hash", _REPAIR),
    "uploaderrormanagedconversionerror": ("it can't become a managed disk", "check its format"),
    "uploaderrorunknowntype": ("it failed for an unknown reason", _REPAIR),
    "containerrenamed": ("its container's name is not allowed: it was changed", "use the new name"),
    "sharerenamed": ("its share's name is not allowed: it was changed", "use the new name"),
    "blobrenamed": ("its name is not allowed: it was changed", "use the new name"),
    "filerenamed": ("its name is not allowed: it was changed", "use the new name"),
    "diskrenamed": ("its name is not allowed: it was changed", "use the new name"),
    "filenametrailswithslash": ("its name ends with a slash", "upload it under another name"),
    "exportcloudhttp": ("the storage account refused it", "export it again"),
}

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def advice(word: str) -> str:
    """
    Return what a status means and what to do, as `fact; step`; a new word is shown as it is.
    """
    known = _ADVICE.get(word.casefold())
    if known is None:
        return f"the service says {word}; see its documentation"
    return "; ".join(known)


def hyphenated(word: str) -> str:
    """
    Return a status as part of a finding's code: `FileNotFound` becomes `file-not-found`.
    """
    plain = _HUMP.sub("-", word).casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "unknown"
