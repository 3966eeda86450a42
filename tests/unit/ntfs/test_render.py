import datetime as dt
import hashlib

import pytest

from offlineseed.errors import NtfsError
from offlineseed.ntfs import (
    Fill,
    NtfsFile,
    NtfsReader,
    Placement,
    ReservedExtent,
    render_volume,
    verify_volume,
)
from offlineseed.ntfs._decode import parse_record

MIB = 1 << 20


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("placement", "digest"),
    [
        (Placement.MKNTFS, "bb32110cc09c91ac398e250e5f6b8969da2b1865c4f3f2e02b456c1176b2deee"),
        (Placement.SEQUENTIAL, "b4aba76d7b92fbe4f626e8e04e274873afe622f74336d5d5e487a776bb8e37f1"),
    ],
)
def test_render_of_an_empty_volume_is_the_vector(make_volume, placement, digest):
    assert sha256(make_volume(size=64 * MIB, placement=placement).image) == digest


def test_render_of_5000_files_in_a_directory_is_the_vector(make_volume):
    lengths = {f"many/f{i * 7919 % 5000:05}.dat": 3 * i for i in range(5000)}
    files = [NtfsFile(path=path, length=lengths[path]) for path in sorted(lengths)]
    volume = make_volume(files, size=256 * MIB)

    assert volume.layout.places.mft == (436, 1267)
    blocks = volume.image[1704 * 4096 : 1838 * 4096]
    assert sha256(blocks) == "cf404eca4ec4257edee9d4eb50c2f1e5e327477eebbaae60075ae4194ba7ddfb"
    assert (
        sha256(volume.image) == "77a4b69d3fec3c4a40c3f6c3c2d0631e21d02000d9bb534a4c4b79b32024421f"
    )


def test_render_writes_the_boot_sector_last_and_its_copy_before(make_layout, contents):
    layout = make_layout(contents)
    pieces = list(render_volume(layout, {"DriveManifest.xml": 1}))

    assert pieces[-1].offset == 0
    assert pieces[-1].data[:8192] == layout.boot_region()
    assert pieces[-2].offset == layout.geometry.backup_boot_offset
    assert all(piece.offset for piece in pieces[:-1])


def test_render_without_its_last_piece_is_no_volume(make_layout, contents):
    layout = make_layout(contents)
    image = bytearray(layout.geometry.volume_bytes)
    *pieces, last = render_volume(layout, {"DriveManifest.xml": 1})
    for piece in pieces:
        data = bytes([piece.value]) * piece.length if isinstance(piece, Fill) else piece.data
        image[piece.offset : piece.offset + piece.length] = data

    def read(offset, length):
        return bytes(image[offset : offset + length])

    with pytest.raises(NtfsError, match="boot sector"):
        NtfsReader(read)
    image[: len(last.data)] = last.data
    assert verify_volume(read) == ()


def test_render_covers_every_cluster_that_is_not_the_callers_once(make_layout, contents):
    reserved = [ReservedExtent(name="FVE2.1", offset=9 * MIB, length=65536)]
    layout = make_layout(contents, reserved=reserved)
    spans = [
        (p.offset, p.offset + p.length) for p in render_volume(layout, {"DriveManifest.xml": 5})
    ]
    for place in layout.files():
        if not place.is_rendered:
            spans += [(extent.offset, extent.offset + extent.length) for extent in place.extents]
    spans += [(9 * MIB, 9 * MIB + 65536)]
    spans += [(first * 4096, (first + count) * 4096) for first, count in layout.free]
    spans.sort()

    end = 0
    for start, stop in spans:
        assert start == end
        end = stop
        if end == layout.geometry.clusters * 4096:
            end = layout.geometry.backup_boot_offset
    assert end == layout.geometry.volume_bytes


def test_render_pieces_stay_about_a_mebibyte(make_layout):
    files = [NtfsFile(path=f"d/{i:06}", length=1) for i in range(9000)]
    pieces = list(render_volume(make_layout(files, size=128 * MIB)))

    assert max(len(piece.data) for piece in pieces if not isinstance(piece, Fill)) <= 1 << 20


@pytest.mark.parametrize("length", [0, 1, 4096, 4097, 1 << 20])
def test_render_gives_a_bounded_file_its_final_length(make_volume, contents, length):
    volume = make_volume(contents, final_lengths={"DriveManifest.xml": length})
    full = make_volume(contents, final_lengths={"DriveManifest.xml": 1 << 20})
    reader = NtfsReader(volume.read)

    assert reader.length("DriveManifest.xml") == length
    assert {e.path: e.length for e in reader.files()}["DriveManifest.xml"] == length
    freed = (1 << 20) // 4096 - -(-length // 4096)
    first, count = volume.layout.places.bitmap
    bitmap = slice(first * 4096, (first + count) * 4096)
    ones = [int.from_bytes(v.image[bitmap], "little").bit_count() for v in (volume, full)]
    assert ones[1] - ones[0] == freed


def test_render_trims_a_bounded_file_that_is_split(make_volume):
    reserved = [ReservedExtent(name="FVE2.1", offset=8 * MIB, length=65536)]
    files = [
        NtfsFile(path="first", length=MIB),
        NtfsFile(path="m", length=9 * MIB, is_maximum=True),
    ]
    volume = make_volume(files, reserved=reserved, final_lengths={"m": 100_000})
    planned = volume.layout.find("m").extents

    assert len(planned) == 2
    assert NtfsReader(volume.read).extents("m") == ((planned[0].offset, 102_400),)


@pytest.mark.parametrize(
    ("final_lengths", "error"),
    [
        ({}, ValueError),
        ({"DriveManifest.xml": (1 << 20) + 1}, ValueError),
        ({"DriveManifest.xml": -1}, ValueError),
        ({"DriveManifest.xml": 1, "tiny": 1}, KeyError),
        ({"DriveManifest.xml": 1, "none": 1}, KeyError),
    ],
    ids=["missing", "above the bound", "negative", "of a file without bound", "of no file"],
)
def test_render_with_final_lengths_that_do_not_fit_is_refused(
    make_layout, contents, final_lengths, error
):
    layout = make_layout(contents)

    with pytest.raises(error):
        render_volume(layout, final_lengths)


def test_render_twice_gives_the_same(make_layout, contents):
    layout = make_layout(contents)
    first = list(render_volume(layout, {"DriveManifest.xml": 7}))
    list(render_volume(layout, {"DriveManifest.xml": 99}))

    assert list(render_volume(layout, {"DriveManifest.xml": 7})) == first


def test_render_gives_files_their_times(make_volume):
    moment = dt.datetime(2020, 2, 3, 4, 5, 6, 789, tzinfo=dt.timezone.utc)
    volume = make_volume(
        [NtfsFile(path="f", length=1, modified=moment), NtfsFile(path="g", length=1)]
    )

    def times(path):
        offset = volume.record_offset(volume.record_of(path))
        record = parse_record(volume.read(offset, 1024), 64)
        return {
            int.from_bytes(record.attributes[0].value[i : i + 8], "little") for i in (0, 8, 16, 24)
        }

    expected = 116444736000000000 + int(moment.timestamp()) * 10**7 + 789 * 10
    assert times("f") == {expected}
    assert times("g") == {134082736000000000}


def test_render_hides_reserved_files_from_all_but_the_system(make_volume):
    reserved = [ReservedExtent(name="FVE2.1", offset=9 * MIB, length=65536)]
    volume = make_volume(reserved=reserved)

    def record(path):
        offset = volume.record_offset(volume.record_of(path))
        return parse_record(volume.read(offset, 1024), volume.record_of(path))

    file = record("System Volume Information/FVE2.1")
    assert file.find(0x80).runs == ((9 * MIB // 4096, 16),)
    assert int.from_bytes(file.find(0x10).value[32:36], "little") == 0x26
    assert int.from_bytes(file.find(0x10).value[0x34:0x38], "little") == 0x104
    directory = record("System Volume Information")
    assert int.from_bytes(directory.find(0x10).value[32:36], "little") == 0x06
    assert directory.is_directory
