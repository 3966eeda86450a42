"""
The staging location fills up, vanishes, or can only be read: for real, on small file systems.
"""

import contextlib
import os
import random
import shutil
import subprocess

import pytest

from offlineseed.errors import StagingFullError
from offlineseed.seed import FolderStore, SeedOptions, SeedReader, SeedWriter

KIB = 1024
MIB = 1024 * KIB
OPTIONS = SeedOptions(
    chunk_bytes=64 * KIB, segment_bytes=4 * MIB, workers=2, checkpoint_bytes=512 * KIB
)


def run(*command):
    return subprocess.run(command, capture_output=True, check=False, text=True)


@pytest.fixture
def disk(tmp_path):
    """
    A file system of 24 MiB.
    """
    for tool in ("mkfs.ext4", "mount", "umount"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if os.geteuid() != 0:
        pytest.skip("mount needs root")
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(24 * MIB)
    made = run("mkfs.ext4", "-q", "-m", "0", "-F", image)
    assert made.returncode == 0, made.stderr
    mounted = run("mount", "-o", "loop", image, folder)
    if mounted.returncode:
        pytest.skip(f"mount -o loop is not permitted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        run("umount", "-l", folder)


@pytest.fixture
def source(tmp_path):
    root = tmp_path / "source"
    root.mkdir()
    chosen = random.Random(1)
    for number in range(40):
        (root / f"{number:02d}").write_bytes(chosen.randbytes(chosen.choice((3000, 700_000))))
    return root


def stage(disk, source, **arguments):
    store = FolderStore(disk / "store", **arguments)
    with SeedWriter(store, disk / "catalog" / "c.sqlite", options=OPTIONS) as writer:
        writer.add_tree(source)
        return writer.seal()


def fill(disk, left):
    with open(disk / "ballast", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - left)


def require_restored(disk, source, target, snapshot):
    with SeedReader(FolderStore(disk / "store")) as reader:
        assert list(reader.check()) == []
        reader.restore(target)
    assert snapshot(target) == snapshot(source)


@pytest.mark.parametrize("left", [200 * KIB, MIB + 12_345, 5 * MIB, 9 * MIB])
def test_full_disk_in_mid_chunk_is_told_and_gone_on_with(disk, source, tmp_path, snapshot, left):
    fill(disk, left)
    with pytest.raises(StagingFullError, match="make room") as caught:
        stage(disk, source, reserve_bytes=0)
    assert caught.value.needed_bytes > 0
    # A second try without room changes nothing.
    with pytest.raises(StagingFullError):
        stage(disk, source, reserve_bytes=0)
    (disk / "ballast").unlink()
    stage(disk, source, reserve_bytes=0)
    require_restored(disk, source, tmp_path / "out", snapshot)


def test_full_disk_is_told_before_it_is_full(disk, source):
    fill(disk, 6 * MIB)
    with pytest.raises(StagingFullError):
        stage(disk, source, reserve_bytes=5 * MIB)
    assert shutil.disk_usage(disk).free > 1 * MIB


def test_disk_that_is_full_for_the_catalog_alone_is_told(disk, tmp_path, snapshot):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(3000):
        os.symlink("x" * 200, many / f"{number:04d}")
    fill(disk, 300 * KIB)
    with pytest.raises(StagingFullError):
        stage(disk, many, reserve_bytes=0)
    (disk / "ballast").unlink()
    stage(disk, many, reserve_bytes=0)
    require_restored(disk, many, tmp_path / "out", snapshot)


def test_location_that_becomes_read_only_is_an_error_and_gone_on_with(
    disk, source, tmp_path, snapshot
):
    with contextlib.ExitStack() as stack:
        caught = stack.enter_context(pytest.raises(OSError, match="Read-only"))
        store = FolderStore(disk / "store", reserve_bytes=0)
        writer = stack.enter_context(
            SeedWriter(store, disk / "catalog" / "c.sqlite", options=OPTIONS)
        )
        writer.add_file(source / "00")
        writer.add_file(source / "01")
        writer.checkpoint()
        # What ext4 does by itself when the medium fails.
        run("mount", "-o", "remount,abort", disk)
        writer.add_tree(source)
        writer.seal()
    assert not isinstance(caught.value, StagingFullError)
    run("umount", disk)
    assert run("mount", "-o", "loop", disk.parent / "image", disk).returncode == 0
    stage(disk, source, reserve_bytes=0)
    require_restored(disk, source, tmp_path / "out", snapshot)


def test_location_that_is_moved_away_is_an_error_and_gone_on_with(tmp_path, source, snapshot):
    place = tmp_path / "share"
    place.mkdir()
    with contextlib.ExitStack() as stack:
        stack.enter_context(pytest.raises(OSError))
        store = FolderStore(place / "store")
        writer = stack.enter_context(
            SeedWriter(store, tmp_path / "catalog" / "c.sqlite", options=OPTIONS)
        )
        writer.add_file(source / "00")
        writer.checkpoint()
        place.rename(tmp_path / "gone")
        writer.add_tree(source)
        writer.seal()
    (tmp_path / "gone").rename(place)
    with SeedWriter(
        FolderStore(place / "store"), tmp_path / "catalog" / "c.sqlite", options=OPTIONS
    ) as writer:
        writer.add_tree(source)
        writer.seal()
    require_restored(place, source, tmp_path / "out", snapshot)
