import pytest

from offlineseed.errors import VolumeFullError
from offlineseed.ntfs._space import Space


def test_space_gives_whole_runs_past_what_is_fixed():
    space = Space(100, 4096, [(0, 2), (10, 5)])

    assert space.take_whole(8) == 2
    assert space.take_whole(9) == 15
    assert space.free_extents() == ((24, 76),)


def test_space_takes_the_gap_that_a_longer_run_left():
    space = Space(100, 4096, [(0, 2), (10, 5)])

    assert [space.take_whole(9), space.take_whole(3)] == [15, 2]


def test_space_splits_a_file_only_where_something_fixed_is():
    space = Space(40, 4096, [(0, 2), (10, 5)])

    assert list(space.take_each([3, 0, 5, 10, 15])) == [2, 0, 5, 15, 25]
    assert space.free_clusters == 0
    space = Space(40, 4096, [(0, 2), (10, 5)])
    assert list(space.take_each([3, 10, 4])) == [2, ((5, 5), (15, 5)), 20]


def test_space_that_is_full_says_how_much_is_missing():
    space = Space(40, 4096, [(0, 2)])

    with pytest.raises(VolumeFullError) as caught:
        list(space.take_each([30, 9]))
    assert caught.value.needed_bytes == 9 * 4096
    assert caught.value.free_bytes == 8 * 4096


def test_space_with_fixed_extents_that_overlap_is_refused():
    with pytest.raises(ValueError, match="share cluster 5"):
        Space(40, 4096, [(0, 6), (5, 2)])


def test_space_with_a_fixed_extent_outside_is_refused():
    with pytest.raises(VolumeFullError):
        Space(40, 4096, [(39, 2)])
