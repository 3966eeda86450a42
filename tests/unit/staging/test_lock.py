import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from offlineseed.errors import StagingLockedError
from offlineseed.staging import JobLock

HOLD = """
import sys, time
from pathlib import Path
from offlineseed.staging import JobLock
with JobLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lock"


@pytest.fixture
def holder(path):
    """
    Another process that holds the lock.
    """
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_lock_is_held_and_given_back(path):
    with JobLock(path):
        document = json.loads(path.read_bytes())
        assert (document["host"], document["pid"]) == (socket.gethostname(), os.getpid())
        with pytest.raises(StagingLockedError), JobLock(path):
            pass
    with JobLock(path):
        pass


def test_lock_of_another_process_is_refused_naming_host_pid_and_age(path, holder):
    with pytest.raises(StagingLockedError, match=f"process {holder.pid} on") as caught:
        JobLock(path).acquire()
    assert (caught.value.host, caught.value.pid) == (socket.gethostname(), holder.pid)
    assert 0 <= caught.value.age_seconds < 60
    with pytest.raises(StagingLockedError):
        JobLock(path, take_over=True).acquire()


def test_lock_of_a_killed_process_is_taken_over(path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert json.loads(path.read_bytes())["pid"] == holder.pid
    with JobLock(path):
        assert json.loads(path.read_bytes())["pid"] == os.getpid()


def foreign(path, **changes):
    document = {"host": "elsewhere", "pid": 7, "since": time.time() - 100} | changes
    path.write_text(json.dumps(document))


def test_lock_of_another_machine_is_refused_unless_it_is_taken_over(path):
    foreign(path)
    with pytest.raises(StagingLockedError, match="process 7 on elsewhere") as caught:
        JobLock(path).acquire()
    assert caught.value.host == "elsewhere"
    assert 99 < caught.value.age_seconds < 160
    assert json.loads(path.read_bytes())["host"] == "elsewhere"
    with JobLock(path, take_over=True):
        assert json.loads(path.read_bytes())["host"] == socket.gethostname()
    with JobLock(path):
        pass


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"host": "x"}', '{"host": "x", "pid": [], "since": 1}', "\0" * 100],
    ids=["empty", "torn", "list", "half", "wrong", "zeros"],
)
def test_text_that_says_nothing_does_not_lock(path, text):
    path.write_text(text)
    with JobLock(path):
        pass


def test_age_of_a_lock_from_the_future_is_not_negative(path):
    foreign(path, since=time.time() + 10_000)
    with pytest.raises(StagingLockedError) as caught:
        JobLock(path).acquire()
    assert caught.value.age_seconds == 0


def test_lock_that_fails_to_be_given_back_is_let_go(path, monkeypatch):
    lock = JobLock(path)
    lock.acquire()
    before = len(os.listdir("/proc/self/fd"))

    def fail(*_):
        raise OSError("the share vanished")

    with monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", fail)
        with pytest.raises(OSError, match="vanished"):
            lock.release()
    assert len(os.listdir("/proc/self/fd")) == before - 1
    lock.release()
