"""
Damaged boot sectors and metadata: only our own errors come out, in bounded time and memory.

Set `FUZZ_INPUTS` to try more inputs than the normal run does: CONTRIBUTING.md has the command.
"""

import datetime as dt
import os
import random
import struct
import tracemalloc
import uuid
import zlib

import pytest

from offlineseed.bitlocker import (
    Key,
    RecoveryPassword,
    VolumeSpec,
    encrypt_volume,
    open_volume,
    parse_boot_sector,
    parse_metadata_block,
    plan_layout,
    render_boot_sector,
    render_metadata_block,
    seal_metadata,
)
from offlineseed.errors import BitLockerFormatError, UnlockRefusedError

INPUTS = int(os.environ.get("FUZZ_INPUTS", "4000"))
SEED = 20261122
MASTER_KEY = Key(bytes(range(32)))
INTERESTING = (0, 1, 7, 8, 9, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0xFFFFFFFF, 1 << 63)


@pytest.fixture(scope="module")
def volume():
    spec = VolumeSpec(
        layout=plan_layout(64 << 20),
        description="HOST DATA 11/22/2026",
        created=dt.datetime(2026, 11, 22, tzinfo=dt.timezone.utc),
        volume_guid=uuid.UUID(int=1),
        protector_guid=uuid.UUID(int=2),
        master_key=MASTER_KEY,
        volume_key=Key(bytes(range(32, 64))),
        salt=bytes(16),
    )
    return encrypt_volume(spec, RecoveryPassword(bytes(16)))


def mutate(rng, data, length):
    """
    Change a few places of the first `length` bytes.
    """
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(length)
        kind = rng.randrange(4)
        if kind == 0:
            changed[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[place] = rng.randrange(256)
        elif kind == 2:
            size = rng.choice((1, 2, 4, 8))
            value = rng.choice(INTERESTING) % (1 << 8 * size)
            changed[place : place + size] = value.to_bytes(size, "little")
        else:
            run = rng.randrange(1, 64)
            source = rng.randrange(length)
            changed[place : place + run] = changed[source : source + run]
        del changed[len(data) :]
        changed.extend(bytes(len(data) - len(changed)))
    return changed


def with_good_checksum(block):
    """
    Correct a block's checksum, so that a change gets past it.
    """
    length = int.from_bytes(block[8:10], "little") * 16
    if 0 < length <= len(block) - 8:
        struct.pack_into("<HHI", block, length, len(block) - length, 2, zlib.crc32(block[:length]))
    return bytes(block)


def test_parse_boot_sector_mutated_only_our_errors(volume):
    rng = random.Random(SEED)
    refused = 0
    for _ in range(INPUTS):
        data = bytes(mutate(rng, volume.boot_sector.data, 512))[: rng.choice((512, 512, 512, 100))]
        try:
            boot = parse_boot_sector(data)
        except BitLockerFormatError:
            refused += 1
        else:
            assert parse_boot_sector(render_boot_sector(boot)) == boot
    assert 0 < refused < INPUTS


def test_parse_metadata_block_mutated_only_our_errors(volume):
    rng = random.Random(SEED + 1)
    block = volume.structures[-1].data
    length = int.from_bytes(block[8:10], "little") * 16 + 0x58
    refused = 0
    tracemalloc.start()
    for _ in range(INPUTS):
        data = with_good_checksum(mutate(rng, block, length))
        try:
            parsed = parse_metadata_block(data)
        except BitLockerFormatError:
            refused += 1
        else:
            again = seal_metadata(parsed.metadata, MASTER_KEY, parsed.hash_box.nonce)
            assert parse_metadata_block(render_metadata_block(again)).metadata == parsed.metadata
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0 < refused < INPUTS
    assert peak < 4 << 20


def test_parse_metadata_block_of_noise_only_our_errors():
    rng = random.Random(SEED + 2)
    for _ in range(INPUTS // 20):
        block = bytearray(rng.randbytes(65536))
        block[:8] = b"-FVE-FS-"
        block[8:12] = struct.pack("<HH", rng.randrange(4096), 2)
        dataset = rng.choice((48, rng.randrange(65536)))
        block[64:80] = struct.pack("<IIII", dataset, 1, 48, dataset)
        with pytest.raises(BitLockerFormatError):
            parse_metadata_block(with_good_checksum(block))


@pytest.mark.parametrize("resealed", [True, False], ids=["sealed anew", "as it is"])
def test_unlock_mutated_volume_only_our_errors(volume, resealed):
    """
    Sealed anew stands for a hostile maker of volumes, who knows the keys.
    """
    rng = random.Random(SEED + 3)
    boot = volume.boot_sector.data
    block = volume.structures[-1].data
    places = volume.layout.info_offsets
    length = int.from_bytes(block[8:10], "little") * 16
    largest = 0

    def read(offset, length):
        nonlocal largest
        largest = max(largest, length)
        if offset == 0:
            return sector[:length]
        if offset in places:
            return data
        return bytes(length) if offset + length <= 64 << 20 else b""

    outcomes = {"opened": 0, "refused": 0}
    for _ in range(INPUTS):
        sector = boot if rng.random() < 0.7 else bytes(mutate(rng, boot, 512))
        data = with_good_checksum(mutate(rng, block, length))
        try:
            if resealed:
                parsed = parse_metadata_block(data)
                nonce = parsed.hash_box.nonce
                data = render_metadata_block(seal_metadata(parsed.metadata, MASTER_KEY, nonce))
            unlocked = open_volume(read).unlock_with_master_key(MASTER_KEY)
            for offset in (0, 4096, unlocked.size_bytes - 4096):
                assert len(unlocked.read(offset, 4096)) == 4096
        except (BitLockerFormatError, UnlockRefusedError):
            outcomes["refused"] += 1
        else:
            outcomes["opened"] += 1
    assert largest <= 1 << 20
    assert outcomes["refused"]
    assert outcomes["opened"] or not resealed
