"""
Boxes: what goes in comes out, and only under the same key.
"""

import attrs
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from offlineseed.bitlocker import Box, BoxedKey, Key, KeyMethod, Nonce, open_box, seal_box
from offlineseed.errors import BitLockerFormatError

UNDER = Key(bytes(range(32)))
CONTENT = BoxedKey(method=KeyMethod.MASTER_KEY, key=Key(b"k" * 32))
NONCE = Nonce(time=133801632000000000, counter=7)


def test_open_box_same_key_gives_the_content():
    assert open_box(seal_box(CONTENT, UNDER, NONCE), UNDER) == CONTENT


@pytest.mark.parametrize("key", [Key(bytes(32)), Key(bytes(16)), Key(b"")])
def test_open_box_other_key_gives_none(key):
    assert open_box(seal_box(CONTENT, UNDER, NONCE), key) is None


@pytest.mark.parametrize("field", ["tag", "ciphertext"])
def test_open_box_changed_bytes_give_none(field):
    box = seal_box(CONTENT, UNDER, NONCE)
    changed = bytearray(getattr(box, field))
    changed[-1] ^= 1
    assert open_box(attrs.evolve(box, **{field: bytes(changed)}), UNDER) is None


def test_open_box_other_nonce_gives_none():
    box = seal_box(CONTENT, UNDER, NONCE)
    assert open_box(attrs.evolve(box, nonce=Nonce(time=NONCE.time, counter=8)), UNDER) is None


def test_open_box_that_holds_no_key_is_refused():
    nonce = NONCE.time.to_bytes(8, "little") + NONCE.counter.to_bytes(4, "little")
    sealed = AESCCM(UNDER.reveal()).encrypt(nonce, b"not a key at all", None)
    box = Box(role=0, nonce=NONCE, tag=sealed[-16:], ciphertext=sealed[:-16])
    with pytest.raises(BitLockerFormatError, match="does not hold a key"):
        open_box(box, UNDER)
