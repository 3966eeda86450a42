import pytest

from offlineseed.seed import FolderStore, SegmentStore
from offlineseed.testing import (
    FaultEffect,
    FaultyStore,
    MemoryStore,
    SegmentStoreContract,
    StoreFault,
)


class TestFolderStore(SegmentStoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        return FolderStore(tmp_path / "store")


class TestMemoryStore(SegmentStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore()


class TestFaultyStoreWithoutItsMoment(SegmentStoreContract):
    @pytest.fixture
    def store(self):
        return FaultyStore(MemoryStore(), StoreFault(number=10**9))


@pytest.mark.parametrize("store", [FolderStore("nowhere"), MemoryStore()], ids=["folder", "memory"])
def test_store_is_a_segment_store(store):
    assert isinstance(store, SegmentStore)


def write(store):
    writer = store.create("name")
    writer.write(b"abc")
    writer.write(b"def")
    writer.sync()
    writer.close()


@pytest.mark.parametrize("operation", ["create", "write", "sync", "close"])
@pytest.mark.parametrize("effect", list(FaultEffect), ids=lambda effect: effect.value)
def test_fault_fails_its_operation_once(operation, effect):
    store = FaultyStore(MemoryStore(), StoreFault(operation=operation, effect=effect))
    with pytest.raises(OSError, match="injected"):
        write(store)
    assert store.has_failed
    write(store)
    assert store.read("name", 0, 10) == b"abcdef"


@pytest.mark.parametrize("operation", ["read", "length", "names"])
def test_fault_of_reading_is_raised(operation):
    store = FaultyStore(MemoryStore(), StoreFault(operation=operation))
    write(store)
    with pytest.raises(OSError, match="injected"):
        {
            "read": lambda: store.read("name", 0, 1),
            "length": lambda: store.length("name"),
            "names": lambda: store.names(""),
        }[operation]()


def test_fault_that_is_final_fails_everything_after_it():
    memory = MemoryStore()
    store = FaultyStore(memory, StoreFault(number=3, is_final=True))
    with pytest.raises(OSError, match="injected"):
        write(store)
    for act in (lambda: write(store), lambda: store.names(""), lambda: store.read("name", 0, 1)):
        with pytest.raises(OSError, match="injected"):
            act()
    assert memory.stored("name") == b"abc"


def test_fault_that_tears_a_write_leaves_half_of_it():
    memory = MemoryStore()
    store = FaultyStore(
        memory, StoreFault(operation="write", number=2, effect=FaultEffect.TORN, is_final=True)
    )
    with pytest.raises(OSError, match="injected"):
        write(store)
    assert memory.stored("name") == b"abcd"


def test_fault_after_everything_leaves_the_object_whole():
    memory = MemoryStore()
    fault = StoreFault(operation="close", effect=FaultEffect.EVERYTHING)
    with pytest.raises(OSError, match="injected"):
        write(FaultyStore(memory, fault))
    assert memory.read("name", 0, 10) == b"abcdef"


def test_power_cut_leaves_what_was_synced_and_what_was_closed():
    store = MemoryStore()
    write(store)
    writer = store.create("half")
    writer.write(b"synced")
    assert writer.sync() == 6
    writer.write(b"lost")
    after = store.power_cut()
    assert list(after.names("")) == ["name"]
    assert after.read("half", 0, 100) == b"synced"
    assert store.power_cut(survives=lambda unsynced: unsynced - 1).read("half", 0, 100) == (
        b"syncedlos"
    )
    after.recover("half", 6).close()
    assert after.read("half", 0, 100) == b"synced"


def test_folder_store_refuses_names_that_leave_it(tmp_path):
    store = FolderStore(tmp_path / "store")
    for name in ("", "/etc/passwd", "../up", "a/../../up", "a\\b", "c:d"):
        with pytest.raises(ValueError, match="no object's name"):
            store.create(name)
        with pytest.raises(ValueError, match="no object's name"):
            store.read(name, 0, 1)
    assert list(tmp_path.iterdir()) == []


def test_folder_store_prefers_acknowledged_bytes_to_an_older_object(tmp_path):
    # A first crash left a whole segment that no catalog knew; a second one its successor, half
    # written and acknowledged.
    store = FolderStore(tmp_path)
    first = store.create("segment")
    first.write(b"unknown to any catalog")
    first.close()
    second = store.create("segment")
    second.write(b"acknowledged")
    assert second.sync() == 12
    second.abort()
    recovered = store.recover("segment", 12)
    assert store.read("segment", 0, 12) == b"acknowledged"
    recovered.close()
    assert store.read("segment", 0, 100) == b"acknowledged"
