"""
Rules for a blob's names, length and words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from offlineseed.manifest._limits import ManifestLimits
from offlineseed.manifest._models import PAGE_BYTES, BlobType, ImportDisposition, ManifestBlob
from offlineseed.manifest._xml import forbidden_character
from offlineseed.settings import check_container_name

__all__ = [
    "blob_name_is_wise",
    "blob_path",
    "characters",
    "disposition",
    "export_disposition",
    "file_path",
    "file_path_length",
    "length",
    "page_blob_length",
    "snapshot",
]

_NOT_IN_WINDOWS_NAMES = re.compile('[\x00-\x1f<>:"/|?*]')
_DEVICE_NAME = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?:\..*)?", re.IGNORECASE
)
_PATH_CHARACTERS = 256
_NAME_UNITS = 255


def blob_path(blob: ManifestBlob, limits: ManifestLimits) -> Iterator[str]:
    """
    Require a container, a slash and a name, each within the naming rules.
    """
    path = blob.blob_path
    container, slash, name = path.partition("/")
    finding = check_container_name(container)
    if finding is not None:
        yield f"the blob path {path!r} does not begin with a container: {finding.message}"
    if not slash or not name:
        yield f"the blob path {path!r} names no blob: it is the container, a slash and a name"
        return
    if len(name) > limits.blob_name_characters:
        yield (
            f"the blob's name has {len(name)} characters, it may have {limits.blob_name_characters}"
        )
    segments = name.count("/") + 1
    if segments > limits.blob_name_segments:
        yield f"the blob's name has {segments} segments, it may have {limits.blob_name_segments}"
    if container == "$root" and segments > 1:
        yield f"the blob path {path!r} has a folder: blobs of the root container have none"


def blob_name_is_wise(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Point out names that the service takes and some client mangles.
    """
    name = blob.blob_path.partition("/")[2]
    if name.endswith((".", "/")):
        yield f"the blob's name ends with {name[-1]!r}, which some clients take away"
    if "\\" in name:
        yield "the blob's name has a backslash, which some clients turn into a slash"


def file_path(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Require a path below the volume's root that Windows can open.
    """
    path = blob.file_path
    if not path.startswith("\\") or path.startswith("\\\\"):
        yield f"the file path {path!r} does not begin with one backslash"
    for part in path.removeprefix("\\").split("\\"):
        if part in ("", ".", ".."):
            yield f"the file path {path!r} has the part {part!r}"
        elif _NOT_IN_WINDOWS_NAMES.search(part):
            yield f"{part!r} has a character that Windows does not allow in a name"
        elif part[-1] in " .":
            yield f"{part!r} ends with a blank or dot, which Windows takes away"
        elif _DEVICE_NAME.fullmatch(part):
            yield f"{part!r} is a device for Windows, not a file"
        elif len(part.encode("utf-16-le", "surrogatepass")) // 2 > _NAME_UNITS:
            yield f"a part of the file path has more than {_NAME_UNITS} characters"


def file_path_length(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Point out paths that Microsoft's tool could not read without long paths being enabled.
    """
    if len(blob.file_path) > _PATH_CHARACTERS:
        yield (
            f"the file path has {len(blob.file_path)} characters: beyond {_PATH_CHARACTERS} "
            "Microsoft's tool needs long paths enabled"
        )


def characters(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Refuse text that no XML document can carry.
    """
    texts = (
        ("blob path", blob.blob_path),
        ("file path", blob.file_path),
        ("client data", blob.client_data or ""),
    )
    for name, text in texts:
        character = forbidden_character(text)
        if character is not None:
            yield f"the {name} has the character {character}, which a manifest can't carry"


def length(blob: ManifestBlob, limits: ManifestLimits) -> Iterator[str]:
    """
    Bound the length by the blob's type.
    """
    if blob.blob_type is BlobType.PAGE:
        longest, kind = limits.page_blob_bytes, "page blob"
    else:
        longest, kind = limits.importable_block_blob_bytes, "block blob"
    if blob.length > longest:
        yield f"a {kind} of {blob.length} bytes: it may have {longest}, split it"


def page_blob_length(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Require whole pages.
    """
    if blob.blob_type is BlobType.PAGE and blob.length % PAGE_BYTES:
        yield f"a page blob of {blob.length} bytes: its length is a multiple of {PAGE_BYTES}"


def disposition(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Require a word that the service knows, in its case.
    """
    word = blob.import_disposition
    if word is not None and not isinstance(word, ImportDisposition):
        known = ", ".join(member.value for member in ImportDisposition)
        yield f"the import disposition {word!r} is none of {known}; case matters"


def export_disposition(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Point out an import disposition in an export.
    """
    if blob.import_disposition is not None:
        yield "there is an import disposition in an export manifest"


def snapshot(blob: ManifestBlob, _limits: ManifestLimits) -> Iterator[str]:
    """
    Point out a snapshot in an import.
    """
    if blob.snapshot is not None:
        yield "there is a snapshot: only export manifests have them"
