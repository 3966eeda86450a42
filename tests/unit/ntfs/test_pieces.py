import random

import pytest

from offlineseed.ntfs import Fill, Piece
from offlineseed.ntfs._pieces import PIECE_BYTES, coalesce


def drawn(pieces):
    image = bytearray(1 << 18)
    for piece in pieces:
        data = bytes([piece.value]) * piece.length if isinstance(piece, Fill) else piece.data
        image[piece.offset : piece.offset + piece.length] = data
    return image


@pytest.mark.parametrize("seed", range(20))
def test_coalesce_leaves_what_is_drawn_as_it_is(seed):
    chance = random.Random(seed)
    pieces, offset = [], 0
    while offset < 150_000:
        offset += chance.choice([0, 0, 0, 512])
        length = chance.choice([0, 1, 4096, 20_000])
        value = chance.choice([0, 255])
        is_fill = chance.random() < 0.5
        data = chance.randbytes(length)
        pieces.append(Fill(offset, length, value) if is_fill else Piece(offset, data))
        offset += length
    joined = list(coalesce(pieces))

    assert drawn(joined) == drawn(pieces)
    assert len(joined) < len(pieces)
    assert all(piece.length for piece in joined)


def test_coalesce_joins_neighbours_up_to_a_bound():
    pieces = list(coalesce(Piece(i << 16, bytes(1 << 16)) for i in range(40)))

    assert [len(piece.data) for piece in pieces] == [PIECE_BYTES, PIECE_BYTES, 8 << 16]


def test_coalesce_joins_fills_without_bound():
    fills = [Fill(i << 30, 1 << 30) for i in range(5)]

    assert list(coalesce(fills)) == [Fill(0, 5 << 30)]
