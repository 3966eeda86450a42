import contextlib
import datetime as dt
import os
import random
import shutil
import subprocess

import attrs
import pytest

from offlineseed.bitlocker import CipherMethod, RecoveryPassword, open_volume
from offlineseed.errors import (
    ConsentError,
    DriveChangedError,
    UnlockRefusedError,
    VolumeError,
    VolumeFullError,
)
from offlineseed.ntfs import verify_volume
from offlineseed.partitions import BASIC_DATA, PartitionScheme
from offlineseed.volumes import CacheBypass, Drive, NativeVolumes, VolumeFile, survey_disk

MIB = 1024 * 1024
PASSWORD = RecoveryPassword(bytes(range(16)))
OTHER_PASSWORD = RecoveryPassword(bytes(16))
FILE = VolumeFile(path="folder/file.bin", length=5 * MIB + 3)
CONTENT = random.Random(1).randbytes(FILE.length)
MANIFEST = VolumeFile(path="DriveManifest.xml", length=MIB, is_maximum=True)


pytestmark = pytest.mark.usefixtures("stretch_once")


def volumes_with(**options):
    moment = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.timezone.utc)
    return NativeVolumes(
        random_bytes=lambda count: random.Random(count).randbytes(count),
        now=lambda: moment,
        **options,
    )


VOLUMES = volumes_with()


@pytest.fixture
def drive(memory_path):
    return Drive(drive_id="9WM35C2V", path=memory_path / "drive.img", size_bytes=72 * MIB)


def write(volumes, drive, files=(FILE,), *, content=CONTENT):
    with contextlib.closing(volumes.create(drive, files, PASSWORD)) as writer:
        for file in files:
            write_file(writer, file, content[: file.length])
        writer.finish()


def write_file(writer, file, content):
    out = writer.open(file)
    out.write(content)
    out.close()


def test_create_with_the_same_randomness_and_time_gives_the_same_drive(drive, tmp_path):
    write(volumes_with(threads=1), drive)
    once = drive.path.read_bytes()
    drive.path.unlink()
    write(volumes_with(threads=3), drive)
    assert drive.path.read_bytes() == once


def test_volume_has_no_findings_of_the_ntfs_verifier(drive):
    write(VOLUMES, drive, [FILE, MANIFEST])
    (partition,) = survey_disk(drive).partitions
    with drive.path.open("rb") as disk:

        def read(offset, length):
            disk.seek(partition.offset_bytes + offset)
            return disk.read(length)

        view = open_volume(read).unlock(PASSWORD)
        assert verify_volume(view.read) == ()


def test_disk_has_one_basic_data_partition_at_one_mebibyte(drive):
    write(VOLUMES, drive)
    disk = survey_disk(drive)
    assert disk.scheme is PartitionScheme.GPT
    assert disk.findings == ()
    (partition,) = disk.partitions
    assert (partition.offset_bytes, partition.kind) == (MIB, str(BASIC_DATA))
    assert partition.length_bytes % MIB == 0
    assert drive.size_bytes - partition.length_bytes < 3 * MIB


def test_image_holds_no_more_than_the_volume_needs(drive):
    large = attrs.evolve(drive, size_bytes=8 * 1024 * 1024 * MIB)
    if shutil.disk_usage(drive.path.parent).free < 1024 * MIB:
        pytest.skip("needs 1 GiB of room")
    try:
        write(VOLUMES, large)
    except OSError as error:
        pytest.skip(f"the file system knows no files of 8 TiB: {error}")
    # The bitmap of the clusters is most of it: 256 MiB.
    assert large.path.stat().st_blocks * 512 < 400 * MIB
    assert large.path.stat().st_size == large.size_bytes


def test_image_without_whole_last_sector_is_made_and_read(drive):
    odd = attrs.evolve(drive, size_bytes=drive.size_bytes + 123)
    write(VOLUMES, odd)
    assert odd.path.stat().st_size == odd.size_bytes
    with contextlib.closing(VOLUMES.open(odd, PASSWORD)) as reader:
        assert reader.read(FILE.path, 0, FILE.length) == CONTENT


def test_image_is_for_its_owner_only(drive):
    write(VOLUMES, drive)
    assert drive.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("cipher", list(CipherMethod), ids=lambda method: method.name)
def test_every_cipher_reads_back(drive, cipher):
    write(volumes_with(cipher=cipher), drive)
    with contextlib.closing(VOLUMES.open(drive, PASSWORD)) as reader:
        assert reader.read(FILE.path, 0, FILE.length) == CONTENT
        assert reader.cache_bypass in set(CacheBypass)


def test_nothing_readable_lies_on_the_image(drive):
    text = b"a customer's most secret sentence. " * 2000
    file = VolumeFile(path="CustomerName.txt", length=len(text))
    write(VOLUMES, drive, [file], content=text)
    image = drive.path.read_bytes()
    assert text[:20] not in image
    assert b"C\0u\0s\0t\0o\0m\0e\0r\0" not in image
    assert PASSWORD.key_bytes() not in image


def test_open_with_another_password_is_refused(drive):
    write(VOLUMES, drive)
    with pytest.raises(UnlockRefusedError):
        VOLUMES.open(drive, OTHER_PASSWORD)


def test_open_with_a_damaged_file_system_says_so(drive):
    write(VOLUMES, drive)
    # The first cluster behind the moved sectors' old place holds system files.
    with drive.path.open("r+b") as image:
        image.seek(MIB + 8192)
        image.write(bytes(8 * MIB))
    with pytest.raises(VolumeError):
        VOLUMES.open(drive, PASSWORD)


def test_resume_with_another_password_is_refused(drive):
    VOLUMES.create(drive, [FILE], PASSWORD).close()
    with pytest.raises(UnlockRefusedError):
        VOLUMES.resume(drive, [FILE], OTHER_PASSWORD)


def test_resume_uses_the_cipher_that_the_volume_was_begun_with(drive):
    volumes_with(cipher=CipherMethod.CBC_256).create(drive, [FILE], PASSWORD).close()
    with contextlib.closing(VOLUMES.resume(drive, [FILE], PASSWORD)) as writer:
        write_file(writer, FILE, CONTENT)
        writer.finish()
    with contextlib.closing(VOLUMES.open(drive, PASSWORD)) as reader:
        assert reader.read(FILE.path, 0, FILE.length) == CONTENT


def test_resume_after_two_damaged_copies_of_the_metadata_goes_on_and_repairs_them(drive):
    volumes = VOLUMES
    volumes.create(drive, [FILE], PASSWORD).close()
    begun = drive.path.read_bytes()
    places = [at for at in range(0, len(begun), 4096) if begun[at : at + 8] == b"-FVE-FS-"]
    assert len(places) == 3
    with drive.path.open("r+b") as image:
        for place in places[:2]:
            image.seek(place)
            image.write(bytes(65536))
    with contextlib.closing(volumes.resume(drive, [FILE], PASSWORD)):
        assert drive.path.read_bytes() == begun


def test_resume_of_a_finished_volume_is_refused(drive):
    write(VOLUMES, drive)
    with pytest.raises(DriveChangedError):
        VOLUMES.resume(drive, [FILE], PASSWORD)


def test_file_whose_length_was_a_bound_is_not_kept(drive):
    with contextlib.closing(VOLUMES.create(drive, [FILE, MANIFEST], PASSWORD)) as writer:
        write_file(writer, FILE, CONTENT)
        write_file(writer, MANIFEST, b"<DriveManifest/>")
    with contextlib.closing(VOLUMES.resume(drive, [FILE, MANIFEST], PASSWORD)) as writer:
        assert writer.keep(FILE)
        assert not writer.keep(MANIFEST)
        assert not writer.keep(attrs.evolve(FILE, length=1))
        with pytest.raises(VolumeError, match=r"DriveManifest\.xml"):
            writer.finish()


def test_create_on_a_drive_with_partitions_wants_consent_for_it(drive):
    write(VOLUMES, drive)
    before = drive.path.read_bytes()
    with pytest.raises(ConsentError, match="ebd0a0a2"):
        VOLUMES.create(drive, [FILE], PASSWORD)
    other = attrs.evolve(drive, drive_id="ANOTHER")
    with pytest.raises(ConsentError):
        volumes_with(erasable=[other]).create(drive, [FILE], PASSWORD)
    assert drive.path.read_bytes() == before
    volumes_with(erasable=[drive]).create(drive, [FILE], PASSWORD).close()
    assert survey_disk(drive).is_blank


def test_create_on_a_file_that_is_no_image_wants_consent_for_it(drive):
    drive.path.write_bytes(b"a text of somebody" + bytes(drive.size_bytes - 18))
    with pytest.raises(ConsentError):
        VOLUMES.create(drive, [FILE], PASSWORD)
    assert drive.path.read_bytes().startswith(b"a text of somebody")


def test_create_on_an_image_of_another_size_is_refused(drive):
    drive.path.write_bytes(bytes(drive.size_bytes - 512))
    with pytest.raises(VolumeError, match="bytes"):
        volumes_with(erasable=[drive]).create(drive, [FILE], PASSWORD)


def test_create_on_an_empty_file_makes_it_the_image(drive):
    drive.path.touch()
    write(VOLUMES, drive)
    assert drive.path.stat().st_size == drive.size_bytes


def test_second_writer_of_the_same_image_is_refused(drive):
    with (
        contextlib.closing(VOLUMES.create(drive, [FILE], PASSWORD)),
        pytest.raises(VolumeError, match="another process"),
    ):
        VOLUMES.resume(drive, [FILE], PASSWORD)


def test_drive_that_is_too_small_holds_nothing(drive):
    small = attrs.evolve(drive, size_bytes=40 * MIB)
    assert VOLUMES.capacity(small).usable_bytes == 0
    with pytest.raises(VolumeFullError) as caught:
        VOLUMES.create(small, [], PASSWORD)
    assert caught.value.needed_bytes > caught.value.free_bytes == small.size_bytes
    assert not small.path.exists()


def test_image_larger_than_its_disk_has_room_for_is_refused_beforehand(drive):
    room = shutil.disk_usage(drive.path.parent).total
    file = VolumeFile(path="huge", length=2 * room)
    large = attrs.evolve(drive, size_bytes=4 * room)
    with pytest.raises(VolumeFullError, match="disk has"):
        VOLUMES.create(large, [file], PASSWORD)
    assert not large.path.exists()


def test_write_that_fails_is_raised_and_the_volume_stays_unfinished(drive, monkeypatch):
    writer = VOLUMES.create(drive, [FILE], PASSWORD)
    pwrite = os.pwrite

    def fail(fd, data, offset):
        if offset >= 4 * MIB:
            raise OSError(5, "the disk is broken")
        return pwrite(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", fail)
    with contextlib.closing(writer):
        out = writer.open(FILE)
        out.write(CONTENT)
        with pytest.raises(OSError, match="broken"):
            out.close()
        with pytest.raises(VolumeError):
            writer.finish()
    with pytest.raises(VolumeError):
        VOLUMES.open(drive, PASSWORD)


def test_write_after_close_is_refused(drive):
    with contextlib.closing(VOLUMES.create(drive, [FILE], PASSWORD)) as writer:
        out = writer.open(FILE)
        out.write(CONTENT)
        out.close()
        with pytest.raises(VolumeError):
            out.write(b"x")


@pytest.fixture
def loop_drive(tmp_path):
    losetup = shutil.which("losetup", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if losetup is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs losetup and root")
    image = tmp_path / "loop.img"
    image.touch()
    os.truncate(image, 72 * MIB)
    made = subprocess.run([losetup, "-f", "--show", image], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no loop device can be made: {made.stderr.decode()}")
    device = made.stdout.decode().strip()
    try:
        yield Drive(drive_id="9WM35C2V", path=device, size_bytes=72 * MIB)
    finally:
        subprocess.run([losetup, "-d", device], check=True)


def test_block_device_is_written_resumed_and_read(loop_drive):
    volumes = VOLUMES
    with contextlib.closing(volumes.create(loop_drive, [FILE, MANIFEST], PASSWORD)) as writer:
        write_file(writer, FILE, CONTENT)
    with contextlib.closing(volumes.resume(loop_drive, [FILE, MANIFEST], PASSWORD)) as writer:
        assert writer.keep(FILE)
        write_file(writer, MANIFEST, b"<DriveManifest/>")
        writer.finish()
    with contextlib.closing(volumes.open(loop_drive, PASSWORD)) as reader:
        assert reader.read(FILE.path, 0, FILE.length) == CONTENT
        assert reader.read(MANIFEST.path, 0, 100) == b"<DriveManifest/>"
    with pytest.raises(ConsentError):
        volumes.create(loop_drive, [FILE], PASSWORD)
    wrong_size = attrs.evolve(loop_drive, size_bytes=73 * MIB)
    with pytest.raises(VolumeError):
        volumes_with(erasable=[wrong_size]).create(wrong_size, [FILE], PASSWORD)


def test_block_device_that_somebody_holds_is_refused(loop_drive):
    fd = os.open(loop_drive.path, os.O_RDWR | os.O_EXCL)
    try:
        with pytest.raises(VolumeError, match="mounted"):
            VOLUMES.create(loop_drive, [FILE], PASSWORD)
    finally:
        os.close(fd)


def test_block_device_with_sectors_of_4096_bytes_is_refused(loop_drive):
    set_size = subprocess.run(
        ["losetup", "--sector-size", "4096", loop_drive.path],
        env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    if set_size.returncode:
        pytest.skip("this losetup knows no sector sizes")
    with pytest.raises(VolumeError, match="4096"):
        VOLUMES.create(loop_drive, [FILE], PASSWORD)
