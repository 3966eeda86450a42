"""
Where structures lie, and how the view maps onto the volume.
"""

import pytest

from offlineseed.bitlocker import LEAST_VOLUME_BYTES, ViewMap, ViewPiece, plan_layout
from offlineseed.errors import BitLockerFormatError

MIB = 1 << 20
MAP = ViewMap(
    volume_bytes=64 * MIB, info_offsets=(33 * MIB, 41 * MIB, 49 * MIB), moved_offset=0x2110000
)


def test_plan_layout_smallest_volume_has_the_published_places():
    layout = plan_layout(LEAST_VOLUME_BYTES)
    assert layout.info_offsets == (0x2100000, 0x2900000, 0x3100000)
    assert layout.moved_offset == 0x2110000
    assert layout.region_offset == 0x2112000
    assert layout.view_map == MAP


def test_reserved_extents_name_the_files_that_windows_has():
    extents = plan_layout(64 * MIB).reserved_extents
    assert [(e.name, e.offset, e.length) for e in extents] == [
        ("FVE2.{e40ad34d-dae9-4bc7-95bd-b16218c10f72}.1", 0x2100000, 65536),
        ("FVE2.{24e6f0ae-6a00-4f73-984b-75ce9942852d}", 0x2110000, 8192),
        ("FVE2.{da392a22-cae0-4f0f-9a30-b8830385d046}", 0x2112000, 65536),
        ("FVE2.{e40ad34d-dae9-4bc7-95bd-b16218c10f72}.2", 0x2900000, 65536),
        ("FVE2.{e40ad34d-dae9-4bc7-95bd-b16218c10f72}.3", 0x3100000, 65536),
    ]


@pytest.mark.parametrize("cluster_bytes", [512, 1024, 4096, 8192, 65536])
@pytest.mark.parametrize(
    "volume_bytes", [64 * MIB, 64 * MIB + 512, 1 << 30, (8 << 40) - 34 * 512, 10 << 40]
)
def test_reserved_extents_are_clusters_apart_and_inside(volume_bytes, cluster_bytes):
    layout = plan_layout(volume_bytes, cluster_bytes=cluster_bytes)
    end = 8192
    for extent in layout.reserved_extents:
        assert extent.offset % cluster_bytes == 0
        assert extent.offset >= end
        end = extent.offset + -(-extent.length // cluster_bytes) * cluster_bytes
    assert end < volume_bytes


@pytest.mark.parametrize("volume_bytes", [0, 64 * MIB - 512, 64 * MIB + 1])
def test_plan_layout_impossible_volume_is_refused(volume_bytes):
    with pytest.raises(BitLockerFormatError, match="BitLocker volume can't be"):
        plan_layout(volume_bytes)


@pytest.mark.parametrize("cluster_bytes", [0, 256, 4097, 131072])
def test_plan_layout_impossible_cluster_is_refused(cluster_bytes):
    with pytest.raises(BitLockerFormatError, match="cluster can't have"):
        plan_layout(64 * MIB, cluster_bytes=cluster_bytes)


def test_pieces_ordinary_range_is_one_piece_at_its_place():
    assert list(MAP.pieces(MIB, 4 * MIB)) == [
        ViewPiece(offset=MIB, length=4 * MIB, stored_offset=MIB)
    ]


def test_pieces_beginning_lies_in_the_virtualised_block():
    assert list(MAP.pieces(512, 8192)) == [
        ViewPiece(offset=512, length=7680, stored_offset=0x2110200),
        ViewPiece(offset=8192, length=512, stored_offset=8192),
    ]


def test_pieces_across_the_structures_leave_them_out():
    assert list(MAP.pieces(0x20FFE00, 0x13000)) == [
        ViewPiece(offset=0x20FFE00, length=0x200, stored_offset=0x20FFE00),
        ViewPiece(offset=0x2100000, length=0x10000, stored_offset=None),
        ViewPiece(offset=0x2110000, length=0x2000, stored_offset=None),
        ViewPiece(offset=0x2112000, length=0xE00, stored_offset=0x2112000),
    ]


def test_pieces_inside_a_structure_are_nowhere():
    assert list(MAP.pieces(0x2100010, 7)) == [
        ViewPiece(offset=0x2100010, length=7, stored_offset=None)
    ]


def test_pieces_whole_view_has_no_gaps():
    position = 0
    for piece in MAP.pieces(0, MAP.volume_bytes):
        assert piece.offset == position
        position += piece.length
    assert position == MAP.volume_bytes


def test_pieces_empty_range_is_empty():
    assert list(MAP.pieces(0, 0)) == []
    assert list(MAP.pieces(MAP.volume_bytes, 0)) == []


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, -1), (64 * MIB, 1)])
def test_pieces_outside_the_volume_are_refused(offset, length):
    with pytest.raises(ValueError, match="not in a volume"):
        list(MAP.pieces(offset, length))


@pytest.mark.parametrize(
    "places",
    [
        {"info_offsets": (33 * MIB, 33 * MIB, 49 * MIB)},
        {"info_offsets": (33 * MIB, 33 * MIB + 512, 49 * MIB)},
        {"info_offsets": (0, 41 * MIB, 49 * MIB)},
        {"info_offsets": (33 * MIB + 1, 41 * MIB, 49 * MIB)},
        {"info_offsets": (33 * MIB, 41 * MIB, 64 * MIB - 512)},
        {"moved_offset": 4096},
        {"moved_offset": 33 * MIB},
        {"moved_bytes": 0},
        {"moved_bytes": 1000},
        {"moved_bytes": 40 * MIB},
        {"volume_bytes": 64 * MIB + 1},
    ],
)
def test_view_map_impossible_places_are_refused(places):
    values = {
        "volume_bytes": MAP.volume_bytes,
        "info_offsets": MAP.info_offsets,
        "moved_offset": MAP.moved_offset,
    }
    with pytest.raises(BitLockerFormatError, match="BitLocker structures"):
        ViewMap(**values | places)
