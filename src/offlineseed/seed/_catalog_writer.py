"""
A generation's catalog in the making.

Durable order: rows are committed only after the segment bytes that they name. What is committed is
acknowledged and survives any crash.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, final

from offlineseed.errors import CatalogError, GenerationSealedError
from offlineseed.seed._catalog import Catalog
from offlineseed.seed._known import KnownItems
from offlineseed.seed._rows import OpenSegment, Rows
from offlineseed.seed._schema import (
    APPLICATION_ID,
    IN_THE_MAKING,
    MAJOR,
    MINOR,
    NAME_INDEX,
    TABLES,
    create_indexes,
    drop_indexes,
    reading,
    require_version,
)

__all__ = ["CatalogWriter"]


# Older SQLites allow 999 variables in a statement.
_MOST_VARIABLES = 5000 if sqlite3.sqlite_version_info >= (3, 32) else 999

_KEEP_ITEMS = """
INSERT OR REPLACE INTO item SELECT id + ?3, name, kind, length, mode, mtime_ns, digest, target,
  chunk, chunk_offset FROM base.item WHERE id BETWEEN ?1 AND ?2
"""
_KEEP_EXTENTS = """
INSERT OR REPLACE INTO extent SELECT item + ?3, offset, length, chunk, chunk_offset
  FROM base.extent WHERE item BETWEEN ?1 AND ?2
"""


@final
class CatalogWriter:
    """
    Writes one generation's catalog; opens one that was interrupted. Safe from several threads.

    Raises:
        GenerationSealedError: the generation at `path` is sealed.
        CatalogError: `path` is no catalog, or of another generation, seed or chunk length.
    """

    def __init__(
        self,
        path: Path,
        *,
        seed_id: str,
        chunk_bytes: int,
        started_ns: int,
        baseline: Catalog | None,
        cache_bytes: int = 24 << 20,
    ) -> None:
        self.path = path
        self.lock = threading.Lock()
        # Held while the baseline is read by its own connection, or changed by this one.
        self._baseline_lock = threading.Lock()
        self.generation = baseline.generation + 1 if baseline else 0
        self._baseline = baseline
        self.was_interrupted = path.exists() and path.stat().st_size > 0
        with reading(str(path)):
            self._connection = sqlite3.connect(
                path, check_same_thread=False, isolation_level=None, uri=False
            )
        try:
            with reading(str(path)):
                self._prepare(cache_bytes)
                if not self._has_tables():
                    self.was_interrupted = False
                    self._create(seed_id, chunk_bytes, started_ns)
                self._require_same(chunk_bytes)
                self._attach()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """
        Let go of the file. What was committed stays.
        """
        with self.lock:
            if not self._connection.in_transaction:
                # Takes the emptied journal away.
                self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.close()

    @property
    def seed_id(self) -> str:
        """
        GUID that all generations of the seed share.
        """
        return str(self._meta["seed_id"])

    @property
    def started_ns(self) -> int:
        """
        When staging of this generation began.
        """
        return int(self._meta["started_ns"])

    @property
    def has_earlier_contents(self) -> bool:
        """
        Whether a baseline or an interrupted run may have stored what comes.
        """
        return self.was_interrupted or self._baseline is not None

    def select(self, query: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """
        Run a query.
        """
        with self.lock, reading(str(self.path)):
            return self._connection.execute(query, parameters).fetchall()

    def commit(self, rows: Rows) -> None:
        """
        Write rows in one transaction, durably. The segment bytes that they name are durable.
        """
        segments = [(identity, name, self.generation) for identity, name in rows.opened]
        with self.lock, reading(str(self.path)):
            execute, executemany = self._connection.execute, self._connection.executemany
            execute("BEGIN IMMEDIATE")
            try:
                executemany("INSERT INTO segment (id, name, generation) VALUES (?,?,?)", segments)
                self._insert("INSERT INTO chunk VALUES", rows.chunks)
                self._insert("INSERT OR REPLACE INTO item VALUES", rows.items)
                self._insert("INSERT OR REPLACE INTO extent VALUES", rows.extents)
                for kept in rows.kept:
                    execute(_KEEP_ITEMS, kept)
                    execute(_KEEP_EXTENTS, kept)
                executemany("UPDATE segment SET length = ?, checksum = ? WHERE id = ?", rows.closed)
                executemany("INSERT OR REPLACE INTO finding VALUES (?,?,?)", rows.findings)
                execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def _insert(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        # Many rows a statement: SQLite gives the interpreter up once a statement, not once a row.
        if not rows:
            return
        row = f"({','.join('?' * len(rows[0]))})"
        many = _MOST_VARIABLES // len(rows[0])
        for start in range(0, len(rows), many):
            part = rows[start : start + many]
            self._connection.execute(
                f"{statement} {','.join([row] * len(part))}", list(chain.from_iterable(part))
            )

    def open_segments(self) -> tuple[OpenSegment, ...]:
        """
        Return the segments that an interruption left open, with their acknowledged bytes.
        """
        rows = self.select(
            "SELECT id, name, (SELECT coalesce(max(offset + stored), 0) FROM chunk"
            " WHERE segment = segment.id) FROM segment WHERE length IS NULL ORDER BY id"
        )
        return tuple(OpenSegment(*row) for row in rows)

    def find_chunk(self, digest: bytes) -> int | None:
        """
        Return the row of a chunk with that content, of this generation or the baseline.
        """
        for schema in self._schemas:
            rows = self.select(f"SELECT id FROM {schema}.chunk WHERE digest = ? LIMIT 1", (digest,))
            if rows:
                return int(rows[0][0])
        return None

    def find_small(self, digest: bytes, length: int) -> tuple[int, int] | None:
        """
        Return `(chunk, offset in it)` of an item with that content that lies whole in one chunk.
        """
        for schema in self._schemas:
            rows = self.select(
                f"SELECT chunk, chunk_offset FROM {schema}.item WHERE digest = ? AND length = ?"
                " AND chunk IS NOT NULL LIMIT 1",
                (digest, length),
            )
            if rows:
                return int(rows[0][0]), int(rows[0][1])
        return None

    def greatest_ids(self) -> tuple[int, int, int]:
        """
        Return the greatest rows in use: item, chunk, segment.
        """
        # An interruption may have left extents of an item that has no row yet.
        items = self.select(
            "SELECT max(coalesce((SELECT max(id) FROM main.item), 0),"
            " coalesce((SELECT max(item) FROM main.extent), 0))"
        )[0][0]
        chunks, segments = (
            max(
                self.select(f"SELECT coalesce(max(id), 0) FROM {schema}.{table}")[0][0]
                for schema in self._schemas
            )
            for table in ("chunk", "segment")
        )
        return int(items), int(chunks), int(segments)

    def acknowledged(self) -> tuple[int, int, int]:
        """
        Return how many items were committed, their bytes, and the stored bytes of their chunks.
        """
        items, content = self.select("SELECT count(*), coalesce(sum(length), 0) FROM main.item")[0]
        (stored,) = self.select("SELECT coalesce(sum(stored), 0) FROM main.chunk")[0]
        return int(items), int(content), int(stored)

    def segments_written(self) -> int:
        """
        Return how many segments this generation began.
        """
        rows = self.select(
            "SELECT coalesce(max(CAST(substr(name, -10, 6) AS INTEGER)) + 1, 0) FROM segment"
            " WHERE generation = ?",
            (self.generation,),
        )
        return int(rows[0][0])

    def own_items(self) -> KnownItems:
        """
        Return the items that were acknowledged before an interruption.
        """
        last = self.select("SELECT coalesce(max(id), 0) FROM main.item")[0][0]
        return KnownItems(self.select, "main.item", int(last))

    def baseline_items(self) -> KnownItems | None:
        """
        Return the items of the baseline, if there is one.
        """
        if self._baseline is None:
            return None
        last = self._select_from_baseline("SELECT coalesce(max(id), 0) FROM item", ())[0][0]
        return KnownItems(self._select_from_baseline, "item", int(last), self.index_baseline_names)

    def _select_from_baseline(self, query: str, parameters: tuple[Any, ...]) -> list[Any]:
        # By its own connection, because this one's may be committing for a while.
        assert self._baseline is not None
        with self._baseline_lock:
            return self._baseline.rows(query, parameters)

    def known_digests(self) -> Iterator[tuple[bytes, int, int | None]]:
        """
        Yield `(digest, chunk, offset in it)` of every small item, and of every chunk with None.
        """
        for schema in self._schemas:
            for columns, table in (("chunk, chunk_offset", "item"), ("id, NULL", "chunk")):
                query = (
                    f"SELECT id, digest, {columns} FROM {schema}.{table} WHERE id > ?"
                    " AND digest IS NOT NULL ORDER BY id LIMIT 2000"
                )
                last = 0
                while rows := self.select(query, (last,)):
                    yield from (row[1:] for row in rows)
                    last = rows[-1][0]

    def index_digests(self) -> None:
        """
        Make `find_chunk` and `find_small` fast.
        """
        with self._baseline_lock, self.lock, reading(str(self.path)):
            for schema in self._schemas:
                create_indexes(self._connection, "chunk_digest", "item_digest", schema=schema)

    def index_baseline_names(self) -> None:
        """
        Make looking the baseline's items up by name fast.
        """
        with self._baseline_lock, self.lock, reading(str(self.path)):
            create_indexes(self._connection, NAME_INDEX, schema="base")

    def seal(self) -> None:
        """
        Complete the catalog: no more rows after that.
        """
        with self.lock, reading(str(self.path)):
            execute = self._connection.execute
            execute("BEGIN IMMEDIATE")
            try:
                execute("DELETE FROM extent WHERE item NOT IN (SELECT id FROM item)")
                # What could not be read before an interruption was read after it.
                execute(
                    "DELETE FROM finding WHERE code IN ('item-vanished', 'item-unreadable')"
                    " AND EXISTS (SELECT 1 FROM item WHERE name = finding.item)"
                )
                if self._baseline is not None:
                    self._take_over_chunks()
                drop_indexes(self._connection)
                execute("INSERT INTO meta VALUES ('sealed', 1)")
                execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def _take_over_chunks(self) -> None:
        execute = self._connection.execute
        execute(
            "INSERT INTO chunk SELECT * FROM base.chunk WHERE id IN"
            " (SELECT chunk FROM item WHERE chunk IS NOT NULL UNION SELECT chunk FROM extent)"
            " AND id NOT IN (SELECT id FROM main.chunk)"
        )
        execute(
            "INSERT OR IGNORE INTO segment SELECT * FROM base.segment WHERE id IN"
            " (SELECT DISTINCT segment FROM main.chunk)"
        )

    def _prepare(self, cache_bytes: int) -> None:
        for pragma in (
            "main.locking_mode = EXCLUSIVE",
            # Write-ahead logs need shared memory, which network shares do not have.
            "journal_mode = TRUNCATE",
            "synchronous = FULL",
            f"cache_size = -{cache_bytes >> 10}",
            "temp_store = MEMORY",
            "trusted_schema = OFF",
        ):
            self._connection.execute(f"PRAGMA {pragma}")

    def _has_tables(self) -> bool:
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return bool(tables)

    def _create(self, seed_id: str, chunk_bytes: int, started_ns: int) -> None:
        meta = {
            "version_major": MAJOR,
            "version_minor": MINOR,
            "seed_id": seed_id,
            "generation": self.generation,
            "chunk_bytes": chunk_bytes,
            "started_ns": started_ns,
            "parent": self._baseline.digest if self._baseline else None,
        }
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        execute(f"PRAGMA application_id = {APPLICATION_ID}")
        execute(f"PRAGMA user_version = {IN_THE_MAKING}")
        for statement in TABLES.split(";"):
            execute(statement)
        create_indexes(self._connection, NAME_INDEX)
        self._connection.executemany("INSERT INTO meta VALUES (?,?)", meta.items())
        execute("COMMIT")

    def _require_same(self, chunk_bytes: int) -> None:
        self._meta: dict[str, Any] = require_version(self._connection, str(self.path))
        if self._meta.get("sealed") is not None:
            raise GenerationSealedError(
                f"generation {self._meta.get('generation')} at {self.path} is sealed: write the "
                "next generation with it as the baseline"
            )
        expected: dict[str, object] = {"generation": self.generation, "chunk_bytes": chunk_bytes}
        if self._baseline is not None:
            expected |= {"seed_id": self._baseline.seed_id, "parent": self._baseline.digest}
        for key, value in expected.items():
            if self._meta.get(key) != value:
                raise CatalogError(
                    f"{self.path} was begun with {key} {self._meta.get(key)!r} and can't go on "
                    f"with {value!r}: use the same baseline and options, or another folder",
                    context=str(self.path),
                )

    def _attach(self) -> None:
        self._schemas: tuple[str, ...] = ("main",)
        if self._baseline is not None:
            self._connection.execute("ATTACH DATABASE ? AS base", (str(self._baseline.path),))
            self._schemas = ("main", "base")

    def _execute(self, statement: str, parameters: tuple[Any, ...]) -> None:
        with self.lock, reading(str(self.path)):
            self._connection.execute(statement, parameters)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
