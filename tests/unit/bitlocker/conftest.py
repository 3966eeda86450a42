"""
Volumes that Windows made, and one volume of ours.
"""

import configparser
import datetime as dt
import functools
import lzma
import pathlib
import uuid

import attrs
import pytest

from offlineseed.bitlocker import (
    CipherMethod,
    Key,
    RecoveryPassword,
    VolumeLayout,
    VolumeSpec,
    encrypt_volume,
)

WINDOWS_VOLUMES = pathlib.Path(__file__).parents[4] / "shared" / "data" / "bitlocker"
NAMES = (
    "bitlk-aes-cbc-128",
    "bitlk-aes-cbc-256",
    "bitlk-aes-xts-128",
    "bitlk-aes-xts-128-unicode",
    "bitlk-aes-xts-256",
)


@attrs.frozen
class WindowsVolume:
    facts: dict
    size_bytes: int
    blocks: dict = attrs.field(repr=False)  # those of 4096 bytes that are not all zeros

    def read(self, offset, length):
        first = offset // 4096
        last = -(-min(offset + length, self.size_bytes) // 4096)
        data = b"".join(self.blocks.get(number, bytes(4096)) for number in range(first, last))
        return data[offset - first * 4096 :][:length]

    @property
    def recovery_password(self):
        return RecoveryPassword.parse(self.facts["rp"])


@functools.cache
def load(name):
    conf = configparser.ConfigParser()
    conf.read(WINDOWS_VOLUMES / "images.conf", encoding="utf-8")
    blocks = {}
    with lzma.open(WINDOWS_VOLUMES / f"{name}.img.xz") as image:
        number = 0
        while block := image.read(4096):
            if any(block):
                blocks[number] = block
            number += 1
    return WindowsVolume(dict(conf[name]), number * 4096, blocks)


@pytest.fixture(params=NAMES)
def windows_volume(request):
    if not (WINDOWS_VOLUMES / f"{request.param}.img.xz").exists():
        pytest.skip(f"{request.param}.img.xz is not beside the checkout")
    return load(request.param)


@pytest.fixture(scope="session")
def vector_password():
    return RecoveryPassword.parse("111111-222222-333333-444444-555555-666666-123453-654313")


@pytest.fixture(scope="session")
def vector_spec():
    """
    The published test vectors' volume: every secret is a run of counted bytes.
    """
    return VolumeSpec(
        layout=VolumeLayout(
            volume_bytes=64 << 20,
            info_offsets=(0x2100000, 0x2900000, 0x3100000),
            moved_offset=0x2110000,
            region_offset=0x2112000,
        ),
        description="PYHOST DATA 1/1/2025",
        created=dt.datetime(2025, 1, 1, tzinfo=dt.timezone.utc),
        volume_guid=uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"),
        protector_guid=uuid.UUID("ffeeddcc-bbaa-9988-7766-554433221100"),
        master_key=Key(bytes(range(0x20))),
        volume_key=Key(bytes(range(0x20, 0x40))),
        salt=bytes(range(0x40, 0x50)),
        method=CipherMethod.XTS_128,
    )


@pytest.fixture(scope="session")
def vector_volume(vector_spec, vector_password):
    return encrypt_volume(vector_spec, vector_password)


class SparseVolume:
    """
    A volume of which only some ranges were written; the rest is zeros.
    """

    def __init__(self, size_bytes):
        self.size_bytes = size_bytes
        self.sectors = {}
        self.largest_read = 0

    def write(self, offset, data):
        data = bytes(data)
        for start in range(0, len(data), 512):
            self.sectors[offset + start] = data[start : start + 512]

    def read(self, offset, length):
        assert offset % 512 == 0
        assert length % 512 == 0
        self.largest_read = max(self.largest_read, length)
        end = min(offset + length, self.size_bytes)
        return b"".join(self.sectors.get(o, bytes(512)) for o in range(offset, end, 512))


@pytest.fixture
def store():
    """
    Return a function that lays an `EncryptingVolume` and view writes down as a sparse volume.
    """

    def lay_down(volume, writes=()):
        sparse = SparseVolume(volume.layout.volume_bytes)
        for offset, data in writes:
            for piece in volume.encrypt(offset, data):
                sparse.write(piece.offset, piece.data)
        for piece in (*volume.structures, volume.boot_sector):
            sparse.write(piece.offset, piece.data)
        return sparse

    return lay_down
