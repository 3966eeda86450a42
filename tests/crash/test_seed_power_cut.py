"""
The power is cut at every call of the store: only what was synced survives.
"""

import random
import shutil

import pytest

from offlineseed.errors import GenerationSealedError
from offlineseed.events import SeedCheckpoint
from offlineseed.seed import SeedOptions, SeedReader, SeedWriter, publish_seal
from offlineseed.testing import FaultEffect, FaultyStore, MemoryStore, StoreFault

KIB = 1024
CHUNK = 64 * KIB
OPTIONS = SeedOptions(
    chunk_bytes=CHUNK, segment_bytes=256 * KIB, workers=2, checkpoint_bytes=100 * KIB
)
NEVER = 10**9


@pytest.fixture
def tmp_path(memory_path):
    return memory_path


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    (root / "folder").mkdir(parents=True)
    chosen = random.Random(1)
    for number in range(12):
        length = chosen.choice((0, 1, 5000, 40_000, CHUNK, CHUNK + 1, 3 * CHUNK))
        (root / f"{number:02d}").write_bytes(chosen.randbytes(length))
        (root / "folder" / f"{number:02d}").write_bytes(chosen.randbytes(3000))
    (root / "folder" / "copy").write_bytes((root / "03").read_bytes())
    (root / "link").symlink_to("03")
    return root


class Run:
    """
    Stages the tree and remembers what was acknowledged.
    """

    def __init__(self, tree, catalog):
        self.tree = tree
        self.catalog = catalog
        self.acknowledged = 0
        self.is_sealed = False

    def hear(self, event):
        if isinstance(event, SeedCheckpoint):
            self.acknowledged = event.items

    def stage(self, store, tree=True):
        with SeedWriter(store, self.catalog, options=OPTIONS, on_event=self.hear) as writer:
            if tree:
                writer.add_tree(self.tree)
            seal = writer.seal()
            self.is_sealed = True
            return seal

    def complete(self, store, tree=True):
        try:
            return self.stage(store, tree)
        except GenerationSealedError:
            return publish_seal(store, self.catalog)


def count_calls(tree, tmp_path):
    store = FaultyStore(MemoryStore(), StoreFault(number=NEVER))
    Run(tree, tmp_path / "count" / "c.sqlite").stage(store)
    return store._injector._seen


LEFT = {
    "nothing unsynced": lambda _: 0,
    "half of what was unsynced": lambda unsynced: unsynced // 2,
    "everything unsynced": lambda unsynced: unsynced,
}


@pytest.mark.parametrize("effect", list(FaultEffect), ids=lambda effect: effect.value)
@pytest.mark.parametrize(
    "left",
    [
        "nothing unsynced",
        pytest.param("half of what was unsynced", marks=pytest.mark.slow),
        pytest.param("everything unsynced", marks=pytest.mark.slow),
    ],
)
def test_power_cut_at_every_call_loses_nothing_acknowledged(tree, tmp_path, snapshot, effect, left):
    calls = count_calls(tree, tmp_path)
    assert calls > 25
    expected = snapshot(tree)
    for number in range(1, calls + 1):
        folder = tmp_path / f"{number}"
        memory = MemoryStore()
        run = Run(tree, folder / "c.sqlite")
        fault = StoreFault(number=number, effect=effect, is_final=True)
        # Where the threads' timing spares the last calls, the run is whole.
        try:
            run.stage(FaultyStore(memory, fault))
        except OSError as error:
            if "injected" not in str(error):
                raise
        after = memory.power_cut(survives=LEFT[left])

        # What was acknowledged is there without the source.
        alone = Run(tree, folder / "alone" / "c.sqlite")
        alone.catalog.parent.mkdir()
        shutil.copy(run.catalog, alone.catalog)
        survived = after.power_cut(survives=lambda unsynced: unsynced)
        seal = alone.complete(survived, tree=False)
        assert seal.items >= run.acknowledged
        with SeedReader(survived) as reader:
            reader.restore(folder / "alone" / "out")
        found = snapshot(folder / "alone" / "out")
        for name, what in found.items():
            if what[3] is not None:
                assert what == expected[name]

        # Going on gives what a run without an interruption gives.
        assert run.complete(after).items == len(expected)
        with SeedReader(after) as reader:
            assert list(reader.check()) == []
            reader.restore(folder / "out")
        assert snapshot(folder / "out") == expected
        shutil.rmtree(folder)


def test_power_cut_again_and_again_ends_in_a_whole_seed(tree, tmp_path, snapshot):
    store = MemoryStore()
    run = Run(tree, tmp_path / "again" / "c.sqlite")
    chosen = random.Random(2)
    cuts = 0
    for _ in range(200):
        fault = StoreFault(
            number=chosen.randrange(1, 12), effect=chosen.choice(list(FaultEffect)), is_final=True
        )
        try:
            run.stage(FaultyStore(store, fault))
        except OSError:
            cuts += 1
        except GenerationSealedError:
            break
        else:
            break
        store = store.power_cut(survives=lambda unsynced: chosen.randint(0, unsynced))
    assert cuts > 2
    run.complete(store)
    with SeedReader(store) as reader:
        assert list(reader.check()) == []
        reader.restore(tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)


@pytest.mark.parametrize("operation", ["create", "write", "sync", "close"])
def test_share_that_vanishes_and_comes_back_is_gone_on_with(tree, tmp_path, snapshot, operation):
    memory = MemoryStore()
    run = Run(tree, tmp_path / "share" / "c.sqlite")
    for number in range(1, 6):
        fault = StoreFault(operation=operation, number=number, is_final=True)
        try:
            run.stage(FaultyStore(memory, fault))
        except OSError:
            continue
        except GenerationSealedError:
            break
    run.complete(memory)
    with SeedReader(memory) as reader:
        reader.restore(tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)
