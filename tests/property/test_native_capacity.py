"""
What a planner takes to fit on a native volume does fit: whatever names, depths and lengths.
"""

import random
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offlineseed.errors import VolumeFullError
from offlineseed.volumes import Drive, NativeVolumes, VolumeFile
from offlineseed.volumes._native_plan import plan_contents, plan_places

MIB = 1024 * 1024
MOST_FILES = 4000  # keeps an example quick; small volumes are full long before


def fill(capacity, chosen, *, name_units, depth, lengths):
    """
    Return files of the given kind that fill the capacity to the last file.
    """
    files, free = [], capacity.usable_bytes
    while True:
        number = len(files)
        name = f"{number:x}".rjust(name_units, "n")
        folders = [f"{chosen.randrange(8):x}".rjust(name_units, "f") for _ in range(depth)]
        file = VolumeFile(path="/".join([*folders, name]), length=chosen.choice(lengths))
        cost = capacity.cost(file.length, folders=depth)
        if cost > free or number == MOST_FILES:
            # The rest in one file, to the last byte that is left.
            rest = free - capacity.cost(0)
            if rest > 0:
                length = rest // capacity.allocation_bytes * capacity.allocation_bytes
                files.append(VolumeFile(path="rest", length=length))
            return files
        files.append(file)
        free -= cost


def require_fit(size_bytes, files):
    plan_contents(
        plan_places(size_bytes),
        files,
        volume_guid=uuid.UUID(int=1),
        created=NativeVolumes().now(),
        label="SEED",
    )


@settings(max_examples=100)
@given(
    size=st.sampled_from([66, 67, 72, 80, 100, 130, 300, 2000]),
    name_units=st.sampled_from([4, 20, 100, 255]),
    depth=st.sampled_from([0, 1, 3, 20]),
    lengths=st.lists(st.sampled_from([0, 1, 4096, 4097, 70_000, 9 * MIB]), min_size=1, max_size=3),
    seed=st.integers(0, 99),
)
def test_contents_up_to_the_capacity_always_fit(size, name_units, depth, lengths, seed):
    drive = Drive(drive_id="X", path="nowhere", size_bytes=size * MIB)
    capacity = NativeVolumes().capacity(drive)
    files = fill(capacity, random.Random(seed), name_units=name_units, depth=depth, lengths=lengths)
    require_fit(drive.size_bytes, files)


@pytest.mark.parametrize("size", [72 * MIB, 900 * MIB, 64 * 1024 * MIB], ids=str)
def test_one_file_may_take_nearly_all_of_the_capacity(size):
    capacity = NativeVolumes().capacity(Drive(drive_id="X", path="nowhere", size_bytes=size))
    length = capacity.usable_bytes - capacity.cost(0)
    require_fit(size, [VolumeFile(path="one", length=length)])
    assert length > 0.95 * size - 8 * MIB


def test_capacity_is_not_much_less_than_what_fits():
    size = 900 * MIB
    capacity = NativeVolumes().capacity(Drive(drive_id="X", path="nowhere", size_bytes=size))
    with pytest.raises(VolumeFullError):
        require_fit(size, [VolumeFile(path="one", length=capacity.usable_bytes + 256 * 1024)])


def test_files_alone_in_deep_folders_fit_as_they_are_counted():
    size = 72 * MIB
    capacity = NativeVolumes().capacity(Drive(drive_id="X", path="nowhere", size_bytes=size))
    for name_units, depth in ((1, 300), (2, 100), (100, 9), (250, 4)):
        files, free, number = [], capacity.usable_bytes, 0
        while (free := free - capacity.cost(1, folders=depth)) > 0:
            number += 1
            top = f"{number:x}".rjust(name_units, "t")
            path = "/".join([top, *["f" * name_units] * (depth - 1), "n" * name_units])
            files.append(VolumeFile(path=path, length=1))
        require_fit(size, files)
