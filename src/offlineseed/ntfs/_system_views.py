"""
The system's indexes of other things than names: security descriptors, owners, quotas.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from offlineseed.ntfs._geometry import Geometry
from offlineseed.ntfs._index import (
    COLLATE_SECURITY_HASH,
    COLLATE_SID,
    COLLATE_UINT32,
    COLLATE_UINT32S,
    index_root,
)
from offlineseed.ntfs._security import (
    ADMINISTRATORS_SID,
    SecurityEntry,
    security_hash_index,
    security_id_index,
)

__all__ = ["empty_view", "quota_views", "security_views"]


def _view(
    name: str, entries: Sequence[bytes], geometry: Geometry, *, collation: int, instance: int
) -> bytes:
    return index_root(entries, geometry, instance=instance, name=name, kind=0, collation=collation)


def security_views(entries: Sequence[SecurityEntry], geometry: Geometry) -> list[bytes]:
    """
    Return the two indexes of `$Secure`.
    """
    return [
        _view(
            "$SDH", security_hash_index(entries), geometry,
            collation=COLLATE_SECURITY_HASH, instance=3,
        ),
        _view(
            "$SII", security_id_index(entries), geometry, collation=COLLATE_UINT32, instance=4
        ),
    ]  # fmt: skip


def empty_view(name: str, geometry: Geometry) -> bytes:
    """
    Return the empty index of `$ObjId` or `$Reparse`.
    """
    return _view(name, (), geometry, collation=COLLATE_UINT32S, instance=2)


def quota_views(created: int, geometry: Geometry) -> list[bytes]:
    """
    Return the two indexes of `$Quota`: one owner, without a limit.

    Args:
        created: FILETIME of the quotas.
        geometry: The volume's.
    """
    owner_id, default_id = 0x100, 1
    # The last field is padding, with what mkntfs leaves there.
    owner = struct.pack(
        "<HHIHHHH16sII", 0x20, 4, 0, 0x28, 16, 0, 0, ADMINISTRATORS_SID, owner_id, 0x20
    )
    values = struct.pack("<IIQQqqQ", 2, 1, 0, created, -1, -1, 0)
    default_quota = struct.pack("<HHIHHHHI", 0x14, 0x30, 0, 0x48, 4, 0, 0, default_id) + values
    owner_quota = struct.pack("<HHIHHHHI", 0x14, 0x40, 0, 0x58, 4, 0, 0, owner_id) + values
    quotas = [default_quota + bytes(4), owner_quota + ADMINISTRATORS_SID + bytes(4)]
    return [
        _view("$O", [owner], geometry, collation=COLLATE_SID, instance=3),
        _view("$Q", quotas, geometry, collation=COLLATE_UINT32, instance=2),
    ]
