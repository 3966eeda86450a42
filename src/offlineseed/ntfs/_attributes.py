"""
Attribute types, file attributes and record flags, and the table of attribute types.
"""

from __future__ import annotations

import struct
from typing import Final

from offlineseed.ntfs._encoding import resident_attribute

__all__ = [
    "ARCHIVE",
    "ATTRIBUTE_TABLE_BYTES",
    "BITMAP",
    "DATA",
    "DIRECTORY",
    "FILE_NAME",
    "HIDDEN_SYSTEM",
    "INDEX_ALLOCATION",
    "IN_EXTEND",
    "IN_USE",
    "IS_DIRECTORY",
    "IS_VIEW",
    "SECURITY_DESCRIPTOR",
    "STANDARD_INFORMATION",
    "VIEW",
    "VOLUME_INFORMATION",
    "VOLUME_NAME",
    "attribute_table",
    "standard_information",
]

# Attribute types.
STANDARD_INFORMATION: Final = 0x10
FILE_NAME: Final = 0x30
SECURITY_DESCRIPTOR: Final = 0x50
VOLUME_NAME: Final = 0x60
VOLUME_INFORMATION: Final = 0x70
DATA: Final = 0x80
INDEX_ALLOCATION: Final = 0xA0
BITMAP: Final = 0xB0

# File attributes.
HIDDEN_SYSTEM: Final = 0x06
ARCHIVE: Final = 0x20
DIRECTORY: Final = 0x10000000
"""In names only: the file is a directory."""
VIEW: Final = 0x20000000
"""The file has an index of other things than names."""

# Record flags.
IN_USE: Final = 1
IS_DIRECTORY: Final = 2
IN_EXTEND: Final = 4
IS_VIEW: Final = 8

ATTRIBUTE_TABLE_BYTES: Final = 2560
"""Length of `$AttrDef`: fifteen rows and an empty one."""

# name, type, flags, least and greatest length
_ATTRIBUTE_KINDS: Final = (
    ("$STANDARD_INFORMATION", 0x10, 0x40, 0x30, 0x48),
    ("$ATTRIBUTE_LIST", 0x20, 0x80, 0, -1),
    ("$FILE_NAME", 0x30, 0x42, 0x44, 0x242),
    ("$OBJECT_ID", 0x40, 0x40, 0, 0x100),
    ("$SECURITY_DESCRIPTOR", 0x50, 0x80, 0, -1),
    ("$VOLUME_NAME", 0x60, 0x40, 2, 0x100),
    ("$VOLUME_INFORMATION", 0x70, 0x40, 0xC, 0xC),
    ("$DATA", 0x80, 0, 0, -1),
    ("$INDEX_ROOT", 0x90, 0x40, 0, -1),
    ("$INDEX_ALLOCATION", 0xA0, 0x80, 0, -1),
    ("$BITMAP", 0xB0, 0x80, 0, -1),
    ("$REPARSE_POINT", 0xC0, 0x80, 0, 0x4000),
    ("$EA_INFORMATION", 0xD0, 0x40, 8, 8),
    ("$EA", 0xE0, 0, 0, 0x10000),
    ("$LOGGED_UTILITY_STREAM", 0x100, 0x80, 0, 0x10000),
)


def attribute_table() -> bytes:
    """
    Return `$AttrDef`.
    """
    rows = [
        struct.pack("<128sIIIIqq", name.encode("utf-16-le"), kind, 0, 0, flags, least, greatest)
        for name, kind, flags, least, greatest in _ATTRIBUTE_KINDS
    ]
    return b"".join(rows).ljust(ATTRIBUTE_TABLE_BYTES, b"\0")


def standard_information(times: bytes, attributes: int, security_id: int | None) -> bytes:
    """
    Return a `$STANDARD_INFORMATION` attribute: the short form where there is no security id.
    """
    value = times + struct.pack("<I12x", attributes)
    if security_id is not None:
        value += struct.pack("<IIQQ", 0, security_id, 0, 0)
    return resident_attribute(STANDARD_INFORMATION, value, instance=0)
