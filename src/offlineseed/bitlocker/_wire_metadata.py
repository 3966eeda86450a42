"""
The metadata block of 64 KiB, in and out: headers, datums, validation structure.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
import zlib
from typing import final

import attrs

from offlineseed.bitlocker._boxes import open_box, seal_box
from offlineseed.bitlocker._key import Key
from offlineseed.bitlocker._values import Box, BoxedKey, KeyMethod, Metadata, Nonce
from offlineseed.bitlocker._wire_datums import parse_datums, render_datums
from offlineseed.errors import BitLockerFormatError

__all__ = [
    "METADATA_BYTES",
    "MetadataBlock",
    "parse_metadata_block",
    "render_metadata_block",
    "seal_metadata",
]

METADATA_BYTES = 0x10000
"""Bytes in a metadata block, of which a volume has three copies."""

_SIGNATURE = b"-FVE-FS-"
_INFORMATION = struct.Struct("<8sHHHHQIIQQQQ")
_DATASET = struct.Struct("<IIII16sIHHQ")
_VALIDATION = struct.Struct("<HHI")
_VERSION = 2
_DATASET_VERSION = 1
_PARAGRAPH = 16  # the information header counts in these


@final
@attrs.frozen(kw_only=True)
class MetadataBlock:
    """
    One copy of a volume's metadata with the structure that vouches for it.
    """

    metadata: Metadata
    """What it says."""
    body: bytes = attrs.field(repr=False)
    """The bytes of `metadata`, which the checksum and the sealed hash cover."""
    hash_box: Box
    """The hash of `body`, sealed under the master key; the checksum needs no place here."""

    def is_vouched_for(self, master_key: Key) -> bool:
        """
        Tell whether the hash under the volume's master key is that of these metadata.
        """
        content = open_box(self.hash_box, master_key)
        return content is not None and content.key == _hash(self.body)


def seal_metadata(metadata: Metadata, master_key: Key, nonce: Nonce) -> MetadataBlock:
    """
    Return metadata with the structure that vouches for them.

    Raises:
        BitLockerFormatError: the metadata do not fit a block.
    """
    body = _render_body(metadata)
    content = BoxedKey(method=KeyMethod.VALIDATION_HASH, key=_hash(body))
    box = seal_box(content, master_key, nonce)
    return MetadataBlock(metadata=metadata, body=body, hash_box=box)


def render_metadata_block(block: MetadataBlock) -> bytes:
    """
    Return the 64 KiB that lie at each of the three places.

    Raises:
        BitLockerFormatError: the metadata do not fit.
    """
    body = block.body
    head = _VALIDATION.pack(METADATA_BYTES - len(body), _VERSION, zlib.crc32(body))
    data = body + head + render_datums([block.hash_box])
    if len(data) > METADATA_BYTES:
        raise _too_long(len(data))
    return data.ljust(METADATA_BYTES, b"\0")


def parse_metadata_block(data: bytes) -> MetadataBlock:
    """
    Read one copy of a volume's metadata and check its checksum.

    Datums that this version does not know are kept as they are.

    Raises:
        BitLockerFormatError: it is damaged, cut short, or of an unknown kind.
    """
    if len(data) != METADATA_BYTES:
        raise _refuse(f"is {len(data)} bytes long, not {METADATA_BYTES}", "block")
    signature, paragraphs, version, *_ = _INFORMATION.unpack_from(data)
    if signature != _SIGNATURE:
        raise _refuse("does not begin with its signature", "information header")
    if version != _VERSION:
        raise _refuse(f"has version {version}; only {_VERSION} is known", "information header")
    length = paragraphs * _PARAGRAPH
    if not _INFORMATION.size + _DATASET.size <= length <= METADATA_BYTES - _VALIDATION.size:
        raise _refuse(f"says that it is {length} bytes long", "information header")
    body = data[:length]
    box = _parse_validation(data, body)
    return MetadataBlock(metadata=_parse_body(body), body=body, hash_box=box)


def _refuse(fact: str, context: str) -> BitLockerFormatError:
    return BitLockerFormatError(
        f"a BitLocker metadata block {fact}; use another copy, or make the volume anew",
        context=context,
    )


def _too_long(length: int) -> BitLockerFormatError:
    return BitLockerFormatError(
        f"{length} bytes of BitLocker metadata do not fit their block of {METADATA_BYTES};"
        " shorten the description or leave protectors out"
    )


def _hash(body: bytes) -> Key:
    return Key(hashlib.sha256(body).digest())


def _parse_validation(data: bytes, body: bytes) -> Box:
    size, version, checksum = _VALIDATION.unpack_from(data, len(body))
    if version != _VERSION or size != METADATA_BYTES - len(body):
        raise _refuse("has no validation structure after its datums", "validation")
    if checksum != zlib.crc32(body):
        raise _refuse("does not match its checksum", "validation")
    start = len(body) + _VALIDATION.size
    box_size = int.from_bytes(data[start : start + 2], "little")
    for datum in parse_datums(data[start : start + box_size], context="validation"):
        if isinstance(datum, Box):
            return datum
    raise _refuse("has no sealed hash", "validation")


def _parse_body(body: bytes) -> Metadata:
    (
        *_,
        state,
        next_state,
        encrypted_bytes,
        conversion_bytes,
        virtualized_sectors,
        info_1,
        info_2,
        info_3,
        virtualized_offset,
    ) = _INFORMATION.unpack_from(body)
    (
        size,
        version,
        header_size,
        end,
        volume_guid,
        next_counter,
        method,
        previous_method,
        created,
    ) = _DATASET.unpack_from(body, _INFORMATION.size)
    room = len(body) - _INFORMATION.size
    if (version, header_size, end) != (_DATASET_VERSION, _DATASET.size, size):
        raise _refuse("has a data set of an unknown form", "data set")
    if not _DATASET.size <= size <= room:
        raise _refuse(f"says that its data set is {size} bytes long", "data set")
    start = _INFORMATION.size + _DATASET.size
    return Metadata(
        state=state,
        next_state=next_state,
        encrypted_bytes=encrypted_bytes,
        conversion_bytes=conversion_bytes,
        virtualized_sectors=virtualized_sectors,
        info_offsets=(info_1, info_2, info_3),
        virtualized_offset=virtualized_offset,
        volume_guid=uuid.UUID(bytes_le=volume_guid),
        next_counter=next_counter,
        method=method,
        previous_method=previous_method,
        created=created,
        datums=parse_datums(body[start : _INFORMATION.size + size]),
    )


def _render_body(metadata: Metadata) -> bytes:
    datums = render_datums(metadata.datums)
    size = _DATASET.size + len(datums)
    length = -(-(_INFORMATION.size + size) // _PARAGRAPH) * _PARAGRAPH
    if length >= METADATA_BYTES:
        raise _too_long(length)
    information = _INFORMATION.pack(
        _SIGNATURE,
        length // _PARAGRAPH,
        _VERSION,
        metadata.state,
        metadata.next_state,
        metadata.encrypted_bytes,
        metadata.conversion_bytes,
        metadata.virtualized_sectors,
        *metadata.info_offsets,
        metadata.virtualized_offset,
    )
    dataset = _DATASET.pack(
        size,
        _DATASET_VERSION,
        _DATASET.size,
        size,
        metadata.volume_guid.bytes_le,
        metadata.next_counter,
        metadata.method,
        metadata.previous_method,
        metadata.created,
    )
    return (information + dataset + datums).ljust(length, b"\0")
