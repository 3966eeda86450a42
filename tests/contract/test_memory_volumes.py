import pytest

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import UnlockRefusedError, VolumeError
from offlineseed.testing import (
    FaultEffect,
    FaultyVolumes,
    MemoryVolumes,
    VolumeContract,
    VolumeFault,
)
from offlineseed.volumes import Drive, VolumeFile

PASSWORD = RecoveryPassword(bytes(16))
DRIVE = Drive(drive_id="9WM35C2V", path="nowhere", size_bytes=64 * 1024 * 1024)
FILE = VolumeFile(path="file", length=6)


@pytest.fixture
def adapter():
    return MemoryVolumes()


@pytest.fixture
def drive():
    return DRIVE


class TestMemoryVolumes(VolumeContract):
    pass


class TestFaultyVolumesWithoutItsMoment(VolumeContract):
    @pytest.fixture
    def adapter(self):
        return FaultyVolumes(MemoryVolumes(), VolumeFault(operation="write", number=10**9))


def write(volumes):
    writer = volumes.create(DRIVE, [FILE], PASSWORD)
    out = writer.open(FILE)
    out.write(b"abc")
    out.write(b"def")
    out.close()
    writer.finish()
    return writer


def test_open_with_another_recovery_password_is_refused():
    volumes = MemoryVolumes()
    write(volumes)
    with pytest.raises(UnlockRefusedError):
        volumes.open(DRIVE, RecoveryPassword(bytes(range(16))))


@pytest.mark.parametrize("operation", ["create", "open", "write", "close", "finish"])
@pytest.mark.parametrize("effect", list(FaultEffect), ids=lambda effect: effect.value)
def test_fault_fails_its_operation_once(operation, effect):
    volumes = FaultyVolumes(MemoryVolumes(), VolumeFault(operation=operation, effect=effect))
    with pytest.raises(OSError, match="injected"):
        write(volumes)
    assert volumes.has_failed
    write(volumes)


def test_fault_after_everything_leaves_the_volume_finished():
    inner = MemoryVolumes()
    fault = VolumeFault(operation="finish", effect=FaultEffect.EVERYTHING)
    with pytest.raises(OSError, match="injected"):
        write(FaultyVolumes(inner, fault))
    assert inner.open(DRIVE, PASSWORD).read("file", 0, 6) == b"abcdef"


def test_fault_that_tears_a_write_leaves_half_of_it():
    volumes = FaultyVolumes(
        MemoryVolumes(), VolumeFault(operation="write", number=2, effect=FaultEffect.TORN)
    )
    writer = volumes.create(DRIVE, [FILE], PASSWORD)
    out = writer.open(FILE)
    out.write(b"abc")
    with pytest.raises(OSError, match="injected"):
        out.write(b"def")
    out.write(b"ef")
    out.close()
    writer.finish()
    assert volumes.open(DRIVE, PASSWORD).read("file", 0, 6) == b"abcdef"[:4] + b"ef"


def test_fault_of_a_read_is_raised():
    volumes = FaultyVolumes(MemoryVolumes(), VolumeFault(operation="read"))
    write(volumes)
    reader = volumes.open(DRIVE, PASSWORD)
    with pytest.raises(OSError, match="injected"):
        reader.read("file", 0, 6)


def test_open_of_a_drive_without_a_volume_is_refused():
    with pytest.raises(VolumeError):
        MemoryVolumes().open(DRIVE, PASSWORD)
