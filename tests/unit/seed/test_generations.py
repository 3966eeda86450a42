"""
A chain of thirty generations, as a host makes it in a month of backups.
"""

import os
import random
import shutil
from itertools import pairwise

import attrs
import pytest

from offlineseed.seed import (
    Catalog,
    FolderStore,
    SeedOptions,
    SeedReader,
    SeedWriter,
    catalog_name,
    fetch_catalog,
    plan_prune,
    read_seal,
    seal_name,
    sealed_generations,
    verify_chain,
)

KIB = 1024
CHUNK = 64 * KIB
COUNT = 30
# Long before the chain begins: what is not changed is not read.
OLD_NS = 1_600_000_000_000_000_000


@attrs.define
class Day:
    """
    What a generation was like.
    """

    state: dict
    """The tree, as `snapshot` sees it."""
    seal: object
    only_moved: bool
    """Whether nothing happened but moves."""


class Host:
    """
    Somebody who works in a tree.
    """

    def __init__(self, root):
        self.root = root
        self.chosen = random.Random(30)
        self.time = OLD_NS
        for number in range(3):
            (root / f"folder {number}" / "below").mkdir(parents=True)
        for number in range(25):
            self.write(self.place(f"small {number}"), self.chosen.randrange(6000))
        for number in range(3):
            self.write(self.place(f"large {number}"), 5 * CHUNK + 1000 * number)

    def place(self, name):
        folder = f"folder {self.chosen.randrange(3)}"
        return self.root / folder / self.chosen.choice(("", "below")) / name

    def files(self, *, least=0):
        found = (path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(path for path in found if path.stat().st_size >= least)

    def stamp(self, path):
        self.time += 10**9
        os.utime(path, ns=(self.time, self.time), follow_symlinks=False)

    def write(self, path, length):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.chosen.randbytes(length))
        self.stamp(path)

    def create(self, day):
        self.write(self.place(f"new {day}"), self.chosen.choice((0, 1, 700, CHUNK, CHUNK + 1)))

    def edit(self, day):
        path = self.chosen.choice(self.files(least=2 * CHUNK))
        with path.open("r+b") as file:
            file.seek(self.chosen.randrange(path.stat().st_size))
            file.write(b"changed on day %d" % day)
        self.stamp(path)

    def cut_or_grow(self, day):
        path = self.chosen.choice(self.files(least=2 * CHUNK))
        os.truncate(path, self.chosen.choice((CHUNK, CHUNK + 1, 3 * CHUNK - 1, 7 * CHUNK)))
        self.stamp(path)
        self.write(self.root / "always large", 3 * CHUNK + day)

    def delete(self, day):
        self.chosen.choice(self.files()).unlink()

    def move(self, day):
        path = self.chosen.choice(self.files(least=1))
        target = self.root / f"moved on day {day}" / path.name
        target.parent.mkdir()
        path.rename(target)

    def rename_folder(self, day):
        (self.root / "folder 1").rename(self.root / "folder x")
        (self.root / "folder 2").rename(self.root / "folder 1")
        (self.root / "folder x").rename(self.root / "folder 2")

    def link(self, day):
        path = self.place(f"link {day}")
        path.symlink_to(f"../target {day}")
        self.stamp(path)

    def work(self, day):
        """
        Do a day's work and tell whether it was nothing but moves.
        """
        if day % 5 == 0:
            self.move(day)
            self.rename_folder(day)
            return True
        for act in (self.create, self.edit, self.cut_or_grow, self.delete, self.move, self.link):
            if self.chosen.random() < 0.7:
                act(day)
        return False


@pytest.fixture(scope="module")
def chain(tmp_path_factory, snapshot):
    """
    The days, and the store with their generations.
    """
    folder = tmp_path_factory.mktemp("chain")
    root = folder / "tree"
    root.mkdir()
    host = Host(root)
    store = FolderStore(folder / "store")
    options = SeedOptions(chunk_bytes=CHUNK, segment_bytes=512 * KIB, workers=2)
    days = []
    for number in range(COUNT):
        only_moved = host.work(number) if number else False
        baseline = None
        if number:
            path = folder / f"{number - 1}.baseline"
            fetch_catalog(store, read_seal(store, number - 1), path)
            baseline = Catalog(path)
        catalog = folder / f"{number}.sqlite"
        with SeedWriter(store, catalog, baseline=baseline, options=options) as writer:
            writer.add_tree(root)
            seal = writer.seal()
        if baseline is not None:
            baseline.close()
        days.append(Day(snapshot(root), seal, only_moved))
    return days, store


def restored(store, generation, target, snapshot):
    with SeedReader(store, generation=generation) as reader:
        reader.restore(target)
    return snapshot(target)


def test_every_generation_restores_as_it_was(chain, tmp_path, snapshot):
    days, store = chain
    assert sealed_generations(store) == tuple(range(COUNT))
    for generation, day in enumerate(days):
        assert restored(store, generation, tmp_path / str(generation), snapshot) == day.state


def test_chain_is_right_from_end_to_end(chain):
    days, store = chain
    report = verify_chain(store, expected_digest=days[-1].seal.digest)
    assert report.is_ok
    assert report.count("links") == COUNT - 1
    assert [day.seal.parent for day in days[1:]] == [day.seal.digest for day in days[:-1]]


def test_moved_files_send_nothing(chain):
    days, _ = chain
    moved = [day for day in days if day.only_moved]
    assert len(moved) == 5
    assert [day.seal.stored_bytes for day in moved] == [0] * 5


def test_increments_send_less_than_the_seed_and_see_deletions(chain):
    days, _ = chain
    assert max(day.seal.stored_bytes for day in days[1:]) < days[0].seal.stored_bytes
    gone = [set(day.state) - set(after.state) for day, after in pairwise(days)]
    assert sum(map(len, gone)) > 30
    assert [day.seal.items for day in days] == [len(day.state) for day in days]


@pytest.mark.parametrize("generation", [0, 7, 15, 29])
def test_catalog_of_each_generation_is_complete(chain, tmp_path, snapshot, generation):
    days, store = chain
    alone = FolderStore(tmp_path / "store")
    shutil.copytree(store.root, alone.root)
    for other in set(range(COUNT)) - {generation}:
        (alone.root / catalog_name(other)).unlink()
        (alone.root / seal_name(other)).unlink()
    assert restored(alone, generation, tmp_path / "tree", snapshot) == days[generation].state


@pytest.mark.parametrize(
    "keep",
    [{29}, {0, 29}, {3, 4, 20}, set(range(22, 30)), set(range(0, 30, 7))],
    ids=lambda keep: f"keep {sorted(keep)}",
)
def test_generations_that_are_kept_restore_after_pruning(chain, tmp_path, snapshot, keep):
    days, store = chain
    pruned = FolderStore(tmp_path / "store")
    shutil.copytree(store.root, pruned.root)
    before = sum(path.stat().st_size for path in pruned.root.rglob("*") if path.is_file())
    plan = plan_prune(pruned, keep=keep)
    for each in plan.objects:
        (pruned.root / each.name).unlink()
    after = sum(path.stat().st_size for path in pruned.root.rglob("*") if path.is_file())
    assert before - after == plan.freed_bytes > 0
    assert sealed_generations(pruned) == tuple(sorted(keep))
    for generation in keep:
        target = tmp_path / str(generation)
        assert restored(pruned, generation, target, snapshot) == days[generation].state
