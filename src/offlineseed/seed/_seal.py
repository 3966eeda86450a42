"""
The seal of a generation: a small JSON object that says which catalog is the right one.

A sealed catalog is a compact SQLite file without indexes, stored as one zstd frame. The digest of a
seal is SHA-256 of that file, so `zstd -d < catalog | sha256sum` checks it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any, final

import attrs
import zstandard

from offlineseed.errors import CatalogError, GenerationSealedError, SegmentMissingError
from offlineseed.seed._catalog import Catalog, digest_of
from offlineseed.seed._schema import KNOWN_DIGEST, MAJOR, MINOR, drop_indexes, reading
from offlineseed.seed._stores import SegmentStore, catalog_name, put_object, seal_name

__all__ = ["Seal", "fetch_catalog", "publish_seal", "read_seal", "require_unsealed"]

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
    """SHA-256 of the sealed catalog, hex."""
    parent: str | None
    """The digest of the generation before; None for the seed."""
    catalog_bytes: int
    """Length of the sealed catalog in bytes."""
    stored_catalog_bytes: int
    """Length of the catalog's object in the store, in bytes."""
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

    An interrupted publication is simply called again.

    Raises:
        CatalogError: the catalog is damaged, or its generation is not sealed.
        GenerationSealedError: the store holds another generation of that number, sealed.
    """
    path = Path(catalog_path)
    with Catalog(path) as catalog:
        if not catalog.is_sealed:
            raise CatalogError(f"the catalog {path} is not sealed", context=str(path))
        items, content = catalog.totals()
        rows = catalog.rows(
            "SELECT (SELECT coalesce(sum(length), 0) FROM segment WHERE generation = ?),"
            " (SELECT value FROM meta WHERE key = 'parent'), (SELECT count(*) FROM finding)",
            (catalog.generation,),
        )
        seed_id, generation = catalog.seed_id, catalog.generation
    # An interrupted publication may have left one behind.
    compact = path.with_name(f"{path.name}.sealing")
    compact.unlink(missing_ok=True)
    try:
        with reading(str(path)), closing(_connect(path)) as connection:
            # What looking up left there is not part of what is sealed.
            connection.execute("DELETE FROM meta WHERE key = ?", (KNOWN_DIGEST,))
            drop_indexes(connection)
            connection.execute("VACUUM INTO ?", (str(compact),))
        with reading(str(compact)), closing(_connect(compact)) as connection:
            connection.execute("PRAGMA user_version = 0")
            connection.execute("PRAGMA schema_version = 1")
        digest = digest_of(compact)
        require_unsealed(store, generation, unless=digest, may_be_torn=True)
        stored = _store_catalog(store, compact, catalog_name(generation))
        seal = Seal(
            seed_id=seed_id,
            generation=generation,
            digest=digest,
            parent=rows[0][1],
            catalog_bytes=compact.stat().st_size,
            stored_catalog_bytes=stored,
            items=items,
            content_bytes=content,
            stored_bytes=rows[0][0],
            findings=rows[0][2],
        )
    finally:
        compact.unlink(missing_ok=True)
    put_object(store, seal_name(generation), _render_seal(seal))
    _remember_digest(path, seal.digest)
    return seal


def require_unsealed(
    store: SegmentStore, generation: int, *, unless: str = "", may_be_torn: bool = False
) -> None:
    """
    Refuse to write a generation that a store holds sealed: it would be written over.

    Args:
        store: the store.
        generation: the generation.
        unless: the digest of the seal that may be there.
        may_be_torn: take a seal that breaks off for one whose publication was interrupted; right
            for whoever holds the generation's catalog.

    Raises:
        GenerationSealedError: it is sealed.
        CatalogError: its seal is damaged, or of a newer major version.
    """
    try:
        if may_be_torn and _breaks_off(store.read(seal_name(generation), 0, _MOST_SEAL_BYTES)):
            return
        seal = read_seal(store, generation)
    except SegmentMissingError:
        return
    if seal.digest != unless:
        raise GenerationSealedError(
            f"{store!r} already holds generation {generation}, sealed as {seal.digest}: write the "
            "next generation, with the latest generation as the baseline, or into another store"
        )


def read_seal(store: SegmentStore, generation: int) -> Seal:
    """
    Read a generation's seal from a store. A newer minor version warns.

    Raises:
        SegmentMissingError: the store has no such seal.
        CatalogError: the seal is damaged, or of a newer major version.
    """
    name = seal_name(generation)
    data = store.read(name, 0, _MOST_SEAL_BYTES)
    try:
        document = json.loads(data)
        version = str(document["version"])
        if document["format"] != _FORMAT:
            raise ValueError("it is not a seal")
        major, minor = map(int, version.split("."))
        if major > MAJOR:
            raise CatalogError(
                f"{name} is of format version {version}; this library reads up to {MAJOR}: "
                "use a newer offlineseed",
                context=name,
            )
        seal = Seal(**{field.name: document.get(field.name) for field in attrs.fields(Seal)})
        _require_types(seal)
        if major == MAJOR and minor > MINOR:
            warnings.warn(
                f"{name} is of format version {version}, newer than {MAJOR}.{MINOR}: "
                "it may hold things that are not shown",
                stacklevel=2,
            )
    except CatalogError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CatalogError(f"the seal {name} is damaged: {error}", context=name) from error
    if seal.generation != generation:
        raise CatalogError(f"{name} is the seal of generation {seal.generation}", context=name)
    return seal


def fetch_catalog(store: SegmentStore, seal: Seal, path: str | os.PathLike[str]) -> None:
    """
    Fetch the catalog that a seal names into a local file, checked: a baseline for increments.

    Raises:
        CatalogError: what the store holds is not what the seal names.
    """
    name = catalog_name(seal.generation)
    sha256 = hashlib.sha256()
    length = 0
    stored = _StoredCatalog(store, name, seal.stored_catalog_bytes)
    # Neither the seal nor the catalog can be trusted yet: what they unpack to is bounded.
    content = zstandard.ZstdDecompressor().stream_reader(
        stored,  # type: ignore[arg-type]  # nothing but `read` is asked for
        read_size=4 * _PIECE,
    )
    try:
        with Path(path).open("wb") as file:
            while length <= seal.catalog_bytes and (data := content.read(_PIECE)):
                length += len(data)
                sha256.update(data)
                file.write(data)
    except zstandard.ZstdError as error:
        raise CatalogError(f"{name} is damaged: {error}", context=name) from error
    except SegmentMissingError as error:
        raise CatalogError(
            f"the store has the seal of generation {seal.generation} and not its catalog {name}",
            context=name,
        ) from error
    if sha256.hexdigest() != seal.digest:
        raise CatalogError(
            f"{name} is damaged or tampered with: its SHA-256 is {sha256.hexdigest()}, the seal "
            f"says {seal.digest}; take it from another copy",
            context=name,
        )
    _remember_digest(Path(path), seal.digest)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def _remember_digest(path: Path, digest: str) -> None:
    with reading(str(path)), closing(_connect(path)) as connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (KNOWN_DIGEST, digest))


@final
class _StoredCatalog:
    def __init__(self, store: SegmentStore, name: str, length: int) -> None:
        self._store = store
        self._name = name
        self._length = length
        self._offset = 0

    def read(self, size: int) -> bytes:
        wanted = min(size, self._length - self._offset)
        data = self._store.read(self._name, self._offset, wanted) if wanted > 0 else b""
        self._offset += len(data)
        return data


def _breaks_off(seal: bytes) -> bool:
    try:
        json.loads(seal)
    except (ValueError, RecursionError):
        return True
    return False


def _store_catalog(store: SegmentStore, path: Path, name: str) -> int:
    compressor = zstandard.ZstdCompressor(level=1, write_checksum=True).compressobj(
        size=path.stat().st_size
    )
    length = 0
    writer = store.create(name)
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                data = compressor.compress(piece)
                length += len(data)
                writer.write(data)
        data = compressor.flush()
        length += len(data)
        writer.write(data)
        writer.close()
    except BaseException:
        writer.abort()
        raise
    return length


def _render_seal(seal: Seal) -> bytes:
    document: dict[str, Any] = {
        "format": _FORMAT,
        "version": f"{MAJOR}.{MINOR}",
        **attrs.asdict(seal),
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _require_types(seal: Seal) -> None:
    texts = (seal.seed_id, seal.digest)
    numbers = (
        seal.generation,
        seal.catalog_bytes,
        seal.stored_catalog_bytes,
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
