"""
Boxes: keys sealed under keys with AES-CCM.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from offlineseed.bitlocker._key import Key
from offlineseed.bitlocker._values import Box, BoxedKey, Nonce
from offlineseed.bitlocker._wire_datums import parse_boxed_key, render_boxed_key

__all__ = ["open_box", "seal_box"]

_KEY_BYTES = 32
_TAG_BYTES = 16


def seal_box(content: BoxedKey, under: Key, nonce: Nonce, *, role: int = 0) -> Box:
    """
    Return a key sealed under a 32-byte key. A nonce is for one box only.
    """
    sealed = AESCCM(under.reveal(), tag_length=_TAG_BYTES).encrypt(
        _nonce_bytes(nonce), render_boxed_key(content), None
    )
    return Box(role=role, nonce=nonce, tag=sealed[-_TAG_BYTES:], ciphertext=sealed[:-_TAG_BYTES])


def open_box(box: Box, under: Key) -> BoxedKey | None:
    """
    Return what a box holds; None where the key does not open it.

    Raises:
        BitLockerFormatError: the key opens it, and it does not hold a key.
    """
    if len(under) != _KEY_BYTES:
        return None
    try:
        content = AESCCM(under.reveal(), tag_length=_TAG_BYTES).decrypt(
            _nonce_bytes(box.nonce), box.ciphertext + box.tag, None
        )
    except InvalidTag:
        return None
    return parse_boxed_key(content)


def _nonce_bytes(nonce: Nonce) -> bytes:
    return nonce.time.to_bytes(8, "little") + nonce.counter.to_bytes(4, "little")
