"""
What may be deleted from a store when only some generations are kept.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import final

import attrs

from offlineseed.errors import CatalogError, SegmentMissingError
from offlineseed.seed._catalog import Catalog
from offlineseed.seed._seal import fetch_catalog, read_seal
from offlineseed.seed._stores import SegmentStore, sealed_generations

__all__ = ["PrunePlan", "StoredObject", "plan_prune"]

_OBJECT = re.compile(
    r"seals/g(\d{4,})\.json|catalogs/g(\d{4,})\.sqlite\.zst|segments/g(\d{4,})-\d{6,}\.zst",
    re.ASCII,
)


@final
@attrs.frozen(kw_only=True)
class StoredObject:
    """
    An object in a store.
    """

    name: str
    """Its name in the store."""
    length: int
    """Its length in bytes."""


@final
@attrs.frozen(kw_only=True)
class PrunePlan:
    """
    What no kept generation needs.
    """

    kept: tuple[int, ...]
    """The generations that stay readable, ascending."""
    dropped: tuple[int, ...]
    """The sealed generations that go, ascending."""
    kept_segments: int
    """How many segments the kept generations need."""
    objects: tuple[StoredObject, ...]
    """
    What to delete, in this order: seals, catalogs, segments. A deletion that is interrupted then
    never leaves a seal whose content is gone.
    """

    @property
    def freed_bytes(self) -> int:
        """
        Bytes of all objects to delete.
        """
        return sum(each.length for each in self.objects)


def plan_prune(store: SegmentStore, *, keep: Iterable[int]) -> PrunePlan:
    """
    Plan which objects a store can do without, when only some generations are kept.

    Nothing is deleted: that is the caller's, who knows how the store deletes and when nobody reads.
    The catalog of each kept generation is fetched into a temporary file and checked against its
    seal; memory grows with the number of segments, not with that of items. Each object to delete
    costs a question for its length.

    Objects of generations beyond the newest sealed one are left alone: somebody may be writing
    them. So are objects whose names are not a seed's. A later increment needs a baseline that is
    kept.

    Args:
        store: holds the seed.
        keep: numbers of the generations that must stay readable; at least one.

    Raises:
        ValueError: `keep` names no generation.
        SegmentMissingError: the store has no seal of a generation that is to be kept.
        CatalogError: the seal or catalog of a generation that is to be kept can't be read, or is
            of another seed than the others: nothing can be said to be needless then.

    """
    kept = tuple(sorted(set(keep)))
    if not kept:
        raise ValueError("keep names no generation: a plan that keeps nothing would delete all")
    sealed = sealed_generations(store)
    if missing := sorted(set(kept) - set(sealed)):
        raise SegmentMissingError(
            f"{store!r} has no seal of generation {missing[0]}, which is to be kept: it has "
            f"{', '.join(map(str, sealed)) or 'none'}",
            name="seals/",
        )
    needed: set[str] = set()
    seeds: set[str] = set()
    for generation in kept:
        seed_id, segments = _needs_of(store, generation)
        seeds.add(seed_id)
        needed.update(segments)
    if len(seeds) > 1:
        raise CatalogError(
            f"the generations to keep in {store!r} are of {len(seeds)} different seeds: keep each "
            "seed in a store of its own",
            context=repr(store),
        )
    needless = (
        name
        for name, generation in _objects(store)
        if generation <= sealed[-1]
        and (generation not in kept if not name.startswith("segments/") else name not in needed)
    )
    return PrunePlan(
        kept=kept,
        dropped=tuple(generation for generation in sealed if generation not in kept),
        kept_segments=len(needed),
        objects=tuple(StoredObject(name=name, length=store.length(name)) for name in needless),
    )


def _needs_of(store: SegmentStore, generation: int) -> tuple[str, list[str]]:
    try:
        seal = read_seal(store, generation)
        with tempfile.TemporaryDirectory(prefix="offlineseed-") as folder:
            path = Path(folder) / "catalog.sqlite"
            fetch_catalog(store, seal, path)
            with Catalog(path) as catalog:
                return catalog.seed_id, [segment.name for segment in catalog.segments()]
    except CatalogError as error:
        raise CatalogError(
            f"generation {generation} is to be kept and can't be read, so nothing may be deleted: "
            f"{error}; or plan without this generation",
            context=error.context,
        ) from error


def _objects(store: SegmentStore) -> Iterator[tuple[str, int]]:
    for folder in ("seals/", "catalogs/", "segments/"):
        for name in store.names(folder):
            if match := _OBJECT.fullmatch(name):
                yield name, int(next(filter(None, match.groups())))
