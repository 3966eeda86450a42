"""
Key stretching: from what a person holds to a 32-byte AES key, made slow on purpose.
"""

from __future__ import annotations

import hashlib
import struct

from offlineseed.bitlocker._key import Key
from offlineseed.bitlocker._recovery_password import RecoveryPassword

__all__ = ["stretch_passphrase", "stretch_recovery_password"]

_ROUNDS = 0x100000


def stretch_recovery_password(password: RecoveryPassword, salt: bytes) -> Key:
    """
    Return the key that a recovery password and a protector's salt give. Takes half a second.

    Source: libbde, "BitLocker Drive Encryption (BDE) format", stretch key.
    """
    return _stretch(hashlib.sha256(password.key_bytes()).digest(), salt)


def stretch_passphrase(passphrase: str, salt: bytes) -> Key:
    """
    Return the key that a passphrase and a protector's salt give. Takes half a second.

    Source: libbde, "BitLocker Drive Encryption (BDE) format", stretch key.
    """
    once = hashlib.sha256(passphrase.encode("utf-16-le", "surrogatepass")).digest()
    return _stretch(hashlib.sha256(once).digest(), salt)


def _stretch(initial: bytes, salt: bytes) -> Key:
    # A million rounds: local names and one concatenation make it fastest.
    sha256 = hashlib.sha256
    pack_counter = struct.Struct("<Q").pack
    constant = initial + salt
    last = bytes(32)
    for counter in range(_ROUNDS):
        last = sha256(last + constant + pack_counter(counter)).digest()
    return Key(last)
