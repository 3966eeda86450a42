"""
Index entries, index roots and index blocks.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Final

from offlineseed.ntfs._encoding import protect, resident_attribute
from offlineseed.ntfs._geometry import INDEX_BLOCK_BYTES, Geometry
from offlineseed.ntfs._tree import TreeShape

__all__ = [
    "COLLATE_FILE_NAME",
    "COLLATE_SECURITY_HASH",
    "COLLATE_SID",
    "COLLATE_UINT32",
    "COLLATE_UINT32S",
    "INDEX_ROOT_ROOM",
    "entry_length",
    "index_root",
    "pack_entry",
    "pack_key",
    "render_blocks",
]

COLLATE_FILE_NAME: Final = 0x01
COLLATE_UINT32: Final = 0x10
COLLATE_SID: Final = 0x11
COLLATE_SECURITY_HASH: Final = 0x12
COLLATE_UINT32S: Final = 0x13

INDEX_ROOT_ROOM: Final = 0x50
"""Bytes of a `$I30` index root attribute besides its entries."""

_INDEX_ROOT: Final = 0x90
_BLOCK_HEADER = struct.Struct("<4sHHQQIIIB3x")
_ENTRIES_AT: Final = 0x40
_BLOCK_USN: Final = 3
_ENTRY = struct.Struct("<QHHHH")
_HAS_CHILD: Final = 1
_LAST: Final = 2
_BATCH: Final = 64


def entry_length(name_bytes: int) -> int:
    """
    Return the length of a name's index entry without child pointer.

    Args:
        name_bytes: Length of the name in bytes of UTF-16.
    """
    return (0x59 + name_bytes) & ~7


@cache
def _key_struct(name_bytes: int) -> struct.Struct:
    return struct.Struct(f"<Q32sQQIIBB{name_bytes}s")


@cache
def _entry_struct(name_bytes: int) -> struct.Struct:
    key = 0x42 + name_bytes
    return struct.Struct(f"<QHHIQ32sQQIIBB{name_bytes}s{entry_length(name_bytes) - 0x10 - key}x")


def pack_key(
    parent: int, times: bytes, allocated: int, length: int, attributes: int, name: bytes,
    namespace: int = 0,
) -> bytes:  # fmt: skip
    """
    Return a `$FILE_NAME` value, which is the key of its index entry too.

    Args:
        parent: Reference of the directory.
        times: The four times, 32 bytes.
        allocated: Bytes allocated for the data.
        length: Bytes of the data.
        attributes: File attributes; 0x10000000 marks a directory.
        name: The name in UTF-16.
        namespace: 0 for names of users, 3 for the system's.
    """
    return _key_struct(len(name)).pack(
        parent, times, allocated, length, attributes, 0, len(name) // 2, namespace, name
    )


def pack_entry(
    reference: int, parent: int, times: bytes, allocated: int, length: int, attributes: int,
    name: bytes, namespace: int = 0,
) -> bytes:  # fmt: skip
    """
    Return an index entry; the arguments are those of the key, and the file's own reference.
    """
    size = len(name)
    return _entry_struct(size).pack(
        reference, (0x59 + size) & ~7, 0x42 + size, 0,
        parent, times, allocated, length, attributes, 0, size // 2, namespace, name,
    )  # fmt: skip


def _with_child(entry: bytes, child: int) -> bytes:
    reference, length, key_length, flags, _ = _ENTRY.unpack_from(entry)
    head = _ENTRY.pack(reference, length + 8, key_length, flags | _HAS_CHILD, 0)
    return head + entry[_ENTRY.size :] + child.to_bytes(8, "little")


def _end_entry(child: int | None) -> bytes:
    if child is None:
        return _ENTRY.pack(0, 0x10, 0, _LAST, 0)
    return _ENTRY.pack(0, 0x18, 0, _LAST | _HAS_CHILD, 0) + child.to_bytes(8, "little")


def index_root(
    entries: Iterable[bytes], geometry: Geometry, *, instance: int, name: str = "$I30",
    kind: int = 0x30, collation: int = COLLATE_FILE_NAME, child: int | None = None,
) -> bytes:  # fmt: skip
    """
    Return an `$INDEX_ROOT` attribute.

    Args:
        entries: The entries in order, without the end entry.
        geometry: The volume's.
        instance: The attribute's number in its record.
        name: The index's name.
        kind: Type of the attribute that is indexed; 0 in indexes of other things.
        collation: The rule of its order.
        child: Number of the top index block, where the entries lie in blocks.
    """
    body = b"".join(entries) + _end_entry(child)
    size = 0x10 + len(body)
    header = struct.pack(
        "<IIIB3xIIIB3x", kind, collation, INDEX_BLOCK_BYTES, geometry.index_block_step,
        0x10, size, size, child is not None,
    )  # fmt: skip
    return resident_attribute(_INDEX_ROOT, header + body, instance=instance, name=name)


def _render_block(number: int, body: bytes, *, is_inner: bool) -> bytearray:
    header = _BLOCK_HEADER.pack(
        b"INDX", 0x28, INDEX_BLOCK_BYTES // 512 + 1, 0, number,
        0x28, 0x28 + len(body), INDEX_BLOCK_BYTES - 0x18, is_inner,
    )  # fmt: skip
    block = bytearray((header.ljust(_ENTRIES_AT, b"\0") + body).ljust(INDEX_BLOCK_BYTES, b"\0"))
    protect(block, 0, INDEX_BLOCK_BYTES, 0x28, _BLOCK_USN)
    return block


def render_blocks(
    shape: TreeShape, nodes: Sequence[int], entry: Callable[[int], bytes], step: int
) -> Iterator[bytes]:
    """
    Yield the index blocks of a directory in the order of their numbers, several at a time.

    Args:
        shape: The tree.
        nodes: What stands at the shape's positions.
        entry: Returns a node's entry without child pointer.
        step: What the number of a block grows by from one to the next.
    """
    end_of_leaf = _end_entry(None)
    batch = bytearray()
    number = 0
    leaves = shape.levels[0]
    for start, end in leaves.blocks():
        body = b"".join([entry(node) for node in nodes[start:end]]) + end_of_leaf
        batch += _render_block(number, body, is_inner=False)
        number += step
        if len(batch) >= _BATCH * INDEX_BLOCK_BYTES:
            yield bytes(batch)
            batch.clear()
    for below, level in zip(shape.levels, shape.levels[1:], strict=False):
        child = below.first_block * step
        for start, end in level.blocks():
            parts = []
            for index in range(start, end):
                parts.append(_with_child(entry(nodes[level.positions[index]]), child))
                child += step
            parts.append(_end_entry(child))
            child += step
            batch += _render_block(number, b"".join(parts), is_inner=True)
            number += step
    yield bytes(batch)
