import io
import json
import random

import pytest

from offlineseed.errors import SegmentMissingError
from offlineseed.seed import catalog_name, read_seal, seal_name, verify_chain
from offlineseed.testing import MemoryStore


@pytest.fixture
def store(workshop):
    """
    A store with generations 0 to 4.
    """
    workshop.store = MemoryStore()
    for generation in range(5):
        baseline = workshop.catalog(generation - 1) if generation else None
        with workshop.writer(generation, baseline=baseline) as writer:
            writer.add_stream(io.BytesIO(random.Random(generation).randbytes(100)), "item")
            writer.seal()
        if baseline:
            baseline.close()
    return workshop.store


def change_seal(store, generation, **members):
    document = json.loads(bytes(store.stored(seal_name(generation))))
    store.stored(seal_name(generation))[:] = json.dumps({**document, **members}).encode()


def codes(report):
    return [(failure.code, failure.subject) for failure in report.failures]


def test_chain_as_it_was_written_is_right(store):
    report = verify_chain(store, expected_digest=read_seal(store, 4).digest)
    assert report.is_ok
    assert report.findings == ()
    assert report.checks == (("digests", 1), ("generations", 5), ("links", 4))


def test_newest_generation_that_is_not_the_expected_one_fails(store):
    report = verify_chain(store, expected_digest="0" * 64)
    assert codes(report) == [("digest-differs", seal_name(4))]


def test_generation_of_another_chain_fails_at_its_link(store, workshop):
    other = MemoryStore()
    with workshop.catalog(1) as baseline:
        workshop.path(2).unlink()
        with workshop.writer(2, baseline=baseline, store=other) as writer:
            writer.add_stream(io.BytesIO(b"something else"), "item")
            writer.seal()
    for name in (catalog_name(2), seal_name(2)):
        store.stored(name)[:] = other.stored(name)
    report = verify_chain(store)
    assert codes(report) == [("parent-differs", seal_name(3))]
    assert report.failures[0].expected == read_seal(store, 2).digest


def test_seal_that_says_another_parent_than_its_catalog_fails(store):
    change_seal(store, 3, parent="0" * 64)
    report = verify_chain(store)
    assert codes(report) == [("generation-unreadable", seal_name(3))]
    assert "the seal was changed" in report.failures[0].found


@pytest.mark.parametrize("is_whole", [True, False], ids=["removed", "damaged"])
def test_generation_that_cannot_be_read_fails_and_the_next_is_not_linked(store, is_whole):
    if is_whole:
        store.remove(catalog_name(2))
    else:
        store.stored(catalog_name(2))[50] ^= 1
    report = verify_chain(store)
    assert codes(report) == [("generation-unreadable", seal_name(2))]
    assert [(each.code, each.subject) for each in report.findings] == [
        ("parent-missing", seal_name(3))
    ]
    assert report.count("links") == 2


def test_generation_whose_parent_was_pruned_is_a_finding(store):
    for generation in (0, 1):
        store.remove(seal_name(generation))
        store.remove(catalog_name(generation))
    report = verify_chain(store)
    assert report.is_ok
    assert [(each.code, each.subject) for each in report.findings] == [
        ("parent-missing", seal_name(2))
    ]


def test_store_without_a_seed_has_no_chain():
    with pytest.raises(SegmentMissingError, match="no sealed seed"):
        verify_chain(MemoryStore())
