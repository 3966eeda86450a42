import pytest

from offlineseed.ntfs._tree import shape_tree


@pytest.mark.parametrize(
    ("count", "blocks"),
    [
        (0, [1]),
        (35, [1]),
        (36, [2, 1]),
        (37, [2, 1]),
        (100, [3, 1]),
        (1332, [38, 2, 1]),
        (100_000, [2778, 82, 3, 1]),
    ],
)
def test_shape_tree_of_equal_entries_has_the_known_blocks(count, blocks):
    assert [len(level.ends) for level in shape_tree([112] * count).levels] == blocks


@pytest.mark.parametrize("length", [88, 112, 592])
@pytest.mark.parametrize("count", [1, 6, 7, 8, 36, 49, 50, 343, 1369, 2500])
def test_shape_tree_holds_every_entry_once_and_has_no_empty_block(length, count):
    shape = shape_tree([length] * count)
    seen = []
    for level, extra, room in zip(
        shape.levels,
        [0, *[8] * len(shape.levels)],
        [4016, *[4008] * len(shape.levels)],
        strict=False,
    ):
        for start, end in level.blocks():
            assert end > start
            assert (end - start) * (length + extra) <= room
            seen += level.positions[start:end]

    assert sorted(seen) == list(range(count))
    assert len(shape.levels[-1].ends) == 1
    assert shape.levels[-1].first_block == shape.blocks - 1
