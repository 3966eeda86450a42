import datetime as dt
import http.server
import ipaddress
import ssl
import tempfile
import threading

import attrs
import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from offlineseed._secret import Secret
from offlineseed.errors import PublishSettingsError
from offlineseed.jobs import ClassicJobs
from offlineseed.jobs._client_certificate import certificate_transport, load_certificate
from offlineseed.publishsettings import ManagementCertificate


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


def managed(pair):
    key, certificate = pair
    return ManagementCertificate(
        certificate_pem=certificate.public_bytes(Encoding.PEM).decode(),
        private_key_pem=Secret(key_pem(key).decode()),
        thumbprint=certificate.fingerprint(hashes.SHA1()).hex().upper(),
        subject=certificate.subject.rfc4514_string(),
        not_valid_before=certificate.not_valid_before_utc,
        not_valid_after=certificate.not_valid_after_utc,
    )


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
    with client(managed(pair), url, trusted) as jobs:
        assert jobs.get_job("seed-1").raw_state == "Shipping"
    assert seen == [((("commonName", "management"),),)]


def test_certificate_of_somebody_else_is_refused(tls_service):
    url, trusted, seen = tls_service
    with (
        client(managed(make_certificate("somebody")), url, trusted) as jobs,
        pytest.raises((ServiceRequestError, ServiceResponseError)),
    ):
        jobs.get_job("seed-1")
    assert seen == []


def test_service_that_is_not_trusted_is_not_talked_to(tls_service, pair, tmp_path):
    url, _, seen = tls_service
    other = tmp_path / "other.pem"
    other.write_bytes(make_certificate("other")[1].public_bytes(Encoding.PEM))
    with (
        client(managed(pair), url, str(other)) as jobs,
        pytest.raises(ServiceRequestError),
    ):
        jobs.get_job("seed-1")
    assert seen == []


def test_load_certificate_leaves_no_file_and_writes_no_plain_key(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    written = []

    class Context:
        def load_cert_chain(self, name, password):
            (path,) = tmp_path.iterdir()
            assert str(path) == name
            assert path.stat().st_mode & 0o077 == 0
            written.append(path.read_bytes())
            raise ssl.SSLError("refused")

    with pytest.raises(PublishSettingsError):
        load_certificate(Context(), managed(pair))
    assert list(tmp_path.iterdir()) == []
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in written[0]
    assert b"BEGIN PRIVATE KEY" not in written[0]


def test_load_certificate_that_does_not_fit_its_key_is_said(pair):
    other_key, _ = make_certificate("other")
    with pytest.raises(PublishSettingsError, match="TLS library refuses"):
        certificate_transport(managed((other_key, pair[1])))
    with pytest.raises(PublishSettingsError, match="can't be read"):
        certificate_transport(attrs.evolve(managed(pair), private_key_pem=Secret("junk")))
