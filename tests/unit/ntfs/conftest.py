"""
Volumes in memory.
"""

import datetime as dt

import attrs
import pytest

from offlineseed.ntfs import Fill, NtfsFile, NtfsLayout, plan_volume, render_volume

# The moment and the serial number of the reference's vectors.
CREATED = dt.datetime.fromtimestamp(1763800000, dt.timezone.utc)
SERIAL = 0x1122334455667788
NOISE = b"\xa5"


def draw(pieces, size, background=b"\0"):
    image = bytearray(background * size)
    for piece in pieces:
        end = piece.offset + piece.length
        is_fill = isinstance(piece, Fill)
        image[piece.offset : end] = (
            bytes([piece.value]) * piece.length if is_fill else bytes(piece.data)
        )
    return image


@attrs.define
class Volume:
    layout: NtfsLayout
    image: bytearray

    def read(self, offset, length):
        return bytes(self.image[offset : offset + length])

    def record_offset(self, number):
        return self.layout.places.mft[0] * self.layout.geometry.cluster_bytes + number * 1024

    def record_of(self, path):
        node = self.layout.contents.find(path)
        return 64 + list(self.layout.contents.order).index(node)

    def block_offset(self, directory, block=0):
        cluster = self.layout.geometry.cluster_bytes
        return self.layout.index_places[directory] * cluster + block * 4096


@pytest.fixture(scope="session")
def make_layout():
    def make(files=(), *, size=16 << 20, **options):
        options = {"created": CREATED, "serial": SERIAL, "label": "DATA", **options}
        return plan_volume(size, files, **options)

    return make


@pytest.fixture(scope="session")
def make_volume(make_layout):
    def make(files=(), *, final_lengths=None, background=b"\0", **options):
        layout = make_layout(files, **options)
        pieces = render_volume(layout, final_lengths)
        return Volume(layout, draw(pieces, layout.geometry.volume_bytes, background))

    return make


@pytest.fixture(scope="session")
def contents():
    # A file of every kind, and a directory of every shape.
    return [
        NtfsFile(path="empty", length=0),
        NtfsFile(path="tiny", length=5, content=b"hello"),
        NtfsFile(path="given", length=9000, content=bytes(range(250)) * 36),
        NtfsFile(path="streamed", length=10000),
        NtfsFile(path="dir/sub/deep.bin", length=4096),
        NtfsFile(path="one/only", length=1),
        *(NtfsFile(path=f"many/file-{i:04}.zst", length=7 * i % 3000) for i in range(1500)),
        NtfsFile(path="DriveManifest.xml", length=1 << 20, is_maximum=True),
    ]
