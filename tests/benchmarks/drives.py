"""
Benchmarks of drives: one native volume against plain writing and hashing, and its parts alone.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from _measure import Row, Task, compare, measure, python, row_of

MIB = 1 << 20
GIB = 1 << 30

# As a drive is prepared: MD5 in a thread beside the writing, some blocks behind it, and everything
# durable at the end.
_NATIVE = """
import hashlib, os, sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from offlineseed.bitlocker import CipherMethod, RecoveryPassword
from offlineseed.volumes import Drive, NativeVolumes, VolumeFile
image, length, cipher = sys.argv[1], int(sys.argv[2]), CipherMethod[sys.argv[3]]
drive = Drive(drive_id="BENCH", path=image, size_bytes=length + (256 << 20))
file = VolumeFile(path="nightly/segments/g0000-000000.zst", length=length)
writer = NativeVolumes(cipher=cipher).create(drive, [file], RecoveryPassword.generate())
out, md5, piece = writer.open(file), hashlib.md5(usedforsecurity=False), os.urandom(4 << 20)
with ThreadPoolExecutor(1) as hashing:
    waiting = deque()
    for _ in range(length // len(piece)):
        waiting.append(hashing.submit(md5.update, piece))
        out.write(piece)
        if len(waiting) > 6:
            waiting.popleft().result()
out.close()
writer.finish()
writer.close()
"""
_PLAIN = """
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
piece = os.urandom(4 << 20)
for _ in range(int(sys.argv[2]) // len(piece)):
    os.write(fd, piece)
os.fsync(fd)
"""
_MD5 = """
import hashlib, os, sys
md5, piece = hashlib.md5(usedforsecurity=False), os.urandom(4 << 20)
for _ in range(int(sys.argv[2]) // len(piece)):
    md5.update(piece)
"""
_EMPTY = """
import sys
from offlineseed.bitlocker import RecoveryPassword
from offlineseed.volumes import Drive, NativeVolumes
drive = Drive(drive_id="BENCH", path=sys.argv[1], size_bytes=int(sys.argv[2]))
writer = NativeVolumes().create(drive, [], RecoveryPassword.generate())
writer.finish()
writer.close()
"""
_SECTORS = """
import sys
from offlineseed.bitlocker import CipherMethod, Key, SectorCipher
length, is_vectorized = int(sys.argv[1]), sys.argv[2] == "numpy"
method = CipherMethod.XTS_128
cipher = SectorCipher(method, Key.generate(method.key_bytes), vectorized=is_vectorized)
piece = bytearray(1 << 20)
for offset in range(0, length, len(piece)):
    cipher.encrypt_into(offset, piece, piece)
"""
_STRETCH = """
from offlineseed.bitlocker import RecoveryPassword, stretch_recovery_password
stretch_recovery_password(RecoveryPassword.generate(), bytes(16))
"""
_METADATA = """
import sys
from datetime import datetime, timezone
from offlineseed.ntfs import NtfsFile, plan_volume, render_volume
count = int(sys.argv[1])
files = (NtfsFile(path=f"folder {n // 1000:04}/file {n:07}.bin", length=5000) for n in range(count))
layout = plan_volume(8 << 40, files, created=datetime.now(timezone.utc), serial=1)
for rendered in render_volume(layout):
    pass
"""


def drive_rows(work: Path, *, scale: float, pairs: int) -> Iterator[Row]:
    """
    Yield a native volume against what bounds it: plain writing of the same bytes, and MD5.
    """
    length = max(64 * MIB, int(4 * GIB * scale) // (4 * MIB) * 4 * MIB)
    corpus = f"one file of {length // MIB} MiB"
    image = work / "drive.img"
    ours = Task(
        name="drive, XTS-128",
        command=python(_NATIVE, image, length, "XTS_128"),
        output=image,
    )
    for name, code in (("plain write", _PLAIN), ("MD5 on one core", _MD5)):
        plain = work / "plain.bin"
        peer = Task(name=name, command=python(code, plain, length), output=plain)
        yield compare(ours, peer, pairs=pairs).row(corpus, length)
    image.unlink(missing_ok=True)


def part_rows(work: Path, *, most_files: int) -> Iterator[Row]:
    """
    Yield the parts of a drive alone; the ratio is the time by the target that the row names.
    """
    image = work / "empty.img"
    for name, corpus, target, code, arguments, length in (
        ("drive, empty", "8 TB, sparse", 5.0, _EMPTY, (str(image), str(8 * 10**12)), 0),
        # Long enough that the start of Python and numpy counts for little.
        ("sectors, numpy", "4 GiB", 4.29, _SECTORS, (str(4 * GIB), "numpy"), 4 * GIB),
        ("sectors, plain", "512 MiB", 5.97, _SECTORS, (str(GIB // 2), "plain"), GIB // 2),
        ("key stretching", "one password", 1.0, _STRETCH, (), 0),
        ("NTFS metadata", "100,000 files", 3.0, _METADATA, ("100000",), 0),
        ("NTFS metadata", "1,000,000 files", 25.0, _METADATA, ("1000000",), 0),
    ):
        if arguments == ("1000000",) and most_files < 10**6:
            continue
        output = image if code is _EMPTY else None
        task = Task(name=name, command=python(code, *arguments), output=output)
        runs = [measure(task) for _ in range(3)]
        wall = statistics.median(run.wall_seconds for run in runs)
        yield row_of(runs, name, corpus, f"target: {target:g} s", wall / target, length)
    image.unlink(missing_ok=True)
