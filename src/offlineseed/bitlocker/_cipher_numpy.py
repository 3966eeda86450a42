"""
The sector ciphers with numpy: all sectors of a piece at once, few and long calls of AES.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Words: TypeAlias = NDArray[np.uint64]

__all__ = ["NumpyCbc", "NumpyXts"]

_SECTOR = 512
_BLOCKS = _SECTOR // 16  # AES blocks in a sector
_PIECE_SECTORS = 512  # 256 KiB: tweaks, piece and result stay in the second-level cache
_SPARE = 15  # update_into wants room for a block less one byte, though ECB never uses it
_SHIFTS = np.arange(_BLOCKS, dtype=np.uint64)
_CARRY_SHIFTS = np.uint64(64) - _SHIFTS  # numpy shifts by 64 to zero


def _ecb(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  # the modes are made around it


def _words(data: memoryview, first: int, last: int) -> Words:
    piece = np.frombuffer(data[first * _SECTOR : last * _SECTOR], dtype="<u8")
    return piece.reshape(-1, _BLOCKS, 2)


@final
class _Buffer:
    # Room for so many bytes, seen as words by numpy and as bytes by AES.
    __slots__ = ("raw", "words")

    def __init__(self, length: int) -> None:
        self.raw = memoryview(bytearray(length + _SPARE))
        self.words: Words = np.frombuffer(self.raw[:length], dtype="<u8")


@final
class _XtsRoom:
    # What one call needs to itself: contexts of AES are not for two threads at once.
    __slots__ = ("carry", "decryptor", "encryptor", "numbers", "start", "tweaker", "tweaks", "work")

    def __init__(self, data_cipher: Cipher[modes.ECB], tweak_cipher: Cipher[modes.ECB]) -> None:
        self.encryptor = data_cipher.encryptor()
        self.decryptor = data_cipher.decryptor()
        self.tweaker = tweak_cipher.encryptor()
        self.numbers = _Buffer(_PIECE_SECTORS * 16)
        self.start = _Buffer(_PIECE_SECTORS * 16)
        self.work = _Buffer(_PIECE_SECTORS * _SECTOR)
        self.tweaks: Words = np.empty((_PIECE_SECTORS, _BLOCKS, 2), dtype="<u8")
        self.carry: Words = np.empty((2, _PIECE_SECTORS, _BLOCKS), dtype="<u8")

    def make_tweaks(self, first_sector: int, count: int) -> Words:
        # The tweak of a sector's block j is E(sector number) times x^j in GF(2^128): a shift by
        # j, and the bits that it pushes out come back multiplied by x^7 + x^2 + x + 1.
        numbers = self.numbers.words.reshape(-1, 2)
        numbers[:count, 0] = np.arange(first_sector, first_sector + count, dtype=np.uint64)
        self.tweaker.update_into(self.numbers.raw[: count * 16], self.start.raw)
        start = self.start.words.reshape(-1, 2)[:count]
        low, high = start[:, :1], start[:, 1:]
        tweaks = self.tweaks[:count]
        tweaks_low, tweaks_high = tweaks[:, :, 0], tweaks[:, :, 1]
        out, folded = self.carry[0, :count], self.carry[1, :count]
        np.right_shift(high, _CARRY_SHIFTS, out=out)
        np.left_shift(out, np.uint64(1), out=folded)
        np.bitwise_xor(folded, out, out=folded)
        np.left_shift(out, np.uint64(2), out=tweaks_low)
        np.bitwise_xor(folded, tweaks_low, out=folded)
        np.left_shift(out, np.uint64(7), out=out)
        np.bitwise_xor(folded, out, out=folded)
        np.left_shift(low, _SHIFTS, out=out)
        np.bitwise_xor(folded, out, out=tweaks_low)
        np.right_shift(low, _CARRY_SHIFTS, out=out)
        np.left_shift(high, _SHIFTS, out=folded)
        np.bitwise_or(folded, out, out=tweaks_high)
        return tweaks

    def run(
        self, context: CipherContext, offset: int, data: memoryview, target: memoryview
    ) -> None:
        first_sector = offset // _SECTOR
        sectors = len(data) // _SECTOR
        for first in range(0, sectors, _PIECE_SECTORS):
            last = min(first + _PIECE_SECTORS, sectors)
            count = last - first
            tweaks = self.make_tweaks(first_sector + first, count)
            work = self.work.words[: count * _SECTOR // 8].reshape(-1, _BLOCKS, 2)
            np.bitwise_xor(_words(data, first, last), tweaks, out=work)
            context.update_into(self.work.raw[: count * _SECTOR], self.work.raw)
            np.bitwise_xor(work, tweaks, out=_words(target, first, last))


@final
class NumpyXts:
    """
    XTS-AES by sector; the tweak is the sector's number.
    """

    __slots__ = ("_data_cipher", "_rooms", "_tweak_cipher")

    def __init__(self, key: bytes) -> None:
        half = len(key) // 2
        self._data_cipher = _ecb(key[:half])
        self._tweak_cipher = _ecb(key[half:])
        self._rooms: deque[_XtsRoom] = deque()  # append and pop are atomic

    def encrypt_into(self, offset: int, data: memoryview, out: memoryview) -> None:
        """
        Encrypt whole sectors.
        """
        room = self._take_room()
        room.run(room.encryptor, offset, data, out)
        self._rooms.append(room)

    def decrypt_into(self, offset: int, data: memoryview, out: memoryview) -> None:
        """
        Decrypt whole sectors.
        """
        room = self._take_room()
        room.run(room.decryptor, offset, data, out)
        self._rooms.append(room)

    def _take_room(self) -> _XtsRoom:
        try:
            return self._rooms.pop()
        except IndexError:
            return _XtsRoom(self._data_cipher, self._tweak_cipher)


@final
class NumpyCbc:
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
        sectors = len(data) // _SECTOR
        step = min(sectors, 4 * _PIECE_SECTORS)
        chain, work = _Buffer(step * 16), _Buffer(step * 16)
        for first in range(0, sectors, step or 1):
            last = min(first + step, sectors)
            count = last - first
            plain, sealed = _words(data, first, last), _words(out, first, last)
            chain_words = chain.words.reshape(-1, 2)[:count]
            work_words = work.words.reshape(-1, 2)[:count]
            self._start(offset + first * _SECTOR, count, chain)
            for block in range(_BLOCKS):
                np.bitwise_xor(plain[:, block], chain_words, out=work_words)
                encryptor.update_into(work.raw[: count * 16], chain.raw)
                sealed[:, block] = chain_words

    def decrypt_into(self, offset: int, data: memoryview, out: memoryview) -> None:
        """
        Decrypt whole sectors: all blocks in one call of AES, then each with the one before it.
        """
        decryptor = self._cipher.decryptor()
        sectors = len(data) // _SECTOR
        step = min(sectors, _PIECE_SECTORS)
        chain, work = _Buffer(step * 16), _Buffer(step * _SECTOR)
        for first in range(0, sectors, step or 1):
            last = min(first + step, sectors)
            count = last - first
            sealed, plain = _words(data, first, last), _words(out, first, last)
            work_words = work.words[: count * _SECTOR // 8].reshape(-1, _BLOCKS, 2)
            self._start(offset + first * _SECTOR, count, chain)
            decryptor.update_into(data[first * _SECTOR : last * _SECTOR], work.raw)
            work_words[:, 0] ^= chain.words.reshape(-1, 2)[:count]
            work_words[:, 1:] ^= sealed[:, :-1]
            plain[:] = work_words

    def _start(self, offset: int, count: int, chain: _Buffer) -> None:
        vectors = chain.words.reshape(-1, 2)
        last = offset + count * _SECTOR
        vectors[:count, 0] = np.arange(offset, last, _SECTOR, dtype=np.uint64)
        vectors[:count, 1] = 0
        self._cipher.encryptor().update_into(chain.raw[: count * 16], chain.raw)
