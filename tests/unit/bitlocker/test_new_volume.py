"""
New volumes: the published vector's bytes, and where encrypted bytes go.
"""

import calendar
import datetime as dt
import hashlib

import attrs
import pytest

from offlineseed.bitlocker import (
    Box,
    CipherMethod,
    RecoveryPassword,
    SectorCipher,
    VolumeSpec,
    encrypt_volume,
    open_volume,
    parse_metadata_block,
    plan_layout,
    resume_volume,
)
from offlineseed.errors import BitLockerFormatError, UnlockRefusedError

NOW = dt.datetime(2026, 11, 22, 12, 30, 15, 123456, tzinfo=dt.timezone.utc)


def spec_of(method=CipherMethod.XTS_128, volume_bytes=64 << 20):
    layout = plan_layout(volume_bytes)
    return VolumeSpec.generate(layout, description="H D 1/1/2026", created=NOW, method=method)


def test_encrypt_volume_published_vector_matches(vector_volume):
    _, third, second, first = vector_volume.structures
    assert (third.offset, second.offset, first.offset) == (0x3100000, 0x2900000, 0x2100000)
    for copy in (third, second, first):
        assert (
            hashlib.sha256(copy.data).hexdigest()
            == "fc7be1fb9b6fc6fb63dba1ebd738c27011eb0478fe71df61a76b3af15f125481"
        )
    assert vector_volume.boot_sector.offset == 0
    assert (
        hashlib.sha256(vector_volume.boot_sector.data).hexdigest()
        == "0fc02e534b66445ee5aa19f394b658e78396e184423771f97ca67cbd24b588b1"
    )


def test_encrypt_volume_overwrites_the_rest_of_the_moved_sectors(vector_volume):
    rest = vector_volume.structures[0]
    assert (rest.offset, len(rest.data)) == (512, 8192 - 512)
    assert len(set(rest.data)) == 256


@pytest.mark.parametrize("method", list(CipherMethod), ids=lambda method: method.name)
def test_encrypt_volume_every_method_opens_again(method, vector_password, store):
    spec = spec_of(method)
    data = bytes(range(256)) * 64
    sparse = store(encrypt_volume(spec, vector_password), [(0, data)])
    unlocked = open_volume(sparse.read).unlock_with_master_key(spec.master_key)
    assert unlocked.metadata.method == method
    assert unlocked.read(0, len(data)) == data


def test_encrypt_volume_times_are_as_fine_as_windows_writes_them(vector_password):
    volume = encrypt_volume(spec_of(), vector_password)
    block = parse_metadata_block(volume.structures[-1].data)
    second = calendar.timegm(NOW.timetuple()) * 10_000_000 + 116444736000000000
    assert block.metadata.created == second + 1_234_560
    assert block.hash_box.nonce.time == second + 1_230_000


def test_encrypt_volume_every_nonce_is_used_once(vector_volume):
    block = parse_metadata_block(vector_volume.structures[-1].data)

    def counters(datums):
        for datum in datums:
            if isinstance(datum, Box):
                yield datum.nonce.counter
            yield from counters(getattr(datum, "datums", ()))

    used = [*counters(block.metadata.datums), block.hash_box.nonce.counter]
    assert used == [2, 3, 4, 5, 6]
    assert block.metadata.next_counter == 7


def test_encrypt_volume_description_too_long_is_refused(vector_spec, vector_password):
    spec = attrs.evolve(vector_spec, description="x" * 32800)
    with pytest.raises(BitLockerFormatError, match="does not fit"):
        encrypt_volume(spec, vector_password)


@pytest.mark.parametrize(
    "created",
    [NOW.replace(tzinfo=None), dt.datetime(1600, 1, 1, tzinfo=dt.timezone.utc)],
    ids=["naive", "before FILETIME"],
)
def test_encrypt_volume_impossible_time_is_refused(vector_spec, vector_password, created):
    with pytest.raises(BitLockerFormatError, match="aware time"):
        encrypt_volume(attrs.evolve(vector_spec, created=created), vector_password)


def test_generate_draws_everything_anew_from_the_given_bytes():
    asked = []

    def random_bytes(count):
        asked.append(count)
        return bytes([len(asked)]) * count

    spec = VolumeSpec.generate(
        plan_layout(64 << 20),
        description="",
        created=NOW,
        method=CipherMethod.XTS_256,
        random_bytes=random_bytes,
    )
    assert asked == [16, 16, 32, 64, 16]
    assert spec.volume_guid.version == 4
    assert spec.volume_key.reveal() == b"\4" * 64
    assert spec_of().master_key != spec_of().master_key


def test_spec_shows_no_keys(vector_spec):
    shown = repr(vector_spec)
    assert vector_spec.volume_key.reveal().hex() not in shown
    assert repr(vector_spec.volume_key.reveal())[2:-1] not in shown


def test_encrypt_ordinary_range_is_one_piece_in_place(vector_volume, vector_spec):
    data = bytes(range(256)) * 8
    (piece,) = vector_volume.encrypt(1 << 20, data)
    cipher = SectorCipher(vector_spec.method, vector_spec.volume_key)
    assert piece.offset == 1 << 20
    assert bytes(piece.data) == cipher.encrypt(1 << 20, data)


def test_encrypt_beginning_goes_to_the_virtualised_block(vector_volume, vector_spec):
    data = bytes(range(256)) * 64
    moved, rest = vector_volume.encrypt(0, data)
    cipher = SectorCipher(vector_spec.method, vector_spec.volume_key)
    assert (moved.offset, rest.offset) == (0x2110000, 8192)
    assert bytes(moved.data) == cipher.encrypt(0x2110000, data[:8192])
    assert bytes(rest.data) == cipher.encrypt(8192, data[8192:])


def test_encrypt_zeros_over_structures_go_nowhere(vector_volume):
    assert vector_volume.encrypt(0x2100000, bytes(0x12000)) == ()


def test_encrypt_data_over_structures_are_refused(vector_volume):
    with pytest.raises(ValueError, match="reserve their extents"):
        vector_volume.encrypt(0x2100000 - 512, bytes(512) + b"x" * 512)


def test_encrypt_into_a_reused_buffer_refers_to_it(vector_volume):
    buffer = bytearray(b"p" * 1024)
    room = bytearray(4096)
    (piece,) = vector_volume.encrypt(4 << 20, buffer, out=room)
    assert room[:1024] == piece.data
    assert room[1024:] == bytes(3072)
    (again,) = vector_volume.encrypt(4 << 20, buffer, out=buffer)
    assert again.data == piece.data == buffer


@pytest.mark.parametrize(("offset", "length"), [(1, 512), (512, 100), (64 << 20, 512)])
def test_encrypt_impossible_range_is_refused(vector_volume, offset, length):
    with pytest.raises(ValueError, match=r"not whole sectors|not in a volume"):
        vector_volume.encrypt(offset, bytes(length))


@pytest.fixture
def begun(vector_volume, store):
    volume = store(vector_volume, [(0, b"N" * 8192)])
    volume.write(0, bytes(512))
    return volume


def test_resume_volume_without_boot_sector_goes_on_with_the_same_bytes(
    begun, vector_volume, vector_spec, vector_password
):
    with pytest.raises(BitLockerFormatError):
        open_volume(begun.read)
    resumed = resume_volume(begun.read, vector_spec.layout, recovery_password=vector_password)
    assert resumed.structures == vector_volume.structures
    assert resumed.boot_sector == vector_volume.boot_sector
    assert resumed.encrypt(1 << 20, bytes(512)) == vector_volume.encrypt(1 << 20, bytes(512))


def test_resume_volume_one_copy_of_the_metadata_is_enough(
    begun, vector_volume, vector_spec, vector_password
):
    begun.write(0x3100000, bytes(65536))
    begun.write(0x2100000, bytes(65536))
    resumed = resume_volume(begun.read, vector_spec.layout, recovery_password=vector_password)
    assert resumed.structures == vector_volume.structures


def test_resume_volume_never_begun_is_refused(vector_volume, vector_password):
    with pytest.raises(BitLockerFormatError, match="none of the volume's three copies"):
        resume_volume(
            lambda _offset, length: bytes(length),
            vector_volume.layout,
            recovery_password=vector_password,
        )


def test_resume_volume_other_password_is_refused(begun, vector_spec):
    with pytest.raises(UnlockRefusedError):
        resume_volume(begun.read, vector_spec.layout, recovery_password=RecoveryPassword(bytes(16)))


def test_resume_volume_other_layout_is_refused(begun, vector_spec, vector_password):
    layout = attrs.evolve(vector_spec.layout, volume_bytes=65 << 20)
    with pytest.raises(BitLockerFormatError, match="another layout"):
        resume_volume(begun.read, layout, recovery_password=vector_password)
