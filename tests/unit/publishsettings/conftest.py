import base64
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

START = dt.datetime(2014, 1, 1, tzinfo=dt.timezone.utc)


def certificate_of(key, name="Windows Azure Tools"):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(START)
        .not_valid_after(START + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )


class Bundles:
    """
    Makes PKCS#12 files in every shape, with two RSA keys for the whole session.
    """

    def __init__(self):
        self.key = rsa.generate_private_key(65537, 2048)
        self.other_key = rsa.generate_private_key(65537, 2048)
        self.elliptic_key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = certificate_of(self.key)
        self.certificate_of_other_key = certificate_of(self.other_key)

    def packed(
        self, *, key=None, certificate=None, encryption=None, parts=("key", "certificate")
    ) -> bytes:
        key = key or self.key
        return pkcs12.serialize_key_and_certificates(
            None,
            key if "key" in parts else None,
            (certificate or certificate_of(key)) if "certificate" in parts else None,
            None,
            encryption or serialization.NoEncryption(),
        )

    def encrypted(
        self, password=b"\0", *, pbe=pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC, mac=hashes.SHA1
    ) -> bytes:
        builder = serialization.PrivateFormat.PKCS12.encryption_builder()
        encryption = (
            builder.kdf_rounds(2000).key_cert_algorithm(pbe).hmac_hash(mac()).build(password)
        )
        return self.packed(encryption=encryption)

    def base64(self, data=None) -> str:
        return base64.b64encode(self.packed() if data is None else data).decode("ascii")


@pytest.fixture(scope="session")
def bundles() -> Bundles:
    return Bundles()
