import datetime as dt

import pytest

from offlineseed.ntfs import NtfsFile
from offlineseed.ntfs._files import filetime


def test_filetime_counts_from_1601():
    assert filetime(dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)) == 116444736000000000
    zone = dt.timezone(dt.timedelta(hours=2))
    assert filetime(dt.datetime(1601, 1, 1, 2, 0, 0, 1, tzinfo=zone)) == 10


@pytest.mark.parametrize(
    "moment", [dt.datetime(2026, 1, 1), dt.datetime(1600, 1, 1, tzinfo=dt.timezone.utc)]
)
def test_filetime_of_a_moment_that_ntfs_has_not_is_refused(moment):
    with pytest.raises(ValueError, match=r"NTFS|time zone"):
        filetime(moment)


@pytest.mark.parametrize(
    "fields",
    [
        {"length": -1},
        {"length": True},
        {"length": 3, "content": b"four"},
        {"length": 4, "content": b"four", "is_maximum": True},
    ],
)
def test_file_whose_length_contradicts_is_refused(fields):
    with pytest.raises(ValueError, match="length"):
        NtfsFile(path="x", **fields)
