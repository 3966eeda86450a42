import datetime as dt

import pytest

from offlineseed.errors import NameNotAllowedError, VolumeFullError
from offlineseed.ntfs import NtfsFile, Placement, ReservedExtent

MIB = 1 << 20


def test_plan_places_the_system_where_the_vectors_say(make_layout):
    layout = make_layout(size=64 * MIB)
    places = layout.places

    assert places.mirror == (2, 1)
    assert places.mft_bitmap == (3, 1)
    assert places.attribute_table == (4, 1)
    assert places.root_descriptor == (5, 2)
    assert places.upcase == (7, 32)
    assert places.security == (39, 68)
    assert places.log == (107, 512)
    assert places.bitmap == (619, 1)
    assert places.mft == (620, 16)
    assert list(layout.index_places) == [636]


def test_plan_gives_files_contiguous_clusters_in_the_order_given(make_layout):
    lengths = {"b": 4097, "a/z": 1, "none": 0, "c": 4096, "a/y": 100_000}
    layout = make_layout([NtfsFile(path=p, length=n) for p, n in lengths.items()])

    places = list(layout.files())
    assert [(place.path, place.length) for place in places] == list(lengths.items())
    offset = places[0].extents[0].offset
    for place in places:
        clusters = -(-place.length // 4096)
        if not clusters:
            assert place.extents == ()
            continue
        (extent,) = place.extents
        assert (extent.offset, extent.length) == (offset, clusters * 4096)
        offset += extent.length
    assert layout.file_count == 5


def test_plan_of_equal_arguments_is_equal(make_layout, contents):
    one, other = make_layout(contents), make_layout(iter(contents))

    assert list(one.files()) == list(other.files())
    assert one.places == other.places


def test_plan_finds_a_file_by_its_exact_path_only(make_layout, contents):
    layout = make_layout(contents)

    assert layout.find("many/file-0700.zst").length == 4900 % 3000
    for path in ("many/FILE-0700.zst", "many", "none", "tiny/x", "", "many/"):
        with pytest.raises(KeyError):
            layout.find(path)


def test_plan_keeps_reserved_extents_free_and_splits_a_file_only_there(make_layout):
    reserved = [
        ReservedExtent(name="FVE2.1", offset=8 * MIB, length=65536),
        ReservedExtent(name="FVE2.vb", offset=8 * MIB + 65536, length=8192),
        ReservedExtent(name="FVE2.2", offset=12 * MIB, length=65536),
    ]
    files = [NtfsFile(path=f"f{i}", length=MIB) for i in range(11)]
    layout = make_layout(files, reserved=reserved)

    taken = sorted(
        (extent.offset, extent.length) for place in layout.files() for extent in place.extents
    )
    for extent in reserved:
        assert all(
            end <= extent.offset or start >= extent.offset + extent.length
            for start, end in ((offset, offset + length) for offset, length in taken)
        )
    assert sum(length for _, length in taken) == 11 * MIB
    assert sorted(len(place.extents) for place in layout.files()) == [1] * 9 + [2, 2]
    with pytest.raises(KeyError):
        layout.find("System Volume Information/FVE2.1")


def test_plan_uses_the_gap_that_a_long_system_file_left(make_layout):
    # The log of 2 MiB does not fit before the extent; the first file begins there.
    reserved = [ReservedExtent(name="FVE2.1", offset=MIB, length=65536)]
    layout = make_layout([NtfsFile(path="f", length=MIB)], reserved=reserved)

    assert layout.places.log[0] * 4096 == MIB + 65536
    assert layout.find("f").extents[0].offset < MIB


def test_plan_fills_a_volume_to_the_last_cluster(make_layout):
    free = make_layout([NtfsFile(path="f", length=0)]).free_bytes
    layout = make_layout([NtfsFile(path="f", length=free)])

    assert layout.free_bytes == 0
    with pytest.raises(VolumeFullError) as caught:
        make_layout([NtfsFile(path="f", length=free + 1)])
    assert caught.value.free_bytes == free
    assert caught.value.needed_bytes == free + 4096


def test_plan_keeps_small_given_contents_in_their_record(make_layout):
    def place(path, length):
        file = NtfsFile(path=path, length=length, content=bytes(length))
        return make_layout([file]).find(path)

    assert place("a", 744).extents == ()
    assert len(place("a", 745).extents) == 1
    assert place("n" * 255, 240).extents == ()
    assert len(place("n" * 255, 241).extents) == 1
    assert place("a", 1).is_rendered
    assert place("a", 5000).is_rendered


def test_plan_with_names_that_windows_refuses_carries_all_findings(make_layout):
    files = [NtfsFile(path=path, length=1) for path in ("a?", "ok", "b.", "OK")]

    with pytest.raises(NameNotAllowedError) as caught:
        make_layout(files, label="x" * 33)
    assert [finding.code for finding in caught.value.findings] == [
        "label-invalid",
        "name-illegal-character",
        "name-trailing",
        "name-duplicate",
    ]


@pytest.mark.parametrize("label", ["a/b", "\ud800", "x" * 33])
def test_plan_with_a_label_that_windows_refuses_is_refused(make_layout, label):
    with pytest.raises(NameNotAllowedError):
        make_layout(label=label)


@pytest.mark.parametrize(
    "reserved",
    [
        [ReservedExtent(name="a", offset=8 * MIB + 512, length=4096)],
        [ReservedExtent(name="a", offset=8 * MIB, length=0)],
        [
            ReservedExtent(name="a", offset=8 * MIB, length=65536),
            ReservedExtent(name="b", offset=8 * MIB + 4096, length=65536),
        ],
        [ReservedExtent(name="a", offset=0, length=4096)],
    ],
    ids=["off a cluster", "empty", "overlapping", "on the boot sector"],
)
def test_plan_with_impossible_reserved_extents_is_refused(make_layout, reserved):
    with pytest.raises(ValueError, match="extent"):
        make_layout(reserved=reserved)


def test_plan_with_a_reserved_extent_past_the_end_is_refused(make_layout):
    with pytest.raises(VolumeFullError):
        make_layout(reserved=[ReservedExtent(name="a", offset=16 * MIB, length=4096)])


@pytest.mark.parametrize("options", [{"serial": 1 << 64}, {"created": dt.datetime(2026, 1, 1)}])
def test_plan_with_a_value_out_of_range_is_refused(make_layout, options):
    with pytest.raises(ValueError, match=r"64 bits|time zone"):
        make_layout(**options)


def test_plan_like_mkntfs_takes_contents_too(make_layout):
    layout = make_layout([NtfsFile(path="f", length=MIB)], placement=Placement.MKNTFS)

    assert layout.places.mft[0] == 4
    assert sum(extent.length for extent in layout.find("f").extents) == MIB


def test_plan_like_mkntfs_refuses_a_table_that_its_zone_does_not_hold(make_layout):
    files = [NtfsFile(path=str(i), length=0) for i in range(3000)]

    with pytest.raises(VolumeFullError):
        make_layout(files, placement=Placement.MKNTFS)


def test_plan_of_an_8_tb_volume_renders_in_few_pieces(make_layout):
    from offlineseed.ntfs import Fill, render_volume

    pieces = list(render_volume(make_layout(size=8_000_000_000_000)))

    assert len(pieces) < 30
    assert sum(len(piece.data) for piece in pieces if not isinstance(piece, Fill)) < 1 << 20
