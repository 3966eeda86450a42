import random

import pytest

from offlineseed.errors import NtfsError
from offlineseed.ntfs import NtfsEntry, NtfsFile, NtfsReader, ReservedExtent

MIB = 1 << 20
FINAL = {"DriveManifest.xml": 12345}


@pytest.fixture(scope="module")
def filled(make_volume, contents):
    # A volume on noise, with data in its files as a caller would write them.
    reserved = [ReservedExtent(name="FVE2.1", offset=14 * MIB, length=65536)]
    files = [*contents, NtfsFile(path="big", length=5 * MIB + 1)]
    volume = make_volume(
        files, reserved=reserved, final_lengths=FINAL, background=b"\xa5", size=20 * MIB
    )
    data = {}
    for place in volume.layout.files():
        if place.is_rendered:
            continue
        data[place.path] = random.Random(place.path).randbytes(FINAL.get(place.path, place.length))
        rest = data[place.path]
        for extent in place.extents:
            part, rest = rest[: extent.length], rest[extent.length :]
            volume.image[extent.offset : extent.offset + len(part)] = part
    data |= {file.path: file.content for file in files if file.content is not None}
    return volume, data


def test_reader_lists_every_file_with_its_length(filled):
    volume, data = filled

    entries = list(NtfsReader(volume.read).files())
    assert {entry.path: entry.length for entry in entries} == {p: len(d) for p, d in data.items()}
    assert len(entries) == len(data)
    assert all(isinstance(entry, NtfsEntry) for entry in entries)


def test_reader_reads_every_file(filled):
    volume, data = filled
    reader = NtfsReader(volume.read)

    assert all(reader.read(path, 0, len(content)) == content for path, content in data.items())
    assert all(reader.length(path) == len(content) for path, content in data.items())


def test_reader_reads_any_range_of_a_split_file(filled):
    volume, data = filled
    reader = NtfsReader(volume.read)
    chance = random.Random(3)

    assert len(reader.extents("big")) > 1
    for _ in range(50):
        offset, length = chance.randrange(6 * MIB), chance.randrange(2 * MIB)
        assert reader.read("big", offset, length) == data["big"][offset : offset + length]


@pytest.mark.parametrize("path", ["none", "many", "many/none", "tiny/x", "", "many/"])
def test_reader_of_a_path_that_is_no_file_says_so(filled, path):
    with pytest.raises(KeyError):
        NtfsReader(filled[0].read).read(path, 0, 1)


def test_reader_of_something_else_says_so():
    with pytest.raises(NtfsError, match="boot sector"):
        NtfsReader(lambda offset, length: bytes(length))


def test_reader_of_a_torn_record_says_which(filled):
    volume, _ = filled
    number = volume.record_of("streamed")
    place = volume.record_offset(number) + 510

    def read(offset, length):
        data = bytearray(volume.read(offset, length))
        if offset <= place < offset + length:
            data[place - offset] ^= 1
        return bytes(data)

    with pytest.raises(NtfsError, match="torn") as caught:
        NtfsReader(read).read("streamed", 0, 1)
    assert caught.value.context == f"record {number}"
