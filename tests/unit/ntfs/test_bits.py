import random

import pytest

from offlineseed.ntfs import Fill
from offlineseed.ntfs._bits import index_bitmap, render_bits, set_bits


def test_set_bits_agrees_with_setting_each():
    for start in range(20):
        for end in range(start, 40):
            bits = bytearray(8)
            set_bits(bits, start, end)
            assert int.from_bytes(bits, "little") == sum(1 << bit for bit in range(start, end))


@pytest.mark.parametrize("blocks", [1, 8, 63, 64, 65])
def test_index_bitmap_has_a_bit_for_each_block_in_words_of_eight_bytes(blocks):
    bits = index_bitmap(blocks)

    assert int.from_bytes(bits, "little") == (1 << blocks) - 1
    assert len(bits) == (8 if blocks <= 64 else 16)


@pytest.mark.parametrize("seed", range(40))
def test_render_bits_agrees_with_clearing_each(seed):
    chance = random.Random(seed)
    edges = sorted(chance.sample(range(257), chance.choice([0, 2, 4, 8])))
    clear = [(a, b - a) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    expected = (1 << 256) - 1
    for first, count in clear:
        expected &= ~((1 << count) - 1 << first)
    image = bytearray(b"\x55" * 64)
    for piece in render_bits(8, 32, clear):
        data = bytes([piece.value]) * piece.length if isinstance(piece, Fill) else piece.data
        image[piece.offset : piece.offset + piece.length] = data

    assert int.from_bytes(image[8:40], "little") == expected
    assert image[:8] + image[40:] == b"\x55" * 32


def test_render_bits_of_a_huge_bitmap_is_a_few_pieces():
    pieces = list(render_bits(0, 1 << 28, [(1001, (1 << 31) - 3000)]))

    assert len(pieces) == 5
