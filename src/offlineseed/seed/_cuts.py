"""
Where large items are cut into chunks: where their content says.

File systems lay files out in blocks of 4 KiB. An image that holds a file twice, or a file that
shifted between two generations, has the same blocks at other places, and cut at fixed places the
chunks around them would all differ. So a chunk ends before a block whose bytes look special,
wherever it lies: after half of the greatest length, and at the greatest length if none does.
"""

from __future__ import annotations

__all__ = ["find_cut"]

_BLOCK = 4096
_WORDS = _BLOCK // 8
# Two words of a block speak for it: reading all of it would cost as much as hashing it.
_FIRST, _SECOND = 37, 411
_MULTIPLIER = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def find_cut(buffer: bytearray, have: int, chunk_bytes: int) -> int:
    """
    Return the length of the chunk at the beginning of a buffer, in bytes.

    From half of `chunk_bytes` on, the first whole block that looks special begins the next chunk.
    One in n blocks does, n being a quarter of the blocks of `chunk_bytes`: six chunks in seven end
    so.

    Args:
        buffer: begins with the content, at a multiple of 4096 bytes in its item.
        have: bytes of content: `chunk_bytes`, or what is left of the item if that is less.
        chunk_bytes: the greatest length of a chunk, a power of two.

    """
    least = chunk_bytes // 2
    end = have // _BLOCK * _BLOCK
    if end <= least:
        return have
    special = (1 << 64) // (chunk_bytes // _BLOCK // 4)
    words = memoryview(buffer)[least:end].cast("Q")
    pairs = zip(words[_FIRST::_WORDS].tolist(), words[_SECOND::_WORDS].tolist(), strict=True)
    for number, (first, second) in enumerate(pairs):
        # Blocks of zeros are no marks: there may be millions of them in a row.
        if (first * 3 + second) * _MULTIPLIER & _MASK < special and (first or second):
            return least + number * _BLOCK
    return have
