"""
Preparing a native drive is killed at any moment and taken up again: it ends verified.
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from offlineseed._secret import Secret
from offlineseed.drives import (
    Consent,
    DrivePlanner,
    DrivePreparer,
    DriveSpace,
    FileKeyStore,
    load_prepared_drive,
)
from offlineseed.manifest import BlobType
from offlineseed.settings import SeedSettings
from offlineseed.staging import StagingLocation
from offlineseed.verify import verify_drive
from offlineseed.volumes import Drive, NativeVolumes

MIB = 1024 * 1024
DRIVE_BYTES = 72 * MIB
KILLS = 4
LENGTHS = {
    "nightly/a.zst": 5 * MIB + 17,
    "nightly/b.zst": 70_000,
    "nightly/disk.vhd": 3 * MIB,
    "nightly/empty": 0,
    "nightly/z.zst": 4 * MIB,
}

pytestmark = pytest.mark.skipif(not hasattr(os, "pwrite"), reason="needs pwrite")


def drive_in(root):
    return Drive(drive_id="9WM35C2V", path=root / "drive.img", size_bytes=DRIVE_BYTES)


def prepare(root):
    job = StagingLocation(root / "staging").open("nightly")
    drive, volumes = drive_in(root), NativeVolumes()
    space = DriveSpace(drive_id=drive.drive_id, capacity=volumes.capacity(drive))
    (plan,) = DrivePlanner().plan(job.blobs(), [space])
    return DrivePreparer(
        volumes=volumes,
        keys=FileKeyStore(root / "keys.json"),
        storage_account_key=Secret("a2V5"),
        hash_threads=1,
    ).prepare(
        job, plan, drive=drive, consent=Consent(drive_id=drive.drive_id, size_bytes=DRIVE_BYTES)
    )


def prepare_in_child(root, *, last=-1):
    """
    Prepare in a process that kills itself before its last-th call that changes a disk.

    Returns the exit status and, where it lived, how many such calls it made.
    """
    child = subprocess.run(
        [sys.executable, __file__, str(root), str(last)],
        check=False,
        stdout=subprocess.PIPE,
        timeout=120,
    )
    return child.returncode, int(child.stdout or 0)


def main(root, last):
    steps = 0

    def counted(name):
        real = getattr(os, name)

        def call(*args):
            nonlocal steps
            steps += 1
            if steps == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args)

        setattr(os, name, call)

    for name in ("pwrite", "fsync", "ftruncate", "write"):
        counted(name)
    prepare(root)
    print(steps)


def new_job(root):
    root.mkdir()
    job = StagingLocation(root / "staging").create(
        SeedSettings(
            staging_location=str(root / "staging"),
            import_job_name="nightly",
            subscription_id="01234567-89ab-cdef-0123-456789abcdef",
            storage_account="seedaccount",
            container="backups",
        )
    )
    for path, length in LENGTHS.items():
        (root / "content").write_bytes(random.Random(path).randbytes(length))
        blob_type = BlobType.PAGE if path.endswith(".vhd") else BlobType.BLOCK
        job.add_blob(root / "content", path, blob_type=blob_type)


def require_whole(root):
    job = StagingLocation(root / "staging").open("nightly")
    prepared = load_prepared_drive(job, "9WM35C2V", keys=FileKeyStore(root / "keys.json"))
    assert prepared.blobs == len(LENGTHS)
    report = verify_drive(
        drive_in(root),
        NativeVolumes(),
        recovery_password=prepared.recovery_password,
        manifest_hash=prepared.manifest_hash,
    )
    report.raise_if_failed()
    return prepared.manifest_hash


@pytest.mark.slow
def test_native_drive_killed_at_any_moment_and_resumed_is_whole(memory_path):
    chosen = random.Random(20261126)
    new_job(memory_path / "whole")
    status, steps = prepare_in_child(memory_path / "whole")
    assert status == 0
    assert steps > 30
    manifest_hash = require_whole(memory_path / "whole")

    for step in chosen.sample(range(1, steps + 1), KILLS):
        root = memory_path / f"killed-{step}"
        new_job(root)
        assert prepare_in_child(root, last=step)[0] == -signal.SIGKILL, step
        assert prepare_in_child(root)[0] == 0, step
        assert require_whole(root) == manifest_hash, step
        (root / "drive.img").unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
