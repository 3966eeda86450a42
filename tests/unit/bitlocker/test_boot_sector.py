"""
The boot sector: Windows' own but for its code, the published vector, and other people's.
"""

import hashlib

import pytest

from offlineseed.bitlocker import BootSector, parse_boot_sector, render_boot_sector
from offlineseed.errors import BitLockerFormatError

BOOT = BootSector(hidden_sectors=2048, info_offsets=(0x2100000, 0x2900000, 0x3100000))
MADE_BY_CODE = [*range(0x5A, 0xA0), *range(0x100, 0x148)]  # boot code and its messages


def changed(offset, data):
    sector = bytearray(render_boot_sector(BOOT))
    sector[offset : offset + len(data)] = data
    return bytes(sector)


def test_render_published_vector_matches():
    assert (
        hashlib.sha256(render_boot_sector(BOOT)).hexdigest()
        == "0fc02e534b66445ee5aa19f394b658e78396e184423771f97ca67cbd24b588b1"
    )


def test_render_windows_values_differs_in_boot_code_only(windows_volume):
    theirs = windows_volume.read(0, 512)
    ours = render_boot_sector(parse_boot_sector(theirs))
    assert {i for i in range(512) if ours[i] != theirs[i]} <= set(MADE_BY_CODE)


def test_parse_rendered_gives_it_back():
    boot = BootSector(
        sectors_per_cluster=16,
        sectors_per_track=1,
        heads=2,
        hidden_sectors=(1 << 32) - 1,
        info_offsets=(1, 2, (1 << 64) - 1),
    )
    assert parse_boot_sector(render_boot_sector(boot)) == boot


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b"", "bytes long"),
        (bytes(512), "no BitLocker signature"),
        (changed(3, b"NTFS    "), "no BitLocker signature"),
        (changed(0, b"\xeb\x52\x90"), "Vista"),
        (changed(3, b"MSWIN4.1"), "To Go"),
        (changed(0xA0, bytes(16)), "identifier"),
        (changed(0xA0, bytes.fromhex("3b4da89280dd0e4d9e4eb1e3284eaed8")), "still being encrypted"),
    ],
)
def test_parse_other_sectors_says_what_they_are(data, fact):
    with pytest.raises(BitLockerFormatError, match=fact) as caught:
        parse_boot_sector(data)
    assert caught.value.context == "boot sector"
