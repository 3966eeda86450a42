"""
Preparing a drive is killed at any moment and taken up again: the drive ends the same.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from offlineseed.drives import FileKeyStore, load_prepared_drive
from offlineseed.manifest import BlobType
from offlineseed.settings import SeedSettings
from offlineseed.staging import StagingLocation
from offlineseed.verify import verify_drive
from offlineseed.volumes import DirectoryVolumes, Drive

MIB = 1024 * 1024
DRIVE_BYTES = 64 * MIB
KILLS_BY_STEP = 30
KILLS_BY_TIME = 10
LENGTHS = {
    "nightly/a.zst": 5 * MIB + 17,
    "nightly/b.zst": 70_000,
    "nightly/disk.vhd": 3 * MIB,
    "nightly/empty": 0,
    "nightly/z.zst": 4 * MIB,
}

# Prepares a drive in a child of its own for each line "step" on its input, and answers with the
# child's exit status. A child kills itself before its step-th call that changes a disk; -1 never.
SERVER = """
import os, signal, sys
from pathlib import Path
from offlineseed._secret import Secret
from offlineseed.drives import Consent, DrivePlanner, DrivePreparer, DriveSpace, FileKeyStore
from offlineseed.staging import StagingLocation
from offlineseed.volumes import DirectoryVolumes, Drive

root, drive_bytes = Path(sys.argv[1]), int(sys.argv[2])
steps = 0

def counted(owner, name, last):
    real = getattr(owner, name)
    def call(*args, **options):
        global steps
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **options)
    setattr(owner, name, call)

def prepare(last):
    for name in ("fsync", "write", "ftruncate", "posix_fallocate"):
        counted(os, name, last)
    for name in ("replace", "unlink", "mkdir"):
        counted(Path, name, last)
    job = StagingLocation(root / "staging").open("nightly")
    drive = Drive(drive_id="9WM35C2V", path=root / "drive", size_bytes=drive_bytes)
    volumes = DirectoryVolumes()
    space = DriveSpace(drive_id=drive.drive_id, capacity=volumes.capacity(drive))
    (plan,) = DrivePlanner().plan(job.blobs(), [space])
    DrivePreparer(
        volumes=volumes,
        keys=FileKeyStore(root / "keys.json"),
        storage_account_key=Secret("a2V5"),
        hash_threads=1,
    ).prepare(
        job, plan, drive=drive, consent=Consent(drive_id=drive.drive_id, size_bytes=drive_bytes)
    )
    return steps

print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        print(prepare(int(line)), flush=True)
        os._exit(0)
    print(child, flush=True)
    print("status", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Server:
    def __init__(self, root):
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(root), str(DRIVE_BYTES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def prepare(self, step=-1, *, kill_after=None):
        """
        Prepare once; return the exit status and the number of steps, 0 where it was killed.
        """
        self.process.stdin.write(f"{step}\n")
        self.process.stdin.flush()
        answers = [self.process.stdout.readline()]
        if kill_after is not None and answers[0].strip().isdigit():
            time.sleep(kill_after)
            # The server waits for its child, so the number may be gone by now.
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(answers[0]), signal.SIGKILL)
        while not answers[-1].startswith("status"):
            answers.append(self.process.stdout.readline())
            assert answers[-1], "the server died"
        status = int(answers[-1].split()[1])
        return status, int(answers[1]) if len(answers) == 3 else 0


@pytest.fixture
def root(tmp_path):
    job = StagingLocation(tmp_path / "staging").create(
        SeedSettings(
            staging_location=str(tmp_path / "staging"),
            import_job_name="nightly",
            subscription_id="01234567-89ab-cdef-0123-456789abcdef",
            storage_account="seedaccount",
            container="backups",
        )
    )
    for path, length in LENGTHS.items():
        (tmp_path / "content").write_bytes(random.Random(path).randbytes(length))
        blob_type = BlobType.PAGE if path.endswith(".vhd") else BlobType.BLOCK
        job.add_blob(tmp_path / "content", path, blob_type=blob_type)
    return tmp_path


@pytest.fixture
def server(root):
    server = Server(root)
    yield server
    server.process.stdin.close()
    server.process.stdout.close()
    server.process.wait(20)


def outcome(root):
    """
    Return the drive's manifest hash and files, after verifying it.
    """
    job = StagingLocation(root / "staging").open("nightly")
    keys = FileKeyStore(root / "keys.json")
    prepared = load_prepared_drive(job, "9WM35C2V", keys=keys)
    drive = Drive(drive_id="9WM35C2V", path=root / "drive", size_bytes=DRIVE_BYTES)
    verify_drive(
        drive,
        DirectoryVolumes(),
        recovery_password=prepared.recovery_password,
        manifest_hash=prepared.manifest_hash,
    ).raise_if_failed()
    files = {
        path.relative_to(root / "drive").as_posix(): path.read_bytes()
        for path in (root / "drive").rglob("*")
        if path.is_file()
    }
    return prepared.manifest_hash, files


def forget(root):
    shutil.rmtree(root / "drive")
    shutil.rmtree(root / "staging" / "nightly" / "drives")
    (root / "keys.json").unlink()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_drive_killed_at_any_moment_and_resumed_ends_the_same(root, server):
    chosen = random.Random(20261126)
    began = time.perf_counter()
    status, steps = server.prepare()
    seconds = time.perf_counter() - began
    assert status == 0
    whole = outcome(root)
    assert set(whole[1]) == set(LENGTHS) | {"DriveManifest.xml"}
    assert steps > 3 * KILLS_BY_STEP // 2

    for step in chosen.sample(range(1, steps + 1), KILLS_BY_STEP):
        forget(root)
        assert server.prepare(step)[0] == -signal.SIGKILL, step
        assert server.prepare()[0] == 0, step
        assert outcome(root) == whole, step

    kills = 0
    while kills < KILLS_BY_TIME:
        forget(root)
        status = None
        while status != 0:
            status, _ = server.prepare(kill_after=chosen.uniform(0, seconds))
            assert status in {0, -signal.SIGKILL}
            kills += status != 0
        assert outcome(root) == whole
