"""
The management certificate inside a publish settings file.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Callable
from typing import Any, final

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from offlineseed._secret import Secret
from offlineseed.publishsettings._pkcs12 import read_pkcs12_facts

__all__ = ["KeyDerivation", "ManagementCertificate", "read_certificate"]

_MAXIMUM_PKCS12_BYTES = 32 * 1024
_MAXIMUM_ROUNDS = 1_000_000
_CONVERT = "convert it with `openssl pkcs12 -legacy`, or let OpenSSL load its legacy provider"


@final
@attrs.frozen(kw_only=True)
class ManagementCertificate:
    """
    A client certificate for the classic Service Management API, with its private key.
    """

    certificate_pem: str = attrs.field(repr=False)
    """The certificate, PEM."""
    private_key_pem: Secret
    """The private key, PKCS#8 PEM, unencrypted: it never belongs in a log or an error."""
    thumbprint: str
    """SHA-1 of the certificate, hex, upper case: how Azure lists it."""
    subject: str
    """Whom it names, RFC 4514."""
    not_valid_before: dt.datetime
    """When it becomes valid, UTC."""
    not_valid_after: dt.datetime
    """When it expires, UTC."""

    def is_valid_at(self, moment: dt.datetime) -> bool:
        """
        Whether that moment, an aware time, is within the certificate's validity.
        """
        return self.not_valid_before <= moment <= self.not_valid_after


@final
@attrs.define
class KeyDerivation:
    """
    The work that the certificates of one file may ask for, all together.
    """

    rounds_left: int = _MAXIMUM_ROUNDS
    """Rounds of key derivation that are left; each PKCS#12 file takes its own work factor."""


def read_certificate(
    text: str,
    found: Callable[[str, str], object],
    warned: Callable[[str, str], object],
    derivation: KeyDerivation,
) -> ManagementCertificate | None:
    """
    Read a base64 PKCS#12 file with an empty password.

    What is wrong goes to `found(code, message)` and gives None; what is odd goes to `warned`. No
    message has anything of the file's content.
    """
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        found("certificate-not-base64", "the management certificate is not Base64: it was cut off")
        return None
    if len(data) > _MAXIMUM_PKCS12_BYTES:
        found(
            "certificate-too-long",
            f"the management certificate has {len(data)} bytes, "
            f"more than {_MAXIMUM_PKCS12_BYTES} are not read",
        )
        return None
    bundle = _bundle(data, found, derivation)
    if bundle is None:
        return None
    key, certificate, others = bundle
    if key is None:
        found("certificate-without-key", "the management certificate has no private key")
        return None
    if certificate is None and others:
        found("certificate-key-differs", "the private key is not that of the certificate")
        return None
    if certificate is None:
        found("certificate-missing", "the PKCS#12 file has a private key but no certificate")
        return None
    if not isinstance(key, rsa.RSAPrivateKey):
        warned("certificate-not-rsa", "the private key is not RSA: the classic API takes RSA only")
    try:
        return _certificate(key, certificate)
    except Exception:  # noqa: BLE001  # a certificate's parts are read, and refused, when asked for
        found("certificate-unreadable", "the certificate itself is damaged: download it again")
        return None


def _certificate(key: Any, certificate: x509.Certificate) -> ManagementCertificate:
    return ManagementCertificate(
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        private_key_pem=Secret(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode("ascii")
        ),
        thumbprint=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303  # Azure's id
        subject=certificate.subject.rfc4514_string(),
        not_valid_before=certificate.not_valid_before_utc,
        not_valid_after=certificate.not_valid_after_utc,
    )


def _bundle(
    data: bytes, found: Callable[[str, str], object], derivation: KeyDerivation
) -> tuple[Any, x509.Certificate | None, list[x509.Certificate]] | None:
    try:
        facts = read_pkcs12_facts(data, maximum_iterations=derivation.rounds_left)
    except ValueError:
        found(
            "certificate-not-pkcs12",
            "the management certificate is no PKCS#12 file: download the file again",
        )
        return None
    if facts.iterations > derivation.rounds_left:
        found(
            "certificate-too-much-work",
            f"the management certificate asks for {facts.iterations} rounds of key derivation, "
            f"more than {_MAXIMUM_ROUNDS} are not done for one file",
        )
        return None
    derivation.rounds_left -= facts.iterations
    try:
        return pkcs12.load_key_and_certificates(data, None)
    except Exception:  # noqa: BLE001  # damaged certificates raise errors of many kinds here
        # The reason that OpenSSL gives is the same for a password, damage and a refused cipher.
        ciphers = " and ".join(facts.ciphers) or "an unknown cipher"
        if facts.has_empty_password and not facts.ciphers:
            found(
                "certificate-unreadable",
                "the management certificate is damaged: download the file again",
            )
        elif facts.has_empty_password:
            found(
                "certificate-cipher-refused",
                f"the management certificate is encrypted with {ciphers}, which OpenSSL here "
                f"refuses, or is damaged: {_CONVERT}",
            )
        elif facts.has_empty_password is None:
            found(
                "certificate-unreadable",
                f"the management certificate can't be opened with an empty password; it is "
                f"encrypted with {ciphers}. If OpenSSL refuses that, {_CONVERT}",
            )
        else:
            found(
                "certificate-has-password",
                "the management certificate has a password or is damaged; one from the portal has "
                "an empty password: download the file again",
            )
        return None
