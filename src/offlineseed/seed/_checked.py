"""
Values from a catalog's rows, checked: a damaged or forged catalog gives errors, never nonsense.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from offlineseed.errors import CatalogError
from offlineseed.seed._model import ChunkPlace, Extent, Item, ItemKind
from offlineseed.seed._names import decode_name, require_safe_name

__all__ = ["MOST_CHUNK_BYTES", "damaged", "extent_of", "item_of", "place_of"]

MOST_CHUNK_BYTES = 16 << 20
"""No chunk is longer."""
_KINDS: dict[object, ItemKind] = {int(kind): kind for kind in ItemKind}


def damaged(where: str, what: str) -> CatalogError:
    """
    Return the error of a damaged catalog.
    """
    return CatalogError(
        f"the catalog {where} is damaged: {what}; take another copy of it", context=where
    )


def item_of(row: Sequence[Any], where: str) -> Item:
    """
    Return an item from `id, name, kind, length, mode, mtime_ns, digest, target`.

    Raises:
        CatalogError: a value is impossible.
    """
    identity, name, kind, length, mode, mtime_ns, digest, target = row
    try:
        require_safe_name(name)
        known_kind = _KINDS.get(kind)
        # One by one and in place: a restore asks this of every item.
        if known_kind is None:
            raise ValueError(f"{kind!r} is no kind of item")
        if type(length) is not int or length < 0:
            raise ValueError(f"{length!r} is no length")
        if type(mode) is not int or not 0 <= mode <= 0o7777:
            raise ValueError(f"{mode!r} is no mode")
        if type(mtime_ns) is not int:
            raise ValueError(f"{mtime_ns!r} is no time")
        if digest is not None and type(digest) is not bytes:
            raise ValueError("a digest is not bytes")
        shown_target = _target(target) if known_kind is ItemKind.SYMLINK else None
    except (ValueError, TypeError, AttributeError) as error:
        raise damaged(where, f"row {identity} of the table item: {error}") from error
    return Item(
        identity, decode_name(name), known_kind, length, mode, mtime_ns, digest, shown_target
    )


def extent_of(
    row: tuple[Any, ...], place: ChunkPlace, item: Item, passed: int, where: str
) -> Extent:
    """
    Return an extent from `offset, length, chunk_offset`.

    Args:
        row: the columns.
        place: its chunk.
        item: whose extent it is.
        passed: where the extent before it ends.
        where: the catalog's file.

    Raises:
        CatalogError: a value is impossible.

    """
    offset, length, chunk_offset = row
    try:
        end = _natural(offset) + _natural(length)
        if length == 0 or offset < passed or end > item.length:
            raise ValueError("it overlaps another or passes the item's end")
        if _natural(chunk_offset) + length > place.length:
            raise ValueError("it passes its chunk's end")
    except ValueError as error:
        raise damaged(where, f"an extent of {item.name!r}: {error}") from error
    return Extent(offset, length, place, chunk_offset)


def place_of(row: tuple[Any, ...], where: str) -> ChunkPlace:
    """
    Return a chunk from `id, digest, segment, offset, stored, length`.

    Raises:
        CatalogError: a value is impossible.
    """
    identity, digest, segment, offset, stored, length = row
    try:
        if len(_bytes(digest)) != 32 or not 0 < _natural(length) <= MOST_CHUNK_BYTES:
            raise ValueError("the digest or length is impossible")
        return ChunkPlace(
            identity, digest, _natural(segment), _natural(offset), _natural(stored), length
        )
    except (ValueError, TypeError) as error:
        raise damaged(where, f"row {identity} of the table chunk: {error}") from error


def _natural(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a length or offset")
    return value


def _target(value: object) -> str:
    if not isinstance(value, bytes) or not value or b"\0" in value:
        raise ValueError("a symbolic link has no target that it could have")
    return decode_name(value)


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("a digest is not bytes")
    return value
