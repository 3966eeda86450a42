"""
Datums as bytes, in and out.

A datum is kept as `OpaqueDatum` unless its value renders to the very same bytes; so nothing of
another system's metadata is lost by reading and writing them.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterable

import attrs

from offlineseed.bitlocker._key import Key
from offlineseed.bitlocker._values import (
    Box,
    BoxedKey,
    Datum,
    Nonce,
    OpaqueDatum,
    OsStamp,
    Protector,
    StretchedKey,
    Text,
    Virtualization,
    VirtualizationExtension,
)
from offlineseed.errors import BitLockerFormatError

__all__ = ["parse_boxed_key", "parse_datums", "render_boxed_key", "render_datums"]

_HEADER = struct.Struct("<HHHH")  # size with header, role, type, flags
_KEY, _TEXT, _STRETCHED, _BOX, _PROTECTOR, _VIRTUALIZATION = 1, 2, 3, 5, 8, 15
_KEY_HEAD = struct.Struct("<HH")
_NONCE = struct.Struct("<QI")
_STRETCHED_HEAD = struct.Struct("<HH16s")
_PROTECTOR_HEAD = struct.Struct("<16sQHH")
_PLACE = struct.Struct("<QQ")
_EXTENSION = struct.Struct("<HHIQQIIIIIIIHHHBBQII")
_EXTENSION_VERSION = 5
_TAG_BYTES = 16
_STAMP_NAMES = tuple(field.name for field in attrs.fields(OsStamp))  # in the order on disk
_MOST_NESTING = 3  # a box in a stretched key in a protector


def parse_datums(data: bytes, *, context: str = "datums") -> tuple[Datum, ...]:
    """
    Read datums that lie one after the other and fill `data`.

    Raises:
        BitLockerFormatError: a datum's size is impossible.
    """
    return _parse_all(data, context, 1)


def render_datums(datums: Iterable[Datum]) -> bytes:
    """
    Return the bytes of datums, one after the other.
    """
    return b"".join(map(_render, datums))


def parse_boxed_key(data: bytes) -> BoxedKey:
    """
    Read what a box held.

    Raises:
        BitLockerFormatError: it is not exactly one key.
    """
    least = _HEADER.size + _KEY_HEAD.size
    if len(data) >= least:
        size, role, kind, flags = _HEADER.unpack_from(data)
        method, reserved = _KEY_HEAD.unpack_from(data, _HEADER.size)
        if (size, role, kind, reserved) == (len(data), 0, _KEY, 0):
            return BoxedKey(method=method, key=Key(data[least:]), flags=flags)
    raise BitLockerFormatError(
        "a box of the BitLocker metadata opens but does not hold a key; the volume was made"
        " by an unknown tool"
    )


def render_boxed_key(key: BoxedKey) -> bytes:
    """
    Return the bytes that go into a box.
    """
    secret = key.key.reveal()
    size = _HEADER.size + _KEY_HEAD.size + len(secret)
    return _HEADER.pack(size, 0, _KEY, key.flags) + _KEY_HEAD.pack(key.method, 0) + secret


def _parse_all(data: bytes, context: str, depth: int) -> tuple[Datum, ...]:
    datums: list[Datum] = []
    position = 0
    while position < len(data):
        where = f"{context}[{len(datums)}]"
        if len(data) - position < _HEADER.size:
            raise BitLockerFormatError("the BitLocker metadata end inside a datum", context=where)
        size, role, kind, flags = _HEADER.unpack_from(data, position)
        if not _HEADER.size <= size <= len(data) - position:
            raise BitLockerFormatError(
                f"a datum of the BitLocker metadata has an impossible size of {size} bytes",
                context=where,
            )
        body = data[position + _HEADER.size : position + size]
        datums.append(_parse(role, kind, flags, body, context=where, depth=depth))
        position += size
    return tuple(datums)


def _parse(role: int, kind: int, flags: int, body: bytes, *, context: str, depth: int) -> Datum:
    opaque = OpaqueDatum(role=role, kind=kind, flags=flags, body=body)
    datum: Datum = opaque
    try:
        if kind == _TEXT:
            datum = _parse_text(role, flags, body)
        elif kind == _BOX:
            datum = _parse_box(role, flags, body)
        elif kind == _VIRTUALIZATION:
            datum = _parse_virtualization(role, flags, body)
        elif kind == _STRETCHED and depth <= _MOST_NESTING:
            datum = _parse_stretched(role, flags, body, context, depth)
        elif kind == _PROTECTOR and depth <= _MOST_NESTING:
            datum = _parse_protector(role, flags, body, context, depth)
    except (struct.error, UnicodeDecodeError, BitLockerFormatError):
        return opaque
    return datum if datum is opaque or _render_body(datum) == (kind, body) else opaque


def _parse_text(role: int, flags: int, body: bytes) -> Text:
    text = body.decode("utf-16-le", "surrogatepass")
    return Text(role=role, text=text[:-1], flags=flags)


def _parse_box(role: int, flags: int, body: bytes) -> Box:
    time, counter = _NONCE.unpack_from(body)
    sealed = body[_NONCE.size :]
    if len(sealed) <= _TAG_BYTES:
        raise BitLockerFormatError("a box is too short")  # seen only by _parse: stays opaque
    return Box(
        role=role,
        nonce=Nonce(time=time, counter=counter),
        tag=sealed[:_TAG_BYTES],
        ciphertext=sealed[_TAG_BYTES:],
        flags=flags,
    )


def _parse_stretched(role: int, flags: int, body: bytes, context: str, depth: int) -> StretchedKey:
    method, reserved, salt = _STRETCHED_HEAD.unpack_from(body)
    datums = _parse_all(body[_STRETCHED_HEAD.size :], context, depth + 1)
    return StretchedKey(
        role=role, method=method, reserved=reserved, salt=salt, datums=datums, flags=flags
    )


def _parse_protector(role: int, flags: int, body: bytes, context: str, depth: int) -> Protector:
    guid, changed, reserved, kind = _PROTECTOR_HEAD.unpack_from(body)
    return Protector(
        role=role,
        guid=uuid.UUID(bytes_le=guid),
        changed=changed,
        reserved=reserved,
        kind=kind,
        datums=_parse_all(body[_PROTECTOR_HEAD.size :], context, depth + 1),
        flags=flags,
    )


def _parse_virtualization(role: int, flags: int, body: bytes) -> Virtualization:
    offset, length = _PLACE.unpack_from(body)
    rest = body[_PLACE.size :]
    return Virtualization(
        role=role,
        offset=offset,
        length=length,
        extension=_parse_extension(rest) if rest else None,
        flags=flags,
    )


def _parse_extension(data: bytes) -> VirtualizationExtension:
    # The version, the size and a zero come first; rendering writes them, so others stay opaque.
    _version, _size, _zero, settings, log_offset, log_length, first, second, *rest = (
        _EXTENSION.unpack(data)
    )
    *stamp, region_offset, region_length, reserved = rest
    return VirtualizationExtension(
        settings=settings,
        log_offset=log_offset,
        log_length=log_length,
        first_sector_bytes=first,
        second_sector_bytes=second,
        os_stamp=OsStamp(**dict(zip(_STAMP_NAMES, stamp, strict=True))),
        region_offset=region_offset,
        region_length=region_length,
        reserved=reserved,
    )


def _render(datum: Datum) -> bytes:
    kind, body = _render_body(datum)
    size = _HEADER.size + len(body)
    if size > 0xFFFF:
        raise BitLockerFormatError(f"a datum of {size} bytes does not fit its size field")
    return _HEADER.pack(size, datum.role, kind, datum.flags) + body


def _render_body(datum: Datum) -> tuple[int, bytes]:
    if isinstance(datum, Text):
        return _TEXT, f"{datum.text}\0".encode("utf-16-le", "surrogatepass")
    if isinstance(datum, Box):
        nonce = _NONCE.pack(datum.nonce.time, datum.nonce.counter)
        return _BOX, nonce + datum.tag + datum.ciphertext
    if isinstance(datum, StretchedKey):
        head = _STRETCHED_HEAD.pack(datum.method, datum.reserved, datum.salt)
        return _STRETCHED, head + render_datums(datum.datums)
    if isinstance(datum, Protector):
        head = _PROTECTOR_HEAD.pack(datum.guid.bytes_le, datum.changed, datum.reserved, datum.kind)
        return _PROTECTOR, head + render_datums(datum.datums)
    if isinstance(datum, Virtualization):
        place = _PLACE.pack(datum.offset, datum.length)
        return _VIRTUALIZATION, place + _render_extension(datum.extension)
    return datum.kind, datum.body


def _render_extension(extension: VirtualizationExtension | None) -> bytes:
    if extension is None:
        return b""
    return _EXTENSION.pack(
        _EXTENSION_VERSION,
        _EXTENSION.size,
        0,
        extension.settings,
        extension.log_offset,
        extension.log_length,
        extension.first_sector_bytes,
        extension.second_sector_bytes,
        *(getattr(extension.os_stamp, name) for name in _STAMP_NAMES),
        extension.region_offset,
        extension.region_length,
        extension.reserved,
    )
