import os
import shutil

import attrs
import pytest

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import DriveChangedError, UnsafeNameError, VolumeError, VolumeFullError
from offlineseed.testing import VolumeContract
from offlineseed.volumes import CacheBypass, DirectoryVolumes, Drive, VolumeFile

PASSWORD = RecoveryPassword(bytes(16))
FILE = VolumeFile(path="folder/file", length=5)


@pytest.fixture
def adapter():
    return DirectoryVolumes()


@pytest.fixture
def drive(tmp_path):
    return Drive(drive_id="9WM35C2V", path=tmp_path / "drive", size_bytes=64 * 1024 * 1024)


class TestDirectoryVolumes(VolumeContract):
    pass


def begin(adapter, drive):
    return adapter.create(drive, [FILE], PASSWORD)


def write(adapter, drive):
    writer = begin(adapter, drive)
    out = writer.open(FILE)
    out.write(b"bytes")
    out.close()
    writer.finish()
    writer.close()


def test_file_not_closed_has_another_name(adapter, drive):
    writer = begin(adapter, drive)
    writer.open(FILE).write(b"bytes")
    assert not (drive.path / FILE.path).exists()
    writer.close()


def test_create_in_a_folder_with_other_files_refuses(adapter, drive):
    drive.path.mkdir()
    (drive.path / "thesis.txt").write_text("the only copy")
    with pytest.raises(VolumeError, match=r"thesis\.txt"):
        begin(adapter, drive)
    assert (drive.path / "thesis.txt").read_text() == "the only copy"


def test_create_over_a_finished_volume_refuses(adapter, drive):
    write(adapter, drive)
    with pytest.raises(VolumeError):
        begin(adapter, drive)


def test_create_with_leave_to_erase_makes_an_empty_volume(drive):
    drive.path.mkdir()
    (drive.path / "old").mkdir()
    (drive.path / "old" / "file").write_text("old")
    write(DirectoryVolumes(may_erase=True), drive)
    assert [file.path for file in DirectoryVolumes().open(drive, PASSWORD).files()] == [FILE.path]


def test_create_over_an_unfinished_volume_of_its_own_erases_it(adapter, drive):
    first = adapter.create(drive, [VolumeFile(path="left over", length=1)], PASSWORD)
    out = first.open(VolumeFile(path="left over", length=1))
    out.write(b"x")
    out.close()
    first.close()
    write(adapter, drive)
    assert [file.path for file in adapter.open(drive, PASSWORD).files()] == [FILE.path]


def test_system_folders_of_a_volume_are_left_alone_and_not_listed(adapter, drive):
    (drive.path / "System Volume Information").mkdir(parents=True)
    (drive.path / "System Volume Information" / "FVE2.bin").write_text("x")
    write(adapter, drive)
    assert [file.path for file in adapter.open(drive, PASSWORD).files()] == [FILE.path]
    assert (drive.path / "System Volume Information" / "FVE2.bin").exists()


def test_torn_marker_belongs_to_no_contents(adapter, drive):
    begin(adapter, drive).close()
    marker = drive.path / ".offlineseed-unfinished"
    marker.write_bytes(marker.read_bytes()[:-3])
    with pytest.raises(DriveChangedError):
        adapter.resume(drive, [FILE], PASSWORD)
    with pytest.raises(VolumeError):
        adapter.open(drive, PASSWORD)


def test_keep_of_a_file_that_shrank_says_no(adapter, drive):
    writer = begin(adapter, drive)
    out = writer.open(FILE)
    out.write(b"bytes")
    out.close()
    os.truncate(drive.path / FILE.path, 4)
    assert not writer.keep(FILE)
    writer.close()


def test_link_that_leads_out_of_the_volume_is_not_followed(adapter, drive, tmp_path):
    write(adapter, drive)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (drive.path / "link").symlink_to(tmp_path / "outside")
    (drive.path / "leaf").symlink_to(tmp_path / "outside" / "secret")
    reader = adapter.open(drive, PASSWORD)
    assert {file.path for file in reader.files()} == {FILE.path, "link", "leaf"}
    with pytest.raises(UnsafeNameError):
        reader.read("link/secret", 0, 10)
    with pytest.raises(OSError, match="leaf"):
        reader.read("leaf", 0, 10)
    reader.close()


def test_name_of_the_marker_is_refused_as_content(adapter, drive):
    with pytest.raises(VolumeError, match="for itself"):
        adapter.create(drive, [VolumeFile(path=".offlineseed-unfinished", length=1)], PASSWORD)


def test_reader_says_how_it_went_past_the_cache(adapter, drive):
    write(adapter, drive)
    reader = adapter.open(drive, PASSWORD)
    reader.read(FILE.path, 0, 5)
    reader.close()
    assert reader.cache_bypass in {CacheBypass.DIRECT, CacheBypass.DROPPED}


def test_capacity_stays_the_same_while_the_folder_fills(adapter, drive):
    before = adapter.capacity(drive)
    write(adapter, drive)
    assert adapter.capacity(drive) == before


def test_capacity_of_a_drive_larger_than_its_disk_is_the_disks(adapter, drive, tmp_path):
    drive.path.mkdir()
    disk = shutil.disk_usage(tmp_path)
    capacity = adapter.capacity(attrs.evolve(drive, size_bytes=2 * disk.total))
    assert 0.9 * (disk.used + disk.free) < capacity.usable_bytes < disk.total


def test_create_for_more_than_the_disk_has_free_says_full(adapter, drive, tmp_path):
    huge = VolumeFile(path="huge", length=2 * shutil.disk_usage(tmp_path).total)
    with pytest.raises(VolumeFullError) as caught:
        adapter.create(attrs.evolve(drive, size_bytes=4 * huge.length), [huge], PASSWORD)
    assert caught.value.free_bytes < huge.length <= caught.value.needed_bytes
    assert not drive.path.exists()
