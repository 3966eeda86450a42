import base64
import datetime as dt
import hashlib
import hmac
import os
import pathlib
import pickle
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from offlineseed.errors import PublishSettingsError
from offlineseed.publishsettings import parse_publish_settings
from offlineseed.publishsettings._certificate import KeyDerivation, read_certificate
from offlineseed.publishsettings._der import parse_elements

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "publishsettings"
ID = "db1ab6f0-4769-4b27-930e-01e2ef9c123c"


def file_with(data: bytes) -> bytes:
    certificate = base64.b64encode(data).decode()
    return (
        '<PublishData><PublishProfile PublishMethod="AzureServiceManagementAPI" '
        f'Url="https://management.core.windows.net/" ManagementCertificate="{certificate}">'
        f'<Subscription Id="{ID}" Name="A"/></PublishProfile></PublishData>'
    ).encode()


def certificate_in(data: bytes):
    return parse_publish_settings(file_with(data)).subscriptions[0].certificate


def code_of(data: bytes) -> str:
    with pytest.raises(PublishSettingsError) as caught:
        parse_publish_settings(file_with(data))
    (finding,) = caught.value.findings
    assert finding.message in str(caught.value)
    return finding.code


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def test_certificate_gives_key_certificate_and_thumbprint(bundles):
    certificate = certificate_in(bundles.packed(certificate=bundles.certificate))
    assert certificate.thumbprint == bundles.certificate.fingerprint(hashes.SHA1()).hex().upper()
    assert certificate.subject == "CN=Windows Azure Tools"
    loaded = x509.load_pem_x509_certificate(certificate.certificate_pem.encode())
    assert loaded == bundles.certificate
    key = serialization.load_pem_private_key(certificate.private_key_pem.reveal().encode(), None)
    assert key.private_numbers() == bundles.key.private_numbers()


def test_certificate_validity_is_asked_with_a_moment(bundles):
    certificate = certificate_in(bundles.packed())
    assert certificate.not_valid_before == dt.datetime(2014, 1, 1, tzinfo=dt.timezone.utc)
    assert certificate.is_valid_at(dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc))
    assert not certificate.is_valid_at(dt.datetime(2013, 12, 31, tzinfo=dt.timezone.utc))
    assert not certificate.is_valid_at(dt.datetime(2030, 1, 1, tzinfo=dt.timezone.utc))


@pytest.mark.parametrize("name", ["triple-des.p12", "modern.p12"])
def test_certificate_encrypted_with_empty_password_is_read(name):
    assert certificate_in((GOLDEN / name).read_bytes()).subject == "CN=Azure Tools"


def test_certificate_in_rc2_is_read_or_refused_by_its_name():
    data = (GOLDEN / "legacy-rc2.p12").read_bytes()
    try:
        pkcs12.load_key_and_certificates(data, None)
    except ValueError:
        assert code_of(data) == "certificate-cipher-refused"
    else:
        assert certificate_in(data).subject == "CN=Azure Tools"


def test_certificate_in_rc2_where_openssl_refuses_it_says_what_to_do():
    code = (
        "import sys\n"
        "from offlineseed.publishsettings import parse_publish_settings\n"
        "from offlineseed.errors import PublishSettingsError\n"
        "try:\n"
        "    parse_publish_settings(sys.stdin.buffer.read())\n"
        "except PublishSettingsError as error:\n"
        "    print([f.code for f in error.findings], error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=file_with((GOLDEN / "legacy-rc2.p12").read_bytes()),
        env={**os.environ, "CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1"},
        capture_output=True,
        check=True,
    )
    said = done.stdout.decode()
    assert "['certificate-cipher-refused']" in said
    assert "RC2-40 and triple DES" in said
    assert "openssl pkcs12 -legacy" in said


@pytest.mark.parametrize("pbe", pkcs12.PBES)
@pytest.mark.parametrize("mac", [hashes.SHA1, hashes.SHA256])
def test_certificate_with_a_password_is_refused(bundles, pbe, mac):
    assert code_of(bundles.encrypted(b"secret", pbe=pbe, mac=mac)) == "certificate-has-password"


def test_certificate_without_its_parts_is_refused(bundles):
    assert code_of(bundles.packed(parts=("certificate",))) == "certificate-without-key"
    assert code_of(bundles.packed(parts=("key",))) == "certificate-missing"


def integrity_of(data: bytes) -> tuple[bytes, bytes]:
    """What an unencrypted file's MAC is, and what it has to be: RFC 7292, appendix B."""
    _version, safe, mac = parse_elements(data)[0].elements
    digest_info, salt, count = mac.elements
    # The password is empty: two zero bytes, repeated to the length of a block.
    key = bytes([3]) * 64 + salt.content * (64 // len(salt.content)) + bytes(64)
    for _ in range(int.from_bytes(count.content, "big")):
        key = hashlib.sha256(key).digest()
    content = safe.elements[1].elements[0].content
    return digest_info.elements[1].content, hmac.digest(key, content, "sha256")


def test_certificate_of_another_key_is_refused(bundles):
    # The tool that packs refuses such a pair, so the certificate's bytes are exchanged.
    ours, other = (
        certificate.public_bytes(serialization.Encoding.DER)
        for certificate in (bundles.certificate, bundles.certificate_of_other_key)
    )
    assert len(ours) == len(other)
    data = bundles.packed(certificate=bundles.certificate)
    assert len(set(integrity_of(data))) == 1
    changed = data.replace(ours, other)
    assert changed != data
    assert code_of(changed.replace(*integrity_of(changed))) == "certificate-key-differs"


def test_certificate_that_is_not_rsa_is_read_with_a_warning(bundles):
    settings = parse_publish_settings(file_with(bundles.packed(key=bundles.elliptic_key)))
    assert [f.code for f in settings.findings] == ["certificate-not-rsa"]


@pytest.mark.parametrize(
    "data",
    [
        b"junk",
        b"\x30",
        b"\x30\x80",
        b"\x30\x03\x02\x01\x03",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x80" * 5000,
        b"-----BEGIN CERTIFICATE-----",
    ],
)
def test_certificate_that_is_no_pkcs12_is_refused(data):
    assert code_of(data) == "certificate-not-pkcs12"


def test_certificate_that_is_a_bare_certificate_is_refused(bundles):
    bare = bundles.certificate.public_bytes(serialization.Encoding.DER)
    assert code_of(bare) in ("certificate-unreadable", "certificate-not-pkcs12")


def test_certificate_truncated_is_refused(bundles):
    data = bundles.packed()
    for length in range(1, len(data), 97):
        assert code_of(data[:length]) == "certificate-not-pkcs12"


def test_certificate_damaged_is_refused(bundles):
    data = bytearray(bundles.packed())
    data[len(data) // 2] ^= 0xFF
    assert code_of(bytes(data)).startswith("certificate-")


def test_certificate_damaged_within_its_integrity_is_refused(bundles):
    data = bundles.packed()
    key_oid = bytes.fromhex("2a864886f70d010101")
    changed = data.replace(key_oid, bytes.fromhex("2a864886f70d0101ff"), 1)
    assert code_of(changed.replace(*integrity_of(changed))) == "certificate-unreadable"


def test_certificate_too_long_is_refused():
    assert code_of(b"\x30" * 40_000) == "certificate-too-long"


@pytest.mark.parametrize("count", [b"\x7f\xff\xff\xff", b"\x7f" * 5000])
@pytest.mark.parametrize("pieces", [False, True], ids=["der", "ber"])
def test_certificate_that_asks_for_endless_work_is_refused(count, pieces):
    data_oid = der(0x06, bytes.fromhex("2a864886f70d010701"))
    sha1 = der(0x30, der(0x06, bytes.fromhex("2b0e03021a")), b"\x05\x00")
    safe = der(0x30, data_oid, der(0xA0, der(0x04, b"\x30\x00")))
    mac = der(0x30, der(0x30, sha1, der(0x04, bytes(20))), der(0x04, bytes(8)), der(0x02, count))
    content = der(0x02, b"\x03") + safe + mac
    data = b"\x30\x80" + content + b"\0\0" if pieces else der(0x30, content)
    assert code_of(data) == "certificate-too-much-work"


def test_certificates_of_one_file_share_the_work_allowed(bundles):
    codes = []
    derivation = KeyDerivation(rounds_left=3000)

    def read(data):
        text = base64.b64encode(data).decode("ascii")
        return read_certificate(text, lambda code, _: codes.append(code), codes.append, derivation)

    assert read(bundles.encrypted()) is not None
    assert read(bundles.encrypted()) is None
    assert codes == ["certificate-too-much-work"]


def test_settings_never_show_or_pickle_the_key(bundles):
    settings = parse_publish_settings(file_with(bundles.packed()))
    key = settings.subscriptions[0].certificate.private_key_pem.reveal()
    shown = repr(settings) + str(settings) + f"{settings.subscriptions[0].certificate}"
    for line in key.splitlines()[1:-1]:
        assert line not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(settings)
