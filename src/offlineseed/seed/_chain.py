"""
The chain of generations in a store: whether each names the one before it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from offlineseed.errors import CatalogError, SegmentMissingError
from offlineseed.findings import Finding, Severity
from offlineseed.reports import ReportBuilder, VerificationReport
from offlineseed.seed._catalog import Catalog
from offlineseed.seed._seal import Seal, fetch_catalog, read_seal
from offlineseed.seed._stores import SegmentStore, seal_name, sealed_generations

__all__ = ["verify_chain"]


def verify_chain(store: SegmentStore, *, expected_digest: str | None = None) -> VerificationReport:
    """
    Verify that every generation in a store names the one before it as its parent.

    Each catalog is fetched into a temporary file and checked against its seal; segments are not
    read. The report counts `generations`, and `links` between generations that lie behind each
    other. A generation whose parent is no longer in the store can't be linked: that is a finding,
    `parent-missing`, and no failure.

    The failures are `generation-unreadable`, `parent-differs`, `seed-differs`, and
    `digest-differs` where the newest generation is not the expected one.

    Args:
        store: holds catalogs and seals.
        expected_digest: the newest generation's digest that the source kept. It vouches for all
            generations that are linked to it.

    Raises:
        SegmentMissingError: the store has no sealed generation.

    """
    generations = sealed_generations(store)
    if not generations:
        raise SegmentMissingError(
            f"{store!r} holds no sealed seed: seal it first, or look elsewhere", name="seals/"
        )
    report = ReportBuilder(f"chain of generations in {store!r}")
    before: Seal | None = None
    for generation in generations:
        report.count("generations")
        name = seal_name(generation)
        try:
            seal = read_seal(store, generation)
            _require_told_by_catalog(store, seal)
        except (CatalogError, SegmentMissingError) as error:
            report.fail(
                "generation-unreadable",
                name,
                expected="a seal and its catalog",
                found=f"{type(error).__name__}: {error}",
            )
            before = None
            continue
        _link(report, name, before, seal)
        before = seal
    if expected_digest is not None:
        report.count("digests")
        found = before.digest if before else "nothing that can be read"
        if found != expected_digest:
            name = seal_name(generations[-1])
            report.fail("digest-differs", name, expected=expected_digest, found=found)
    return report.build()


def _link(report: ReportBuilder, name: str, before: Seal | None, seal: Seal) -> None:
    if seal.generation == 0:
        return
    if before is None or before.generation != seal.generation - 1:
        report.add_findings(
            [
                Finding(
                    code="parent-missing",
                    subject=name,
                    message=f"generation {seal.generation - 1} can't be read here, so nothing "
                    f"links generation {seal.generation} to what lies before it",
                    severity=Severity.WARNING,
                )
            ]
        )
        return
    report.count("links")
    if seal.parent != before.digest:
        found = str(seal.parent)
        report.fail("parent-differs", name, expected=before.digest, found=found)
    if seal.seed_id != before.seed_id:
        report.fail("seed-differs", name, expected=before.seed_id, found=seal.seed_id)


def _require_told_by_catalog(store: SegmentStore, seal: Seal) -> None:
    # The digest is over the catalog: what only the seal says, anybody may have written.
    with tempfile.TemporaryDirectory(prefix="offlineseed-") as folder:
        path = Path(folder) / "catalog.sqlite"
        fetch_catalog(store, seal, path)
        with Catalog(path) as catalog:
            told = (catalog.generation, catalog.seed_id, catalog.parent)
    said = (seal.generation, seal.seed_id, seal.parent)
    if told != said:
        raise CatalogError(
            f"{seal_name(seal.generation)} says generation, seed and parent {said}, its catalog "
            f"says {told}: the seal was changed; take it from another copy",
            context=seal_name(seal.generation),
        )
