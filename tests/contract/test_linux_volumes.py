"""
The adapter that reads through the Linux kernel, with tools that are made up: what they would
mount is copied into the folder. Where the machine has device mapper, with the real ones too.
"""

import contextlib
import os
import random
import sys
from pathlib import Path

import pytest

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import AdapterUnavailableError, UnlockRefusedError, VolumeError
from offlineseed.testing import VolumeContract
from offlineseed.volumes import (
    CacheBypass,
    CommandResult,
    Drive,
    LinuxVolumes,
    NativeVolumes,
    VolumeFile,
)

MIB = 1024 * 1024
PASSWORD = RecoveryPassword(bytes(range(16)))
FILE = VolumeFile(path="folder/file", length=70_000)
CONTENT = random.Random(1).randbytes(FILE.length)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="for Linux")


class Tools:
    """
    A kernel with device mapper that is made up.
    """

    def __init__(self):
        self.commands = []
        self.missing = set()
        self.held = []
        self.drive = None
        self.reader = None

    def find(self, name, /):
        return name not in self.missing

    def run(self, command, /, *, given=b""):
        self.commands.append(list(command))
        name = "cryptsetup-close" if "close" in command else command[0]
        return getattr(self, name.replace("-", "_"))(list(command), given)

    def losetup(self, command, given):
        if "--detach" in command:
            return self._release("loop")
        assert command[command.index("--offset") + 1] == str(MIB)
        self.drive = Drive(drive_id="X", path=command[-1], size_bytes=os.path.getsize(command[-1]))
        self.held.append("loop")
        return CommandResult(status=0, output="/dev/loop7\n")

    def cryptsetup(self, command, given):
        assert "/dev/loop7" in command
        try:
            self.reader = NativeVolumes().open(self.drive, RecoveryPassword.parse(given.decode()))
        except UnlockRefusedError:
            return CommandResult(status=2, output="", errors="No key available.\n")
        self.held.append("mapping")
        return CommandResult(status=0, output="")

    def cryptsetup_close(self, command, given):
        self.reader.close()
        return self._release("mapping")

    def ntfs_3g(self, command, given):
        root = Path(command[-1])
        (root / "System Volume Information").mkdir()
        for file in self.reader.files():
            (root / file.path).parent.mkdir(parents=True, exist_ok=True)
            (root / file.path).write_bytes(self.reader.read(file.path, 0, file.length))
        self.held.append("mount")
        return CommandResult(status=0, output="")

    def umount(self, command, given):
        return self._release("mount")

    def sleep(self, command, given):
        return CommandResult(status=0, output="")

    def _release(self, what):
        assert self.held.pop() == what
        return CommandResult(status=0, output="")


@pytest.fixture
def tools():
    tools = Tools()
    yield tools
    assert tools.held == []


@pytest.fixture
def adapter(tools, memory_path, stretch_once, monkeypatch):
    (memory_path / "control").touch()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    native = NativeVolumes(random_bytes=lambda count: random.Random(count).randbytes(count))
    return LinuxVolumes(native=native, commands=tools, device_mapper=memory_path)


@pytest.fixture
def drive(memory_path):
    return Drive(drive_id="9WM35C2V", path=memory_path / "drive.img", size_bytes=80 * MIB)


class TestLinuxVolumes(VolumeContract):
    pass


def write(adapter, drive):
    with contextlib.closing(adapter.create(drive, [FILE], PASSWORD)) as writer:
        out = writer.open(FILE)
        out.write(CONTENT)
        out.close()
        writer.finish()


def test_recovery_password_stands_on_no_command_line(adapter, tools, drive):
    write(adapter, drive)
    with contextlib.closing(adapter.open(drive, PASSWORD)) as reader:
        assert reader.read(FILE.path, 0, FILE.length) == CONTENT
        assert reader.cache_bypass is not CacheBypass.DIRECT
    assert len(tools.commands) == 6
    assert all(PASSWORD.reveal() not in " ".join(command) for command in tools.commands)


def test_other_password_is_refused_and_nothing_stays_open(adapter, tools, drive):
    write(adapter, drive)
    with pytest.raises(UnlockRefusedError):
        adapter.open(drive, RecoveryPassword(bytes(16)))
    assert tools.held == []


@pytest.mark.parametrize("name", ["losetup", "cryptsetup", "ntfs_3g"])
def test_tool_that_fails_is_named_and_nothing_stays_open(adapter, tools, drive, name):
    write(adapter, drive)
    failed = CommandResult(status=1, output="", errors="line one\nno such thing\n")
    setattr(tools, name, lambda command, given: failed)
    with pytest.raises(VolumeError, match="no such thing"):
        adapter.open(drive, PASSWORD)
    assert tools.held == []


def test_volume_is_mounted_while_the_context_lasts(adapter, tools, drive):
    write(adapter, drive)
    with adapter.mount(drive, PASSWORD, is_writable=True) as root:
        assert (root / FILE.path).read_bytes() == CONTENT
        assert tools.held == ["loop", "mapping", "mount"]
    assert tools.held == []
    assert not root.exists()


def test_machine_that_lacks_something_is_told_what_to_install(adapter, tools, drive, monkeypatch):
    tools.missing = {"cryptsetup", "ntfs-3g"}
    (adapter.device_mapper / "control").unlink()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(AdapterUnavailableError) as caught:
        adapter.create(drive, [FILE], PASSWORD)
    assert caught.value.missing == ("cryptsetup", "ntfs-3g", "device mapper", "root")
    assert caught.value.install == "apt-get install cryptsetup-bin ntfs-3g"
    assert not drive.path.exists()


def test_kernel_of_this_machine_reads_what_was_written(memory_path, stretch_once):
    adapter = LinuxVolumes()
    try:
        adapter.require_available()
    except AdapterUnavailableError as error:
        pytest.skip(f"no dm-crypt here: {', '.join(error.missing)}")
    drive = Drive(drive_id="9WM35C2V", path=memory_path / "drive.img", size_bytes=80 * MIB)
    write(adapter, drive)
    with contextlib.closing(adapter.open(drive, PASSWORD)) as reader:
        assert reader.read(FILE.path, 0, FILE.length) == CONTENT
