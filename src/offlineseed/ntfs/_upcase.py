"""
Upper case as NTFS knows it: the `$UpCase` table, and the order of names in a directory.

Windows compares names unit by unit in UTF-16, each unit mapped through a table that lies on the
volume. Python's `str.upper` maps 244 code points otherwise, so it is used for ASCII alone.

Source: the Windows 7 table; its CRC-64 is the one that Windows stores beside it.
"""

from __future__ import annotations

import sys
from array import array
from functools import cache

__all__ = ["UPCASE_CRC", "collation_key", "upcase_bytes", "upcase_table"]

UPCASE_CRC = 0xDADC7E776B1B690C
"""CRC-64 of the table, as `$UpCase:$Info` carries it."""

# (first unit, count, step, what is added): the table is the identity but for these.
_RUNS = (
    (0x61, 26, 1, -32), (0xE0, 23, 1, -32), (0xF8, 7, 1, -32), (0xFF, 1, 1, 121),
    (0x101, 24, 2, -1), (0x133, 3, 2, -1), (0x13A, 8, 2, -1), (0x14B, 23, 2, -1),
    (0x17A, 3, 2, -1), (0x180, 1, 1, 195), (0x183, 2, 2, -1), (0x188, 1, 1, -1),
    (0x18C, 1, 1, -1), (0x192, 1, 1, -1), (0x195, 1, 1, 97), (0x199, 1, 1, -1),
    (0x19A, 1, 1, 163), (0x19E, 1, 1, 130), (0x1A1, 3, 2, -1), (0x1A8, 1, 1, -1),
    (0x1AD, 1, 1, -1), (0x1B0, 1, 1, -1), (0x1B4, 2, 2, -1), (0x1B9, 1, 1, -1),
    (0x1BD, 1, 1, -1), (0x1BF, 1, 1, 56), (0x1C6, 1, 1, -2), (0x1C9, 1, 1, -2),
    (0x1CC, 1, 1, -2), (0x1CE, 8, 2, -1), (0x1DD, 1, 1, -79), (0x1DF, 9, 2, -1),
    (0x1F3, 1, 1, -2), (0x1F5, 1, 1, -1), (0x1F9, 20, 2, -1), (0x223, 9, 2, -1),
    (0x23C, 1, 1, -1), (0x242, 1, 1, -1), (0x247, 5, 2, -1), (0x250, 1, 1, 10783),
    (0x251, 1, 1, 10780), (0x253, 1, 1, -210), (0x254, 1, 1, -206), (0x256, 2, 1, -205),
    (0x259, 1, 1, -202), (0x25B, 1, 1, -203), (0x260, 1, 1, -205), (0x263, 1, 1, -207),
    (0x268, 1, 1, -209), (0x269, 1, 1, -211), (0x26B, 1, 1, 10743), (0x26F, 1, 1, -211),
    (0x271, 1, 1, 10749), (0x272, 1, 1, -213), (0x275, 1, 1, -214), (0x27D, 1, 1, 10727),
    (0x280, 1, 1, -218), (0x283, 1, 1, -218), (0x288, 1, 1, -218), (0x289, 1, 1, -69),
    (0x28A, 2, 1, -217), (0x28C, 1, 1, -71), (0x292, 1, 1, -219), (0x371, 2, 2, -1),
    (0x377, 1, 1, -1), (0x37B, 3, 1, 130), (0x3AC, 1, 1, -38), (0x3AD, 3, 1, -37),
    (0x3B1, 17, 1, -32), (0x3C3, 9, 1, -32), (0x3CC, 1, 1, -64), (0x3CD, 2, 1, -63),
    (0x3D7, 1, 1, -8), (0x3D9, 12, 2, -1), (0x3F2, 1, 1, 7), (0x3F8, 1, 1, -1),
    (0x3FB, 1, 1, -1), (0x430, 32, 1, -32), (0x450, 16, 1, -80), (0x461, 17, 2, -1),
    (0x48B, 27, 2, -1), (0x4C2, 7, 2, -1), (0x4CF, 1, 1, -15), (0x4D1, 42, 2, -1),
    (0x561, 38, 1, -48), (0x1D79, 1, 1, 35332), (0x1D7D, 1, 1, 3814), (0x1E01, 75, 2, -1),
    (0x1EA1, 48, 2, -1), (0x1F00, 8, 1, 8), (0x1F10, 6, 1, 8), (0x1F20, 8, 1, 8),
    (0x1F30, 8, 1, 8), (0x1F40, 6, 1, 8), (0x1F51, 4, 2, 8), (0x1F60, 8, 1, 8),
    (0x1F70, 2, 1, 74), (0x1F72, 4, 1, 86), (0x1F76, 2, 1, 100), (0x1F78, 2, 1, 128),
    (0x1F7A, 2, 1, 112), (0x1F7C, 2, 1, 126), (0x1F80, 8, 1, 8), (0x1F90, 8, 1, 8),
    (0x1FA0, 8, 1, 8), (0x1FB0, 2, 1, 8), (0x1FB3, 1, 1, 9), (0x1FC3, 1, 1, 9),
    (0x1FD0, 2, 1, 8), (0x1FE0, 2, 1, 8), (0x1FE5, 1, 1, 7), (0x1FF3, 1, 1, 9),
    (0x214E, 1, 1, -28), (0x2170, 16, 1, -16), (0x2184, 1, 1, -1), (0x24D0, 26, 1, -26),
    (0x2C30, 47, 1, -48), (0x2C61, 1, 1, -1), (0x2C65, 1, 1, -10795), (0x2C66, 1, 1, -10792),
    (0x2C68, 3, 2, -1), (0x2C73, 1, 1, -1), (0x2C76, 1, 1, -1), (0x2C81, 50, 2, -1),
    (0x2D00, 38, 1, -7264), (0xA641, 16, 2, -1), (0xA663, 6, 2, -1), (0xA681, 12, 2, -1),
    (0xA723, 7, 2, -1), (0xA733, 31, 2, -1), (0xA77A, 2, 2, -1), (0xA77F, 5, 2, -1),
    (0xA78C, 1, 1, -1), (0xFF41, 26, 1, -32),
)  # fmt: skip


@cache
def upcase_table() -> array[int]:
    """
    Return the 65,536 upper-case units. Shared: callers do not change it.
    """
    table = array("H", range(0x10000))
    for first, count, step, delta in _RUNS:
        for unit in range(first, first + count * step, step):
            table[unit] = unit + delta
    return table


@cache
def upcase_bytes() -> bytes:
    """
    Return the table as it lies on the volume: 128 KiB, little-endian.
    """
    table = array("H", upcase_table())
    if sys.byteorder == "big":
        table.byteswap()
    return table.tobytes()


def collation_key(name: str) -> str:
    """
    Return a key that sorts and compares as NTFS sorts and compares names.

    The key has a character for each UTF-16 unit, so surrogates sort as the units that they are.
    """
    if name.isascii():
        return name.upper()
    units = array("H", name.encode("utf-16-le", "surrogatepass"))
    if sys.byteorder == "big":
        units.byteswap()
    table = upcase_table()
    return "".join([chr(table[unit]) for unit in units])
