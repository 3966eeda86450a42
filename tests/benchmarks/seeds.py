"""
Benchmarks of the seed: staging, restoring and increments, against what people use instead.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from _corpora import (
    CORPORA,
    Corpus,
    CorpusUnavailableError,
    build_corpus,
    build_large_file,
    build_small_files,
)
from _measure import Comparison, Row, Task, compare, measure, python, row_of

_STAGE = """
import sys
from offlineseed.settings import SeedSettings
from offlineseed.staging import StagingLocation
settings = SeedSettings(staging_location=sys.argv[2], import_job_name="bench", container="seed",
    subscription_id="00000000-0000-0000-0000-000000000000", storage_account="examplestorage")
job = StagingLocation(sys.argv[2]).open_or_create(settings)
with job.write_seed() as writer:
    writer.add_tree(sys.argv[1])
    writer.seal()
"""
# What any staging in Python must do: read all, hash and compress it, with a thread a processor.
_BARE = """
import hashlib, os, sys, zstandard
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from threading import local
MIB = 1 << 20
own, zeros, waiting = local(), bytes(MIB), deque()
def encode(piece):
    if piece == zeros:
        return 0
    hashlib.sha256(piece).digest()
    if not hasattr(own, "compressor"):
        own.compressor = zstandard.ZstdCompressor(level=1)
    return len(own.compressor.compress(piece))
def pieces():
    piece = bytearray()
    for folder, folders, names in os.walk(sys.argv[1]):
        for path in (os.path.join(folder, name) for name in names):
            if os.path.islink(path):
                continue
            with open(path, "rb", buffering=0) as file:
                while data := file.read(MIB - len(piece)):
                    piece += data
                    if len(piece) == MIB:
                        yield bytes(piece)
                        piece.clear()
    yield bytes(piece)
with ThreadPoolExecutor(os.cpu_count()) as pool:
    for piece in pieces():
        waiting.append(pool.submit(encode, piece))
        while len(waiting) > 8:
            waiting.popleft().result()
"""
_RESTORE = """
import sys
from offlineseed.staging import StagingLocation
with StagingLocation(sys.argv[1]).open("bench").reader() as reader:
    reader.restore(sys.argv[2])
"""
_INCREMENT = """
import sys
from offlineseed.seed import Catalog, FolderStore, SeedWriter
with Catalog(sys.argv[3]) as baseline:
    writer = SeedWriter(FolderStore(sys.argv[2]), sys.argv[2] + "/work.sqlite", baseline=baseline)
    writer.add_tree(sys.argv[1])
    writer.seal()
"""
_MAKE_SEED_OF_MANY = """
import io, sys
from offlineseed.seed import FolderStore, SeedWriter
with SeedWriter(FolderStore(sys.argv[1]), sys.argv[1] + "/catalog.sqlite") as writer:
    for n in range(int(sys.argv[2])):
        name = f"home/user {n % 97}/mail {n // 1000:04}/message {n:07}.eml"
        writer.add_stream(io.BytesIO(b"%d" % n * 20), name)
    writer.seal()
"""
_READ_SEED_OF_MANY = """
import sys
from offlineseed.seed import FolderStore, SeedReader
with SeedReader(FolderStore(sys.argv[1])) as reader:
    assert sum(1 for _ in reader.items()) == int(sys.argv[2])
    assert reader.read("home/user 5/mail 0000/message 0000005.eml") == b"5" * 20
    reader.restore(sys.argv[3], prefix="home/user 5/mail 0000")
"""


def stage_task(corpus: Corpus, work: Path) -> Task:
    """
    Our staging of a corpus, fsyncs, digests and catalog included.
    """
    output = work / "ours"
    return Task(name="stage", command=python(_STAGE, corpus.folder, output), output=output)


def bare_task(corpus: Corpus) -> Task:
    """
    The hashing and compressing of a corpus alone: no staging in Python is faster without finding
    what repeats.
    """
    return Task(name="read, SHA-256, zstd", command=python(_BARE, corpus.folder))


def peers(corpus: Corpus, work: Path) -> Iterator[Task]:
    """
    What people use instead, as far as it is installed here.
    """
    archive = work / "tar.zst"
    if shutil.which("zstd") and shutil.which("tar"):
        yield Task(
            name="tar | zstd -1 -T0",
            command=(
                "sh",
                "-c",
                'tar -C "$1" -cf - . | zstd -q -1 -T0 -o "$2"',
                "sh",
                str(corpus.folder),
                str(archive),
            ),
            output=archive,
        )
    if shutil.which("borg"):
        repository = work / "borg"
        environment = {
            "BORG_BASE_DIR": str(work / "borg-home"),
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
        }
        yield Task(
            name="borg zstd,1",
            command=(
                "sh",
                "-c",
                'borg init -e none "$2" && cd "$1" && borg create -C zstd,1 "$2::seed" .',
                "sh",
                str(corpus.folder),
                str(repository),
            ),
            output=repository,
            environment=environment,
            prepare=lambda: shutil.rmtree(work / "borg-home", ignore_errors=True),
        )
    if shutil.which("restic"):
        repository = work / "restic"
        environment = {
            "RESTIC_REPOSITORY": str(repository),
            "RESTIC_PASSWORD": "benchmark",
            "RESTIC_CACHE_DIR": str(work / "restic-cache"),
        }
        yield Task(
            name="restic",
            command=(
                "sh",
                "-c",
                'restic init -q && restic backup -q "$1"',
                "sh",
                str(corpus.folder),
            ),
            output=repository,
            environment=environment,
            prepare=lambda: shutil.rmtree(work / "restic-cache", ignore_errors=True),
        )


def staging_rows(cache: Path, work: Path, *, scale: float, pairs: int) -> Iterator[Row]:
    """
    Yield our staging against each peer, for each corpus, and the bare work against the first.
    """
    for name in CORPORA:
        try:
            corpus = build_corpus(name, cache, scale=scale)
        except CorpusUnavailableError as error:
            print(f"{name}: left out: {error}", file=sys.stderr)
            continue
        for number, peer in enumerate(peers(corpus, work)):
            # The first peer is the one that targets are about; the others need fewer pairs.
            comparison = compare(
                stage_task(corpus, work), peer, pairs=pairs if number == 0 else max(1, pairs // 3)
            )
            yield _row(comparison, corpus)
            if number == 0:
                yield _row(compare(bare_task(corpus), peer, pairs=pairs), corpus)


def restore_rows(cache: Path, work: Path, *, scale: float, pairs: int) -> Iterator[Row]:
    """
    Yield our restore against `zstd -d | tar x`.
    """
    if not shutil.which("zstd"):
        return
    for name in ("files", "image"):
        try:
            corpus = build_corpus(name, cache, scale=scale)
        except CorpusUnavailableError:
            continue
        measure(stage_task(corpus, work))
        archive = next(peers(corpus, work))
        measure(archive)
        ours, theirs = work / "restored", work / "untarred"
        comparison = compare(
            Task(name="restore", command=python(_RESTORE, work / "ours", ours), output=ours),
            Task(
                name="zstd -d | tar x",
                command=(
                    "sh",
                    "-c",
                    'mkdir "$2" && zstd -dcq "$1" | tar -C "$2" -xf -',
                    "sh",
                    str(archive.output),
                    str(theirs),
                ),
                output=theirs,
            ),
            pairs=pairs,
        )
        yield _row(comparison, corpus)


def increment_rows(cache: Path, work: Path, *, scale: float, pairs: int) -> Iterator[Row]:
    """
    Yield an increment of an unchanged tree against the seed itself.
    """
    from offlineseed.seed import FolderStore, fetch_catalog, read_seal

    corpus = build_corpus("files", cache, scale=scale)
    seed = stage_task(corpus, work)
    measure(seed)
    store = FolderStore(work / "ours" / "bench")
    baseline = work / "baseline.sqlite"
    fetch_catalog(store, read_seal(store, 0), baseline)
    output = work / "increment"
    comparison = compare(
        Task(
            name="increment of nothing",
            command=python(_INCREMENT, corpus.folder, output, baseline),
            output=output,
        ),
        seed,
        pairs=pairs,
    )
    yield _row(comparison, corpus)


def growth_rows(cache: Path, work: Path, *, most_files: int, most_bytes: int) -> Iterator[Row]:
    """
    Yield staging of growing corpora: time should be linear and memory flat.

    The ratio is the time for each file or byte by that of the smallest corpus of the row's kind.
    """
    counts = [count for count in (10**3, 10**4, 10**5, 10**6) if count <= most_files]
    corpora = [(build_small_files(cache, count=count), count) for count in counts]
    lengths = [gib << 30 for gib in (1, 4, 16) if gib << 30 <= most_bytes]
    for kind in (corpora, [(build_large_file(cache, length=n), n) for n in lengths]):
        first = 0.0
        for corpus, amount in kind:
            runs = [measure(stage_task(corpus, work)) for _ in range(3 if amount < 10**9 else 1)]
            wall = statistics.median(run.wall_seconds for run in runs)
            first = first or wall / amount
            ratio = wall / amount / first
            yield row_of(
                runs, "stage, growing", corpus.name, kind[0][0].name, ratio, corpus.content_bytes
            )


def catalog_rows(work: Path, *, most_items: int) -> Iterator[Row]:
    """
    Yield opening a catalog, listing it, reading an item and restoring a folder, as items grow.

    The ratio is the time for each item by that of the smallest catalog.
    """
    first = 0.0
    for items in (10**4, 10**5, 10**6):
        if items > most_items:
            return
        store, restored = work / "many", work / "restored"
        count = str(items)
        make = Task(
            name="make",
            command=python(_MAKE_SEED_OF_MANY, store, count),
            output=store,
            prepare=lambda store=store: store.mkdir(parents=True),
        )
        read = Task(
            name="list, read, restore",
            command=python(_READ_SEED_OF_MANY, store, count, restored),
            output=restored,
        )
        measure(make)
        runs = [measure(read) for _ in range(3)]
        wall = statistics.median(run.wall_seconds for run in runs)
        first = first or wall / items
        catalog = (store / "catalog.sqlite").stat().st_size
        ratio = wall / items / first
        yield row_of(runs, read.name, f"catalog-{items}", "catalog-10000", ratio, catalog)


def _row(comparison: Comparison, corpus: Corpus) -> Row:
    return comparison.row(corpus.name, corpus.content_bytes)
