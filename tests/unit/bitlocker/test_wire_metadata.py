"""
The metadata block: Windows' own, bit for bit, and what is wrong with damaged ones.
"""

import hashlib
import struct
import zlib

import attrs
import pytest

from offlineseed.bitlocker import (
    METADATA_BYTES,
    Box,
    Key,
    Nonce,
    OpaqueDatum,
    Protector,
    ProtectorKind,
    StretchedKey,
    Text,
    open_box,
    open_volume,
    parse_metadata_block,
    render_metadata_block,
    seal_box,
    seal_metadata,
    stretch_passphrase,
    stretch_recovery_password,
)
from offlineseed.errors import BitLockerFormatError


def resealed(datum, keys):
    """
    Open every box with one of the keys and seal its content anew, with the same nonce.
    """
    if isinstance(datum, Box):
        for key in keys:
            content = open_box(datum, key)
            if content is not None:
                return seal_box(content, key, datum.nonce, role=datum.role)
        raise AssertionError(f"no key opens {datum}")
    if isinstance(datum, StretchedKey | Protector):
        return attrs.evolve(datum, datums=[resealed(inner, keys) for inner in datum.datums])
    return datum


def test_windows_block_rebuilt_from_opened_values_is_the_same(windows_volume):
    locked = open_volume(windows_volume.read)
    offset = locked.metadata.info_offsets[0]
    data = windows_volume.read(offset, METADATA_BYTES)
    block = parse_metadata_block(data)
    keys = []
    for protector in block.metadata.datums:
        if isinstance(protector, Protector):
            (salt,) = (d.salt for d in protector.datums if isinstance(d, StretchedKey))
            if protector.kind == ProtectorKind.RECOVERY_PASSWORD:
                keys.append(stretch_recovery_password(windows_volume.recovery_password, salt))
                (box,) = (d for d in protector.datums if isinstance(d, Box))
                master_key = open_box(box, keys[-1]).key
            else:
                keys.append(stretch_passphrase(windows_volume.facts["pw"], salt))
    metadata = attrs.evolve(
        block.metadata,
        datums=[resealed(datum, [*keys, master_key]) for datum in block.metadata.datums],
    )
    assert block.is_vouched_for(master_key)
    again = seal_metadata(metadata, master_key, block.hash_box.nonce)
    assert render_metadata_block(again) == data


def test_windows_block_next_counter_follows_the_validation(windows_volume):
    locked = open_volume(windows_volume.read)
    data = windows_volume.read(locked.boot_sector.info_offsets[2], METADATA_BYTES)
    block = parse_metadata_block(data)
    assert block.metadata.next_counter == block.hash_box.nonce.counter + 1


def test_unknown_datums_survive_in_their_places(vector_spec, vector_volume):
    block = parse_metadata_block(vector_volume.structures[-1].data)
    strange = OpaqueDatum(role=77, kind=4711, flags=5, body=b"from a later Windows")
    metadata = attrs.evolve(block.metadata, datums=[strange, *block.metadata.datums, strange])
    sealed = seal_metadata(metadata, vector_spec.master_key, Nonce(time=1, counter=99))
    again = parse_metadata_block(render_metadata_block(sealed))
    assert again == sealed
    assert again.metadata.datums[0] == again.metadata.datums[-1] == strange
    assert again.is_vouched_for(vector_spec.master_key)


def test_is_vouched_for_other_key_or_other_body_is_false(vector_spec, vector_volume):
    block = parse_metadata_block(vector_volume.structures[-1].data)
    assert block.is_vouched_for(vector_spec.master_key)
    assert not block.is_vouched_for(Key(bytes(32)))
    body = bytearray(block.body)
    body[16] ^= 1
    assert not attrs.evolve(block, body=bytes(body)).is_vouched_for(vector_spec.master_key)


def with_body_change(data, offset, change):
    """
    Change the body of a block and correct its checksum, so that only the change is wrong.
    """
    changed = bytearray(data)
    changed[offset : offset + len(change)] = change
    length = int.from_bytes(data[8:10], "little") * 16
    struct.pack_into("<I", changed, length + 4, zlib.crc32(changed[:length]))
    return bytes(changed)


@pytest.mark.parametrize(
    ("offset", "change", "fact"),
    [
        (0, b"X", "signature"),
        (10, b"\1\0", "version 1"),
        (64, b"\xff\xff\0\0", "unknown form"),
        (68, b"\2", "unknown form"),
        (72, b"\x20", "unknown form"),
        (112, b"\7\0", "impossible size"),
    ],
)
def test_parse_wrong_header_is_refused(vector_volume, offset, change, fact):
    data = with_body_change(vector_volume.structures[-1].data, offset, change)
    with pytest.raises(BitLockerFormatError, match=fact):
        parse_metadata_block(data)


def test_parse_dataset_longer_than_the_block_is_refused(vector_volume):
    size = (0x10000).to_bytes(4, "little")
    data = with_body_change(vector_volume.structures[-1].data, 64, size)
    data = with_body_change(data, 76, size)
    with pytest.raises(BitLockerFormatError, match="65536 bytes long"):
        parse_metadata_block(data)


@pytest.mark.parametrize("length", [0, 1, 6, 0xFFFF])
def test_parse_impossible_length_is_refused(vector_volume, length):
    data = bytearray(vector_volume.structures[-1].data)
    data[8:10] = length.to_bytes(2, "little")
    with pytest.raises(BitLockerFormatError, match="says that it is"):
        parse_metadata_block(bytes(data))


@pytest.mark.parametrize("offset", [16, 0x100, 0x29F])
def test_parse_one_bit_changed_in_the_body_is_refused(vector_volume, offset):
    data = bytearray(vector_volume.structures[-1].data)
    data[offset] ^= 1
    with pytest.raises(BitLockerFormatError, match="checksum"):
        parse_metadata_block(bytes(data))


def test_parse_without_validation_is_refused(vector_volume):
    data = bytearray(vector_volume.structures[-1].data)
    data[0x2A0:0x2A2] = bytes(2)
    with pytest.raises(BitLockerFormatError, match="no validation"):
        parse_metadata_block(bytes(data))


def test_parse_without_sealed_hash_is_refused(vector_volume):
    data = bytearray(vector_volume.structures[-1].data)
    data[0x2A8 + 4] = 2
    with pytest.raises(BitLockerFormatError, match="no sealed hash"):
        parse_metadata_block(bytes(data))


@pytest.mark.parametrize("length", [0, 512, METADATA_BYTES - 1, METADATA_BYTES + 1])
def test_parse_wrong_amount_of_bytes_is_refused(length):
    with pytest.raises(BitLockerFormatError, match="bytes long"):
        parse_metadata_block(bytes(length))


def test_seal_metadata_that_do_not_fit_is_refused(vector_spec, vector_volume):
    block = parse_metadata_block(vector_volume.structures[-1].data)
    text = Text(role=7, text="x" * 20000)
    metadata = attrs.evolve(block.metadata, datums=[text, text])
    with pytest.raises(BitLockerFormatError, match="do not fit"):
        seal_metadata(metadata, vector_spec.master_key, Nonce(time=1, counter=1))
    # The body fits, and the validation structure after it does not.
    metadata = attrs.evolve(block.metadata, datums=[Text(role=7, text="x" * 32696)])
    sealed = seal_metadata(metadata, vector_spec.master_key, Nonce(time=1, counter=1))
    with pytest.raises(BitLockerFormatError, match="do not fit"):
        render_metadata_block(sealed)


def test_published_vector_body_and_block_match(vector_volume):
    data = vector_volume.structures[-1].data
    block = parse_metadata_block(data)
    assert len(block.body) == 0x2A0
    assert (
        hashlib.sha256(block.body).hexdigest()
        == "89e45feaf6a6141252314e5afd0ff8e2f730cc557b57a0e7eb5c99699e380c5a"
    )
    assert data[0x2A0:0x2A8].hex() == "60fd02004c155146"
    assert (
        hashlib.sha256(data).hexdigest()
        == "fc7be1fb9b6fc6fb63dba1ebd738c27011eb0478fe71df61a76b3af15f125481"
    )
