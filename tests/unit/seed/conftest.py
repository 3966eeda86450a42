"""
Seeds for the tests: a function that stages into a folder, and one that opens what was staged.
"""

import attrs
import pytest

from offlineseed.seed import (
    Catalog,
    FolderStore,
    SeedOptions,
    SeedReader,
    SeedWriter,
    fetch_catalog,
    read_seal,
    sealed_generations,
)

KIB = 1024


@attrs.define
class Workshop:
    folder: object
    store: object
    events: list = attrs.field(factory=list)
    chunk_bytes: int = 64 * KIB

    def path(self, generation=0):
        return self.folder / "catalogs" / f"{generation}.sqlite"

    def writer(self, generation=0, *, baseline=None, store=None, on_event=None, **options):
        options = {
            "chunk_bytes": self.chunk_bytes,
            "segment_bytes": 512 * KIB,
            "workers": 2,
            **options,
        }
        return SeedWriter(
            store or self.store,
            self.path(generation),
            baseline=baseline,
            options=SeedOptions(**options),
            on_event=on_event or self.events.append,
        )

    def stage(self, *roots, generation=0, baseline=None, streams=(), **options):
        with self.writer(generation, baseline=baseline, **options) as writer:
            for root in roots:
                writer.add_tree(root)
            for name, stream in streams:
                writer.add_stream(stream, name)
            return writer.seal()

    def reader(self, **arguments):
        return SeedReader(self.store, **arguments)

    def catalog(self, generation=0):
        """
        The catalog in the making, or a copy of the sealed one: a baseline.
        """
        if generation not in sealed_generations(self.store):
            return Catalog(self.path(generation))
        path = self.folder / "catalogs" / f"{generation}.fetched"
        path.unlink(missing_ok=True)
        fetch_catalog(self.store, read_seal(self.store, generation), path)
        return Catalog(path)

    def seen(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def findings(self):
        with self.catalog() as catalog:
            return {(finding.subject, finding.code) for finding in catalog.findings()}


@pytest.fixture
def tmp_path(memory_path):
    return memory_path


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path / "seed", FolderStore(tmp_path / "seed" / "store"))


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    root.mkdir()
    return root


@pytest.fixture
def even_chunks(monkeypatch):
    """
    Cut large items at multiples of the chunk length, so that a test knows where chunks begin.
    """
    monkeypatch.setattr("offlineseed.seed._source.find_cut", lambda buffer, have, chunk_bytes: have)
