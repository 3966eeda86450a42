"""
Measuring whole processes: wall time, processor time, peak memory and bytes written.

Everything here needs only the standard library and a POSIX system. On Linux the memory of all
processes of a command is added up; elsewhere it is that of the largest one.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

MIB = 1 << 20
SAMPLE_SECONDS = 0.02
_PROC = Path("/proc")
_BYTECODE = tempfile.TemporaryDirectory(prefix="offlineseed-bench-bytecode-")
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024

Row = dict[str, str | float | int]

Command = Sequence[str] | Callable[[], object]
"""
A program with its arguments, or a Python callable.

A callable runs in a process forked from this one: its time does not hold the start of an
interpreter, and its memory holds this process's. Give argv to compare with programs.
"""


class CommandFailedError(RuntimeError):
    """
    A measured command exited with an error, so its figures mean nothing.
    """


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """
    What one run of a command took.
    """

    wall_seconds: float
    """From before the process started until it was gone."""
    cpu_seconds: float
    """User and system time of the process and of all that it waited for."""
    peak_mib: float
    """Resident memory of all its processes together, at its highest, as sampled."""
    bytes_out: int
    """Bytes of the files that it left at its output."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """
    A command to measure, and what it leaves behind.
    """

    name: str
    """What a table calls it."""
    command: Command
    """What runs."""
    output: Path | None = None
    """The file or folder that it writes; removed before each run."""
    prepare: Callable[[], object] | None = None
    """Called before each run, after the output was removed, and not measured."""
    environment: dict[str, str] = field(default_factory=dict)
    """Added to this process's environment; of no effect on a callable."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """
    A task against a peer, run in interleaved pairs.
    """

    name: str
    """The task."""
    peer: str
    """What it was compared with."""
    ours: tuple[Measurement, ...]
    """The task's runs, in order."""
    theirs: tuple[Measurement, ...]
    """The peer's runs, each next to ours of the same index."""

    @property
    def ratio(self) -> float:
        """
        The median over the pairs of our wall time by the peer's.
        """
        return statistics.median(self.ratios)

    @property
    def ratios(self) -> tuple[float, ...]:
        """
        Our wall time by the peer's, for each pair.
        """
        return tuple(a.wall_seconds / b.wall_seconds for a, b in self._pairs())

    @property
    def cpu_ratio(self) -> float:
        """
        The median over the pairs of our processor time by the peer's.
        """
        return statistics.median(a.cpu_seconds / b.cpu_seconds for a, b in self._pairs())

    def row(self, corpus: str, content_bytes: int) -> Row:
        """
        Return the comparison as a row of `bench.json`.
        """
        return row_of(self.ours, self.name, corpus, self.peer, self.ratio, content_bytes)

    def _pairs(self) -> Iterator[tuple[Measurement, Measurement]]:
        return zip(self.ours, self.theirs, strict=True)


def row_of(
    runs: Sequence[Measurement], name: str, corpus: str, peer: str, ratio: float, content_bytes: int
) -> Row:
    """
    Return runs as a row of `bench.json`: medians, and the highest memory; MB/s are of the content.
    """
    wall_seconds = statistics.median(run.wall_seconds for run in runs)
    return {
        "name": name,
        "corpus": corpus,
        "peer": peer,
        "ratio": round(ratio, 3),
        "mb_per_s": round(content_bytes / wall_seconds / 1e6, 1),
        "cpu_s": round(statistics.median(run.cpu_seconds for run in runs), 2),
        "peak_mib": round(max(run.peak_mib for run in runs), 1),
        "bytes_out": runs[-1].bytes_out,
    }


def compare(ours: Task, peer: Task, *, pairs: int = 5, warm_up: bool = True) -> Comparison:
    """
    Run two tasks in interleaved pairs, each pair in the opposite order of the one before.

    Neighbours on the machine disturb both runs of a pair alike, so the ratio within a pair is
    steadier than either time. The warm-up runs each task once and forgets the figures.

    Raises:
        CommandFailedError: one of the runs failed.
    """
    if warm_up:
        measure(peer)
        measure(ours)
    runs: dict[str, list[Measurement]] = {"ours": [], "theirs": []}
    tasks = {"ours": ours, "theirs": peer}
    for pair in range(pairs):
        order = ("ours", "theirs") if pair % 2 == 0 else ("theirs", "ours")
        for side in order:
            runs[side].append(measure(tasks[side]))
    return Comparison(
        name=ours.name, peer=peer.name, ours=tuple(runs["ours"]), theirs=tuple(runs["theirs"])
    )


def python(code: str, *arguments: object) -> tuple[str, ...]:
    """
    Return the command that runs Python code with this interpreter.

    With bytecode, as any installed package has it: else each run would compile the package again.
    """
    kept = ("-X", f"pycache_prefix={_BYTECODE.name}")
    unset = ("env", "-u", "PYTHONDONTWRITEBYTECODE")
    return (*unset, sys.executable, *kept, "-c", code, *map(str, arguments))


def measure(task: Task) -> Measurement:
    """
    Run a task once, from a clean start: no old output, nothing left to write back to disk.

    Raises:
        CommandFailedError: it exited with an error; says the last it wrote to standard error.
        OSError: the program can't be started.
    """
    if task.output is not None:
        _remove(task.output)
    if task.prepare is not None:
        task.prepare()
    os.sync()
    with tempfile.TemporaryFile() as complaints:
        started = time.perf_counter()
        pid = _start(task, complaints.fileno())
        with _PeakMemory(pid) as memory:
            # Not Popen.wait: it drops the usage of what it waited for.
            _, status, usage = os.wait4(pid, 0)
            wall_seconds = time.perf_counter() - started
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            complaints.seek(0)
            text = complaints.read()[-2000:].decode("utf-8", "replace")
            raise CommandFailedError(f"{task.name} ended with {code}: {text.strip()}")
    return Measurement(
        wall_seconds=wall_seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mib=max(memory.peak_bytes, _own_peak(usage)) / MIB,
        bytes_out=0 if task.output is None else size_of(task.output),
    )


def size_of(path: Path) -> int:
    """
    Return the bytes of a file, or of all files below a folder; hard links count once.
    """
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    sizes: dict[tuple[int, int], int] = {}
    for folder, _, names in os.walk(path):
        for name in names:
            status = os.lstat(os.path.join(folder, name))
            sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())


def _start(task: Task, stderr: int) -> int:
    if callable(task.command):
        return _fork(task.command, stderr)
    process = subprocess.Popen(
        list(task.command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env=os.environ | task.environment,
    )
    # Whoever waits for the process is `measure`: Popen must not complain that it runs on.
    process.returncode = 0
    return process.pid


def _fork(function: Callable[[], object], stderr: int) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.dup2(stderr, 2)
        function()
        code = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        # No clean-up of the parent's: its buffers and handlers are not this process's business.
        os._exit(code)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _own_peak(usage: resource.struct_rusage) -> int:
    # A child begins with its parent's high-water mark: only what exceeds it is its own.
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage.ru_maxrss * _MAXRSS_BYTES if usage.ru_maxrss > floor else 0


class _PeakMemory:
    """
    Samples the resident memory of a process and its descendants while it is entered.
    """

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if _PROC.is_dir():
            self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while True:
            together = 0
            for pid in _tree(self._pid):
                resident, highest = _memory(pid)
                together += resident
                self.peak_bytes = max(self.peak_bytes, highest)
            self.peak_bytes = max(self.peak_bytes, together)
            if self._stop.wait(SAMPLE_SECONDS):
                return


def _tree(root: int) -> Iterator[int]:
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        with contextlib.suppress(OSError):  # it ended meanwhile
            for task in os.listdir(f"/proc/{pid}/task"):
                children = Path(f"/proc/{pid}/task/{task}/children").read_text("ascii")
                waiting.extend(map(int, children.split()))


def _memory(pid: int) -> tuple[int, int]:
    found = {"VmRSS": 0, "VmHWM": 0}
    with contextlib.suppress(OSError):  # it ended meanwhile
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            name, _, value = line.partition(":")
            if name in found:
                found[name] = int(value.split()[0]) * 1024
    return found["VmRSS"], found["VmHWM"]
