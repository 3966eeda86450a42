"""
Seeds of released versions stay readable.
"""

import hashlib
import json
import os
from pathlib import Path

import pytest

from offlineseed.seed import FolderStore, ItemKind, SeedReader, sealed_generations

GOLDEN = Path(__file__).parents[2] / "golden" / "seed"


def seeds():
    for folder in sorted(GOLDEN.glob("*/store")):
        expected = json.loads((folder.parent / "expected.json").read_text())
        for generation, content in enumerate(expected):
            name = f"{folder.parent.name} generation {generation}"
            yield pytest.param(folder, generation, content, id=name)


@pytest.mark.parametrize(("folder", "generation", "expected"), list(seeds()))
def test_golden_seed_is_read(folder, generation, expected):
    with SeedReader(
        FolderStore(folder), generation=generation, expected_digest=expected["digest"]
    ) as reader:
        assert list(reader.check()) == []
        found = {
            os.fsencode(item.name).decode("latin-1"): {
                "kind": ItemKind(item.kind).name,
                "length": item.length,
                "mode": item.mode,
                "mtime_ns": item.mtime_ns,
                "target": item.target,
                "sha256": hashlib.sha256(reader.read(item.name)).hexdigest(),
            }
            for item in reader.items()
        }
        assert found == expected["items"]
        findings = {(finding.subject, finding.code) for finding in reader.catalog.findings()}
        assert findings == {("pipe", "item-kind-unsupported")}


@pytest.mark.parametrize(("folder", "generation", "expected"), list(seeds()))
def test_golden_seed_is_restored(folder, generation, expected, tmp_path):
    with SeedReader(FolderStore(folder), generation=generation) as reader:
        report = reader.restore(tmp_path / "out")
    assert report.items == len(expected["items"])
    for name, item in expected["items"].items():
        path = os.path.join(os.fsencode(tmp_path / "out"), name.encode("latin-1"))
        status = os.lstat(path)
        assert status.st_mtime_ns == item["mtime_ns"]
        if item["kind"] == "FILE":
            content = Path(os.fsdecode(path)).read_bytes()
            assert hashlib.sha256(content).hexdigest() == item["sha256"]
            assert status.st_mode & 0o7777 == item["mode"]
        elif item["kind"] == "SYMLINK":
            assert os.readlink(path) == os.fsencode(item["target"])


def test_golden_seed_has_two_generations():
    assert sealed_generations(FolderStore(GOLDEN / "1.0" / "store")) == (0, 1)
