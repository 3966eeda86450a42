"""
What goes into BitLocker's structures comes out again.
"""

import itertools
import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from offlineseed.bitlocker import (
    Box,
    CipherMethod,
    Key,
    Metadata,
    Nonce,
    OpaqueDatum,
    Protector,
    RecoveryPassword,
    SectorCipher,
    StretchedKey,
    Text,
    Virtualization,
    VirtualizationExtension,
    parse_metadata_block,
    plan_layout,
    render_metadata_block,
    seal_metadata,
)

U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, (1 << 32) - 1)
U64 = st.integers(0, (1 << 64) - 1)
NONCES = st.builds(Nonce, time=U64, counter=U32)
TEXTS = st.builds(Text, role=U16, text=st.text(max_size=20), flags=U16)
BOXES = st.builds(
    Box,
    role=U16,
    nonce=NONCES,
    tag=st.binary(min_size=16, max_size=16),
    ciphertext=st.binary(min_size=1, max_size=80),
    flags=U16,
)
OPAQUE = st.builds(
    OpaqueDatum,
    role=U16,
    kind=U16.filter(lambda kind: kind not in {2, 3, 5, 8, 15}),
    flags=U16,
    body=st.binary(max_size=40),
)
STRETCHED = st.builds(
    StretchedKey,
    role=U16,
    method=U16,
    reserved=U16,
    salt=st.binary(min_size=16, max_size=16),
    datums=st.lists(BOXES | OPAQUE, max_size=3),
    flags=U16,
)
PROTECTORS = st.builds(
    Protector,
    role=U16,
    guid=st.uuids(),
    changed=U64,
    reserved=U16,
    kind=U16,
    datums=st.lists(TEXTS | BOXES | STRETCHED | OPAQUE, max_size=4),
    flags=U16,
)
VIRTUALIZATIONS = st.builds(
    Virtualization,
    role=U16,
    offset=U64,
    length=U64,
    extension=st.none()
    | st.builds(VirtualizationExtension, settings=U64, region_offset=U64, reserved=U32),
    flags=U16,
)
METADATA = st.builds(
    Metadata,
    state=U16,
    next_state=U16,
    encrypted_bytes=U64,
    conversion_bytes=U32,
    virtualized_sectors=U32,
    info_offsets=st.tuples(U64, U64, U64),
    virtualized_offset=U64,
    volume_guid=st.builds(uuid.UUID, int=st.integers(0, (1 << 128) - 1)),
    next_counter=U32,
    method=U16,
    previous_method=U16,
    created=U64,
    datums=st.lists(TEXTS | BOXES | PROTECTORS | VIRTUALIZATIONS | OPAQUE, max_size=6),
)
MASTER_KEY = Key(bytes(32))


@given(st.binary(min_size=16, max_size=16))
def test_recovery_password_revealed_parses_to_itself(key):
    password = RecoveryPassword(key)
    assert RecoveryPassword.parse(password.reveal()).key_bytes() == key


@given(METADATA, NONCES)
def test_metadata_rendered_parse_to_themselves(metadata, nonce):
    block = seal_metadata(metadata, MASTER_KEY, nonce)
    again = parse_metadata_block(render_metadata_block(block))
    assert again == block
    assert again.is_vouched_for(MASTER_KEY)


@given(
    st.sampled_from(list(CipherMethod)),
    st.integers(0, 1 << 44),
    st.lists(st.integers(0, 255), max_size=6).map(lambda fill: bytes(fill) * 512),
    st.integers(0, 6),
)
@settings(deadline=None)
def test_cipher_any_split_gives_the_same_with_and_without_numpy(method, sector, data, cut):
    key = Key(bytes(range(method.key_bytes)))
    fast = SectorCipher(method, key, vectorized=True)
    plain = SectorCipher(method, key, vectorized=False)
    offset, middle = sector * 512, min(cut * 512, len(data))
    sealed = fast.encrypt(offset, data)
    assert sealed == plain.encrypt(offset, data[:middle]) + plain.encrypt(
        offset + middle, data[middle:]
    )
    assert fast.decrypt(offset, sealed) == plain.decrypt(offset, sealed) == data


@given(
    st.integers(64 << 11, 16 << 31).map(lambda sectors: sectors * 512),
    st.integers(0, 1 << 50),
    st.integers(0, 1 << 30),
)
def test_view_pieces_cover_any_range_once(volume_bytes, start, length):
    view_map = plan_layout(volume_bytes).view_map
    start %= volume_bytes
    length = min(length, volume_bytes - start)
    position = start
    stored_ranges = []
    for piece in view_map.pieces(start, length):
        assert piece.offset == position
        assert piece.length > 0
        position += piece.length
        if piece.stored_offset is not None:
            stored_ranges.append((piece.stored_offset, piece.stored_offset + piece.length))
    assert position == start + length
    stored_ranges.sort()
    for (_, end), (begin, _) in itertools.pairwise(stored_ranges):
        assert end <= begin
    for begin, end in stored_ranges:
        assert 8192 <= begin < end <= volume_bytes
        for info in view_map.info_offsets:
            assert end <= info or begin >= info + 65536
