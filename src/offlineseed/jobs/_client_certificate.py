"""
A transport that shows a management certificate: mutual TLS for the classic API.
"""

from __future__ import annotations

import os
import pathlib
import secrets
import ssl
import tempfile
from typing import Any

import requests
import requests.adapters
from azure.core.pipeline.transport import RequestsTransport
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from offlineseed.errors import PublishSettingsError
from offlineseed.publishsettings import ManagementCertificate

__all__ = ["certificate_transport", "load_certificate"]


def certificate_transport(certificate: ManagementCertificate, **options: Any) -> RequestsTransport:
    """
    Return azure-core's transport, showing a client certificate to every https host.

    `options` are the transport's; `connection_verify` may name a file of trusted authorities.

    Raises:
        PublishSettingsError: the certificate's PEM can't be read, or the TLS library refuses it.
        OSError: the temporary file can't be written.
    """
    session = requests.Session()
    session.trust_env = bool(options.pop("use_env_settings", True))
    session.mount("https://", _CertificateAdapter(certificate))
    return RequestsTransport(session=session, use_env_settings=session.trust_env, **options)


def load_certificate(context: ssl.SSLContext, certificate: ManagementCertificate) -> None:
    """
    Let a TLS context show a certificate.

    OpenSSL's Python face reads files only. The file is private to the user, its key is encrypted
    under a password that is thrown away, and it is gone when this returns.

    Raises:
        PublishSettingsError: the certificate's PEM can't be read, or the TLS library refuses it.
        OSError: the temporary file can't be written.
    """
    password = secrets.token_hex(32)
    try:
        key = load_pem_private_key(certificate.private_key_pem.reveal().encode(), password=None)
    except (ValueError, TypeError):
        raise PublishSettingsError(
            "the management certificate's private key can't be read: get the publish settings "
            "file anew"
        ) from None
    locked_key = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode())
    )
    handle, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(certificate.certificate_pem.encode() + b"\n" + locked_key)
        context.load_cert_chain(name, password=password)
    except ssl.SSLError as error:
        raise PublishSettingsError(
            "the TLS library refuses the management certificate: its key may be too weak for this "
            "machine's policy, or not belong to it; get the publish settings file anew"
        ) from error
    finally:
        pathlib.Path(name).unlink(missing_ok=True)


class _CertificateAdapter(requests.adapters.HTTPAdapter):
    def __init__(self, certificate: ManagementCertificate) -> None:
        # Whom to trust is settled by `connection_verify`, which requests adds to this context.
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        load_certificate(self._context, certificate)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **options)

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **options)
