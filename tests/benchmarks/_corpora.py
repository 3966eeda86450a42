"""
The benchmarks' corpora, built from what is on the machine and from fixed random numbers.

| corpus | what it is, at scale 1 |
|---|---|
| files | 30,000 mixed files, about 1.5 GiB: programs, libraries, sources, documents |
| image | an ext4 image of 1.5 GiB with free space and 220 MiB of files stored twice |
| random | three files of 512 MiB that nothing compresses |
| tiny | 50,000 files of 1 to 8 KiB of text |

A corpus is built once and kept in a cache folder. It appears there whole or not at all.
"""

from __future__ import annotations

import bisect
import itertools
import json
import os
import random
import shutil
import stat
import subprocess
import sysconfig
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

FILES_COUNT = 30_000
FILES_BYTES = 3 * GIB // 2
LARGEST_FILE = 128 * MIB
IMAGE_BYTES = 3 * GIB // 2
IMAGE_TWICE_BYTES = 220 * MIB
IMAGE_ONCE_BYTES = 560 * MIB
RANDOM_FILES = 3
RANDOM_BYTES = 512 * MIB
TINY_COUNT = 50_000
TINY_RANGE = (1 * KIB, 8 * KIB)

LAYOUT_VERSION = 1
"""Raised whenever a corpus changes, so that old caches are not used."""
_MODIFIED = 1_700_000_000
_SEED = 20_170_712


class CorpusUnavailableError(RuntimeError):
    """
    This machine can't have a corpus; the message says what it lacks.
    """


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """
    A folder to take a backup of.
    """

    name: str
    """What a table calls it."""
    folder: Path
    """Where it lies; nobody writes to it."""
    files: int
    """How many files it holds."""
    content_bytes: int
    """Their bytes."""


def build_corpus(name: str, cache: Path, *, scale: float = 1.0) -> Corpus:
    """
    Return a corpus of `CORPORA`, built now or taken from the cache.

    A machine with fewer files than asked for gives a smaller corpus; the returned figures say so.

    Raises:
        CorpusUnavailableError: the machine lacks what it takes.
    """
    builder = CORPORA[name]
    return _cached(f"{name}-{scale:g}", name, cache, lambda folder: builder(folder, cache, scale))


def build_small_files(cache: Path, *, count: int) -> Corpus:
    """
    Return a corpus of that many small text files, to see how cost grows with their number.
    """
    return _cached(f"small-{count}", f"small-{count}", cache, lambda f: _write_texts(f, count))


def build_large_file(cache: Path, *, length: int) -> Corpus:
    """
    Return a corpus of one file: half text, a quarter incompressible, a quarter zeros, no repeats.
    """
    return _cached(f"large-{length}", f"large-{length}", cache, lambda f: _write_large(f, length))


def _cached(key: str, name: str, cache: Path, build: Callable[[Path], None]) -> Corpus:
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{key}-v{LAYOUT_VERSION}"
    record = folder.with_name(folder.name + ".json")
    if not (record.exists() and folder.is_dir()):
        half_built = folder.with_name(folder.name + ".part")
        for stale in (folder, half_built):
            shutil.rmtree(stale, ignore_errors=True)
        half_built.mkdir()
        try:
            build(half_built)
        except BaseException:
            shutil.rmtree(half_built, ignore_errors=True)
            raise
        half_built.rename(folder)
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        record.write_text(json.dumps({"files": len(sizes), "content_bytes": sum(sizes)}), "utf-8")
    figures = json.loads(record.read_text("utf-8"))
    return Corpus(name=name, folder=folder, **figures)


# --- files


@dataclass(frozen=True, kw_only=True, order=True)
class _Candidate:
    rank: int
    path: str
    size: int


def _build_files(folder: Path, cache: Path, scale: float) -> None:
    del cache
    count = max(1, int(FILES_COUNT * scale))
    length = max(1, int(FILES_BYTES * scale))
    for candidate in _choose(sorted(_candidates()), count=count, length=length):
        target = folder / candidate.path.lstrip(os.sep)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            # A copy, no hard link: nothing done to a corpus may reach the machine's own files.
            shutil.copy2(candidate.path, target)
        except OSError:
            target.unlink(missing_ok=True)  # not ours to read, or gone since it was listed
        else:
            target.chmod(stat.S_IMODE(target.stat().st_mode) | stat.S_IRUSR | stat.S_IWUSR)
    if not any(folder.iterdir()):
        raise CorpusUnavailableError("files: no readable file in the system's folders")


def _candidates() -> Iterator[_Candidate]:
    roots = ["/usr/bin", "/usr/lib", "/usr/share", "/usr/include"]
    roots += [sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")]
    seen: set[tuple[int, int]] = set()
    for root in roots:
        for parent, _, names in os.walk(os.path.realpath(root)):
            for name in names:
                path = os.path.join(parent, name)
                try:
                    status = os.lstat(path)
                    path.encode("utf-8")
                except (OSError, UnicodeEncodeError):
                    continue
                inode = (status.st_dev, status.st_ino)
                if not stat.S_ISREG(status.st_mode) or inode in seen:
                    continue
                seen.add(inode)
                if 0 < status.st_size <= LARGEST_FILE:
                    # A rank by name: a fair sample that is the same on each run.
                    rank = zlib.crc32(path.encode("utf-8"))
                    yield _Candidate(rank=rank, path=path, size=status.st_size)


def _choose(candidates: Sequence[_Candidate], *, count: int, length: int) -> list[_Candidate]:
    """
    Take a sample that comes near both figures: a fair one first, then large or small files.
    """
    chosen: list[_Candidate] = []
    total = 0
    rest: list[_Candidate] = []
    for candidate in candidates:
        if len(chosen) < count and total + candidate.size <= length:
            chosen.append(candidate)
            total += candidate.size
        else:
            rest.append(candidate)
    average = length // count
    for candidate in rest:
        too_few = len(chosen) < count and candidate.size <= average // 4
        too_small = candidate.size >= 4 * average and total + candidate.size <= length
        if too_few or too_small:
            chosen.append(candidate)
            total += candidate.size
    return chosen


# --- image


def _build_image(folder: Path, cache: Path, scale: float) -> None:
    mkfs = _find_mkfs()
    files = build_corpus("files", cache, scale=scale)
    sources = sorted(
        (path for path in files.folder.rglob("*") if path.is_file()),
        key=lambda path: zlib.crc32(path.relative_to(files.folder).as_posix().encode()),
    )
    twice, rest = _take(sources, int(IMAGE_TWICE_BYTES * scale))
    once, _ = _take(rest, int(IMAGE_ONCE_BYTES * scale))
    content = folder.with_name(folder.name + ".content")
    shutil.rmtree(content, ignore_errors=True)
    try:
        for place, paths in (("once", once), ("first", twice), ("second", twice)):
            for number, path in enumerate(paths):
                target = content / place / f"{number // 256:04}" / f"{number:06}-{path.name[:80]}"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
        _make_ext4(mkfs, folder / "disk.img", content, max(8 * MIB, int(IMAGE_BYTES * scale)))
    finally:
        shutil.rmtree(content, ignore_errors=True)


def _find_mkfs() -> str:
    search = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"
    mkfs = shutil.which("mkfs.ext4", path=search)
    if mkfs is None:
        raise CorpusUnavailableError("image: mkfs.ext4 is missing; install e2fsprogs")
    return mkfs


def _take(paths: Sequence[Path], length: int) -> tuple[list[Path], list[Path]]:
    totals = list(itertools.accumulate(path.stat().st_size for path in paths))
    end = bisect.bisect_right(totals, length)
    return list(paths[:end]), list(paths[end:])


def _make_ext4(mkfs: str, image: Path, content: Path, length: int) -> None:
    # Written through, as a dump of a disk is: a sparse image would flatter whoever skips holes.
    with image.open("wb") as file:
        zeros = bytes(MIB)
        for start in range(0, length, MIB):
            file.write(zeros[: length - start])
    fixed = "00000000-0000-4000-8000-000000000001"
    inodes = 256 + 2 * sum(1 for _ in content.rglob("*"))
    extended = f"nodiscard,lazy_itable_init=0,lazy_journal_init=0,hash_seed={fixed},root_owner=0:0"
    run = subprocess.run(
        [
            mkfs,
            "-q",
            "-F",
            "-b",
            "4096",
            "-m",
            "0",
            "-N",
            str(inodes),
            "-U",
            fixed,
            "-E",
            extended,
            "-d",
            str(content),
            str(image),
        ],
        env=os.environ
        | {"E2FSPROGS_FAKE_TIME": str(_MODIFIED), "SOURCE_DATE_EPOCH": str(_MODIFIED)},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise CorpusUnavailableError(f"image: mkfs.ext4 -d failed: {run.stderr.strip()}")
    os.utime(image, (_MODIFIED, _MODIFIED))


# --- random


def _build_random(folder: Path, cache: Path, scale: float) -> None:
    del cache
    length = max(1, int(RANDOM_BYTES * scale))
    for number in range(RANDOM_FILES):
        source = random.Random(_SEED + number)
        path = folder / f"random-{number}.bin"
        with path.open("wb") as file:
            for start in range(0, length, MIB):
                file.write(source.randbytes(min(MIB, length - start)))
        os.utime(path, (_MODIFIED, _MODIFIED))


# --- tiny, small files, large files


def _build_tiny(folder: Path, cache: Path, scale: float) -> None:
    del cache
    _write_texts(folder, max(1, int(TINY_COUNT * scale)))


def _write_texts(folder: Path, count: int) -> None:
    text = _Text(random.Random(_SEED))
    sizes = random.Random(_SEED + 1)
    for number in range(count):
        if number % 200 == 0:
            parent = folder / f"{number // 20_000:03}" / f"{number // 200:06}"
            parent.mkdir(parents=True)
        path = parent / f"note-{number:07}.txt"
        path.write_bytes(text.bytes(sizes.randint(*TINY_RANGE)))
        os.utime(path, (_MODIFIED + number, _MODIFIED + number))


def _write_large(folder: Path, length: int) -> None:
    source = random.Random(_SEED)
    text = _Text(source)
    kinds = [text.bytes(MIB) for _ in range(8)] + [source.randbytes(MIB) for _ in range(4)]
    path = folder / "large.bin"
    with path.open("wb") as file:
        for number, start in enumerate(range(0, length, MIB)):
            kind = number % 16
            piece = bytearray(kinds[kind] if kind < len(kinds) else MIB)
            if kind < len(kinds):
                # A number in each block makes every one unlike those before it.
                for block in range(0, MIB, 4 * KIB):
                    piece[block : block + 8] = (start + block).to_bytes(8, "big")
            file.write(piece[: length - start])
    os.utime(path, (_MODIFIED, _MODIFIED))


class _Text:
    """
    Text that compresses as prose and logs do: few words often, many words seldom.
    """

    def __init__(self, source: random.Random) -> None:
        self._source = source
        consonants = ["b", "ch", "d", "f", "g", "l", "m", "n", "p", "r", "s", "st", "t", "v"]
        syllables = ["".join(pair) for pair in itertools.product(consonants, "aeiou")]
        words = ["".join(source.choices(syllables, k=source.randint(1, 4))) for _ in range(3_000)]
        weights = [1 / (rank + 3) for rank in range(len(words))]
        ends = (". ", ".\n", ", ", ": ", "\n2017-07-12 info ")
        # More of them than a fast compressor looks back over, so drawing them again costs it.
        self._sentences = [
            " ".join(source.choices(words, weights, k=source.randint(4, 14))) + source.choice(ends)
            for _ in range(10_000)
        ]

    def bytes(self, length: int) -> bytes:
        """
        Return so many bytes of text.
        """
        parts: list[str] = []
        have = 0
        while have < length:
            drawn = self._source.choices(self._sentences, k=16)
            parts += drawn
            have += sum(map(len, drawn))
        return "".join(parts).encode("ascii")[:length]


CORPORA: dict[str, Callable[[Path, Path, float], None]] = {
    "files": _build_files,
    "image": _build_image,
    "random": _build_random,
    "tiny": _build_tiny,
}
"""The four corpora that every comparison runs on, by name."""


def describe(corpus: Corpus) -> dict[str, str | int]:
    """
    Return a corpus as a JSON object, without the place where it lies.
    """
    return {name: value for name, value in asdict(corpus).items() if name != "folder"}
