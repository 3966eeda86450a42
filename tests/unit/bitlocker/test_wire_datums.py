"""
Datums: every kind there and back, and nothing lost of what is not understood.
"""

import struct
import uuid

import pytest

from offlineseed.bitlocker import (
    Box,
    BoxedKey,
    Key,
    Nonce,
    OpaqueDatum,
    Protector,
    ProtectorKind,
    StretchedKey,
    Text,
    Virtualization,
    VirtualizationExtension,
)
from offlineseed.bitlocker._wire_datums import (
    parse_boxed_key,
    parse_datums,
    render_boxed_key,
    render_datums,
)
from offlineseed.errors import BitLockerFormatError

BOX = Box(role=3, nonce=Nonce(time=(1 << 63) + 5, counter=9), tag=b"t" * 16, ciphertext=b"c" * 44)
STRETCHED = StretchedKey(role=0, method=0x1000, salt=b"s" * 16, datums=[BOX, BOX])
EXTENSION = VirtualizationExtension(region_offset=0x2112000)


def datum(size=None, *, role=0, kind=0, flags=1, body=b""):
    return struct.pack("<HHHH", 8 + len(body) if size is None else size, role, kind, flags) + body


@pytest.mark.parametrize(
    "value",
    [
        Text(role=7, text="HOST DATA 11/22/2026"),
        Text(role=7, text=""),
        Text(role=7, text="\ud800 lone surrogate"),
        BOX,
        STRETCHED,
        Protector(
            role=2,
            guid=uuid.UUID(int=5),
            changed=17,
            kind=ProtectorKind.RECOVERY_PASSWORD,
            datums=[Text(role=0, text="DiskPassword"), STRETCHED, BOX],
        ),
        Virtualization(role=15, offset=0x2110000, length=8192, extension=None),
        Virtualization(role=15, offset=0x2110000, length=8192, extension=EXTENSION),
        OpaqueDatum(role=99, kind=4711, flags=3, body=b"whatever"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_parse_rendered_datum_gives_it_back(value):
    assert parse_datums(render_datums([value, value])) == (value, value)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (1, b"a clear key"),
        (2, b"odd"),
        (2, b"no closing NUL.."),
        (3, b"short"),
        (3, bytes(20) + b"rest"),
        (5, bytes(12 + 16)),
        (8, bytes(27)),
        (8, bytes(28) + datum(9999)),
        (15, bytes(15)),
        (15, bytes(16 + 75)),
        (15, bytes(16 + 76)),
        (15, bytes(16 + 80)),
        (21, bytes(20)),
    ],
)
def test_parse_body_of_another_form_keeps_it_as_it_is(kind, body):
    data = datum(role=4, kind=kind, body=body)
    (parsed,) = parse_datums(data)
    assert parsed == OpaqueDatum(role=4, kind=kind, flags=1, body=body)
    assert render_datums([parsed]) == data


def test_parse_endless_nesting_stops_and_loses_nothing():
    data = b""
    while len(data) < 0xFFFF - 36:
        data = datum(role=2, kind=8, body=bytes(28) + data)
    parsed = parse_datums(data)
    depth = 0
    inner = parsed[0]
    while isinstance(inner, Protector):
        depth += 1
        inner = inner.datums[0]
    assert isinstance(inner, OpaqueDatum)
    assert depth == 3
    assert render_datums(parsed) == data


@pytest.mark.parametrize(
    "data",
    [datum()[:5], datum(7), datum(0), datum(9), datum() + datum(100)],
    ids=["cut header", "size below header", "size zero", "size past the end", "second one"],
)
def test_parse_impossible_size_is_refused(data):
    with pytest.raises(BitLockerFormatError) as caught:
        parse_datums(data, context="data set")
    assert caught.value.context.startswith("data set[")


def test_render_datum_too_long_is_refused():
    with pytest.raises(BitLockerFormatError, match="does not fit"):
        render_datums([Text(role=7, text="x" * 40000)])


def test_opaque_datum_shows_nothing_of_its_body():
    assert "clear" not in repr(OpaqueDatum(role=0, kind=1, flags=1, body=b"a clear key"))


def test_boxed_key_published_form():
    data = render_boxed_key(BoxedKey(method=0x2003, key=Key(bytes(32))))
    assert data.hex() == "2c000000010000000320000000"[:24] + "00" * 32
    assert parse_boxed_key(data) == BoxedKey(method=0x2003, key=Key(bytes(32)))


@pytest.mark.parametrize(
    "data", [b"", datum(kind=1), datum(kind=2, body=bytes(4)), datum(kind=1, body=bytes(4)) + b"x"]
)
def test_parse_boxed_key_other_content_is_refused(data):
    with pytest.raises(BitLockerFormatError):
        parse_boxed_key(data)
