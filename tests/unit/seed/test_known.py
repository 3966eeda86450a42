import io
import os
import random
import threading

import pytest

from offlineseed.seed import _catalog_writer, _dedup
from offlineseed.seed._known import KnownItems

COUNT = 9000


@pytest.fixture
def asked():
    return []


@pytest.fixture
def known(asked):
    """
    Items 2, 4, 6 ... of a table in memory, that remembers what it was asked.
    """
    rows = [(n, b"%06d" % n, 1, n, 0o644, n, None) for n in range(2, 2 * COUNT + 2, 2)]
    by_name = {row[1]: row for row in rows}

    def select(query, parameters):
        asked.append(parameters)
        if "name = ?" in query:
            row = by_name.get(parameters[0])
            return [row] if row is not None and row[0] <= parameters[1] else []
        after, last = parameters
        return [row for row in rows if after < row[0] <= last][:2000]

    return KnownItems(select, "item", 2 * COUNT - 20)


def test_items_asked_for_in_order_cost_a_query_a_batch(known, asked):
    for number in range(2, 2 * COUNT - 18, 2):
        assert known.get(b"%06d" % number).id == number
    assert len(asked) < 8


def test_item_that_is_not_known_is_none(known):
    assert known.get(b"nothing") is None
    assert known.get(b"000001") is None
    assert known.get(b"000002").length == 2


def test_item_after_the_last_that_counts_is_none(known):
    assert known.get(b"%06d" % (2 * COUNT)) is None


def test_items_asked_for_in_any_order_are_found(known):
    chosen = random.Random(1)
    for _ in range(500):
        number = chosen.randrange(2 * COUNT - 20)
        found = known.get(b"%06d" % number)
        assert (found.id if found else None) == (number if number and number % 2 == 0 else None)


def test_items_after_one_that_is_gone_are_read_on_in_order(known, asked):
    known.get(b"000002")
    known.get(b"000100")
    before = len(asked)
    for number in range(102, 2000, 2):
        assert known.get(b"%06d" % number).id == number
    assert len(asked) == before


def test_empty_table_knows_nothing():
    known = KnownItems(lambda query, parameters: [], "item", 0)
    assert known.get(b"a") is None
    assert known.get(b"b") is None


def wanted(number, **changes):
    item = {"name": b"%06d" % number, "kind": 1, "length": number, "mode": 0o644}
    return (*(item | {"mtime_ns": number, "target": None} | changes).values(),)


def test_same_items_in_order_cost_a_query_a_batch(known, asked):
    for number in range(2, 2 * COUNT - 18, 2):
        assert known.same(wanted(number)) == number
    assert len(asked) < 8


@pytest.mark.parametrize(
    "change",
    [
        {"name": b"other"},
        {"kind": 2},
        {"length": 5},
        {"mode": 0o600},
        {"mtime_ns": 1},
        {"target": b"x"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_item_that_differs_in_anything_is_not_the_same(known, change):
    assert known.same(wanted(2)) == 2
    assert known.same(wanted(4, **change)) == 0
    assert known.same(wanted(6)) == 6


def test_same_items_in_any_order_are_found(known):
    chosen = random.Random(2)
    for _ in range(300):
        number = chosen.randrange(1, 2 * COUNT - 20)
        assert known.same(wanted(number)) == (0 if number % 2 else number)


def test_baseline_is_read_while_its_digests_are_being_indexed(workshop, tree, monkeypatch):
    """
    Both take their time with a baseline of millions of items, in two threads.
    """
    for number in range(4000):
        (tree / f"{number:04}").write_bytes(b"%d" % number)
        os.utime(tree / f"{number:04}", (1, 1))
    workshop.stage(tree)
    began, may_end = threading.Event(), threading.Event()
    real = _catalog_writer.create_indexes

    def slowly(connection, *names, schema="main"):
        is_waited_for = schema == "base" and "chunk_digest" in names
        if is_waited_for:
            # As SQLite does once an index is larger than its cache.
            connection.execute("BEGIN EXCLUSIVE")
            began.set()
            may_end.wait(0.3)
        real(connection, *names, schema=schema)
        if is_waited_for:
            connection.execute("COMMIT")

    monkeypatch.setattr(_catalog_writer, "create_indexes", slowly)
    monkeypatch.setattr(_dedup, "_MOST_REMEMBERED", 100)
    with workshop.catalog() as baseline:
        baseline._connection.execute("PRAGMA busy_timeout = 0")
        with workshop.writer(1, baseline=baseline) as writer:
            writer.add_stream(io.BytesIO(b"something new"), "new")
            writer._stager.flush()
            assert began.wait(10)
            writer.add_tree(tree)
            may_end.set()
            assert writer.seal().items == 4001
    with workshop.reader() as reader:
        assert reader.read("new") == b"something new"
        assert reader.read("3999") == b"3999"
