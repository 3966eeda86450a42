"""
TLS for the loopback interface, with a certificate made on the spot.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["LoopbackTls"]

_DAY = timedelta(days=1)


@final
class LoopbackTls:
    """
    A certificate for 127.0.0.1 and `localhost`, trusted by whoever is told to.

    Args:
        client_certificates: certificates in PEM that clients may prove themselves with: the
            management certificates of subscriptions, which are signed by themselves.
    """

    def __init__(self, client_certificates: Iterable[bytes | str] = ()) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="offlineseed-")
        try:
            self.certificate_file = Path(self._folder.name, "certificate.pem")
            """The certificate in PEM; a client trusts it to reach the service."""
            self.context = self._context(tuple(client_certificates))
            """What the server speaks TLS with."""
        except BaseException:
            self._folder.cleanup()
            raise

    def close(self) -> None:
        """
        Remove the certificate's file.
        """
        self._folder.cleanup()

    def _context(self, client_certificates: tuple[bytes | str, ...]) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        self.certificate_file.write_bytes(_certificate(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # The context takes keys from files only; this one is gone as soon as it is read.
        key_file = Path(self._folder.name, "key.pem")
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context.load_cert_chain(self.certificate_file, key_file)
        key_file.unlink()
        if client_certificates:
            # Asked for and checked where given; a client with a token has none.
            context.verify_mode = ssl.CERT_OPTIONAL
            for certificate in client_certificates:
                text = certificate if isinstance(certificate, str) else certificate.decode("ascii")
                context.load_verify_locations(cadata=text)
        return context


def _certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "offlineseed emulator")])
    now = datetime.now(timezone.utc)
    names = x509.SubjectAlternativeName(
        [
            x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
            x509.DNSName("localhost"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 30 * _DAY)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
