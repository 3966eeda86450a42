from pathlib import Path

import pytest

from offlineseed.volumes import Drive, VolumeCapacity, VolumeFile


@pytest.mark.parametrize("drive_id", ["", "two words", "a/b", "..", "a\\b", "a:b", "a\nb"])
def test_drive_with_an_id_that_names_no_folder_is_refused(drive_id):
    with pytest.raises(ValueError, match="no drive id"):
        Drive(drive_id=drive_id, path=Path("x"), size_bytes=1)


@pytest.mark.parametrize("length", [-1, True, 1.0])
def test_volume_file_with_a_wrong_length_is_refused(length):
    with pytest.raises(ValueError, match="length"):
        VolumeFile(path="a", length=length)


@pytest.mark.parametrize(
    ("length", "cost"), [(0, 100), (1, 4196), (4096, 4196), (4097, 8292)], ids=str
)
def test_capacity_counts_whole_clusters_and_bookkeeping(length, cost):
    capacity = VolumeCapacity(usable_bytes=1, allocation_bytes=4096, file_bytes=100)
    assert capacity.cost(length) == cost
