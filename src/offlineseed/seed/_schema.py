"""
The catalog's tables and version.

A catalog is a SQLite 3 database. `docs/explanation/formats.md` describes every column.
"""

from __future__ import annotations

import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offlineseed.errors import CatalogError, StagingFullError

__all__ = [
    "APPLICATION_ID",
    "IN_THE_MAKING",
    "KNOWN_DIGEST",
    "MAJOR",
    "MINOR",
    "NAME_INDEX",
    "TABLES",
    "create_indexes",
    "drop_indexes",
    "reading",
    "require_version",
]

APPLICATION_ID = 0x6F736564
"""SQLite's application id of a catalog: `osed`."""
IN_THE_MAKING = 1
"""SQLite's user version of a catalog that a writer works on; a sealed one has 0."""
KNOWN_DIGEST = "fetched_digest"
"""Key in `meta` by which a local file remembers the seal's digest. Not in a sealed catalog."""
MAJOR = 1
"""A reader refuses a catalog of a greater major version."""
MINOR = 0
"""A reader warns of a catalog of a greater minor version: it may hold more than is shown."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE segment (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL,
  length INTEGER, checksum BLOB
);
CREATE TABLE chunk (
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL, segment INTEGER NOT NULL,
  offset INTEGER NOT NULL, stored INTEGER NOT NULL, length INTEGER NOT NULL
);
CREATE TABLE item (
  id INTEGER PRIMARY KEY, name BLOB NOT NULL, kind INTEGER NOT NULL, length INTEGER NOT NULL,
  mode INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, digest BLOB, target BLOB,
  chunk INTEGER, chunk_offset INTEGER
);
CREATE TABLE extent (
  item INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
  chunk INTEGER NOT NULL, chunk_offset INTEGER NOT NULL, PRIMARY KEY (item, offset)
) WITHOUT ROWID;
CREATE TABLE finding (
  item BLOB NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (item, code)
) WITHOUT ROWID;
"""

NAME_INDEX = "item_name"
_INDEXES = {
    NAME_INDEX: "CREATE UNIQUE INDEX IF NOT EXISTS {schema}.item_name ON item (name)",
    "chunk_digest": "CREATE INDEX IF NOT EXISTS {schema}.chunk_digest ON chunk (digest)",
    "item_digest": (
        "CREATE INDEX IF NOT EXISTS {schema}.item_digest ON item (digest) WHERE digest IS NOT NULL"
    ),
}
"""What makes looking up fast. A sealed catalog travels without: whoever looks up makes them."""


def create_indexes(connection: sqlite3.Connection, *names: str, schema: str = "main") -> None:
    """
    Make indexes that are not there; all of them without names.
    """
    for name in names or _INDEXES:
        connection.execute(_INDEXES[name].format(schema=schema))


def drop_indexes(connection: sqlite3.Connection) -> None:
    """
    Take all indexes away.
    """
    for name in _INDEXES:
        connection.execute(f"DROP INDEX IF EXISTS main.{name}")


def require_version(connection: sqlite3.Connection, where: str) -> dict[str, object]:
    """
    Check that a database is a catalog that can be read, and return its `meta` table.

    A newer minor version warns, a newer major one is refused.

    Raises:
        CatalogError: not a catalog, or of a newer major version.
    """
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        raise CatalogError(f"{where} is not a catalog: it lacks the application id", context=where)
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    major, minor = meta.get("version_major"), meta.get("version_minor")
    if not isinstance(major, int) or not isinstance(minor, int):
        raise CatalogError(f"{where} has no version", context=f"{where}: meta")
    if major > MAJOR:
        raise CatalogError(
            f"{where} is of format version {major}.{minor}; this library reads up to {MAJOR}: "
            "use a newer offlineseed",
            context=f"{where}: meta",
        )
    if major == MAJOR and minor > MINOR:
        warnings.warn(
            f"{where} is of format version {major}.{minor}, newer than {MAJOR}.{MINOR}: "
            "it may hold things that are not shown",
            stacklevel=3,
        )
    return meta


@contextmanager
def reading(where: str) -> Iterator[None]:
    """
    Turn SQLite's errors into CatalogError.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise CatalogError(
                f"the catalog {where} is being written by another process", context=where
            ) from error
        if "is full" in str(error):
            folder = Path(where).parent
            raise StagingFullError(
                f"{folder} is full: make room and go on; what was acknowledged is safe",
                needed_bytes=1,
                free_bytes=shutil.disk_usage(folder).free,
            ) from error
        raise CatalogError(f"the catalog {where} can't be read: {error}", context=where) from error
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError) as error:
        raise CatalogError(f"the catalog {where} is damaged: {error}", context=where) from error
