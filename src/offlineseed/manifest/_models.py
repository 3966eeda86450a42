"""
The drive manifest as values, in the order of its published grammar.

Constructors check shape only. What the service limits is checked by `check_manifest`, so a manifest
that breaks a rule can still be read and shown.

Source: "Azure Import/Export service manifest file format" (2017-01-23).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any, final

import attrs

from offlineseed._secret import Secret
from offlineseed.errors import ManifestError

__all__ = [
    "BLOCK_BYTES",
    "MANIFEST_FILE",
    "MANIFEST_VERSION",
    "PAGE_BYTES",
    "BlobList",
    "BlobType",
    "Block",
    "DriveManifest",
    "HashedPath",
    "ImportDisposition",
    "ManifestBlob",
    "PageRange",
    "UnknownElement",
]

BLOCK_BYTES = 4 * 1024 * 1024
"""The longest block and the longest page range that a manifest may have."""

PAGE_BYTES = 512
"""The page of a page blob: offsets, lengths and the blob's own length are multiples of it."""

MANIFEST_FILE = "\\DriveManifest.xml"
"""Where the manifest lies on its drive, as the job tells the service."""

MANIFEST_VERSION = "2014-11-01"
"""The format version that is written."""

_NAME_FORBIDS = re.compile(r"[\s<>&\"'/=!?]")


class BlobType(str, Enum):
    """
    The kind of blob that the service makes of a file.
    """

    BLOCK = "BlockBlob"
    """A block blob: any length, its blocks cover the whole file."""
    PAGE = "PageBlob"
    """A page blob: a multiple of 512 bytes, its ranges may leave zeros out."""

    @classmethod
    def _missing_(cls, value: object) -> BlobType | None:
        return next(
            (m for m in cls if isinstance(value, str) and m.value.lower() == value.lower()), None
        )


class ImportDisposition(str, Enum):
    """
    What the service does where a blob of that name exists.
    """

    RENAME = "rename"
    """The new blob gets another name, such as `Seattle (2).jpg`; the service's default."""
    NO_OVERWRITE = "no-overwrite"
    """The file is skipped."""
    OVERWRITE = "overwrite"
    """The blob is replaced as a whole."""

    @classmethod
    def _missing_(cls, value: object) -> ImportDisposition | None:
        return next((m for m in cls if isinstance(value, str) and m.value == value.lower()), None)


def _require_length(instance: Any, attribute: attrs.Attribute[int], value: Any) -> None:
    if type(value) is not int:
        raise TypeError(f"{attribute.name} is an int, not {type(value).__name__}")
    if value < 0:
        raise ManifestError(
            f"{attribute.name} is {value}: it can't be negative", context=type(instance).__name__
        )


def _require_name(_instance: Any, _attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not value or _NAME_FORBIDS.search(value):
        raise ManifestError(f"{value!r} can't be the name of an XML element or attribute")


def _hash_text(value: str) -> str:
    return value.strip().upper()


def _pairs(value: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((str(name), str(text)) for name, text in value))


def _contents(value: Iterable[str | UnknownElement]) -> tuple[str | UnknownElement, ...]:
    return tuple(value)


def _unknown_elements(value: Iterable[UnknownElement]) -> tuple[UnknownElement, ...]:
    return tuple(value)


def _blocks(value: Iterable[Block] | None) -> tuple[Block, ...] | None:
    return None if value is None else tuple(value)


def _page_ranges(value: Iterable[PageRange] | None) -> tuple[PageRange, ...] | None:
    return None if value is None else tuple(value)


def _blobs(value: Iterable[ManifestBlob]) -> tuple[ManifestBlob, ...]:
    return tuple(value)


def _blob_lists(value: Iterable[BlobList]) -> tuple[BlobList, ...]:
    return tuple(value)


@final
@attrs.frozen(kw_only=True)
class UnknownElement:
    """
    An element that this version of the library does not know; reading then writing keeps it.
    """

    name: str = attrs.field(validator=_require_name)
    """The element's name as it stands, with its prefix."""
    attributes: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    """Its attributes, sorted by name."""
    content: tuple[str | UnknownElement, ...] = attrs.field(default=(), converter=_contents)
    """Its text and elements, in order."""
    within: str = ""
    """The known element between its owner and itself, such as `BlockList`; mostly empty."""


_TEXT = attrs.validators.instance_of(str)
_OPTIONAL_TEXT = attrs.validators.optional(_TEXT)


@final
@attrs.frozen(kw_only=True)
class HashedPath:
    """
    A metadata or properties file on the drive, with the hash of its bytes.
    """

    path: str = attrs.field(validator=_TEXT)
    """Path on the drive, with backslashes, beginning with one."""
    hash: str = attrs.field(validator=_TEXT, converter=_hash_text)
    """Base16 MD5 of the file's bytes, upper case."""
    unknown_attributes: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    """Attributes that this version does not know."""


@final
@attrs.frozen(kw_only=True)
class Block:
    """
    A block of a block blob: at most 4 MiB; the blocks of a blob cover its file without a gap.
    """

    offset: int = attrs.field(validator=_require_length)
    """Where it begins, in bytes, in the file as in the blob."""
    length: int = attrs.field(validator=_require_length)
    """Its length in bytes."""
    hash: str = attrs.field(validator=_TEXT, converter=_hash_text)
    """Base16 MD5 of its bytes, upper case."""
    id: str | None = attrs.field(default=None, validator=_OPTIONAL_TEXT)
    """Base64 block id; None where the service chooses."""
    unknown_attributes: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    """Attributes that this version does not know."""


@final
@attrs.frozen(kw_only=True)
class PageRange:
    """
    A range of a page blob: at most 4 MiB, whole pages; what no range covers stays zero.
    """

    offset: int = attrs.field(validator=_require_length)
    """Where it begins, in bytes, in the file as in the blob."""
    length: int = attrs.field(validator=_require_length)
    """Its length in bytes."""
    hash: str = attrs.field(validator=_TEXT, converter=_hash_text)
    """Base16 MD5 of its bytes, upper case."""
    unknown_attributes: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    """Attributes that this version does not know."""


@final
@attrs.frozen(kw_only=True)
class ManifestBlob:
    """
    One file on the drive and the blob that it becomes.

    Raises:
        ManifestError: it has blocks and page ranges at once, or a negative length.
    """

    blob_path: str = attrs.field(validator=_TEXT)
    """Container, slash, blob name; `$root` for the root container."""
    file_path: str = attrs.field(validator=_TEXT)
    """Path on the drive, with backslashes, beginning with one."""
    length: int = attrs.field(validator=_require_length)
    """The blob's length in bytes."""
    import_disposition: ImportDisposition | str | None = None
    """What happens to a blob of that name; a word that is not known stays a `str`."""
    blocks: tuple[Block, ...] | None = attrs.field(default=None, converter=_blocks)
    """The block list, by offset; None for a page blob."""
    page_ranges: tuple[PageRange, ...] | None = attrs.field(default=None, converter=_page_ranges)
    """The page range list, by offset, with gaps; None for a block blob."""
    metadata_path: HashedPath | None = None
    """Metadata file; overrides the blob list's."""
    properties_path: HashedPath | None = None
    """Properties file; overrides the blob list's."""
    client_data: str | None = attrs.field(default=None, validator=_OPTIONAL_TEXT)
    """Free text that the service does not interpret."""
    snapshot: str | None = attrs.field(default=None, validator=_OPTIONAL_TEXT)
    """The snapshot's time as it stands; export only."""
    unknown_attributes: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    """Unknown attributes; one of a child is named `Child/Attribute`."""
    unknown_elements: tuple[UnknownElement, ...] = attrs.field(
        default=(), converter=_unknown_elements
    )
    """Elements that this version does not know."""

    def __attrs_post_init__(self) -> None:
        if self.blocks is not None and self.page_ranges is not None:
            raise ManifestError("a blob has either a block list or a page range list, not both")

    @property
    def blob_type(self) -> BlobType:
        """
        Page blob where there is a page range list, block blob otherwise.
        """
        return BlobType.BLOCK if self.page_ranges is None else BlobType.PAGE


@final
@attrs.frozen(kw_only=True)
class BlobList:
    """
    A list of blobs that share a metadata and a properties file.
    """

    blobs: tuple[ManifestBlob, ...] = attrs.field(default=(), converter=_blobs)
    """The blobs, in the order of the manifest."""
    metadata_path: HashedPath | None = None
    """Metadata file of every blob that has none of its own."""
    properties_path: HashedPath | None = None
    """Properties file of every blob that has none of its own."""
    id: str | None = attrs.field(default=None, validator=_OPTIONAL_TEXT)
    """The copy session, such as `session#1-0`; undocumented, seen in samples."""
    unknown_attributes: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    """Unknown attributes; one of a child is named `Child/Attribute`."""
    unknown_elements: tuple[UnknownElement, ...] = attrs.field(
        default=(), converter=_unknown_elements
    )
    """Elements that this version does not know."""


_OPTIONAL_SECRET = attrs.validators.optional(attrs.validators.instance_of(Secret))


@final
@attrs.frozen(kw_only=True)
class DriveManifest:
    """
    What lies on one drive, and the key with which the service writes it to the storage account.

    The key or SAS is part of the file: the file belongs on the encrypted drive and nowhere else.
    """

    drive_id: str = attrs.field(validator=_TEXT)
    """The drive's hardware serial number, without spaces."""
    storage_account_key: Secret | None = attrs.field(default=None, validator=_OPTIONAL_SECRET)
    """The storage account's key; None where there is a SAS, and for export."""
    container_sas: Secret | None = attrs.field(default=None, validator=_OPTIONAL_SECRET)
    """A SAS of the container that all blobs go to; None where there is a key, and for export."""
    client_creator: str | None = attrs.field(default=None, validator=_OPTIONAL_TEXT)
    """Free text that the service does not interpret: the program that made the manifest."""
    blob_lists: tuple[BlobList, ...] = attrs.field(default=(), converter=_blob_lists)
    """The blob lists, in order."""
    version: str = attrs.field(default=MANIFEST_VERSION, validator=_TEXT)
    """The format's version: a date."""
    unknown_attributes: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    """Unknown attributes of the root; those of other elements are named `Drive/Attribute`."""
    unknown_elements: tuple[UnknownElement, ...] = attrs.field(
        default=(), converter=_unknown_elements
    )
    """Elements that this version does not know; `within` is `Drive` for most."""
