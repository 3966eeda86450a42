"""
Sector ciphers: XTS and CBC over 512-byte sectors, in whole buffers.
"""

from __future__ import annotations

import importlib.util
from enum import IntEnum
from typing import Protocol, final

from typing_extensions import Buffer

from offlineseed.bitlocker._key import Key

__all__ = ["SECTOR_BYTES", "CipherMethod", "SectorCipher"]

SECTOR_BYTES = 512
"""Bytes in a sector, the unit of encryption. Disks with 4096-byte sectors are not for seeding."""


class CipherMethod(IntEnum):
    """
    How a volume's sectors are encrypted, by the numbers that its metadata use.
    """

    CBC_128 = 0x8002
    """AES-128 in CBC mode without diffuser: opens on Windows 7 and later."""
    CBC_256 = 0x8003
    """AES-256 in CBC mode without diffuser."""
    XTS_128 = 0x8004
    """AES-128 in XTS mode: the default of Windows 10 for fixed drives, and ours."""
    XTS_256 = 0x8005
    """AES-256 in XTS mode."""

    @property
    def key_bytes(self) -> int:
        """
        How long the volume's key is; XTS uses two AES keys one after the other.
        """
        return _KEY_BYTES[self]


_KEY_BYTES = {
    CipherMethod.CBC_128: 16,
    CipherMethod.CBC_256: 32,
    CipherMethod.XTS_128: 32,
    CipherMethod.XTS_256: 64,
}


class _Engine(Protocol):
    # `data` and `out` are whole sectors, of one length; they may be one and the same buffer.
    def encrypt_into(self, offset: int, data: memoryview, out: memoryview) -> None: ...
    def decrypt_into(self, offset: int, data: memoryview, out: memoryview) -> None: ...


@final
class SectorCipher:
    """
    Encrypts and decrypts runs of sectors of one volume.

    Offsets are bytes from the start of the volume, multiples of `SECTOR_BYTES`, as are lengths.
    A sector's ciphertext depends on its own place and content only, so a volume may be written
    in any order and in any split.

    Calls may come from several threads at once; none waits for another, and the interpreter is
    free while the cipher works. Buffers of 256 KiB to 4 MiB are fastest.

    Args:
        method: the volume's method.
        key: the volume's key, of `method.key_bytes` bytes.
        vectorized: with numpy or without; by default with numpy where it is installed (the extra
            `fast`), which is some ten times faster and gives the same bytes.

    Raises:
        ValueError: the key's length is not the method's.
        ImportError: `vectorized` is true and numpy is not installed.
    """

    __slots__ = ("_engine", "_is_vectorized", "_method")

    def __init__(self, method: CipherMethod, key: Key, *, vectorized: bool | None = None) -> None:
        secret = key.reveal()
        if len(secret) != method.key_bytes:
            raise ValueError(
                f"a key of {method.name} is {method.key_bytes} bytes, not {len(secret)}"
            )
        if vectorized is None:
            vectorized = importlib.util.find_spec("numpy") is not None
        self._method = method
        self._is_vectorized = vectorized
        self._engine = _make_engine(method, secret, vectorized=vectorized)

    @property
    def method(self) -> CipherMethod:
        """
        The method it was made with.
        """
        return self._method

    @property
    def is_vectorized(self) -> bool:
        """
        Whether it works with numpy.
        """
        return self._is_vectorized

    def encrypt(self, offset: int, data: Buffer) -> bytes:
        """
        Return the ciphertext of the sectors that lie at an offset.

        Raises:
            ValueError: the offset or the length is not a whole number of sectors.
        """
        out = bytearray(memoryview(data).nbytes)
        self.encrypt_into(offset, data, out)
        return bytes(out)

    def decrypt(self, offset: int, data: Buffer) -> bytes:
        """
        Return the plaintext of the sectors that lie at an offset.

        Raises:
            ValueError: the offset or the length is not a whole number of sectors.
        """
        out = bytearray(memoryview(data).nbytes)
        self.decrypt_into(offset, data, out)
        return bytes(out)

    def encrypt_into(self, offset: int, data: Buffer, out: Buffer) -> None:
        """
        Encrypt the sectors that lie at an offset into a writable buffer of the same length.

        `out` may be `data` itself; otherwise the two must not overlap.

        Raises:
            ValueError: the offset or the length is not a whole number of sectors, or the buffers
                differ in length.
        """
        self._engine.encrypt_into(offset, *_checked(offset, data, out))

    def decrypt_into(self, offset: int, data: Buffer, out: Buffer) -> None:
        """
        Decrypt the sectors that lie at an offset into a writable buffer of the same length.

        `out` may be `data` itself; otherwise the two must not overlap.

        Raises:
            ValueError: the offset or the length is not a whole number of sectors, or the buffers
                differ in length.
        """
        self._engine.decrypt_into(offset, *_checked(offset, data, out))


def _checked(offset: int, data: Buffer, out: Buffer) -> tuple[memoryview, memoryview]:
    source = memoryview(data).cast("B")
    target = memoryview(out).cast("B")
    if offset < 0 or offset % SECTOR_BYTES or source.nbytes % SECTOR_BYTES:
        raise ValueError(
            f"{source.nbytes} bytes at {offset} are not whole sectors of {SECTOR_BYTES} bytes"
        )
    if target.nbytes != source.nbytes:
        raise ValueError(f"{source.nbytes} bytes do not go into a buffer of {target.nbytes}")
    if target.readonly:
        raise ValueError("the buffer for the result is read-only")
    return source, target


def _make_engine(method: CipherMethod, key: bytes, *, vectorized: bool) -> _Engine:
    is_xts = method in (CipherMethod.XTS_128, CipherMethod.XTS_256)
    if vectorized:
        # Loaded here because numpy is optional.
        from offlineseed.bitlocker._cipher_numpy import NumpyCbc, NumpyXts  # noqa: PLC0415

        return NumpyXts(key) if is_xts else NumpyCbc(key)
    from offlineseed.bitlocker._cipher_plain import PlainCbc, PlainXts  # noqa: PLC0415

    return PlainXts(key) if is_xts else PlainCbc(key)
