"""
Damaged partition tables: a survey never raises, and reads and finds a bounded amount.

Set `FUZZ_INPUTS` to try more inputs than the normal run does: CONTRIBUTING.md has the command.
"""

import os
import random
import struct
import tracemalloc
import uuid
import zlib

import pytest

from offlineseed.partitions import plan_data_partition, read_partitions, render_partition_table

INPUTS = int(os.environ.get("FUZZ_INPUTS", "1500"))
SEED = 20261126
SIZE = 8 << 20
LAST = SIZE // 512 - 1
EXTENDED = 4096
INTERESTING = (0, 1, 5, 0x0F, 0x7F, 0x80, 0xEE, 0xFF)


def gpt_disk():
    table = plan_data_partition(SIZE, disk_guid=uuid.UUID(int=1), partition_guid=uuid.UUID(int=2))
    disk = bytearray(SIZE)
    for offset, data in render_partition_table(table):
        disk[offset : offset + len(data)] = data
    return disk


def mbr_disk():
    disk = bytearray(SIZE)
    tables = {0: ((7, 63, 1000), (5, EXTENDED, 8000)), EXTENDED: ((0x83, 63, 500), (5, 1000, 500))}
    for sector, entries in tables.items():
        for index, (kind, first, count) in enumerate(entries):
            place = sector * 512 + 446 + 16 * index
            struct.pack_into("<B3xB3xII", disk, place, 0, kind, first, count)
        disk[sector * 512 + 510 : sector * 512 + 512] = b"\x55\xaa"
    return disk


def correct_checksums(disk):
    """
    Make the first header and its entries vouch for themselves again, as a hostile maker would.
    """
    entries = zlib.crc32(disk[1024 : 1024 + 128 * 128])
    struct.pack_into("<I", disk, 512 + 88, entries)
    struct.pack_into("<I", disk, 512 + 16, 0)
    struct.pack_into("<I", disk, 512 + 16, zlib.crc32(disk[512 : 512 + 92]))


@pytest.mark.parametrize(
    ("make_disk", "regions"),
    [
        (gpt_disk, (range(446, 1280), range(512, 604), range(LAST * 512, LAST * 512 + 92))),
        (mbr_disk, (range(446, 512), range(EXTENDED * 512 + 446, EXTENDED * 512 + 512))),
    ],
    ids=["GPT", "MBR"],
)
def test_read_partitions_mutated_never_raises(make_disk, regions):
    rng = random.Random(SEED)
    disk = make_disk()
    tables = [range(1280), range(EXTENDED * 512, EXTENDED * 512 + 512)]
    tables += [range(LAST * 512, LAST * 512 + 92)]
    originals = [(r.start, bytes(disk[r.start : r.stop])) for r in tables]
    read_bytes = 0

    def read(offset, length):
        nonlocal read_bytes
        read_bytes += length
        return bytes(disk[offset : offset + length])

    with_findings = 0
    tracemalloc.start()
    for _ in range(INPUTS):
        for _ in range(rng.randint(1, 6)):
            place = rng.choice(rng.choice(regions))
            disk[place] = rng.choice((*INTERESTING, rng.randrange(256)))
        if make_disk is gpt_disk and rng.random() < 0.5:
            correct_checksums(disk)
        read_bytes = 0
        found = read_partitions(read, SIZE)
        assert read_bytes < 4 << 20
        assert len(found.partitions) < 1000
        with_findings += bool(found.findings)
        for offset, data in originals:
            disk[offset : offset + len(data)] = data
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert with_findings
    assert peak < 16 << 20
