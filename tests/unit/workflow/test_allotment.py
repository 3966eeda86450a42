from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offlineseed.drives import DriveSpace
from offlineseed.errors import DriveError, NotEnoughDrivesError
from offlineseed.manifest import BlobType
from offlineseed.staging import StagedBlob
from offlineseed.volumes import VolumeCapacity
from offlineseed.workflow._allotment import allot

BASE = 80_000  # a manifest without blobs, and its file


@attrs.frozen
class Job:
    """
    Blobs of given lengths.
    """

    lengths: tuple

    def blobs(self):
        for position, length in enumerate(self.lengths):
            yield StagedBlob(
                path=f"blob-{position}",
                source=Path("nowhere"),
                length=length,
                blob_type=BlobType.BLOCK,
                checksum="",
            )


def space(name, usable):
    return DriveSpace(drive_id=name, capacity=VolumeCapacity(usable_bytes=usable)), usable


def shares(allotment, job):
    return {
        one.drive_id: [blob.path for blob in one.plan.select(job.blobs())]
        for one in allotment.drives
    }


def test_share_is_kept_while_drives_come():
    job = Job((50_000,) * 6)
    first = allot(job, further=[space("A", BASE + 130_000)])
    second = allot(job, first.drives, further=[space("B", BASE + 10_000_000)])

    assert (first.is_complete, second.is_complete) == (False, True)
    assert shares(second, job)["A"] == shares(first, job)["A"]
    placed = [path for paths in shares(second, job).values() for path in paths]
    assert sorted(placed) == [blob.path for blob in job.blobs()]


def test_missing_drives_are_counted_for_the_owner():
    allotment = allot(Job((50_000,) * 6), further=[space("A", BASE + 130_000)])
    with pytest.raises(NotEnoughDrivesError, match=r"4 blobs of 200000 bytes.*attach 2 more") as it:
        allotment.require_complete()
    assert it.value.missing_bytes == allotment.unplaced_bytes == 200_000


def test_job_with_ten_drives_takes_no_more():
    job = Job((50_000,) * 12)
    further = [space(f"D{number}", BASE + 65_000) for number in range(11)]
    allotment = allot(job, further=further)

    assert len(allotment.drives) == 10
    with pytest.raises(NotEnoughDrivesError, match="a job takes 10 drives and has 10"):
        allotment.require_complete()
    again = allot(job, allotment.drives, further=[space("LARGE", 1 << 40)])
    assert again.drives == allotment.drives
    assert not again.is_complete


def test_drive_too_small_for_anything_gets_no_share():
    allotment = allot(Job((50_000,)), further=[space("TINY", 1000)])
    assert (allotment.drives, allotment.unplaced_blobs) == ((), 1)


@pytest.mark.parametrize("lengths", [(50_000, 50_001), (50_000,), ()])
def test_blobs_that_changed_since_are_noticed(lengths):
    known = allot(Job((50_000, 50_000)), further=[space("A", 1 << 30)]).drives
    with pytest.raises(DriveError, match="drive A"):
        allot(Job(lengths), known)


@given(
    lengths=st.lists(st.integers(0, 200_000), max_size=40),
    sizes=st.lists(st.integers(BASE, BASE + 600_000), max_size=6),
    lost=st.integers(0, 5),
)
def test_every_blob_has_one_drive_whatever_is_lost(lengths, sizes, lost):
    job = Job(tuple(lengths))
    known = ()
    for number, size in enumerate(sizes):
        known = allot(job, known, further=[space(f"D{number}", size)]).drives
    kept = tuple(one for index, one in enumerate(known) if index != lost)

    allotment = allot(job, kept, further=[space("LAST", 1 << 40)])

    assert allotment.is_complete
    placed = [path for paths in shares(allotment, job).values() for path in paths]
    assert sorted(placed) == sorted(blob.path for blob in job.blobs())
    assert set(kept) <= set(allotment.drives)
