"""
Staging is killed at any moment and run again: the same is restored as without.

`SEED_KILLS` in the environment says how often, 30 times by default.
"""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import time

import pytest

from offlineseed.errors import StagingLockedError
from offlineseed.seed import SeedOptions
from offlineseed.settings import SeedSettings
from offlineseed.staging import StagingLocation

KILLS = int(os.environ.get("SEED_KILLS", "30"))
KIB = 1024
WHOLE = {"catalogs", "lock", "seals", "seed.json", "segments"}

# Forks a child that stages, for each line "location source seconds" on its input, and kills it
# after so many seconds; never for -1. Answers with the child's exit status, the seconds that it
# took, and the items that it said were acknowledged.
SERVER = """
import os, select, signal, sys, time
from offlineseed.events import SeedCheckpoint
from offlineseed.seed import SeedOptions
from offlineseed.staging import StagingLocation

OPTIONS = SeedOptions(
    chunk_bytes=1 << 16, segment_bytes=1 << 19, workers=2, checkpoint_bytes=150_000,
    checkpoint_seconds=0.01,
)

def stage(location, source, said):
    def hear(event):
        if isinstance(event, SeedCheckpoint):
            os.write(said, event.items.to_bytes(8, "big"))
    job = StagingLocation(location).open("nightly")
    if job.seal is None:
        with job.write_seed(options=OPTIONS, on_event=hear) as writer:
            writer.add_tree(source)
            writer.seal()

print("ready", flush=True)
for line in sys.stdin:
    location, source, seconds = line.rstrip("\\n").split("\\t")
    heard, said = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if not child:
        try:
            stage(location, source, said)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    os.close(said)
    if float(seconds) >= 0:
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
    items = b""
    while more := os.read(heard, 1 << 16):
        items += more
    os.close(heard)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(status, time.monotonic() - started, int.from_bytes(items[-8:], "big"), flush=True)
"""


class Server:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def stage(self, location, source, seconds=-1.0):
        print(location, source, seconds, sep="\t", file=self.process.stdin, flush=True)
        status, took, items = self.process.stdout.readline().split()
        return int(status), float(took), int(items)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


@pytest.fixture
def server():
    with contextlib.closing(Server()) as server:
        yield server


@pytest.fixture
def source(memory_path):
    root = memory_path / "source"
    chosen = random.Random(1)
    for folder in range(4):
        (root / f"folder {folder}" / "below").mkdir(parents=True)
        for number in range(25):
            length = chosen.choice((0, 10, 3000, 30_000, 65_536, 200_000))
            content = chosen.randbytes(length)
            (root / f"folder {folder}" / f"{number}").write_bytes(content)
        (root / f"folder {folder}" / "below" / "link").symlink_to("../1")
    for path in root.rglob("*"):
        os.utime(path, ns=(0, 10**18 + chosen.randrange(10**9)), follow_symlinks=False)
    return root


def make_location(path):
    location = StagingLocation(path)
    location.create(
        SeedSettings(
            staging_location=str(path),
            import_job_name="nightly",
            subscription_id="01234567-89ab-cdef-0123-456789abcdef",
            storage_account="account",
            container="container",
        )
    )
    return location


def require_acknowledged(location, copy, items, expected, snapshot):
    """
    Seal what was acknowledged, without the source, and compare it.
    """
    shutil.copytree(location.path, copy / "staging", symlinks=True)
    job = StagingLocation(copy / "staging").open("nightly")
    seal = job.seal
    if seal is None:
        options = SeedOptions(chunk_bytes=64 * KIB, segment_bytes=512 * KIB)
        with job.write_seed(options=options) as writer:
            seal = writer.seal()
    assert seal.items >= items
    with job.reader() as reader:
        reader.restore(copy / "out")
    for name, what in snapshot(copy / "out").items():
        if what[3] is not None:
            assert what == expected[name]


@pytest.mark.timeout(60 + 5 * KILLS)
def test_staging_killed_at_any_moment_and_run_again_restores_the_same(
    server, source, memory_path, snapshot
):
    expected = snapshot(source)
    took = []
    for number in range(3):
        location = make_location(memory_path / f"whole {number}")
        status, seconds, items = server.stage(location.path, source)
        assert (status, items) == (0, len(expected))
        took.append(seconds)
    longest = sorted(took)[1] * 1.1
    chosen = random.Random(time.time_ns())
    killed = acknowledged = 0
    for number in range(KILLS):
        folder = memory_path / f"kill {number}"
        location = make_location(folder / "staging")
        # Spread over the whole run, so that no phase is left to chance.
        moments = [longest * (number + chosen.random()) / KILLS]
        moments += [chosen.uniform(0, longest) for _ in range(chosen.randrange(3))]
        for turn, moment in enumerate(moments):
            status, _, items = server.stage(location.path, source, moment)
            assert status in (0, -9), f"kill {number}, moments {moments}"
            killed += status == -9
            acknowledged += items > 0
            if turn == 0:
                require_acknowledged(location, folder / "copy", items, expected, snapshot)
        status, _, _ = server.stage(location.path, source)
        assert status == 0, f"kill {number}, moments {moments}"
        job = location.open("nightly")
        assert job.seal.items == len(expected)
        with job.reader() as reader:
            assert list(reader.check()) == []
            reader.restore(folder / "out")
        assert snapshot(folder / "out") == expected, f"kill {number}, moments {moments}"
        assert [blob.path for blob in job.blobs()][-1] == "nightly/seals/g0000.json"
        assert {path.name for path in job.folder.iterdir()} == WHOLE
        shutil.rmtree(folder)
    assert killed >= KILLS // 2
    assert acknowledged


def test_lock_of_a_killed_staging_does_not_hold(server, source, memory_path):
    location = make_location(memory_path / "staging")
    server.stage(location.path, source, 0.05)
    job = location.open("nightly")
    with contextlib.suppress(StagingLockedError), job.lock():
        return
    pytest.fail("the lock of a killed process holds")
