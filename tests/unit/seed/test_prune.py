import io
import random

import pytest

from offlineseed.errors import CatalogError, SegmentMissingError
from offlineseed.seed import (
    catalog_name,
    plan_prune,
    read_seal,
    seal_name,
    sealed_generations,
    segment_name,
)
from offlineseed.testing import MemoryStore

SIZE = 300_000


@pytest.fixture
def chain(workshop):
    """
    A store with generations 0 to 3; each has one item of its own, and item 0 is in all of them.
    """
    workshop.store = MemoryStore()
    contents = [random.Random(number).randbytes(SIZE) for number in range(4)]
    for generation in range(4):
        names = {0, generation}
        baseline = workshop.catalog(generation - 1) if generation else None
        with workshop.writer(generation, baseline=baseline) as writer:
            for name in names:
                writer.add_stream(io.BytesIO(contents[name]), str(name))
            writer.seal()
        if baseline:
            baseline.close()
    return workshop, contents


def names(plan):
    return [each.name for each in plan.objects]


def test_plan_that_keeps_all_deletes_nothing(chain):
    workshop, _ = chain
    plan = plan_prune(workshop.store, keep=range(4))
    assert (plan.kept, plan.dropped, plan.objects, plan.freed_bytes) == ((0, 1, 2, 3), (), (), 0)
    assert plan.kept_segments == 4


def test_plan_names_what_no_kept_generation_needs_with_lengths(chain):
    workshop, _ = chain
    plan = plan_prune(workshop.store, keep=[3, 1])
    assert (plan.kept, plan.dropped) == ((1, 3), (0, 2))
    # Item 0 lies in the seed's segment, which later generations need.
    assert names(plan) == [
        seal_name(0),
        seal_name(2),
        catalog_name(0),
        catalog_name(2),
        segment_name(2, 0),
    ]
    assert [each.length for each in plan.objects] == list(map(workshop.store.length, names(plan)))
    assert plan.freed_bytes > SIZE


@pytest.mark.parametrize(
    "keep", [{0}, {1}, {3}, {0, 2}, {1, 3}, {0, 1, 2}], ids=lambda keep: f"keep {sorted(keep)}"
)
def test_kept_generations_are_whole_after_deletion_stopped_anywhere(chain, keep):
    workshop, contents = chain
    plan = plan_prune(workshop.store, keep=keep)
    for name in names(plan):
        workshop.store.remove(name)
        for generation in sealed_generations(workshop.store):
            # A generation whose seal is still there and that is not kept is not read any more.
            if generation in keep:
                with workshop.reader(generation=generation) as reader:
                    assert list(reader.check()) == []
                    assert reader.read(str(generation)) == contents[generation]
    assert set(sealed_generations(workshop.store)) == keep
    assert plan_prune(workshop.store, keep=keep).objects == ()


def test_increment_is_written_on_a_kept_generation_after_pruning(chain):
    workshop, contents = chain
    for name in names(plan_prune(workshop.store, keep=[1])):
        workshop.store.remove(name)
    with workshop.catalog(1) as baseline:
        workshop.path(2).unlink()
        with workshop.writer(2, baseline=baseline) as writer:
            writer.add_stream(io.BytesIO(contents[1]), "again")
            assert writer.seal().stored_bytes == 0
    with workshop.reader() as reader:
        assert reader.read("again") == contents[1]


def test_plan_leaves_alone_what_is_being_written_and_what_is_not_a_seeds(chain):
    workshop, _ = chain
    with workshop.catalog(3) as baseline:
        writer = workshop.writer(4, baseline=baseline)
        writer.add_stream(io.BytesIO(random.Random(9).randbytes(3 * SIZE)), "new")
        writer.checkpoint()
        other = workshop.store.create("segments/read me.txt")
        other.write(b"x")
        other.close()
        for name in names(plan_prune(workshop.store, keep=[3])):
            workshop.store.remove(name)
        seal = writer.seal()
    assert seal.generation == 4
    with workshop.reader() as reader:
        assert list(reader.check()) == []
    assert workshop.store.length("segments/read me.txt") == 1


def test_segment_that_no_catalog_names_is_needless(chain):
    workshop, _ = chain
    stray = workshop.store.create(segment_name(1, 7))
    stray.write(b"left by a crash")
    stray.close()
    plan = plan_prune(workshop.store, keep=range(4))
    assert [(each.name, each.length) for each in plan.objects] == [(segment_name(1, 7), 15)]


def test_plan_that_keeps_nothing_is_refused(chain):
    with pytest.raises(ValueError, match="keeps nothing"):
        plan_prune(chain[0].store, keep=())


def test_generation_to_keep_that_is_not_there_is_named(chain):
    with pytest.raises(SegmentMissingError, match=r"no seal of generation 7.*has 0, 1, 2, 3"):
        plan_prune(chain[0].store, keep=[3, 7])


@pytest.mark.parametrize("place", ["seal", "catalog", "catalog gone"])
def test_generation_to_keep_that_cannot_be_read_is_refused(chain, place):
    store = chain[0].store
    if place == "catalog gone":
        store.remove(catalog_name(2))
    else:
        store.stored({"seal": seal_name, "catalog": catalog_name}[place](2))[40] ^= 0x55
    with pytest.raises(CatalogError, match="generation 2 is to be kept and can't be read"):
        plan_prune(store, keep=[2, 3])
    # Nothing of it is needed where it is not kept.
    assert seal_name(2) in names(plan_prune(store, keep=[3]))


def test_generations_of_different_seeds_are_refused(chain):
    workshop, _ = chain
    other = MemoryStore()
    workshop.path(0).unlink(missing_ok=True)
    with workshop.writer(0, store=other) as writer:
        writer.seal()
    for name in (catalog_name(0), seal_name(0)):
        workshop.store.stored(name)[:] = other.stored(name)
    with pytest.raises(CatalogError, match="2 different seeds"):
        plan_prune(workshop.store, keep=[0, 1])
    assert read_seal(workshop.store, 0).seed_id != read_seal(workshop.store, 1).seed_id
