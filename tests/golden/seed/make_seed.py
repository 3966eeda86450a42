"""
Make the golden seed anew: `python tests/golden/seed/make_seed.py`, into a folder beside it.

What is in the repository was made once and must stay readable: make a new one, under a new name,
only for a new version of the format.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
import uuid
from pathlib import Path

from offlineseed.seed import (
    Catalog,
    FolderStore,
    ItemKind,
    SeedOptions,
    SeedReader,
    SeedWriter,
    fetch_catalog,
    read_seal,
)

STARTED_NS = 1_767_225_600_000_000_000
SEED_ID = uuid.UUID("0f0e0d0c-0b0a-4909-8807-060504030201")
OPTIONS = SeedOptions(chunk_bytes=64 * 1024, segment_bytes=256 * 1024, workers=1)


def lines(word, length):
    """
    Return text of a length that compresses well and has no two equal chunks.
    """
    text = "".join(f"{word} {number}\n" for number in range(length // len(word)))
    return text.encode()[:length]


def make_tree(root):
    """
    Lay the source down as it was at generation 0.
    """
    (root / "folder" / "below").mkdir(parents=True)
    (root / "folder" / "small.txt").write_bytes(b"small\n")
    (root / "folder" / "copy of small.txt").write_bytes(b"small\n")
    (root / "folder" / "below" / "large.log").write_bytes(lines("large", 200_000))
    (root / "empty").touch()
    (root / "link").symlink_to("folder/small.txt")
    with open(root / "sparse.img", "wb") as file:
        file.write(lines("head", 1000))
        file.seek(300_000)
        file.write(lines("tail", 1000))
        file.truncate(500_000)
    for name in ("Größe ❄", "new\nline", "100%", "~"):
        (root / name).write_bytes(name.encode())
    with open(os.fsencode(root) + b"/not utf-8 \xff", "wb") as file:
        file.write(b"bytes")
    os.mkfifo(root / "pipe")
    for number, (folder, folders, files) in enumerate(sorted(os.walk(os.fsencode(root)))):
        for place, name in enumerate(sorted([*folders, *files])):
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, 0o750 if os.path.isdir(path) else 0o640)
            mtime_ns = 1_700_000_000_123_456_789 + number * 10**9 + place
            os.utime(path, ns=(mtime_ns, mtime_ns), follow_symlinks=False)
    os.utime(root / "empty", ns=(0, -1))


def change_tree(root):
    """
    Change the source to what it was at generation 1.
    """
    with open(root / "folder" / "below" / "large.log", "r+b") as file:
        file.seek(70_000)
        file.write(b"changed")
    (root / "folder" / "small.txt").rename(root / "moved.txt")
    (root / "~").unlink()
    for name in ("folder/below/large.log", "folder", "."):
        os.utime(root / name, ns=(0, 1_750_000_000_000_000_000))


def describe(reader):
    """
    Return all that a generation's reader tells, as the test compares it.
    """
    return {
        item.name.encode("utf-8", "surrogateescape").decode("latin-1"): {
            "kind": ItemKind(item.kind).name,
            "length": item.length,
            "mode": item.mode,
            "mtime_ns": item.mtime_ns,
            "target": item.target,
            "sha256": hashlib.sha256(reader.read(item.name)).hexdigest(),
        }
        for item in reader.items()
    }


def main(target):
    """
    Make the seed in a folder that does not exist yet.
    """
    uuid.uuid4 = lambda: SEED_ID
    time.time_ns = lambda: STARTED_NS
    store = FolderStore(target / "store")
    generations = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        make_tree(work / "tree")
        with SeedWriter(store, work / "0" / "c.sqlite", options=OPTIONS) as writer:
            writer.add_tree(work / "tree")
            first = writer.seal()
        change_tree(work / "tree")
        fetch_catalog(store, read_seal(store, 0), work / "baseline")
        with (
            Catalog(work / "baseline") as baseline,
            SeedWriter(
                store, work / "1" / "c.sqlite", baseline=baseline, options=OPTIONS
            ) as writer,
        ):
            writer.add_tree(work / "tree")
            second = writer.seal()
    for seal in (first, second):
        with SeedReader(store, generation=seal.generation) as reader:
            generations.append({"digest": seal.digest, "items": describe(reader)})
    text = json.dumps(generations, indent=1, ensure_ascii=True, sort_keys=True)
    (target / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    folder = Path(__file__).parent / (sys.argv[1] if len(sys.argv) > 1 else "1.0")
    shutil.rmtree(folder, ignore_errors=True)
    main(folder)
