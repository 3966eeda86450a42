import os
import sys

import pytest

from offlineseed.volumes import Bus, drive_facts
from offlineseed.volumes._block_devices import device_facts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's sysfs")

PCI = "devices/pci0000:00/0000:00:17.0"
PLACES = {
    "sda": f"{PCI}/ata1/host0/target0:0:0/0:0:0:0/block/sda",
    "sdb": f"{PCI}/ata2/host1/target1:0:0/1:0:0:0/block/sdb",
    "sdc": "devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host2/target2:0:0/2:0:0:0/block/sdc",
    "sdd": f"{PCI}/host3/port-3:0/end_device-3:0/target3:0:0/3:0:0:0/block/sdd",
    "nvme0n1": "devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1",
    "vda": "devices/pci0000:00/0000:00:05.0/virtio2/block/vda",
    "loop0": "devices/virtual/block/loop0",
    "dm-0": "devices/virtual/block/dm-0",
}
NUMBERS = {
    "sda": "8:0",
    "sdb": "8:16",
    "sdc": "8:32",
    "sdd": "8:48",
    "nvme0n1": "259:0",
    "vda": "252:0",
    "loop0": "7:0",
    "dm-0": "253:0",
}


class System:
    """
    A kernel's files, made up.
    """

    def __init__(self, root):
        self.sysfs = root / "sys"
        self.procfs = root / "proc"
        (self.sysfs / "dev" / "block").mkdir(parents=True)
        (self.procfs / "self").mkdir(parents=True)
        self.mounts([])

    def add(self, name, **files):
        folder = self.sysfs / PLACES[name]
        self._write(folder, {"dev": NUMBERS[name], "size": 2**23, "ro": 0, "removable": 0} | files)
        (folder / "holders").mkdir()
        self._link(folder, NUMBERS[name])
        return folder

    def add_partition(self, disk, name, number):
        folder = self.sysfs / PLACES[disk] / name
        self._write(folder, {"dev": number, "partition": 1})
        (folder / "holders").mkdir()
        self._link(folder, number)
        return folder

    def mounts(self, lines):
        (self.procfs / "self" / "mountinfo").write_text("".join(f"{line}\n" for line in lines))

    def facts(self, number):
        return device_facts("/nowhere", number, sysfs=self.sysfs, procfs=self.procfs)

    def _write(self, folder, files):
        for name, value in files.items():
            file = folder / name.replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            data = value if isinstance(value, bytes) else f"{value}\n".encode()
            file.write_bytes(data)

    def _link(self, folder, number):
        (self.sysfs / "dev" / "block" / number).symlink_to(folder)


@pytest.fixture
def system(tmp_path):
    return System(tmp_path)


def test_facts_of_a_sata_disk_are_read(system):
    system.add(
        "sdb",
        queue__logical_block_size=512,
        queue__physical_block_size=4096,
        queue__rotational=1,
        device__model="ST4000DM004-2CV1",
        device__vpd_pg80=b"\0\x80\0\x14" + b"            ZFN0 1AB",
    )
    facts = system.facts("8:16")
    assert facts.bus is Bus.SATA
    assert facts.size_bytes == 2**32
    assert (facts.logical_sector_bytes, facts.physical_sector_bytes) == (512, 4096)
    assert facts.serial == "ZFN01AB"
    assert facts.model == "ST4000DM004-2CV1"
    assert facts.is_rotational is True
    assert not (facts.is_system)
    assert not (facts.mounts)
    assert not (facts.is_removable)
    assert not (facts.is_read_only)


@pytest.mark.parametrize(
    ("name", "bus"),
    [
        ("sda", Bus.SATA),
        ("sdc", Bus.USB),
        ("sdd", Bus.SAS),
        ("nvme0n1", Bus.NVME),
        ("vda", Bus.VIRTUAL),
        ("loop0", Bus.VIRTUAL),
    ],
)
def test_bus_is_that_of_the_devices_place(system, name, bus):
    system.add(name)
    assert system.facts(NUMBERS[name]).bus is bus


def test_sata_disk_behind_a_sas_controller_is_one_of_sata(system):
    system.add("sdd", device__vendor="ATA     ")
    assert system.facts("8:48").bus is Bus.SATA


@pytest.mark.parametrize("name", ["nvme0n1", "vda"])
def test_serial_of_other_kinds_of_disk_is_read(system, name):
    system.add(name, **{"serial" if name == "vda" else "device__serial": "S4EW NX0N\n"})
    assert system.facts(NUMBERS[name]).serial == "S4EWNX0N"


def test_rotation_behind_usb_is_not_believed(system):
    system.add("sdc", queue__rotational=1)
    assert system.facts("8:32").is_rotational is None


def test_device_without_files_is_described_as_far_as_can_be(system):
    facts = system.facts("8:240")
    assert (facts.size_bytes, facts.serial, facts.bus) == (0, "", Bus.UNKNOWN)


def test_partition_is_described_as_its_disk(system):
    system.add("sdb", device__vpd_pg80=b"\0\x80\0\x04SER1")
    system.add_partition("sdb", "sdb1", "8:17")
    assert system.facts("8:17").serial == "SER1"


def test_disk_with_a_mounted_partition_is_mounted(system):
    system.add("sdb")
    system.add_partition("sdb", "sdb1", "8:17")
    system.mounts([r"36 25 8:17 / /mnt/a\040b rw,noatime shared:1 - ext4 /dev/sdb1 rw"])
    facts = system.facts("8:16")
    assert facts.mounts == ("/mnt/a b",)
    assert not facts.is_system


def test_disk_beneath_a_mapped_root_is_the_systems(system):
    system.add("sda")
    partition = system.add_partition("sda", "sda3", "8:3")
    mapped = system.add("dm-0", dm__name="vg-root")
    (partition / "holders" / "dm-0").symlink_to(mapped)
    system.add("sdb")
    # As btrfs shows itself: with a number of its own.
    system.mounts(["25 1 0:22 /root / rw shared:1 - btrfs /dev/mapper/vg-root rw"])
    assert system.facts("8:0").is_system
    assert not system.facts("8:16").is_system


def test_disk_with_swap_is_the_systems(system):
    system.add("sdb")
    system.add_partition("sdb", "sdb2", "8:18")
    (system.procfs / "swaps").write_text(
        "Filename\tType\tSize\tUsed\tPriority\n/dev/sdb2   partition\t1\t0\t-2\n"
    )
    assert system.facts("8:16").is_system


def test_image_is_described_by_its_size(tmp_path):
    image = tmp_path / "drive.img"
    image.write_bytes(bytes(1024))
    facts = drive_facts(image)
    assert (facts.bus, facts.size_bytes, facts.logical_sector_bytes) == (Bus.IMAGE, 1024, 512)


def test_nothing_at_the_path_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        drive_facts(tmp_path / "missing")


def test_disk_of_this_machines_root_is_the_systems_where_there_is_one():
    number = os.stat("/").st_dev
    if not os.path.exists(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"):
        pytest.skip("the root file system is not on a block device")
    from pathlib import Path

    name = f"{os.major(number)}:{os.minor(number)}"
    facts = device_facts("/nowhere", name, sysfs=Path("/sys"), procfs=Path("/proc"))
    assert facts.is_system
    assert facts.size_bytes > 0
