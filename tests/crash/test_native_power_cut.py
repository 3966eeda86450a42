"""
The power fails at any write to a native drive: nobody takes what is left for a finished volume.

Everything that reaches the disk is recorded, then laid down again as far as it would have got:
all before the last sync that returned, and any part of what came after it.
"""

import contextlib
import os
import random

import attrs
import pytest

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import DriveChangedError, VolumeError
from offlineseed.volumes import Drive, NativeVolumes, VolumeFile, survey_disk

MIB = 1024 * 1024
DISK_BYTES = 67 * MIB
SECTOR = 512
PASSWORD = RecoveryPassword(bytes(range(16)))
FILES = [
    VolumeFile(path="nightly/a.zst", length=5 * MIB + 17),
    VolumeFile(path="nightly/b.zst", length=70_000),
    VolumeFile(path="empty", length=0),
    VolumeFile(path="small", length=600),
]
MANIFEST = VolumeFile(path="DriveManifest.xml", length=MIB, is_maximum=True)
CONTENTS = [*FILES, MANIFEST]

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "pwrite"), reason="needs pwrite"),
    pytest.mark.usefixtures("stretch_once"),
]


def content(file):
    if file.is_maximum:
        return b"<DriveManifest/>" * 100
    return random.Random(file.path).randbytes(file.length)


@attrs.frozen
class Write:
    offset: int
    data: bytes = attrs.field(repr=False)


@attrs.frozen
class Sync:
    pass


@attrs.frozen
class Truncate:
    length: int


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """
    What a preparation does to its disk, in order.
    """
    steps = []
    image = tmp_path_factory.mktemp("recorded") / "drive.img"
    with recording(steps):
        prepare(image)
    image.unlink()
    return steps


@contextlib.contextmanager
def recording(steps):
    with pytest.MonkeyPatch.context() as patch:
        pwrite, fsync, ftruncate = os.pwrite, os.fsync, os.ftruncate

        def record(step, act, *args):
            result = act(*args)
            steps.append(step)
            return result

        patch.setattr(
            os, "pwrite", lambda fd, b, at: record(Write(at, bytes(b)), pwrite, fd, b, at)
        )
        patch.setattr(os, "fsync", lambda fd: record(Sync(), fsync, fd))
        patch.setattr(os, "ftruncate", lambda fd, n: record(Truncate(n), ftruncate, fd, n))
        yield


def prepare(image):
    drive = Drive(drive_id="9WM35C2V", path=image, size_bytes=DISK_BYTES)
    with contextlib.closing(NativeVolumes(threads=1).create(drive, CONTENTS, PASSWORD)) as writer:
        for file in CONTENTS:
            out = writer.open(file)
            out.write(content(file))
            out.close()
        writer.finish()


def lay_down(image, steps):
    with image.open("wb") as file:
        for step in steps:
            if isinstance(step, Truncate):
                file.truncate(step.length)
            elif isinstance(step, Write):
                file.seek(step.offset)
                file.write(step.data)
        file.truncate(DISK_BYTES)


def is_finished(image):
    """
    Return whether it opens, and require that everything in it is right if it does.
    """
    drive = Drive(drive_id="9WM35C2V", path=image, size_bytes=DISK_BYTES)
    try:
        reader = NativeVolumes().open(drive, PASSWORD)
    except VolumeError:
        return False
    with contextlib.closing(reader):
        found = {file.path: reader.read(file.path, 0, 2 * file.length) for file in reader.files()}
    assert found == {file.path: content(file) for file in CONTENTS}
    return True


def resume(image, *, kept):
    drive = Drive(drive_id="9WM35C2V", path=image, size_bytes=DISK_BYTES)
    with contextlib.closing(NativeVolumes().resume(drive, CONTENTS, PASSWORD)) as writer:
        for number, file in enumerate(CONTENTS):
            if number < kept and writer.keep(file):
                continue
            out = writer.open(file)
            out.write(content(file))
            out.close()
        writer.finish()


def test_power_cut_before_any_write_leaves_no_finished_volume(recorded, memory_path):
    image = memory_path / "drive.img"
    writes = [number for number, step in enumerate(recorded) if isinstance(step, Write)]
    assert len(writes) > 20
    finished = []
    for number in range(len(recorded) + 1):
        lay_down(image, recorded[:number])
        finished.append(is_finished(image))
    # One moment divides the unfinished from the finished: the boot sector's.
    assert finished == sorted(finished)
    assert finished.index(True) == writes[-1] + 1
    assert recorded[writes[-1]] == Write(MIB, recorded[writes[-1]].data)
    assert len(recorded[writes[-1]].data) == SECTOR


def test_power_cut_that_loses_any_writes_not_synced_leaves_no_wrong_volume(recorded, memory_path):
    image = memory_path / "drive.img"
    chosen = random.Random(20261126)
    syncs = [number for number, step in enumerate(recorded) if isinstance(step, Sync)]
    for begin, end in zip([0, *syncs], [*syncs, len(recorded)], strict=True):
        pending = [step for step in recorded[begin:end] if isinstance(step, Write)]
        for _ in range(4):
            survivors = [torn(step, chosen) for step in pending if chosen.random() < 0.5]
            chosen.shuffle(survivors)
            lay_down(image, recorded[:begin] + survivors)
            is_finished(image)


def torn(step, chosen):
    # Sectors are written whole, but not all of a write's sectors.
    sectors = chosen.randint(0, len(step.data) // SECTOR)
    return Write(step.offset, step.data[: sectors * SECTOR])


def test_power_cut_at_any_sync_is_resumed_to_the_same_contents(recorded, memory_path):
    image = memory_path / "drive.img"
    syncs = [number for number, step in enumerate(recorded) if isinstance(step, Sync)]
    resumed = 0
    for count, number in enumerate(syncs):
        lay_down(image, recorded[: number + 1])
        if is_finished(image):
            continue
        # Syncs: blank, structures, then one for each file that has data.
        whole = max(0, count - 1)
        kept = [0, 1, 2, 4, 4][min(whole, 4)]
        try:
            resume(image, kept=kept)
        except DriveChangedError:
            # Only before `create` returned, when nobody relies on anything.
            assert count == 0
            prepare(image)
        else:
            resumed += 1
        assert is_finished(image)
    assert resumed >= 5


def test_unfinished_volume_has_no_partitions_that_a_system_would_offer_to_format(
    recorded, memory_path
):
    image = memory_path / "drive.img"
    lay_down(image, recorded[: len(recorded) // 2])
    drive = Drive(drive_id="9WM35C2V", path=image, size_bytes=DISK_BYTES)
    assert survey_disk(drive).is_blank
