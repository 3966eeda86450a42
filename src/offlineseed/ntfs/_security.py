"""
Security descriptors: the ones inside system records, and the `$Secure` store of the others.

Files and directories get what a file copied into the root of a Windows data volume inherits:
full control for Administrators and SYSTEM, change for authenticated users, read for users.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache
from typing import Final

from offlineseed.ntfs._encoding import round_up

__all__ = [
    "ADMINISTRATORS_SID",
    "DIRECTORY_SECURITY",
    "FILE_SECURITY",
    "PROTECTED_SECURITY",
    "READ_ONLY_MASK",
    "READ_WRITE_MASK",
    "SDS_MIRROR_AT",
    "SYSTEM_READ_ONLY_SECURITY",
    "SYSTEM_READ_WRITE_SECURITY",
    "SecurityEntry",
    "descriptor_hash",
    "embedded_descriptor",
    "render_sds_block",
    "root_descriptor",
    "security_entries",
    "security_hash_index",
    "security_id_index",
]

SYSTEM_READ_ONLY_SECURITY: Final = 0x100
SYSTEM_READ_WRITE_SECURITY: Final = 0x101
FILE_SECURITY: Final = 0x102
DIRECTORY_SECURITY: Final = 0x103
PROTECTED_SECURITY: Final = 0x104

READ_ONLY_MASK: Final = 0x120089
READ_WRITE_MASK: Final = 0x12019F
SDS_MIRROR_AT: Final = 0x40000
"""A block of `$SDS` is repeated this many bytes further on."""

_FULL = 0x1F01FF
_CHANGE = 0x1301BF
_READ = 0x1200A9
_INHERIT = 0x03  # by objects and containers
_INHERITED = 0x10
_SELF_RELATIVE = 0x8004
_AUTO_INHERITED = 0x0400


def _sid(authority: int, *parts: int) -> bytes:
    return (
        bytes((1, len(parts)))
        + authority.to_bytes(6, "big")
        + struct.pack(f"<{len(parts)}I", *parts)
    )


_SYSTEM = _sid(5, 18)
_ADMINISTRATORS = _sid(5, 32, 544)
_USERS = _sid(5, 32, 545)
_AUTHENTICATED = _sid(5, 11)

ADMINISTRATORS_SID: Final = _ADMINISTRATORS
"""The owner that `$Quota` knows."""


def _ace(flags: int, sid: bytes, mask: int) -> bytes:
    return struct.pack("<BBHI", 0, flags, 8 + len(sid), mask) + sid


def _descriptor(
    owner: bytes, group: bytes, aces: Sequence[bytes], *, control: int = 0, acl_bytes: int = 0
) -> bytes:
    entries = b"".join(aces)
    size = max(8 + len(entries), acl_bytes)
    acl = (struct.pack("<BBHHH", 2, 0, size, len(aces), 0) + entries).ljust(size, b"\0")
    owner_at = 0x14 + size
    header = struct.pack(
        "<BBHIIII", 1, 0, _SELF_RELATIVE | control, owner_at, owner_at + len(owner), 0, 0x14
    )
    return header + acl + owner + group


def embedded_descriptor(mask: int) -> bytes:
    """
    Return the descriptor that some system records carry in themselves.
    """
    return _descriptor(
        _SYSTEM, _ADMINISTRATORS, [_ace(0, _SYSTEM, mask), _ace(0, _ADMINISTRATORS, mask)]
    )


def root_descriptor() -> bytes:
    """
    Return the root directory's descriptor: 4140 bytes, its list padded to 4096 as Windows does.
    """
    own, children = 0x00, 0x0B  # 0x0b: inherited by objects and containers, not for the root
    aces = [
        _ace(own, _ADMINISTRATORS, _FULL),
        _ace(children, _ADMINISTRATORS, 0x10000000),
        _ace(own, _SYSTEM, _FULL),
        _ace(children, _SYSTEM, 0x10000000),
        _ace(own, _AUTHENTICATED, _CHANGE),
        _ace(children, _AUTHENTICATED, 0xE0010000),
        _ace(own, _USERS, _READ),
        _ace(children, _USERS, 0xA0000000),
    ]
    return _descriptor(_SYSTEM, _SYSTEM, aces, acl_bytes=0x1000)


def _inheritable(flags: int) -> bytes:
    return _descriptor(
        _ADMINISTRATORS,
        _SYSTEM,
        [
            _ace(flags, _ADMINISTRATORS, _FULL),
            _ace(flags, _SYSTEM, _FULL),
            _ace(flags, _AUTHENTICATED, _CHANGE),
            _ace(flags, _USERS, _READ),
        ],
        control=_AUTO_INHERITED,
    )


def _store_descriptor(security_id: int) -> bytes:
    if security_id in {SYSTEM_READ_ONLY_SECURITY, SYSTEM_READ_WRITE_SECURITY}:
        mask = READ_ONLY_MASK if security_id == SYSTEM_READ_ONLY_SECURITY else READ_WRITE_MASK
        aces = [_ace(0, _SYSTEM, mask), _ace(0, _ADMINISTRATORS, mask)]
        return _descriptor(_ADMINISTRATORS, _ADMINISTRATORS, aces)
    if security_id == FILE_SECURITY:
        return _inheritable(_INHERITED)
    if security_id == DIRECTORY_SECURITY:
        return _inheritable(_INHERITED | _INHERIT)
    aces = [_ace(_INHERIT, _SYSTEM, _FULL), _ace(_INHERIT, _ADMINISTRATORS, _FULL)]
    return _descriptor(_ADMINISTRATORS, _SYSTEM, aces)


def descriptor_hash(descriptor: bytes) -> int:
    """
    Return the hash by which `$Secure` finds a descriptor.
    """
    value = 0
    for word in struct.unpack(f"<{len(descriptor) // 4}I", descriptor[: len(descriptor) & ~3]):
        value = ((value << 3 | value >> 29) + word) & 0xFFFFFFFF
    return value


class SecurityEntry:
    """
    A descriptor's place in `$SDS`.
    """

    __slots__ = ("descriptor", "hash", "header", "offset", "security_id")

    def __init__(self, security_id: int, descriptor: bytes, offset: int) -> None:
        self.security_id = security_id
        self.descriptor = descriptor
        self.offset = offset
        """Where in the stream it begins, in bytes."""
        self.hash = descriptor_hash(descriptor)
        self.header = struct.pack(
            "<IIQI", self.hash, security_id, offset, self.header_bytes + len(descriptor)
        )
        """Its own header, which the two indexes repeat."""

    header_bytes: Final = 0x14

    @property
    def end(self) -> int:
        """Where in the stream it ends, in bytes."""
        return self.offset + self.header_bytes + len(self.descriptor)


@cache
def security_entries(*, is_for_contents: bool) -> tuple[SecurityEntry, ...]:
    """
    Return the store's entries: the two that every volume has, and ours where it has contents.
    """
    ids = [SYSTEM_READ_ONLY_SECURITY, SYSTEM_READ_WRITE_SECURITY]
    if is_for_contents:
        ids += [FILE_SECURITY, DIRECTORY_SECURITY, PROTECTED_SECURITY]
    entries: list[SecurityEntry] = []
    for security_id in ids:
        offset = round_up(entries[-1].end, 16) if entries else 0
        entries.append(SecurityEntry(security_id, _store_descriptor(security_id), offset))
    return tuple(entries)


def render_sds_block(entries: Sequence[SecurityEntry]) -> bytes:
    """
    Return the used part of `$SDS`'s first block; the mirror holds the same bytes.
    """
    block = bytearray(entries[-1].end)
    for entry in entries:
        block[entry.offset : entry.end] = entry.header + entry.descriptor
    return bytes(block)


def security_hash_index(entries: Sequence[SecurityEntry]) -> list[bytes]:
    """
    Return the entries of `$SDH`, in its order.
    """
    return [
        struct.pack("<HHIHHHHII", 0x18, 0x14, 0, 0x30, 8, 0, 0, entry.hash, entry.security_id)
        + entry.header
        + b"I\0I\0"
        for entry in sorted(entries, key=lambda entry: (entry.hash, entry.security_id))
    ]


def security_id_index(entries: Sequence[SecurityEntry]) -> list[bytes]:
    """
    Return the entries of `$SII`, in its order.
    """
    return [
        struct.pack("<HHIHHHHI", 0x14, 0x14, 0, 0x28, 4, 0, 0, entry.security_id) + entry.header
        for entry in sorted(entries, key=lambda entry: entry.security_id)
    ]
