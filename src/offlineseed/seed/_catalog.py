"""
A generation's catalog, read: which items there are and where their bytes lie.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, final

from typing_extensions import Self

from offlineseed.errors import CatalogError, ItemNotFoundError
from offlineseed.findings import Finding, Severity
from offlineseed.seed._checked import MOST_CHUNK_BYTES, damaged, extent_of, item_of, place_of
from offlineseed.seed._model import ChunkPlace, Extent, Item, ItemKind, SegmentInfo
from offlineseed.seed._names import decode_name, encode_name
from offlineseed.seed._schema import (
    KNOWN_DIGEST,
    NAME_INDEX,
    create_indexes,
    reading,
    require_version,
)
from offlineseed.seed._stores import is_segment_name

__all__ = ["Catalog"]

T = TypeVar("T")

_COLUMNS = "id, name, kind, length, mode, mtime_ns, digest, target"
_ITEM = f"SELECT {_COLUMNS} FROM item"
_ITEM_AND_CHUNK = f"SELECT {_COLUMNS}, chunk, chunk_offset FROM item"
_BATCH = 2000
_MOST_PLACES = 1024
_PLACE = "chunk.id, chunk.digest, chunk.segment, chunk.offset, chunk.stored, chunk.length"


@final
class Catalog:
    """
    Reads a catalog from a local file. Safe to use from several threads, one call at a time.

    Items are listed in the order in which they were staged; memory does not grow with their number.

    Raises:
        CatalogError: the file is not a catalog, is damaged, or is of a newer major version. Any
            method may raise it, when it comes upon the damage.
        FileNotFoundError: there is no such file.

    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        """The file."""
        self._where = str(self.path)
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no catalog at {self.path}")
        mode = "rw" if os.access(self.path, os.W_OK) else "ro"
        uri = f"{self.path.resolve().as_uri()}?mode={mode}"
        self._lock = threading.RLock()
        self._has_name_index = False
        self._places: dict[object, ChunkPlace] = {}
        with reading(self._where):
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        try:
            with reading(self._where):
                self._connection.execute("PRAGMA trusted_schema = OFF")
                self._connection.execute("PRAGMA cell_size_check = ON")
                self._meta = require_version(self._connection, self._where)
            self.generation = self._integer("generation")
            """0 is the seed; each increment is the next."""
            self.chunk_bytes = self._integer("chunk_bytes")
            """Greatest length of a chunk."""
            self.seed_id = self._text("seed_id")
            """GUID that all generations of a seed share."""
            self.started_ns = self._integer("started_ns")
            """When staging of this generation began, nanoseconds since 1970 (UTC)."""
            self.parent = self._parent()
            """The digest of the generation before; None for the seed."""
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Catalog({self._where!r}, generation={self.generation})"

    @property
    def is_sealed(self) -> bool:
        """
        Whether the generation is complete.
        """
        return self._meta.get("sealed") == 1

    @cached_property
    def digest(self) -> str:
        """
        SHA-256 of the catalog as it was sealed, hex: the generation's seal.

        A catalog that was fetched or published remembers it; another file is read and hashed.

        Raises:
            CatalogError: the generation is in the making, or sealed and not published.
        """
        known = self._meta.get(KNOWN_DIGEST)
        if isinstance(known, str):
            return known
        if self.rows("PRAGMA user_version")[0][0] != 0:
            raise CatalogError(
                f"the catalog {self._where} is in the making: seal and publish it first",
                context=self._where,
            )
        return digest_of(self.path)

    def close(self) -> None:
        """
        Let go of the file.
        """
        with self._lock:
            self._connection.close()

    def items(self, prefix: str = "", *, kind: ItemKind | None = None) -> Iterator[Item]:
        """
        Yield the items, or those at and below a name, in the order in which they were staged.

        Args:
            prefix: only the item of this name and those below it.
            kind: only items of this kind.

        """
        for row in self._item_rows(_ITEM, prefix, kind):
            yield item_of(row, self._where)

    def files(self, prefix: str = "") -> Iterator[tuple[Item, Extent | None]]:
        """
        Yield the files like `items`, each with its only extent where it lies whole in one chunk.
        """
        for *row, chunk, chunk_offset in self._item_rows(_ITEM_AND_CHUNK, prefix, ItemKind.FILE):
            item = item_of(row, self._where)
            if (chunk is None) is not (item.digest is None):
                raise damaged(
                    self._where, f"{item.name!r} has a digest and no chunk, or the reverse"
                )
            yield item, None if chunk is None else self._inline_extent(item, chunk, chunk_offset)

    def _item_rows(
        self, query: str, prefix: str, kind: ItemKind | None
    ) -> Iterator[tuple[Any, ...]]:
        names: tuple[bytes, ...] = ()
        where = "" if kind is None else f" AND item.kind = {int(kind)}"
        if prefix:
            self._require_name_index()
            name = encode_name(prefix)
            # What is below "name/" lies before "name0".
            names = (name, name + b"/", name + b"0")
            where += " AND (item.name = ? OR (item.name >= ? AND item.name < ?))"
        last = -(1 << 62)
        while True:
            rows = self.rows(
                f"{query} WHERE item.id > ?{where} ORDER BY item.id LIMIT {_BATCH}", (last, *names)
            )
            yield from rows
            if len(rows) < _BATCH:
                return
            last = self._after(last, rows[-1][0])

    def directories_from_below(self, prefix: str = "") -> Iterator[Item]:
        """
        Yield the directories at and below a name, each after all that are below it.
        """
        self._require_name_index()
        first = encode_name(prefix) if prefix else b""
        last = first + b"0" if prefix else b"\xff" * 65536
        while True:
            rows = self.rows(
                f"{_ITEM} WHERE kind = 2 AND name < ? AND name >= ?"
                f" ORDER BY name DESC LIMIT {_BATCH}",
                (last, first),
            )
            for row in rows:
                item = item_of(row, self._where)
                if not prefix or item.name == prefix or item.name.startswith(prefix + "/"):
                    yield item
            if len(rows) < _BATCH:
                return
            if rows[-1][1] >= last:
                raise damaged(self._where, "its rows are not in order")
            last = rows[-1][1]

    def item(self, name: str) -> Item:
        """
        Return one item.

        Raises:
            ItemNotFoundError: the generation has no such item.
        """
        self._require_name_index()
        rows = self.rows(f"{_ITEM} WHERE name = ?", (encode_name(name),))
        if not rows:
            raise ItemNotFoundError(f"generation {self.generation} has no item {name!r}", name=name)
        return item_of(rows[0], self._where)

    def extents(self, item: Item, *, offset: int = 0, end: int | None = None) -> Iterator[Extent]:
        """
        Yield where an item's bytes lie, ascending, without overlap. Gaps are zeros.

        Args:
            item: the item.
            offset: extents that end at or before it are left out.
            end: extents that begin at or after it are left out; the item's end by default.

        """
        end = item.length if end is None else min(end, item.length)
        if offset >= end:
            return
        inline = self.rows(
            "SELECT chunk, chunk_offset FROM item WHERE id = ? AND chunk IS NOT NULL", (item.id,)
        )
        if inline:
            yield self._inline_extent(item, *inline[0])
            return
        last, passed = offset - MOST_CHUNK_BYTES, 0
        while True:
            rows = self.rows(
                f"SELECT extent.offset, extent.length, extent.chunk_offset, extent.chunk, {_PLACE}"
                " FROM extent LEFT JOIN chunk ON chunk.id = extent.chunk WHERE extent.item = ?"
                " AND extent.offset > ? AND extent.offset < ?"
                f" ORDER BY extent.offset LIMIT {_BATCH}",
                (item.id, last, end),
            )
            for row in rows:
                if row[4] is None:
                    raise self._chunk_missing(item, row[3])
                place = place_of(row[4:], self._where)
                extent = extent_of(row[:3], place, item, passed, self._where)
                passed = extent.offset + extent.length
                if passed > offset:
                    yield extent
            if len(rows) < _BATCH:
                return
            last = self._after(last, rows[-1][0])

    def _inline_extent(self, item: Item, chunk: object, chunk_offset: object) -> Extent:
        # Items that share a chunk mostly follow each other.
        place = self._places.get(chunk)
        if place is None:
            rows = self.rows(f"SELECT {_PLACE} FROM chunk WHERE id = ?", (chunk,))
            if not rows:
                raise self._chunk_missing(item, chunk)
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            place = self._places[chunk] = place_of(rows[0], self._where)
        return extent_of((0, item.length, chunk_offset), place, item, 0, self._where)

    def _chunk_missing(self, item: Item, chunk: object) -> CatalogError:
        return damaged(self._where, f"{item.name!r} names chunk {chunk}, which is not there")

    def segments(self) -> tuple[SegmentInfo, ...]:
        """
        Return every segment that the generation needs or wrote, ascending by row.
        """
        rows = self.rows("SELECT id, name, generation, length, checksum FROM segment ORDER BY id")
        for row in rows:
            if not (
                isinstance(row[1], str)
                and is_segment_name(row[1])
                and isinstance(row[2], int)
                and isinstance(row[3], int | None)
                and isinstance(row[4], bytes | None)
            ):
                raise damaged(
                    self._where, "a row of the table segment has a value of the wrong type"
                )
        return tuple(SegmentInfo(*row) for row in rows)

    def segment_names(self) -> dict[int, str]:
        """
        Return the segments' names by row.
        """
        return {segment.id: segment.name for segment in self.segments()}

    def chunks(self) -> Iterator[ChunkPlace]:
        """
        Yield every chunk in the order of the segments and of the frames in them.
        """
        last = (-1, -1)
        while True:
            rows = self.rows(
                f"SELECT {_PLACE} FROM chunk WHERE (segment, offset) > (?, ?)"
                f" ORDER BY segment, offset LIMIT {_BATCH}",
                last,
            )
            for row in rows:
                yield place_of(row, self._where)
            if len(rows) < _BATCH:
                return
            last = self._after(last, (rows[-1][2], rows[-1][3]))

    def findings(self) -> Iterator[Finding]:
        """
        Yield what was seen while staging: items that vanished, changed or could not be read.
        """
        last: tuple[bytes, str] = (b"", "")
        while True:
            rows = self.rows(
                "SELECT item, code, message FROM finding WHERE (item, code) > (?, ?)"
                f" ORDER BY item, code LIMIT {_BATCH}",
                last,
            )
            for item, code, message in rows:
                if not (isinstance(item, bytes) and isinstance(code, str)):
                    raise damaged(
                        self._where, "a row of the table finding has a value of the wrong type"
                    )
                yield Finding(
                    code=code,
                    subject=decode_name(item),
                    message=str(message),
                    severity=Severity.WARNING,
                )
            if len(rows) < _BATCH:
                return
            last = self._after(last, (rows[-1][0], rows[-1][1]))

    def totals(self) -> tuple[int, int]:
        """
        Return how many items there are and how many bytes they have.
        """
        rows = self.rows("SELECT count(*), coalesce(sum(length), 0) FROM item")
        return int(rows[0][0]), int(rows[0][1])

    def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """
        Run a query of the package's own.
        """
        with self._lock, reading(self._where):
            return self._connection.execute(query, parameters).fetchall()

    def _require_name_index(self) -> None:
        # Only a catalog that nobody may write to goes without: looking up is slow there, not wrong.
        if not self._has_name_index:
            self._has_name_index = True
            with self._lock, reading(self._where), suppress(sqlite3.OperationalError):
                create_indexes(self._connection, NAME_INDEX)

    def _after(self, last: T, row: T) -> T:
        # A damaged index may give rows in any order, and the same ones for ever.
        if not row > last:  # type: ignore[operator]  # both are one query's columns
            raise damaged(self._where, "its rows are not in order")
        return row

    def _integer(self, key: str) -> int:
        value = self._meta.get(key)
        if type(value) is not int or value < 0:
            raise damaged(self._where, f"the table meta lacks {key}")
        return value

    def _parent(self) -> str | None:
        parent = self._meta.get("parent")
        if not isinstance(parent, str | None):
            raise damaged(self._where, "the table meta has a parent that is no text")
        return parent

    def _text(self, key: str) -> str:
        value = self._meta.get(key)
        if not isinstance(value, str):
            raise damaged(self._where, f"the table meta lacks {key}")
        return value


def digest_of(path: Path) -> str:
    """
    Return SHA-256 of a file, hex: of a sealed catalog, its seal's digest.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
