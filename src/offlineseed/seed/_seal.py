"""
The seal of a generation: a small JSON object that says which catalog is the right one.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, final

import attrs
import zstandard

from offlineseed.errors import CatalogError, SegmentMissingError
from offlineseed.seed._catalog import Catalog
from offlineseed.seed._schema import MAJOR, MINOR
from offlineseed.seed._stores import (
    SegmentStore,
    catalog_name,
    put_object,
    seal_name,
)

__all__ = ["Seal", "fetch_catalog", "publish_seal", "read_seal"]

_FORMAT = "offlineseed-seal"
_PIECE = 1 << 20
_MOST_SEAL_BYTES = 1 << 16


@final
@attrs.frozen(kw_only=True)
class Seal:
    """
    What a sealed generation is known by.

    Keep `digest`: landed and restored data are verified against it.
    """

    seed_id: str
    """GUID that all generations of the seed share."""
    generation: int
    """0 is the seed; each increment is the next."""
    digest: str
    """SHA-256 over the catalog's canonical content, hex."""
    parent: str | None
    """The digest of the generation before; None for the seed."""
    catalog_sha256: str
    """SHA-256 of the stored catalog object, hex."""
    catalog_length: int
    """Length of the stored catalog object in bytes."""
    items: int
    """Items of the generation."""
    content_bytes: int
    """Their bytes."""
    stored_bytes: int
    """Bytes of the segments that this generation added."""
    findings: int = 0
    """Items that vanished, changed or could not be read while staging; see `Catalog.findings`."""


def publish_seal(store: SegmentStore, catalog_path: str | os.PathLike[str]) -> Seal:
    """
    Put a sealed catalog and, after it, its seal into a store.

    Does nothing twice: an interrupted publication is simply called again.

    Raises:
        CatalogError: the catalog is not sealed, or not as it was when it was sealed.
    """
    with Catalog(catalog_path) as catalog:
        digest = catalog.digest()
        if catalog.seal != digest:
            raise CatalogError(
                f"the catalog {catalog.path} is not as it was sealed: its seal says "
                f"{catalog.seal}, its content {digest}",
                context=str(catalog.path),
            )
        items, content = catalog.totals()
        rows = catalog.rows(
            "SELECT (SELECT coalesce(sum(length), 0) FROM segment WHERE generation = ?),"
            " (SELECT value FROM meta WHERE key = 'parent'), (SELECT count(*) FROM finding)",
            (catalog.generation,),
        )
        seed_id, generation = catalog.seed_id, catalog.generation
    sha256, length = _store_catalog(store, Path(catalog_path), catalog_name(generation))
    seal = Seal(
        seed_id=seed_id,
        generation=generation,
        digest=digest,
        parent=rows[0][1],
        catalog_sha256=sha256,
        catalog_length=length,
        items=items,
        content_bytes=content,
        stored_bytes=rows[0][0],
        findings=rows[0][2],
    )
    put_object(store, seal_name(generation), _render_seal(seal))
    return seal


def read_seal(store: SegmentStore, generation: int) -> Seal:
    """
    Read a generation's seal from a store.

    Raises:
        SegmentMissingError: the store has no such seal.
        CatalogError: the seal is damaged, or of a newer major version.
    """
    name = seal_name(generation)
    data = store.read(name, 0, _MOST_SEAL_BYTES + 1)
    try:
        document = json.loads(data)
        version = str(document["version"])
        if document["format"] != _FORMAT:
            raise ValueError("it is not a seal")
        if int(version.partition(".")[0]) > MAJOR:
            raise CatalogError(
                f"{name} is of format version {version}; this library reads up to {MAJOR}: "
                "use a newer offlineseed",
                context=name,
            )
        values = {field.name: document.get(field.name) for field in attrs.fields(Seal)}
        seal = Seal(**values)
        _require_types(seal)
    except CatalogError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CatalogError(f"the seal {name} is damaged: {error}", context=name) from error
    if seal.generation != generation:
        raise CatalogError(f"{name} is the seal of generation {seal.generation}", context=name)
    return seal


def fetch_catalog(store: SegmentStore, seal: Seal, path: str | os.PathLike[str]) -> None:
    """
    Fetch the catalog that a seal names into a local file, checked.

    Raises:
        CatalogError: what the store holds is not what the seal names.
    """
    name = catalog_name(seal.generation)
    sha256 = hashlib.sha256()
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    offset = 0
    try:
        with Path(path).open("wb") as file:
            while offset < seal.catalog_length:
                piece = store.read(name, offset, min(4 * _PIECE, seal.catalog_length - offset))
                if not piece:
                    break
                offset += len(piece)
                sha256.update(piece)
                file.write(decompressor.decompress(piece))
    except zstandard.ZstdError as error:
        raise CatalogError(f"{name} is damaged: {error}", context=name) from error
    except SegmentMissingError as error:
        raise CatalogError(
            f"the store has the seal of generation {seal.generation} and not its catalog {name}",
            context=name,
        ) from error
    if sha256.hexdigest() != seal.catalog_sha256:
        raise CatalogError(
            f"{name} is damaged: SHA-256 {sha256.hexdigest()}, expected {seal.catalog_sha256}",
            context=name,
        )


def _store_catalog(store: SegmentStore, path: Path, name: str) -> tuple[str, int]:
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj(
        size=path.stat().st_size
    )
    sha256 = hashlib.sha256()
    length = 0
    writer = store.create(name)
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                data = compressor.compress(piece)
                sha256.update(data)
                length += len(data)
                writer.write(data)
        data = compressor.flush()
        sha256.update(data)
        length += len(data)
        writer.write(data)
        writer.close()
    except BaseException:
        writer.abort()
        raise
    return sha256.hexdigest(), length


def _render_seal(seal: Seal) -> bytes:
    document: dict[str, Any] = {
        "format": _FORMAT,
        "version": f"{MAJOR}.{MINOR}",
        **attrs.asdict(seal),
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _require_types(seal: Seal) -> None:
    texts = (seal.seed_id, seal.digest, seal.catalog_sha256)
    numbers = (
        seal.generation,
        seal.catalog_length,
        seal.items,
        seal.content_bytes,
        seal.stored_bytes,
        seal.findings,
    )
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text is missing")
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise TypeError("a number is missing")
    if not isinstance(seal.parent, str | None):
        raise TypeError("parent is no text")
