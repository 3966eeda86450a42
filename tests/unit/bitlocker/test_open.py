"""
Volumes that exist: Windows' own byte for byte, ours, and damaged ones.
"""

import hashlib

import attrs
import pytest

from offlineseed.bitlocker import (
    Key,
    RecoveryPassword,
    SectorCipher,
    VolumeState,
    open_volume,
    parse_metadata_block,
    render_metadata_block,
    seal_metadata,
)
from offlineseed.errors import BitLockerFormatError, UnlockRefusedError

CONTENT = bytes(range(256)) * 64


@pytest.fixture
def volume(vector_volume, store):
    return store(vector_volume, [(0, CONTENT), (0x20FF000, b"before.." * 512)])


def rewritten(volume, spec, **changes):
    """
    Write the metadata with other values, sealed as if the volume itself had changed them.
    """
    offset = spec.layout.info_offsets[0]
    block = parse_metadata_block(volume.read(offset, 65536))
    metadata = attrs.evolve(block.metadata, **changes)
    data = render_metadata_block(seal_metadata(metadata, spec.master_key, block.hash_box.nonce))
    for place in spec.layout.info_offsets:
        volume.write(place, data)


def test_windows_volume_unlocked_has_the_published_content(windows_volume):
    locked = open_volume(windows_volume.read)
    assert locked.findings == ()
    assert str(locked.metadata.volume_guid) == windows_volume.facts["guid"]
    unlocked = locked.unlock(windows_volume.recovery_password)
    assert unlocked.size_bytes == windows_volume.size_bytes
    digest = hashlib.sha256()
    for piece in unlocked.pieces():
        assert len(piece) <= 1 << 20
        digest.update(piece)
    assert digest.hexdigest() == windows_volume.facts["sha256sum"]


@pytest.mark.parametrize("windows_volume", ["bitlk-aes-xts-128-unicode"], indirect=True)
def test_windows_volume_passphrase_opens_the_same(windows_volume):
    unlocked = open_volume(windows_volume.read).unlock_with_passphrase(windows_volume.facts["pw"])
    assert unlocked.read(0, 11) == b"\xeb\x52\x90NTFS    "
    serial = int.from_bytes(unlocked.read(0x48, 8), "little")
    assert f"{serial:016X}" == windows_volume.facts["uuid"]


def test_unlock_right_password_reads_what_was_written(volume, vector_password):
    unlocked = open_volume(volume.read).unlock(vector_password)
    assert unlocked.size_bytes == 64 << 20
    assert unlocked.read(0, len(CONTENT)) == CONTENT


def test_unlock_wrong_password_is_refused(volume):
    with pytest.raises(UnlockRefusedError, match="belongs to this drive"):
        open_volume(volume.read).unlock(RecoveryPassword(bytes(16)))


def test_unlock_passphrase_of_a_volume_that_has_none_is_refused(volume):
    with pytest.raises(UnlockRefusedError):
        open_volume(volume.read).unlock_with_passphrase("anaconda")


@pytest.mark.parametrize("key", [Key(bytes(32)), Key(b"short")])
def test_unlock_wrong_master_key_is_refused(volume, key):
    with pytest.raises(UnlockRefusedError):
        open_volume(volume.read).unlock_with_master_key(key)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 1), (8191, 2), (511, 1), (3, 9000), (0x20FFFF0, 0x20), (0x20FFFFF, 0x12003), (77, 0)],
)
def test_read_any_range_equals_the_view(volume, vector_spec, offset, length):
    unlocked = open_volume(volume.read).unlock_with_master_key(vector_spec.master_key)
    cipher = SectorCipher(vector_spec.method, vector_spec.volume_key)

    def view_sector(start):
        if start < 8192:
            return CONTENT[start : start + 512]
        if 0x2100000 <= start < 0x2112000:
            return bytes(512)
        return cipher.decrypt(start, volume.read(start, 512))

    first = offset // 512 * 512
    view = b"".join(view_sector(start) for start in range(first, offset + length, 512))
    assert unlocked.read(offset, length) == view[offset - first :][:length]


def test_read_is_bounded_however_much_is_asked_for(volume, vector_spec):
    unlocked = open_volume(volume.read).unlock_with_master_key(vector_spec.master_key)
    out = bytearray(8 << 20)
    unlocked.read_into(5, out)
    assert volume.largest_read == 1 << 20
    assert out[:100] == CONTENT[5:105]


def test_pieces_are_in_order_and_as_long_as_asked(volume, vector_spec):
    unlocked = open_volume(volume.read).unlock_with_master_key(vector_spec.master_key)
    pieces = list(unlocked.pieces(100, 10_000, piece_bytes=3000))
    assert [len(piece) for piece in pieces] == [3000, 3000, 3000, 1000]
    assert b"".join(pieces) == CONTENT[100:10_100]


def test_read_outside_the_volume_is_refused(volume, vector_spec):
    unlocked = open_volume(volume.read).unlock_with_master_key(vector_spec.master_key)
    with pytest.raises(ValueError, match="not in a volume"):
        unlocked.read(64 << 20, 1)


def test_read_volume_cut_short_is_refused(volume, vector_spec):
    unlocked = open_volume(volume.read).unlock_with_master_key(vector_spec.master_key)
    volume.size_bytes = 60 << 20
    assert len(unlocked.read((60 << 20) - 100, 100)) == 100
    with pytest.raises(BitLockerFormatError, match="ends inside"):
        unlocked.read((60 << 20) - 100, 200)


@pytest.mark.parametrize("damaged", [(0,), (0, 1), (1, 2), (2,)])
def test_open_some_copies_damaged_uses_another_and_says_so(volume, vector_spec, damaged):
    for index in damaged:
        volume.write(vector_spec.layout.info_offsets[index], b"\xff" * 512)
    locked = open_volume(volume.read)
    assert [f.code for f in locked.findings] == ["metadata-copy-damaged"] * len(damaged)
    assert [f.subject for f in locked.findings] == [f"metadata copy {i + 1}" for i in damaged]
    assert locked.unlock_with_master_key(vector_spec.master_key).read(0, 512) == CONTENT[:512]


def test_open_all_copies_damaged_is_refused(volume, vector_spec):
    for offset in vector_spec.layout.info_offsets:
        volume.write(offset, bytes(512))
    with pytest.raises(BitLockerFormatError, match="none of the volume's three copies"):
        open_volume(volume.read)


def test_open_copy_of_another_place_is_not_used(volume, vector_spec):
    rewritten(volume, vector_spec, info_offsets=(0x2200000, 0x2900000, 0x3100000))
    (finding,) = open_volume(volume.read).findings
    assert "belongs elsewhere" in finding.message


def test_open_volume_cut_before_its_metadata_is_refused(volume):
    volume.size_bytes = 1 << 20
    with pytest.raises(BitLockerFormatError, match="ends inside"):
        open_volume(volume.read)


def test_open_impossible_offsets_never_reach_the_disk(volume):
    sector = bytearray(volume.read(0, 512))
    sector[0xB0:0xC8] = b"\xff" * 24
    volume.write(0, sector)
    with pytest.raises(BitLockerFormatError, match="impossible offset"):
        open_volume(volume.read)


def test_open_large_sectors_are_refused(volume):
    sector = bytearray(volume.read(0, 512))
    sector[0x0B:0x0D] = (4096).to_bytes(2, "little")
    volume.write(0, sector)
    with pytest.raises(BitLockerFormatError, match="sectors of 4096 bytes"):
        open_volume(volume.read)


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"state": VolumeState.CONVERTING}, "not fully encrypted"),
        ({"next_state": VolumeState.DECRYPTED}, "not fully encrypted"),
        ({"method": 0x8000}, "0x8000 is not known"),
        ({"method": 0x8005}, "0x8005 is not known"),
        ({"virtualized_offset": 0x2100000}, "overlap"),
        ({"virtualized_sectors": 0}, "overlap"),
        ({"encrypted_bytes": 1 << 20}, "do not lie in a volume"),
    ],
)
def test_unlock_volume_that_this_library_cannot_read_says_why(volume, vector_spec, changes, fact):
    rewritten(volume, vector_spec, **changes)
    with pytest.raises(BitLockerFormatError, match=fact):
        open_volume(volume.read).unlock_with_master_key(vector_spec.master_key)


def test_unlock_metadata_that_nobody_vouches_for_are_refused(volume, vector_spec):
    offset = vector_spec.layout.info_offsets[0]
    block = parse_metadata_block(volume.read(offset, 65536))
    metadata = attrs.evolve(block.metadata, encrypted_bytes=128 << 20)
    forged = seal_metadata(metadata, Key(b"f" * 32), block.hash_box.nonce)
    for place in vector_spec.layout.info_offsets:
        volume.write(place, render_metadata_block(forged))
    with pytest.raises(BitLockerFormatError, match="behind the volume's back"):
        open_volume(volume.read).unlock_with_master_key(vector_spec.master_key)


def test_unlock_one_forged_copy_does_not_hide_the_good_ones(volume, vector_spec):
    offset = vector_spec.layout.info_offsets[0]
    block = parse_metadata_block(volume.read(offset, 65536))
    metadata = attrs.evolve(block.metadata, encrypted_bytes=128 << 20)
    forged = seal_metadata(metadata, Key(b"f" * 32), block.hash_box.nonce)
    volume.write(offset, render_metadata_block(forged))
    unlocked = open_volume(volume.read).unlock_with_master_key(vector_spec.master_key)
    assert unlocked.size_bytes == 64 << 20
