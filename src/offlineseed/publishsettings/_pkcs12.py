"""
What a PKCS#12 file says of itself in the clear: its ciphers, its work factors, its integrity.

Source: RFC 7292.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from typing import final

import attrs

from offlineseed.publishsettings._der import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    Element,
    parse_elements,
)

__all__ = ["Pkcs12Facts", "read_pkcs12_facts"]

_PKCS12_PBE = bytes.fromhex("2a864886f70d010c01")
_PKCS5 = bytes.fromhex("2a864886f70d0105")
_CIPHERS = {
    _PKCS12_PBE + b"\x01": "RC4-128",
    _PKCS12_PBE + b"\x02": "RC4-40",
    _PKCS12_PBE + b"\x03": "triple DES",
    _PKCS12_PBE + b"\x04": "two-key triple DES",
    _PKCS12_PBE + b"\x05": "RC2-128",
    _PKCS12_PBE + b"\x06": "RC2-40",
    _PKCS5 + b"\x03": "DES (MD5)",
    _PKCS5 + b"\x06": "RC2 (MD5)",
    _PKCS5 + b"\x0a": "DES (SHA-1)",
    _PKCS5 + b"\x0b": "RC2 (SHA-1)",
    _PKCS5 + b"\x0d": "PBES2",
}
_MAC_HASHES = {
    bytes.fromhex("2b0e03021a"): ("sha1", 64),
    bytes.fromhex("608648016503040201"): ("sha256", 64),
    bytes.fromhex("608648016503040202"): ("sha384", 128),
    bytes.fromhex("608648016503040203"): ("sha512", 128),
}
_MAXIMUM_DEPTH = 6


@final
@attrs.frozen(kw_only=True)
class Pkcs12Facts:
    """
    What can be told without decrypting anything.
    """

    ciphers: tuple[str, ...]
    """How its parts are encrypted, in order of appearance, each once."""
    iterations: int
    """The largest work factor that a reader would have to do; of a longer one the first 8 bytes."""
    has_empty_password: bool | None = None
    """Whether its integrity holds with an empty password; None where that can't be told."""


def read_pkcs12_facts(data: bytes, *, maximum_iterations: int) -> Pkcs12Facts:
    """
    Read the facts of a PKCS#12 file; integrity is tried only within the work allowed.

    Raises:
        ValueError: the bytes are no PKCS#12 file; says nothing of the bytes.
    """
    top = parse_elements(data)
    if len(top) != 1 or top[0].tag != SEQUENCE or len(top[0].elements) < 2:
        raise ValueError("no PKCS#12")
    ciphers: dict[str, None] = {}
    iterations = 0
    for element in _walk(top, 0):
        if element.tag == OBJECT_IDENTIFIER and element.content in _CIPHERS:
            ciphers[_CIPHERS[element.content]] = None
        for first, second in zip(element.elements, element.elements[1:], strict=False):
            # A salt and a count, wherever a key is derived from a password.
            if (first.tag, second.tag) == (OCTET_STRING, INTEGER):
                iterations = max(iterations, int.from_bytes(second.content[:8], "big"))
    has_empty_password = None
    if iterations <= maximum_iterations:
        has_empty_password = _has_empty_password(top[0])
    return Pkcs12Facts(
        ciphers=tuple(ciphers), iterations=iterations, has_empty_password=has_empty_password
    )


def _walk(elements: Iterable[Element], depth: int) -> Iterator[Element]:
    for element in elements:
        yield element
        yield from _walk(element.elements, depth)
        if element.tag == OCTET_STRING and depth < _MAXIMUM_DEPTH:
            # Contents are wrapped in octet strings; salts and ciphertexts are too, and no ASN.1.
            try:
                inner = parse_elements(element.content)
            except ValueError:
                continue
            yield from _walk(inner, depth + 1)


def _has_empty_password(pfx: Element) -> bool | None:
    try:
        _version, safe, mac = pfx.elements
        _kind, explicit = safe.elements
        (content,) = explicit.elements
        digest_info, salt = mac.elements[:2]
        algorithm, digest = digest_info.elements
        name, block_bytes = _MAC_HASHES[algorithm.elements[0].content]
    except (ValueError, LookupError):
        return None
    count = int.from_bytes(mac.elements[2].content, "big") if len(mac.elements) > 2 else 1
    # An empty password is two zero bytes by the standard, and none by some writers.
    return any(
        hmac.compare_digest(
            hmac.digest(
                _mac_key(name, block_bytes, salt.content, password, count), content.content, name
            ),
            digest.content,
        )
        for password in (b"\0\0", b"")
    )


def _mac_key(name: str, block_bytes: int, salt: bytes, password: bytes, count: int) -> bytes:
    # RFC 7292, appendix B.2, for a key as long as the hash, which needs one round.
    key = b"\x03" * block_bytes + _filled(salt, block_bytes) + _filled(password, block_bytes)
    for _ in range(count):
        key = hashlib.new(name, key, usedforsecurity=False).digest()
    return key


def _filled(data: bytes, block_bytes: int) -> bytes:
    length = -(-len(data) // block_bytes) * block_bytes
    return (data * (length // len(data) + 1))[:length] if data else b""
