import datetime as dt
import http.server
import ipaddress
import pickle
import ssl
import tempfile
import threading

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from offlineseed._secret import Secret
from offlineseed.errors import PublishSettingsError
from offlineseed.jobs import ClassicJobs, ClientCertificate


def make_certificate(name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def key_pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
def pair():
    return make_certificate("management")


@pytest.fixture
def tls_service(tmp_path, pair):
    """
    A loopback https service that takes the pair's certificate only.
    """
    server_key, server_certificate = make_certificate("service")
    trusted = tmp_path / "service.pem"
    trusted.write_bytes(server_certificate.public_bytes(Encoding.PEM))
    private = tmp_path / "service.key"
    private.write_bytes(key_pem(server_key))
    wanted = tmp_path / "client.pem"
    wanted.write_bytes(pair[1].public_bytes(Encoding.PEM))
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.connection.getpeercert()["subject"])
            content = b'{"Name": "seed-1", "Properties": {"State": "Shipping"}}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    context.load_verify_locations(wanted)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", str(trusted), seen
    server.shutdown()
    thread.join()
    server.server_close()


def client(certificate, url, trusted):
    return ClassicJobs(
        certificate,
        subscription_id="s",
        storage_account="a",
        base_url=url,
        connection_verify=trusted,
        use_env_settings=False,
        retry_total=0,
    )


def test_certificate_is_shown_to_the_service(tls_service, pair):
    url, trusted, seen = tls_service
    with client(ClientCertificate(pair[1], pair[0]), url, trusted) as jobs:
        assert jobs.get_job("seed-1").raw_state == "Shipping"
    assert seen == [((("commonName", "management"),),)]


def test_certificate_of_somebody_else_is_refused(tls_service):
    url, trusted, seen = tls_service
    key, certificate = make_certificate("somebody")
    with (
        client(ClientCertificate(certificate, key), url, trusted) as jobs,
        pytest.raises((ServiceRequestError, ServiceResponseError)),
    ):
        jobs.get_job("seed-1")
    assert seen == []


def test_service_that_is_not_trusted_is_not_talked_to(tls_service, pair, tmp_path):
    url, _, seen = tls_service
    other = tmp_path / "other.pem"
    other.write_bytes(make_certificate("other")[1].public_bytes(Encoding.PEM))
    with (
        client(ClientCertificate(pair[1], pair[0]), url, str(other)) as jobs,
        pytest.raises(ServiceRequestError),
    ):
        jobs.get_job("seed-1")
    assert seen == []


def test_load_into_leaves_no_file_and_never_writes_the_plain_key(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    written = []

    class Context:
        def load_cert_chain(self, name, password):
            (path,) = tmp_path.iterdir()
            assert str(path) == name
            assert path.stat().st_mode & 0o077 == 0
            written.append(path.read_bytes())
            raise ssl.SSLError("refused")

    with pytest.raises(ssl.SSLError):
        ClientCertificate(pair[1], pair[0]).load_into(Context())
    assert list(tmp_path.iterdir()) == []
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in written[0]
    assert b"BEGIN PRIVATE KEY" not in written[0]


@pytest.mark.parametrize("password", [None, Secret("geheim")], ids=["empty password", "password"])
def test_from_pkcs12_reads_what_publish_settings_hold(pair, password):
    text = password.reveal().encode() if password else b""
    encryption = BestAvailableEncryption(text) if text else NoEncryption()
    data = serialize_key_and_certificates(b"n", pair[0], pair[1], None, encryption)
    certificate = ClientCertificate.from_pkcs12(data, password)
    assert certificate.thumbprint == pair[1].fingerprint(hashes.SHA1()).hex().upper()


def test_from_pkcs12_wrong_password_or_missing_key_is_said(pair):
    locked = serialize_key_and_certificates(
        b"n", pair[0], pair[1], None, BestAvailableEncryption(b"geheim")
    )
    with pytest.raises(PublishSettingsError, match="opened"):
        ClientCertificate.from_pkcs12(locked, Secret("falsch"))
    with pytest.raises(PublishSettingsError, match="opened"):
        ClientCertificate.from_pkcs12(b"junk")
    keyless = serialize_key_and_certificates(None, None, None, [pair[1]], NoEncryption())
    with pytest.raises(PublishSettingsError, match="private key"):
        ClientCertificate.from_pkcs12(keyless)


def test_from_pem_reads_and_refuses_junk(pair):
    certificate = ClientCertificate.from_pem(pair[1].public_bytes(Encoding.PEM), key_pem(pair[0]))
    assert len(certificate.thumbprint) == 40
    with pytest.raises(PublishSettingsError, match="PEM"):
        ClientCertificate.from_pem(b"junk", b"junk")


def test_client_certificate_shows_no_key_and_is_not_pickled(pair):
    certificate = ClientCertificate(pair[1], pair[0])
    assert repr(certificate) == f"ClientCertificate({certificate.thumbprint})"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(certificate)
