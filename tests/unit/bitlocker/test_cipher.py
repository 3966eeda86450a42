"""
Sector ciphers: published vectors, and each way against AES by the sector.
"""

import concurrent.futures
import hashlib
import random
import sys

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from offlineseed.bitlocker import CipherMethod, Key, SectorCipher

METHODS = list(CipherMethod)
VECTORS = {
    CipherMethod.XTS_128: (
        "5688ebff16f23280f621ace2c52689b9",
        "f6c5f395bb6eb103569387dff63beb04",
        "932a2e196fd85db2881d8cb4cc2b2c73d0722c5ee5fdcfd2d585a69dd97e6b99",
    ),
    CipherMethod.XTS_256: (
        "e64d0c1ba379eaebfceb3d7f733cfead",
        "7d292453a6b3ceb7a7e3db3a4f977759",
        "3c2b34e992a319b79bcb20f6c7ba19a4e29c807fa0119a412da4fc5eec28d795",
    ),
    CipherMethod.CBC_128: (
        "b34fd107876a9a8a75e99cbb98969f9f",
        "1219c12201211ed9dec174cb2c5c858d",
        "1c6fcb1d3cce7d2fa1cf42968002f21216694c81b42cb763a63af84535f448ef",
    ),
    CipherMethod.CBC_256: (
        "5ffe6f371788a46ce39d3afcc727bf20",
        "172e90808a5e55cad161b1f66e1f3b13",
        "0269c8b2959cb7b19376fd3359922545f4d0a0878c2cd436d06a5aba6dd03705",
    ),
}


def key_of(method):
    return Key(bytes(range(0x20, 0x20 + method.key_bytes)))


@pytest.fixture(params=METHODS, ids=lambda method: method.name)
def method(request):
    return request.param


@pytest.fixture(params=[True, False], ids=["with numpy", "without numpy"])
def cipher(request, method):
    if request.param:
        pytest.importorskip("numpy")
    return SectorCipher(method, key_of(method), vectorized=request.param)


def by_the_sector(method, offset, data):
    key = key_of(method).reveal()
    sealed = []
    for start in range(0, len(data), 512):
        if method in (CipherMethod.XTS_128, CipherMethod.XTS_256):
            mode = modes.XTS(((offset + start) // 512).to_bytes(16, "little"))
        else:
            ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
            mode = modes.CBC(ecb.update((offset + start).to_bytes(16, "little")))
        encryptor = Cipher(algorithms.AES(key), mode).encryptor()
        sealed.append(encryptor.update(data[start : start + 512]))
    return b"".join(sealed)


def test_encrypt_published_vectors_match(cipher):
    first, second, digest = VECTORS[cipher.method]
    sealed = cipher.encrypt(0x2110000, bytes(range(256)) * 4)
    assert sealed[:16].hex() == first
    assert sealed[512:528].hex() == second
    assert hashlib.sha256(sealed).hexdigest() == digest


@pytest.mark.parametrize("sectors", [0, 1, 2, 255, 256, 257, 511, 512, 513, 2049, 2100])
def test_encrypt_any_length_equals_aes_by_the_sector(cipher, sectors):
    data = random.Random(sectors).randbytes(sectors * 512)
    sealed = cipher.encrypt(0x2110000, data)
    assert sealed == by_the_sector(cipher.method, 0x2110000, data)
    assert cipher.decrypt(0x2110000, sealed) == data


@pytest.mark.parametrize(
    "sector", [0, 1, (1 << 23) - 1, (1 << 32) - 2, (1 << 33) - 1, (1 << 40) - 1, (1 << 53) - 2]
)
def test_encrypt_any_place_equals_aes_by_the_sector(cipher, sector):
    data = random.Random(sector).randbytes(4 * 512)
    sealed = cipher.encrypt(sector * 512, data)
    assert sealed == by_the_sector(cipher.method, sector * 512, data)
    assert cipher.decrypt(sector * 512, sealed) == data


def test_encrypt_into_in_place_gives_the_same(cipher):
    data = random.Random(1).randbytes(700 * 512)
    buffer = bytearray(data)
    cipher.encrypt_into(1024, buffer, buffer)
    assert buffer == by_the_sector(cipher.method, 1024, data)
    cipher.decrypt_into(1024, buffer, buffer)
    assert buffer == data


def test_encrypt_into_unaligned_views_gives_the_same(cipher):
    data = random.Random(2).randbytes(3 * 512)
    room = bytearray(3 * 512 + 8)
    cipher.encrypt_into(512, memoryview(b"abc" + data)[3:], memoryview(room)[5:-3])
    assert room[5:-3] == by_the_sector(cipher.method, 512, data)
    assert room[:5] + room[-3:] == bytes(8)


def test_calls_from_several_threads_do_not_disturb_each_other(cipher):
    data = random.Random(3).randbytes(300 * 512)
    expected = by_the_sector(cipher.method, 0, data)

    def work(_):
        sealed = cipher.encrypt(0, data)
        return sealed == expected and cipher.decrypt(0, sealed) == data

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(24)))


@pytest.mark.parametrize(
    ("offset", "length"), [(1, 512), (-512, 512), (0, 511)], ids=["offset", "negative", "length"]
)
def test_encrypt_not_whole_sectors_is_refused(cipher, offset, length):
    with pytest.raises(ValueError, match="whole sectors"):
        cipher.encrypt(offset, bytes(length))


def test_encrypt_into_wrong_buffer_is_refused(cipher):
    with pytest.raises(ValueError, match="do not go into"):
        cipher.encrypt_into(0, bytes(512), bytearray(1024))
    with pytest.raises(ValueError, match="read-only"):
        cipher.decrypt_into(0, bytes(512), bytes(512))


def test_constructor_wrong_key_length_is_refused(method):
    with pytest.raises(ValueError, match="a key of"):
        SectorCipher(method, Key(bytes(7)))


def test_constructor_by_default_uses_numpy_where_it_is_installed(monkeypatch):
    pytest.importorskip("numpy")
    key = key_of(CipherMethod.XTS_128)
    assert SectorCipher(CipherMethod.XTS_128, key).is_vectorized
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "offlineseed.bitlocker._cipher_numpy", raising=False)
    assert not SectorCipher(CipherMethod.XTS_128, key).is_vectorized
    with pytest.raises(ImportError):
        SectorCipher(CipherMethod.XTS_128, key, vectorized=True)
