"""
The sector ciphers without numpy: the same bytes from the standard library and AES.
"""

from __future__ import annotations

from functools import lru_cache
from typing import final

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

__all__ = ["PlainCbc", "PlainXts"]

_SECTOR = 512
_BLOCKS = _SECTOR // 16  # AES blocks in a sector
_PIECE_SECTORS = 256  # 128 KiB: the big integers stay in the cache
_SPARE = 15  # update_into wants room for a block less one byte, though ECB never uses it


def _ecb(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  # the modes are made around it


@lru_cache(maxsize=4)  # a piece's size, and the tails of the buffers in use
def _masks(lanes: int) -> tuple[int, int]:
    # In every lane of 128 bits: the lowest bit; all bits but the lowest.
    ones = int.from_bytes((b"\x01" + bytes(15)) * lanes, "little")
    return ones, (ones << 128) - (ones << 1)


def _numbers(first: int, count: int, step: int) -> bytes:
    return b"".join(
        number.to_bytes(16, "little") for number in range(first, first + count * step, step)
    )


def _tweaks(starts: bytes, count: int) -> int:
    # All sectors' tweaks are multiplied by x at once, as lanes of one big integer; strided copies
    # put block j of every sector into its place.
    lowest, upper = _masks(count)
    tweaks = memoryview(bytearray(count * _SECTOR)).cast("Q")
    lanes = int.from_bytes(starts, "little")
    for block in range(_BLOCKS):
        words = memoryview(lanes.to_bytes(count * 16, "little")).cast("Q")
        tweaks[2 * block :: 2 * _BLOCKS] = words[0::2]
        tweaks[2 * block + 1 :: 2 * _BLOCKS] = words[1::2]
        carry = (lanes >> 127) & lowest
        lanes = ((lanes << 1) & upper) ^ carry * 0x87  # 0x87 * 0 or 1 stays in its lane
    return int.from_bytes(tweaks, "little")


@final
class PlainXts:
    """
    XTS-AES by sector; the tweak is the sector's number.
    """

    __slots__ = ("_data_cipher", "_tweak_cipher")

    def __init__(self, key: bytes) -> None:
        half = len(key) // 2
        self._data_cipher = _ecb(key[:half])
        self._tweak_cipher = _ecb(key[half:])

    def encrypt_into(self, offset: int, data: memoryview, out: memoryview) -> None:
        """
        Encrypt whole sectors.
        """
        self._run(self._data_cipher.encryptor(), offset, data, out)

    def decrypt_into(self, offset: int, data: memoryview, out: memoryview) -> None:
        """
        Decrypt whole sectors.
        """
        self._run(self._data_cipher.decryptor(), offset, data, out)

    def _run(self, context: CipherContext, offset: int, data: memoryview, out: memoryview) -> None:
        tweaker = self._tweak_cipher.encryptor()
        step = _PIECE_SECTORS * _SECTOR
        for begin in range(0, len(data), step):
            piece = data[begin : begin + step]
            count = len(piece) // _SECTOR
            starts = tweaker.update(_numbers((offset + begin) // _SECTOR, count, 1))
            tweaks = _tweaks(starts, count)
            mixed = (int.from_bytes(piece, "little") ^ tweaks).to_bytes(len(piece), "little")
            sealed = int.from_bytes(context.update(mixed), "little") ^ tweaks
            out[begin : begin + len(piece)] = sealed.to_bytes(len(piece), "little")


@final
class PlainCbc:
    """
    CBC-AES by sector; the initialisation vector is the encrypted byte offset of the sector.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = _ecb(key)

    def encrypt_into(self, offset: int, data: memoryview, out: memoryview) -> None:
        """
        Encrypt whole sectors: block j of every sector in one call of AES, then block j + 1.
        """
        encryptor = self._cipher.encryptor()
        step = _PIECE_SECTORS * _SECTOR
        for begin in range(0, len(data), step):
            plain = data[begin : begin + step].cast("Q")
            sealed = out[begin : begin + step].cast("Q")
            vectors = self._vectors(offset + begin, plain.nbytes)
            chain = int.from_bytes(vectors, "little")
            column = memoryview(bytearray(len(vectors))).cast("Q")
            for low in range(0, 2 * _BLOCKS, 2):
                column[0::2] = plain[low :: 2 * _BLOCKS]
                column[1::2] = plain[low + 1 :: 2 * _BLOCKS]
                chain ^= int.from_bytes(column, "little")
                blocks = encryptor.update(chain.to_bytes(len(vectors), "little"))
                words = memoryview(blocks).cast("Q")
                sealed[low :: 2 * _BLOCKS] = words[0::2]
                sealed[low + 1 :: 2 * _BLOCKS] = words[1::2]
                chain = int.from_bytes(blocks, "little")

    def decrypt_into(self, offset: int, data: memoryview, out: memoryview) -> None:
        """
        Decrypt whole sectors: all blocks in one call of AES, then each with the one before it.
        """
        decryptor = self._cipher.decryptor()
        step = _PIECE_SECTORS * _SECTOR
        for begin in range(0, len(data), step):
            piece = data[begin : begin + step]
            chain = bytearray(16) + piece
            del chain[len(piece) :]
            vectors = memoryview(self._vectors(offset + begin, len(piece))).cast("Q")
            words = memoryview(chain).cast("Q")
            words[0 :: 2 * _BLOCKS] = vectors[0::2]
            words[1 :: 2 * _BLOCKS] = vectors[1::2]
            plain = int.from_bytes(decryptor.update(piece), "little")
            plain ^= int.from_bytes(chain, "little")
            out[begin : begin + len(piece)] = plain.to_bytes(len(piece), "little")

    def _vectors(self, offset: int, length: int) -> bytes:
        numbers = _numbers(offset, length // _SECTOR, _SECTOR)
        return self._cipher.encryptor().update(numbers)
