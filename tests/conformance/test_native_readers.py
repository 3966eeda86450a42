"""
Other people's tools on drives of ours: whole disks, every cipher, from 64 MiB to 16 GiB.
"""

import contextlib
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import tempfile

import attrs
import pytest

from offlineseed.bitlocker import CipherMethod, RecoveryPassword
from offlineseed.volumes import Drive, NativeVolumes, VolumeFile, survey_disk

MIB, GIB = 1 << 20, 1 << 30
DISK_EXTRA = 3 * MIB  # before and after the partition
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
PASSWORD = RecoveryPassword(bytes(range(100, 116)))
OTHER_PASSWORD = RecoveryPassword(bytes(range(200, 216)))
MANIFEST = VolumeFile(path="DriveManifest.xml", length=3 * MIB, is_maximum=True)
ODD_NAMES = [
    "a b", "-dash", "#hash", "%41", "a^", "a_", "A`", "[x]", "{x", "~tilde", "'quote'", "a&b",
    "semi;colon", "$dollar", ".dot", "äöüß", "ÿ", "Ÿx", "µ", "ſ long s", "ı dotless", "日本語",
    "中文文件名.txt", "emoji😀🎉.bin", "𐐨 deseret", "ﬁ", "ａ fullwidth", "é" * 255, "x" * 255,
]  # fmt: skip
DISKS = {
    "64 MiB XTS-128": (64 * MIB + DISK_EXTRA, CipherMethod.XTS_128, 300),
    "64 MiB XTS-256": (64 * MIB + DISK_EXTRA, CipherMethod.XTS_256, 300),
    "64 MiB CBC-128": (64 * MIB + DISK_EXTRA, CipherMethod.CBC_128, 300),
    "64 MiB CBC-256": (64 * MIB + DISK_EXTRA, CipherMethod.CBC_256, 300),
    "1 GiB XTS-128": (GIB + DISK_EXTRA, CipherMethod.XTS_128, 1000),
    "1 GiB CBC-256": (GIB + DISK_EXTRA, CipherMethod.CBC_256, 1000),
    "16 GiB XTS-128": (16 * GIB + DISK_EXTRA, CipherMethod.XTS_128, 3000),
}


def tool(name):
    path = shutil.which(name, path=SYSTEM_PATH)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def run(*command, **options):
    return subprocess.run(command, check=False, capture_output=True, timeout=120, **options)


def content(path, length):
    return random.Random(path).randbytes(length)


def digest(data):
    return hashlib.sha256(data).hexdigest()


@attrs.frozen
class Sample:
    drive: Drive
    digests: dict[str, str] = attrs.field(repr=False)
    offset: int
    length: int

    @property
    def image(self):
        return self.drive.path


def files_for(count):
    chosen = random.Random(count)
    lengths = [0, 1, 511, 512, 4095, 4096, 4097, 65536]
    for number in range(count):
        name = ODD_NAMES[number % len(ODD_NAMES)]
        folder = ["", "flat", "one/two/three", f"many/{number // 29}", name][number % 5]
        stem = name[: 255 - len(str(number))] + str(number)
        length = chosen.choice([*lengths, chosen.randrange(1, 40_000)])
        yield VolumeFile(path=f"{folder}/{stem}".lstrip("/"), length=length)
    yield VolumeFile(path="nightly/segments/g0000-000000.zst", length=9 * MIB + 13)


@pytest.fixture(scope="module", params=DISKS, ids=str)
def sample(request):
    size, cipher, count = DISKS[request.param]
    memory = pathlib.Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > GIB
    with tempfile.TemporaryDirectory(dir=memory if has_room else None) as folder:
        drive = Drive(drive_id="9WM35C2V", path=pathlib.Path(folder) / "drive.img", size_bytes=size)
        files = list(files_for(count))
        digests = write(NativeVolumes(cipher=cipher), drive, files)
        (partition,) = survey_disk(drive).partitions
        yield Sample(drive, digests, partition.offset_bytes, partition.length_bytes)


def write(volumes, drive, files):
    digests = {}
    writer = volumes.create(drive, [*files, MANIFEST], PASSWORD)
    with contextlib.closing(writer):
        for file in files:
            data = content(file.path, file.length)
            digests[file.path] = digest(data)
            out = writer.open(file)
            out.write(data)
            out.close()
        manifest = content("manifest", 70_001)
        digests[MANIFEST.path] = digest(manifest)
        out = writer.open(MANIFEST)
        out.write(manifest)
        out.close()
        writer.finish()
    return digests


@contextlib.contextmanager
def partition_file(sample, folder):
    """
    Give the partition as a file of its own: a loop device where there are some, else a copy.
    """
    losetup = shutil.which("losetup", path=SYSTEM_PATH)
    if losetup and os.geteuid() == 0:
        made = run(losetup, "-r", "-f", "--show", "-o", str(sample.offset), sample.image)
        if made.returncode == 0:
            device = made.stdout.decode().strip()
            try:
                yield device
            finally:
                run(losetup, "-d", device)
            return
    copy = folder / "partition.img"
    with sample.image.open("rb") as source, copy.open("wb") as target:
        target.truncate(sample.length)
        for start, end in data_ranges(source, sample.offset, sample.offset + sample.length):
            source.seek(start)
            target.seek(start - sample.offset)
            shutil.copyfileobj(Limited(source, end - start), target)
    yield copy
    copy.unlink()


class Limited:
    def __init__(self, file, length):
        self.file, self.left = file, length

    def read(self, size):
        data = self.file.read(min(size, self.left))
        self.left -= len(data)
        return data


def data_ranges(file, start, end):
    while start < end:
        try:
            data = os.lseek(file.fileno(), start, os.SEEK_DATA)
        except OSError:
            return
        start = min(end, os.lseek(file.fileno(), data, os.SEEK_HOLE))
        if data < start:
            yield data, start


def test_sgdisk_finds_nothing_wrong(sample):
    checked = run(tool("sgdisk"), "-v", sample.image)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert b"No problems found" in checked.stdout
    shown = run(tool("sgdisk"), "-i", "1", sample.image).stdout.decode()
    assert "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" in shown
    assert f"First sector: {sample.offset // 512} " in shown
    assert f"Partition size: {sample.length // 512} sectors" in shown


def test_blkid_takes_it_for_bitlocker_and_nothing_else(sample):
    found = run(tool("blkid"), "-p", "-O", str(sample.offset), "-o", "export", sample.image)
    assert found.returncode == 0, found.stderr
    assert "TYPE=BitLocker" in found.stdout.decode()
    assert "PTTYPE" not in found.stdout.decode()


def test_cryptsetup_takes_the_password_and_no_other(sample, tmp_path):
    cryptsetup = tool("cryptsetup")
    with partition_file(sample, tmp_path) as partition:
        shown = run(cryptsetup, "bitlkDump", partition)
        assert shown.returncode == 0, shown.stderr
        assert f"Volume size:  \t{sample.length} " in shown.stdout.decode()
        command = (cryptsetup, "open", "--type", "bitlk", "--test-passphrase", "--key-file=-")
        right = run(*command, partition, input=PASSWORD.reveal().encode())
        assert right.returncode == 0, right.stderr
        wrong = run(*command, partition, input=OTHER_PASSWORD.reveal().encode())
        assert wrong.returncode != 0


def test_libbde_and_libfsntfs_read_every_file(sample):
    with sample.image.open("rb") as disk, libfsntfs(disk, sample) as volume:
        found = {}
        queue = [("", volume.get_root_directory())]
        while queue:
            prefix, directory = queue.pop()
            for entry in directory.sub_file_entries:
                path = prefix + entry.get_name()
                if path in SYSTEM:
                    continue
                if entry.has_directory_entries_index():
                    queue.append((f"{path}/", entry))
                else:
                    data = entry.read_buffer_at_offset(entry.get_size(), 0)
                    found[path] = digest(data)
        assert found == sample.digests


SYSTEM = {
    "$AttrDef", "$BadClus", "$Bitmap", "$Boot", "$Extend", "$LogFile", "$MFT", "$MFTMirr",
    "$Secure", "$UpCase", "$Volume", ".", "System Volume Information",
}  # fmt: skip


@contextlib.contextmanager
def libfsntfs(disk, sample):
    pybde = pytest.importorskip("pybde", reason="libbde-python is not installed")
    pyfsntfs = pytest.importorskip("pyfsntfs", reason="libfsntfs-python is not installed")
    locked = pybde.volume()
    locked.set_recovery_password(PASSWORD.reveal())
    locked.open_file_object(Window(disk, sample.offset, sample.length))
    assert not locked.is_locked()
    volume = pyfsntfs.volume()
    volume.open_file_object(locked)
    try:
        yield volume
    finally:
        volume.close()
        locked.close()


class Window:
    """
    A partition as the file object that libbde takes.
    """

    def __init__(self, disk, offset, length):
        self.disk, self.offset, self.length, self.position = disk, offset, length, 0

    def read(self, size=-1):
        left = max(0, self.length - self.position)
        self.disk.seek(self.offset + self.position)
        data = self.disk.read(left if size < 0 else min(size, left))
        self.position += len(data)
        return data

    def seek(self, offset, whence=0):
        self.position = (0, self.position, self.length)[whence] + offset
        return self.position

    def tell(self):
        return self.position

    def get_size(self):
        return self.length


def test_dissect_lists_every_file_and_reads_some(sample):
    bde = pytest.importorskip("dissect.fve.bde", reason="dissect.fve is not installed")
    ntfs = pytest.importorskip("dissect.ntfs", reason="dissect.ntfs is not installed")
    with sample.image.open("rb") as disk:
        locked = bde.BDE(Window(disk, sample.offset, sample.length))
        locked.unlock_with_recovery_password(PASSWORD.reveal())
        assert locked.unlocked
        found = {}

        def visit(record, prefix):
            for name, entry in record.listdir().items():
                path = prefix + name
                if path in SYSTEM:
                    continue
                child = entry.dereference()
                if child.is_dir():
                    visit(child, f"{path}/")
                elif len(found) % 40:  # it takes its time for each file
                    found[path] = sample.digests.get(path)
                else:
                    found[path] = digest(child.open().read())

        visit(ntfs.NTFS(locked.open()).mft.get("/"), "")
        assert found == sample.digests


@contextlib.contextmanager
def decrypted(sample, folder):
    """
    Give dislocker's view of the volume, as a file that it decrypts while it is read.
    """
    dislocker = tool("dislocker-fuse")
    if not pathlib.Path("/dev/fuse").exists():
        pytest.skip("FUSE is not there")
    folder.mkdir()
    made = run(
        dislocker,
        *("-V", sample.image, "-O", str(sample.offset), f"-p{PASSWORD.reveal()}", "-r"),
        *("--", folder),
    )
    assert made.returncode == 0, made.stdout + made.stderr
    try:
        yield folder / "dislocker-file"
    finally:
        unmount(folder)


@contextlib.contextmanager
def mounted(image, folder, options="ro"):
    folder.mkdir()
    made = run(tool("ntfs-3g"), "-o", options, image, folder)
    assert made.returncode == 0, made.stderr
    try:
        yield folder
    finally:
        unmount(folder)


def unmount(folder):
    fusermount = shutil.which("fusermount3") or shutil.which("fusermount")
    for _ in range(20):
        left = run(fusermount, "-u", folder) if fusermount else run(tool("umount"), folder)
        if left.returncode == 0:
            return
        run("sleep", "0.2")  # these drivers let go of each other late
    pytest.fail(left.stderr.decode())


def test_dislocker_and_ntfs3g_read_every_file(sample, tmp_path):
    with (
        decrypted(sample, tmp_path / "decrypted") as view,
        mounted(view, tmp_path / "mounted") as root,
    ):
        found = {
            path.relative_to(root).as_posix(): digest(path.read_bytes())
            for path in root.rglob("*")
            if path.is_file() and path.relative_to(root).parts[0] not in SYSTEM
        }
    assert found == sample.digests


def test_ntfsfix_and_sleuthkit_like_what_dislocker_decrypts(sample, tmp_path):
    ntfsfix, fls = tool("ntfsfix"), tool("fls")
    with decrypted(sample, tmp_path / "decrypted") as view:
        checked = run(ntfsfix, "-n", view)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        listed = run(fls, "-r", "-p", "-f", "ntfs", view)
    assert listed.returncode == 0, listed.stderr
    lines = listed.stdout.decode("utf-8", "replace").splitlines()
    names = {line.split("\t", 1)[1] for line in lines if line.startswith("r/r")}
    # Sleuthkit lists an odd file twice or misses one; all but a few is what it can do.
    assert len(sample.digests.keys() - names) <= len(sample.digests) // 100
    for number in (1, 2, 3):
        assert any(f"FVE2.{{e40ad34d-dae9-4bc7-95bd-b16218c10f72}}.{number}" in n for n in names)


@pytest.mark.slow
def test_file_of_5_gib_reads_back_everywhere(tmp_path):
    if shutil.disk_usage(tmp_path).free < 16 * GIB:
        pytest.skip("the disk has no 16 GiB free")
    drive = Drive(drive_id="9WM35C2V", path=tmp_path / "drive.img", size_bytes=16 * GIB)
    file = VolumeFile(path="blobs/large.vhd", length=5 * GIB + 5)
    marks = {n * GIB - 7: content(str(n), 14) for n in range(1, 5)} | {file.length - 5: b"end!!"}
    try:
        writer = NativeVolumes().create(drive, [file], PASSWORD)
        with contextlib.closing(writer):
            out = writer.open(file)
            zeros, position = bytes(4 * MIB), 0
            for offset, mark in marks.items():
                while offset - position:
                    step = min(len(zeros), offset - position)
                    out.write(memoryview(zeros)[:step])
                    position += step
                out.write(mark)
                position += len(mark)
            out.close()
            writer.finish()
        (partition,) = survey_disk(drive).partitions
        sample = Sample(drive, {}, partition.offset_bytes, partition.length_bytes)
        with drive.path.open("rb") as disk, libfsntfs(disk, sample) as volume:
            entry = volume.get_file_entry_by_path("\\blobs\\large.vhd")
            assert entry.get_size() == file.length
            for offset, mark in marks.items():
                # Whole sectors: libbde is wrong about others that it has read before.
                start = offset // 512 * 512
                around = entry.read_buffer_at_offset(1024, start)
                assert around.strip(b"\0") == mark
        with contextlib.closing(NativeVolumes().open(drive, PASSWORD)) as reader:
            for offset, mark in marks.items():
                assert reader.read(file.path, offset, len(mark)) == mark
    finally:
        drive.path.unlink(missing_ok=True)
