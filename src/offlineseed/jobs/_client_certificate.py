"""
A TLS client certificate, and a transport that shows it.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import secrets
import ssl
import tempfile
from typing import Any, final

import requests
import requests.adapters
from azure.core.pipeline.transport import RequestsTransport
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from offlineseed._secret import Secret
from offlineseed.errors import PublishSettingsError

__all__ = ["ClientCertificate", "certificate_transport"]


@final
class ClientCertificate:
    """
    A certificate and its private key, in memory: the management certificate of a subscription.

    Never shows the key: not when it is printed, nor in an error; refuses to be pickled.
    """

    __slots__ = ("_certificate", "_key")

    def __init__(self, certificate: x509.Certificate, private_key: PrivateKeyTypes) -> None:
        self._certificate = certificate
        self._key = private_key

    @classmethod
    def from_pkcs12(cls, data: bytes, password: Secret | None = None) -> ClientCertificate:
        """
        Read a PKCS#12 file; without a password, an empty one.

        Raises:
            PublishSettingsError: it can't be opened, or lacks the key or the certificate.
        """
        secret = password.reveal().encode() if password else b""
        try:
            key, certificate, _ = load_key_and_certificates(data, secret)
        except ValueError:
            raise PublishSettingsError(
                "the management certificate can't be opened: check that the file is whole and its "
                "password is right"
            ) from None
        if key is None or certificate is None:
            raise PublishSettingsError(
                "the management certificate lacks its private key or the certificate itself: get "
                "the publish settings file anew"
            )
        return cls(certificate, key)

    @classmethod
    def from_pem(cls, certificate: bytes, private_key: bytes) -> ClientCertificate:
        """
        Read a certificate and an unencrypted private key in PEM.

        Raises:
            PublishSettingsError: one of them can't be read.
        """
        try:
            return cls(
                x509.load_pem_x509_certificate(certificate),
                load_pem_private_key(private_key, password=None),
            )
        except (ValueError, TypeError):
            raise PublishSettingsError(
                "the management certificate or its private key is no readable PEM"
            ) from None

    @property
    def thumbprint(self) -> str:
        """
        The certificate's SHA-1, as the portal shows it.
        """
        return hashlib.sha1(self._certificate.public_bytes(Encoding.DER)).hexdigest().upper()

    def load_into(self, context: ssl.SSLContext) -> None:
        """
        Let a TLS context show this certificate.

        OpenSSL's Python face reads files only. The file is private to the user, its key is
        encrypted under a password that is thrown away, and it is gone when this returns.

        Raises:
            OSError: the temporary file can't be written.
        """
        password = secrets.token_hex(32)
        pem = self._key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode())
        ) + self._certificate.public_bytes(Encoding.PEM)
        handle, name = tempfile.mkstemp(suffix=".pem")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(pem)
            context.load_cert_chain(name, password=password)
        finally:
            pathlib.Path(name).unlink(missing_ok=True)

    def __repr__(self) -> str:
        return f"ClientCertificate({self.thumbprint})"

    def __reduce__(self) -> Any:
        raise TypeError("a ClientCertificate is not pickled: read its file where it is needed")


def certificate_transport(certificate: ClientCertificate, **options: Any) -> RequestsTransport:
    """
    Return azure-core's transport, showing a client certificate to every https host.

    `options` are the transport's; `connection_verify` may name a file of trusted authorities.
    """
    session = requests.Session()
    session.trust_env = bool(options.pop("use_env_settings", True))
    session.mount("https://", _CertificateAdapter(certificate))
    return RequestsTransport(session=session, use_env_settings=session.trust_env, **options)


class _CertificateAdapter(requests.adapters.HTTPAdapter):
    def __init__(self, certificate: ClientCertificate) -> None:
        # Whom to trust is settled by `connection_verify`, which requests adds to this context.
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        certificate.load_into(self._context)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **options)

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **options)
