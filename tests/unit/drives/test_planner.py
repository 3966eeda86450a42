import tracemalloc
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offlineseed.drives import DrivePlanner, DriveSpace
from offlineseed.drives._planner import _manifest_share
from offlineseed.errors import DriveError, NameNotAllowedError, NotEnoughDrivesError
from offlineseed.manifest import (
    BlobOutline,
    BlobType,
    DriveManifest,
    ImportDisposition,
    file_path_of,
    manifest_length_bound,
)
from offlineseed.staging import StagedBlob
from offlineseed.volumes import VolumeCapacity

MIB = 1024 * 1024
PLANNER = DrivePlanner()


def blob(path, length, blob_type=BlobType.BLOCK):
    return StagedBlob(
        path=path, source=Path(path), length=length, blob_type=blob_type, checksum="xxh3-128:0"
    )


def blobs_of(*lengths):
    return [blob(f"seed/{number:06d}", length) for number, length in enumerate(lengths)]


def space(drive_id, usable_bytes):
    return DriveSpace(drive_id=drive_id, capacity=VolumeCapacity(usable_bytes=usable_bytes))


def chosen(plan, blobs):
    return [int(one.path.rpartition("/")[2]) for one in plan.select(blobs)]


def test_plan_puts_each_blob_on_the_first_drive_with_room():
    blobs = blobs_of(6 * MIB, 6 * MIB, 2 * MIB, 5 * MIB)
    first, second = PLANNER.plan(blobs, [space("A", 10 * MIB), space("B", 12 * MIB)])
    assert (first.drive_id, chosen(first, blobs)) == ("A", [0, 2])
    assert (second.drive_id, chosen(second, blobs)) == ("B", [1, 3])
    assert (first.blobs, first.total_bytes, first.runs) == (2, 8 * MIB, ((0, 1), (2, 3)))


def test_plan_of_all_on_one_drive_leaves_the_others_out():
    blobs = blobs_of(*range(100))
    (plan,) = PLANNER.plan(iter(blobs), [space("A", 10 * MIB), space("B", 10 * MIB)])
    assert plan.runs == ((0, 100),)
    assert list(plan.select(blobs)) == blobs


def test_plan_of_no_blobs_is_no_plan():
    assert PLANNER.plan([], [space("A", 10 * MIB)]) == ()


def test_plan_digest_tells_any_change_of_a_blob():
    spaces = [space("A", 100 * MIB)]
    digests = {
        PLANNER.plan([one], spaces)[0].digest
        for one in (
            blob("a", 512),
            blob("b", 512),
            blob("a", 1024),
            blob("a", 512, BlobType.PAGE),
            StagedBlob(
                path="a", source=Path("a"), length=512, blob_type=BlobType.BLOCK, checksum=""
            ),
        )
    }
    assert len(digests) == 5


def test_plan_with_too_little_room_says_how_many_more_of_what_size():
    blobs = blobs_of(*[6 * MIB] * 5)
    with pytest.raises(NotEnoughDrivesError) as caught:
        PLANNER.plan(blobs, [space("A", 8 * MIB), space("B", 14 * MIB)])
    error = caught.value
    assert error.missing_bytes == 12 * MIB
    assert error.missing_drives == 1
    assert 6 * MIB < error.largest_blob_bytes < 6 * MIB + 16384
    added = [space("A", 8 * MIB), space("B", 14 * MIB), space("C", 14 * MIB)]
    assert len(PLANNER.plan(blobs, added)) == 3


def test_plan_for_a_blob_larger_than_any_drive_says_what_size_is_needed():
    blobs = blobs_of(100 * MIB)
    with pytest.raises(NotEnoughDrivesError) as caught:
        PLANNER.plan(blobs, [space("A", 8 * MIB)])
    assert caught.value.missing_drives == 1
    size = int(str(caught.value).partition("with ")[2].partition(" bytes")[0])
    assert len(PLANNER.plan(blobs, [space("A", 8 * MIB), space("B", size)])) == 1


def test_plan_without_drives_says_what_one_drive_would_have_to_hold():
    with pytest.raises(NotEnoughDrivesError) as caught:
        PLANNER.plan(blobs_of(5 * MIB, 6 * MIB), [])
    assert (caught.value.missing_drives, caught.value.missing_bytes) == (1, 11 * MIB)


def test_plan_uses_ten_drives_at_most():
    blobs = blobs_of(*[6 * MIB] * 11)
    spaces = [space(f"D{number}", 8 * MIB) for number in range(12)]
    assert len(PLANNER.plan(blobs[:10], spaces)) == 10
    with pytest.raises(NotEnoughDrivesError, match="a job takes 10"):
        PLANNER.plan(blobs, spaces)


def test_plan_with_a_drive_given_twice_is_refused():
    with pytest.raises(DriveError, match="twice"):
        PLANNER.plan([], [space("A", 1), space("A", 1)])


def test_plan_of_a_blob_with_the_manifests_name_is_refused():
    with pytest.raises(DriveError, match="manifest"):
        PLANNER.plan([blob("drivemanifest.XML", 1)], [space("A", MIB)])


def test_plan_of_a_name_windows_refuses_is_refused():
    with pytest.raises(NameNotAllowedError):
        PLANNER.plan([blob("seed/a:b", 1)], [space("A", MIB)])


@given(
    lengths=st.lists(st.integers(0, 3 * MIB), max_size=60),
    rooms=st.lists(st.integers(0, 40 * MIB), max_size=5),
)
def test_plan_loses_and_doubles_no_blob_and_never_overfills(lengths, rooms):
    blobs = blobs_of(*lengths)
    spaces = [space(f"D{number}", room) for number, room in enumerate(rooms)]
    try:
        plans = PLANNER.plan(blobs, spaces)
    except NotEnoughDrivesError as error:
        missing = error
    else:
        missing = None
    if missing is not None:
        assert 0 <= missing.missing_bytes <= sum(lengths)
        assert missing.missing_drives >= 1
        return
    assert plans == PLANNER.plan(blobs, spaces)
    by_id = {one.drive_id: one.capacity for one in spaces}
    seen = []
    for plan in plans:
        picked = list(plan.select(blobs))
        seen += picked
        assert (plan.blobs, plan.total_bytes) == (len(picked), sum(one.length for one in picked))
        capacity = by_id[plan.drive_id]
        header = DriveManifest(drive_id=plan.drive_id)
        manifest = manifest_length_bound(header, map(outline, picked))
        costs = sum(capacity.cost(one.length) for one in picked) + capacity.cost(manifest)
        assert costs <= capacity.usable_bytes
    assert sorted(seen, key=lambda one: one.path) == blobs


def outline(one):
    return BlobOutline(
        blob_path=f"{'c' * 63}/{one.path}",
        file_path=file_path_of(one.path),
        length=one.length,
        blob_type=one.blob_type,
        import_disposition=ImportDisposition.NO_OVERWRITE,
    )


@given(
    path=st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\/.\ufffe\uffff"),
        min_size=1,
    ),
    length=st.integers(0, 2**43),
    blob_type=st.sampled_from(BlobType),
)
def test_manifest_share_is_never_too_little(path, length, blob_type):
    one = blob(path, length, blob_type)
    header = DriveManifest(drive_id="9WM35C2V")
    exact = manifest_length_bound(header, [outline(one)]) - manifest_length_bound(header, [])
    assert exact <= _manifest_share(one)


def test_plan_of_many_blobs_takes_little_memory():
    count = 20_000
    one = blob("seed/blob", 1000)
    tracemalloc.start()
    plans = PLANNER.plan(
        (attrs.evolve(one, path=f"seed/{number}") for number in range(count)),
        [space("A", 60 * MIB), space("B", 2000 * MIB)],
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MIB // 4
    assert sum(plan.blobs for plan in plans) == count
    assert [plan.runs[0][0] for plan in plans] == [0, plans[0].blobs]
