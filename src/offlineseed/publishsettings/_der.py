"""
ASN.1 as PKCS#12 files use it: DER, and the indefinite lengths of BER.
"""

from __future__ import annotations

from typing import final

import attrs

__all__ = ["Element", "parse_elements"]

SEQUENCE = 0x30
OCTET_STRING = 0x04
INTEGER = 0x02
OBJECT_IDENTIFIER = 0x06

_CONSTRUCTED = 0x20
_MAXIMUM_DEPTH = 40


@final
@attrs.frozen
class Element:
    """
    An element: its tag byte, and its content or its elements.
    """

    tag: int
    """The tag byte, with class and form."""
    content: bytes = attrs.field(repr=False)
    """The content's bytes; the joined pieces of an OCTET STRING in pieces."""
    elements: tuple[Element, ...] = attrs.field(default=(), repr=False)
    """What a constructed element consists of."""


def parse_elements(data: bytes, depth: int = 0) -> tuple[Element, ...]:
    """
    Return the elements that stand one after the other in these bytes.

    Raises:
        ValueError: the bytes are no ASN.1 in DER or BER, or too deep; says nothing of the bytes.
    """
    elements: list[Element] = []
    position = 0
    while position < len(data):
        element, position = _element(data, position, depth)
        elements.append(element)
    return tuple(elements)


def _element(data: bytes, position: int, depth: int) -> tuple[Element, int]:
    if depth > _MAXIMUM_DEPTH or position + 2 > len(data) or data[position] & 0x1F == 0x1F:
        raise ValueError("no DER")
    tag, first = data[position], data[position + 1]
    position += 2
    if first == 0x80:
        return _indefinite(tag, data, position, depth)
    length = first
    if first > 0x80:
        count = first & 0x7F
        length = int.from_bytes(data[position : position + count], "big")
        position += count
    end = position + length
    if end > len(data):
        raise ValueError("no DER")
    content = data[position:end]
    inner = parse_elements(content, depth + 1) if tag & _CONSTRUCTED else ()
    return _made(tag, content, inner), end


def _indefinite(tag: int, data: bytes, position: int, depth: int) -> tuple[Element, int]:
    if not tag & _CONSTRUCTED:
        raise ValueError("no DER")
    start = position
    inner: list[Element] = []
    while data[position : position + 2] != b"\0\0":
        element, position = _element(data, position, depth + 1)
        inner.append(element)
    return _made(tag, data[start:position], tuple(inner)), position + 2


def _made(tag: int, content: bytes, inner: tuple[Element, ...]) -> Element:
    if tag == OCTET_STRING | _CONSTRUCTED:
        return Element(OCTET_STRING, b"".join(piece.content for piece in inner))
    return Element(tag, content, inner)
