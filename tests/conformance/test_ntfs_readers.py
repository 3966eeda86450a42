"""
Other people's readers and writers on NTFS volumes of ours, and our reader on theirs.
"""

import contextlib
import datetime as dt
import hashlib
import os
import pathlib
import random
import shutil
import subprocess

import attrs
import pytest

from offlineseed.findings import Severity
from offlineseed.ntfs import (
    Fill,
    NtfsFile,
    NtfsLayout,
    NtfsReader,
    Placement,
    ReservedExtent,
    plan_volume,
    render_volume,
    verify_volume,
)

MIB, GIB = 1 << 20, 1 << 30
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
CREATED = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.timezone.utc)
MANIFEST = "DriveManifest.xml"
LARGE = "blobs/large.vhd"
ODD_NAMES = [
    "aZ", "a^", "a_", "A`", "emoji😀🎉.bin", "zz~", "[x]", "^x", "_x", "`x", "{x", "µ", "ÀÉÎ.txt",
    "äöüß", "ı dotless", "ÿ", "Ÿx", "ſ long s", "ǅ", "Ⴀ", "ა", "ᾳ", "中文文件名.txt", "日本語", "ꙁ",
    "𐐨 deseret", "𝔘𝔫𝔦", "\ue000 pua", "ﬁ", "ａ fullwidth", "\uffee", "é" * 255, "文" * 255,
]  # fmt: skip


def tool(name):
    path = shutil.which(name, path=SYSTEM_PATH)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def run(*command, **options):
    return subprocess.run(command, check=False, capture_output=True, timeout=120, **options)


@contextlib.contextmanager
def mounted(image, folder, options="ro"):
    if not pathlib.Path("/dev/fuse").exists():
        pytest.skip("FUSE is not there")
    folder.mkdir(exist_ok=True)
    made = run(tool("ntfs-3g"), "-o", options, image, folder)
    if made.returncode:
        pytest.skip(f"ntfs-3g can't mount here: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        fusermount = shutil.which("fusermount3") or shutil.which("fusermount")
        left = run(fusermount, "-u", folder) if fusermount else run(tool("umount"), folder)
        assert left.returncode == 0, left.stderr


def write_pieces(image, pieces):
    with image.open("r+b") as file:
        for piece in pieces:
            file.seek(piece.offset)
            if not isinstance(piece, Fill):
                file.write(piece.data)
            elif piece.value:
                for done in range(0, piece.length, MIB):
                    file.write(bytes([piece.value]) * min(MIB, piece.length - done))


def random_data(path, length):
    return random.Random(path).randbytes(length)


def digest(data):
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def reading(image):
    with image.open("rb") as file:
        yield lambda offset, length: os.pread(file.fileno(), length, offset)


def errors_of(image):
    with reading(image) as read:
        findings = verify_volume(read)
    return [str(finding) for finding in findings if finding.severity is Severity.ERROR]


def read_all(image):
    # What our reader finds: a digest of each file but the large one.
    with reading(image) as read:
        reader = NtfsReader(read)
        lengths = {entry.path: entry.length for entry in reader.files() if entry.path != LARGE}
        return {path: digest(reader.read(path, 0, length)) for path, length in lengths.items()}


@attrs.frozen
class Sample:
    image: pathlib.Path
    layout: NtfsLayout = attrs.field(repr=False)
    digests: dict = attrs.field(repr=False)


def sample_files(size):
    lengths = {f"odd/{name}": len(name) for name in ODD_NAMES}
    lengths |= {f"segments/g0000-{i:06}.zst": i * 37 % 9000 for i in range(2500)}
    lengths |= {"/".join(f"level {i}" for i in range(40)) + f"/{i}": 5 for i in range(10)}
    lengths |= {f"{'d' * 255}/{chr(65 + i)}{'n' * 200}": 100 * i for i in range(26)}
    lengths |= {f"edges/{n}": n for n in (0, 1, 4095, 4096, 4097, 8192)}
    lengths["blobs/middle.bin"] = 9 * MIB + 1
    files = [NtfsFile(path=path, length=length) for path, length in lengths.items()]
    files += [
        NtfsFile(path=f"given/{n}", length=n, content=random_data(f"given/{n}", n))
        for n in (1, 699, 720, 728, 736, 744, 745, 752, 4096, 5000)
    ]
    if size > 6 * GIB:
        files.append(NtfsFile(path=LARGE, length=5 * GIB))
    files.append(NtfsFile(path=MANIFEST, length=MIB, is_maximum=True))
    return files


@pytest.fixture(scope="module", params=[64 * MIB, GIB, 16 * GIB], ids=["64 MiB", "1 GiB", "16 GiB"])
def sample(request, tmp_path_factory):
    size = request.param
    info = 0x2100000
    places = {"1": info, "vb": info + 65536, "x": info + 73728}
    places |= {"2": size * 3 // 5 // 65536 * 65536, "3": size * 4 // 5 // 65536 * 65536}
    reserved = [
        ReservedExtent(name=f"FVE2.{name}", offset=place, length=8192 if name == "vb" else 65536)
        for name, place in places.items()
    ]
    layout = plan_volume(
        size, sample_files(size), created=CREATED, serial=0x1234, label="SEED", reserved=reserved
    )
    image = tmp_path_factory.mktemp("sample") / "volume.img"
    image.touch()
    os.truncate(image, size)
    digests = {}
    with image.open("r+b") as file:
        for place in layout.files():
            length = 123_456 if place.path == MANIFEST else place.length
            if place.path == LARGE:
                # Mostly a hole; its ends and its seam are told apart below.
                for extent in place.extents:
                    for offset in (extent.offset, extent.offset + extent.length - 4096):
                        file.seek(offset)
                        file.write(random_data(str(offset), 4096))
                continue
            data = rest = random_data(place.path, length)
            digests[place.path] = digest(data)
            for extent in () if place.is_rendered else place.extents:
                file.seek(extent.offset)
                file.write(rest[: extent.length])
                rest = rest[extent.length :]
    write_pieces(image, render_volume(layout, {MANIFEST: 123_456}))
    yield Sample(image, layout, digests)
    image.unlink()


def edges_of_large(layout):
    # Where in the large file the written pieces are, and what they hold.
    start = 0
    for extent in layout.find(LARGE).extents:
        for offset in (0, extent.length - 4096):
            yield start + offset, random_data(str(extent.offset + offset), 4096)
        start += extent.length


def has_large(sample):
    return sample.layout.geometry.volume_bytes > 6 * GIB


def test_verifier_finds_nothing(sample):
    with reading(sample.image) as read:
        assert verify_volume(read) == ()


def test_reader_reads_every_file(sample):
    assert read_all(sample.image) == sample.digests


def test_ntfsfix_finds_the_volume_clean(sample):
    checked = run(tool("ntfsfix"), "-n", sample.image)

    assert checked.returncode == 0
    assert b"processed successfully" in checked.stdout
    assert b"FAILED" not in checked.stdout
    assert b"corrupt" not in checked.stdout.lower()


def test_ntfsresize_counts_the_clusters_as_the_bitmap_does(sample):
    checked = run(tool("ntfsresize"), "-i", "-f", sample.image)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert b"mismatch" not in checked.stdout.lower()


def test_ntfs3g_reads_every_file(sample, tmp_path):
    with mounted(sample.image, tmp_path / "mnt") as folder:
        found = {}
        for root, _, names in os.walk(folder):
            for name in names:
                path = pathlib.Path(root, name)
                relative = path.relative_to(folder).as_posix()
                if not relative.startswith("System Volume Information/") and relative != LARGE:
                    found[relative] = digest(path.read_bytes())
        assert found == sample.digests
        if has_large(sample):
            with (folder / LARGE).open("rb") as file:
                for offset, data in edges_of_large(sample.layout):
                    file.seek(offset)
                    assert file.read(4096) == data
            assert (folder / LARGE).stat().st_size == 5 * GIB


def test_ntfs3g_changes_every_directory_and_the_volume_stays_sound(sample, tmp_path):
    image = tmp_path / "changed.img"
    copied = run("cp", "--sparse=always", sample.image, image)
    assert copied.returncode == 0, copied.stderr
    expected = dict(sample.digests)
    with mounted(image, tmp_path / "mnt", "rw") as folder:
        for root, directories, names in os.walk(folder):
            here = pathlib.Path(root)
            if here.name == "System Volume Information":
                continue
            directories.sort()
            prefix = f"{here.relative_to(folder).as_posix()}/".removeprefix("./")
            old = sorted(name for name in names if prefix + name != LARGE)
            for number in range(12):
                name = f"new {number} {'x' * (9 * number)}"
                (here / name).write_bytes(b"y" * 500 * number)
                expected[prefix + name] = digest(b"y" * 500 * number)
            for number in range(0, 12, 3):
                name = f"new {number} {'x' * (9 * number)}"
                (here / name).unlink()
                del expected[prefix + name]
            for name in old[:1]:
                (here / name).rename(here / "renamed")
                expected[f"{prefix}renamed"] = expected.pop(prefix + name)
            for name in old[1::3]:
                (here / name).unlink()
                del expected[prefix + name]
            (here / "a new directory").mkdir()
    checked = run(tool("ntfsfix"), "-n", image)
    assert checked.returncode == 0
    assert b"FAILED" not in checked.stdout
    assert errors_of(image) == []
    assert read_all(image) == expected
    image.unlink()


def test_libfsntfs_reads_every_file(sample):
    pyfsntfs = pytest.importorskip("pyfsntfs")
    volume = pyfsntfs.volume()
    found = {}
    with sample.image.open("rb") as file:
        volume.open_file_object(file)

        def visit(entry, prefix):
            for number in range(entry.number_of_sub_file_entries):
                child = entry.get_sub_file_entry(number)
                path = prefix + child.name
                if child.name.startswith("$") or child.name in {".", "System Volume Information"}:
                    continue
                if child.has_default_data_stream():
                    if path == LARGE:
                        assert child.size == 5 * GIB
                    else:
                        child.seek_offset(0)
                        found[path] = digest(child.read_buffer(child.size) if child.size else b"")
                else:
                    visit(child, f"{path}/")

        visit(volume.get_root_directory(), "")
        volume.close()

    assert found == sample.digests


def test_dissect_lists_every_file_and_reads_most(sample):
    ntfs = pytest.importorskip("dissect.ntfs")
    found = {}
    with sample.image.open("rb") as file:

        def visit(record, prefix):
            for number, (name, entry) in enumerate(record.listdir().items()):
                path = prefix + name
                if name.startswith("$") or name in {".", "System Volume Information"}:
                    continue
                if path.startswith("segments/") and number % 10:
                    # It takes milliseconds for each file, and these are all alike.
                    found[path] = sample.digests.get(path)
                    continue
                child = entry.dereference()
                if child.is_dir():
                    visit(child, f"{path}/")
                elif path != LARGE:
                    found[path] = digest(child.open().read())

        visit(ntfs.NTFS(file).mft.get("/"), "")

    assert found == sample.digests


def test_sleuthkit_lists_every_file_and_reads_some(sample):
    listed = run(tool("fls"), "-r", "-p", "-F", "-u", "-f", "ntfs", sample.image)
    assert listed.returncode == 0, listed.stderr
    addresses = {}
    for line in listed.stdout.decode("utf-8", "replace").splitlines():
        kind, _, path = line.partition("\t")
        if not path.startswith(("$", "System Volume Information/")) and ":$" not in path:
            addresses[path] = kind.split()[-1].rstrip(":")

    # It cuts names off at 512 bytes of UTF-8.
    readable = {path for path in sample.digests if "文文文" not in path}
    assert readable <= addresses.keys()
    for path in random.Random(1).sample(sorted(readable), 20):
        read = run(tool("icat"), "-f", "ntfs", sample.image, addresses[path])
        assert digest(read.stdout) == sample.digests[path]


# What mkntfs leaves uninitialised: in $BadClus's name, and after the keys of the root's entries.
LEFT_IN_BAD_CLUSTERS = {0x102, 0x103}
LEFT_IN_ROOT_INDEX = {0xA6, 0x10E, 0x1CC, 0x1CE, 0x296, 0x35C}


@pytest.mark.parametrize(
    ("size", "cluster_bytes"),
    [
        (64 * MIB, 4096),
        (256 * MIB, 4096),
        (2 * GIB, 4096),
        (1 << 40, 4096),
        (512 * MIB, 512),
        (512 * MIB, 1024),
        (512 * MIB, 8192),
        (512 * MIB, 65536),
    ],
)
def test_empty_volume_is_that_of_mkntfs(tmp_path, size, cluster_bytes):
    theirs, ours = tmp_path / "theirs.img", tmp_path / "ours.img"
    for image in (theirs, ours):
        image.touch()
        os.truncate(image, size)
    made = run(
        tool("mkntfs"), "-F", "-Q", "-q", "-T", "-s", "512", "-c", str(cluster_bytes), "-p", "2048",
        "-H", "255", "-S", "63", "-L", "SEED", theirs,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    with theirs.open("rb") as file:
        boot = file.read(512)
    layout = plan_volume(
        size,
        (),
        created=dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc),
        serial=int.from_bytes(boot[0x48:0x50], "little"),
        label="SEED",
        cluster_bytes=cluster_bytes,
        placement=Placement.MKNTFS,
    )
    write_pieces(ours, render_volume(layout))

    allowed = set()
    for start in (0, layout.geometry.backup_boot_offset):
        allowed |= set(range(start + 0x54, start + 0x1FE))
    mft, mirror = (run[0] * cluster_bytes for run in (layout.places.mft, layout.places.mirror))
    for start in (mft, mirror):
        allowed |= {start + 8 * 1024 + place for place in LEFT_IN_BAD_CLUSTERS}
    allowed |= {layout.index_places[0] * cluster_bytes + place for place in LEFT_IN_ROOT_INDEX}
    assert differences(theirs, ours) - allowed == set()


def data_ranges(file, size):
    end = 0
    while True:
        try:
            start = os.lseek(file.fileno(), end, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        yield from ((at, min(MIB, end - at)) for at in range(start, end, MIB))


def differences(one, other):
    # The places at which two sparse files differ.
    places = set()
    with one.open("rb") as a, other.open("rb") as b:
        size = one.stat().st_size
        assert other.stat().st_size == size
        for offset, length in {*data_ranges(a, size), *data_ranges(b, size)}:
            x, y = (os.pread(file.fileno(), length, offset) for file in (a, b))
            if x != y:
                places |= {offset + i for i in range(length) if x[i] != y[i]}
    return places


def test_reader_reads_what_ntfs3g_wrote_and_the_verifier_finds_no_error(tmp_path):
    image = tmp_path / "theirs.img"
    image.touch()
    os.truncate(image, 64 * MIB)
    assert run(tool("mkntfs"), "-F", "-Q", "-q", image).returncode == 0
    digests = {}
    with mounted(image, tmp_path / "mnt", "rw") as folder:
        for path in [*(f"odd/{n}" for n in ODD_NAMES), *(f"d/e{i}/f" for i in range(300)), "big"]:
            data = random_data(path, 5 * MIB if path == "big" else len(path) * 50)
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
            digests[path] = digest(data)
        for number in range(0, 300, 2):
            (folder / f"d/e{number}/f").unlink()
            (folder / f"d/e{number}").rmdir()
            del digests[f"d/e{number}/f"]

    assert read_all(image) == digests
    assert errors_of(image) == []
