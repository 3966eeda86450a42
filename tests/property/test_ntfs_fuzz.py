"""
Damaged volumes: the reader and the verifier raise our own errors only, in bounded time.
"""

import contextlib
import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offlineseed.errors import NtfsError
from offlineseed.ntfs import (
    Fill,
    NtfsFile,
    NtfsReader,
    plan_volume,
    render_volume,
    verify_volume,
)
from offlineseed.ntfs._decode import decode_runs, parse_boot_sector, parse_record
from offlineseed.ntfs._encoding import protect

SIZE = 8 << 20
CREATED = dt.datetime(2026, 11, 22, tzinfo=dt.timezone.utc)


class Volume:
    def __init__(self):
        files = [NtfsFile(path=f"many/{i:04}.zst", length=i * 7 % 9000) for i in range(150)]
        files += [NtfsFile(path="a/b/c", length=5, content=b"hello")]
        self.layout = plan_volume(SIZE, files, created=CREATED, serial=7)
        self.image = bytearray(SIZE)
        for piece in render_volume(self.layout):
            data = bytes([piece.value]) * piece.length if isinstance(piece, Fill) else piece.data
            self.image[piece.offset : piece.offset + piece.length] = data
        self.mft = self.layout.places.mft[0] * 4096
        self.used_records = [*range(12), *range(64, 64 + len(self.layout.contents))]

    def record(self, number):
        return self.image[self.mft + number * 1024 : self.mft + number * 1024 + 1024]

    def blocks(self):
        for directory, count in enumerate(self.layout.index_blocks):
            start = self.layout.index_places[directory] * 4096
            yield from range(start, start + count * 4096, 4096)


@pytest.fixture(scope="module")
def volume():
    return Volume()


def damage(chance, image, offset, length, usa):
    # Change some bytes behind the fix-ups, mostly to values that mean something.
    block = bytearray(image[offset : offset + length])
    for stride in range(length // 512):
        end = stride * 512 + 512
        block[end - 2 : end] = block[usa + 2 + 2 * stride : usa + 4 + 2 * stride]
    for _ in range(chance.choice([1, 1, 2, 5])):
        place = chance.randrange(8, min(length, 700) - 8)
        size = chance.choice([1, 1, 2, 4, 8])
        new = chance.choice([bytes(size), b"\xff" * size, chance.randbytes(size)])
        block[place : place + size] = new
    protect(block, 0, length, usa, 5)
    image[offset : offset + length] = block


@pytest.mark.parametrize("seed", range(12))
def test_damaged_volume_gives_our_errors_only(volume, seed):
    chance = random.Random(seed)
    blocks = list(volume.blocks())
    for _ in range(20):
        image = volume.image.copy()
        for _ in range(chance.choice([1, 1, 3])):
            kind = chance.random()
            if kind < 0.7:
                number = chance.choice(volume.used_records)
                damage(chance, image, volume.mft + number * 1024, 1024, 0x30)
            elif kind < 0.9:
                damage(chance, image, chance.choice(blocks), 4096, 0x28)
            else:
                image[chance.randrange(0x0B, 0x50)] = chance.randrange(256)

        def read(offset, length, image=image):
            return bytes(image[offset : offset + length])

        verify_volume(read)
        with contextlib.suppress(NtfsError, KeyError):
            reader = NtfsReader(read)
            for entry in list(reader.files())[::10]:
                reader.read(entry.path, 0, min(entry.length, 1 << 20))


def test_damaged_records_and_boot_sectors_give_our_errors_only(volume):
    chance = random.Random(1)
    records = [bytes(volume.record(number)) for number in volume.used_records]
    boot = bytes(volume.image[:512])
    for _ in range(50_000):
        record = bytearray(chance.choice(records))
        for _ in range(chance.choice([1, 2, 4])):
            record[chance.randrange(0, 400)] = chance.randrange(256)
        with contextlib.suppress(NtfsError):
            parse_record(bytes(record), 64)
        sector = bytearray(boot)
        sector[chance.randrange(512)] = chance.randrange(256)
        sector[chance.randrange(0x0B, 0x50)] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
        with contextlib.suppress(NtfsError):
            parse_boot_sector(bytes(sector))


@given(st.binary(max_size=40))
def test_run_list_of_any_bytes_gives_our_errors_only(data):
    try:
        runs = decode_runs(data)
    except NtfsError:
        return
    assert all(count > 0 for _, count in runs)


@given(st.binary(max_size=1024))
def test_record_of_any_bytes_gives_our_errors_only(data):
    with pytest.raises(NtfsError):
        parse_record(b"FILX" + data, 3)
    with pytest.raises(NtfsError):
        parse_record((b"FILE" + data)[:600], 3)
