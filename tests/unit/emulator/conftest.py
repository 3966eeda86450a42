"""
Drives made by hand, and a small HTTP client.
"""

import base64
import hashlib
import http.client
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import attrs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from offlineseed.emulator import FolderDestination, ImportService, ShippedDrive, VirtualClock

START = datetime(2024, 3, 1, 12, 0, 0, 250_000, tzinfo=timezone.utc)
PASSWORD = "238810-662376-448998-450120-652806-203390-606320-483076"
ACCOUNT = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"


def md5(data):
    return hashlib.md5(data).hexdigest().upper()


def block_list(data, block=4, ids=True):
    blocks = "".join(
        f'<Block Offset="{at}" Length="{len(data[at : at + block])}" '
        + (f'Id="{base64.b64encode((at // block).to_bytes(4, "little")).decode()}" ' if ids else "")
        + f'Hash="{md5(data[at : at + block])}" />'
        for at in range(0, len(data), block)
    )
    return f"<BlockList>{blocks}</BlockList>"


@attrs.define
class HandmadeDrive:
    path: Path
    drive_id: str = "9WM35C2V"
    blobs: list = attrs.field(factory=list)
    credential: str = "<StorageAccountKey>AAAA</StorageAccountKey>"
    manifest_hash: str = ""

    def add(self, blob_path, data, disposition="overwrite", *, ranges=None, extra="", **kwargs):
        file_path = "\\" + blob_path.replace("/", "\\")
        file = self.path.joinpath(*blob_path.split("/"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        if ranges is None:
            parts = block_list(data, **kwargs)
        else:
            parts = "".join(
                f'<PageRange Offset="{at}" Length="{n}" Hash="{md5(data[at : at + n])}" />'
                for at, n in ranges
            )
            parts = f"<PageRangeList>{parts}</PageRangeList>"
        self.blobs.append(
            f"<Blob><BlobPath>{escape(blob_path)}</BlobPath><FilePath>{escape(file_path)}</FilePath>"
            f"<Length>{len(data)}</Length><ImportDisposition>{disposition}</ImportDisposition>"
            f"{parts}{extra}</Blob>"
        )
        return self

    def side_file(self, name, text):
        (self.path / name).write_bytes(text)
        return f"<MetadataPath Hash='{md5(text)}'>\\{name}</MetadataPath>"

    def seal(self, manifest=None):
        text = manifest or (
            '<?xml version="1.0" encoding="UTF-8"?><DriveManifest Version="2014-11-01"><Drive>'
            f"<DriveId>{self.drive_id}</DriveId>{self.credential}"
            f"<BlobList>{''.join(self.blobs)}</BlobList></Drive></DriveManifest>"
        )
        data = text.encode()
        (self.path / "DriveManifest.xml").write_bytes(data)
        self.manifest_hash = md5(data)
        return self

    def shipped(self):
        return ShippedDrive(drive_id=self.drive_id, path=self.path)

    def entry(self):
        return {
            "driveId": self.drive_id,
            "bitLockerKey": PASSWORD,
            "manifestFile": "\\DriveManifest.xml",
            "manifestHash": self.manifest_hash or "0" * 32,
        }


def return_address():
    return {
        "recipientName": "A Person",
        "streetAddress1": "1 Street",
        "city": "Town",
        "postalCode": "12345",
        "countryOrRegion": "USA",
        "phone": "123",
        "email": "a@example.com",
    }


def job_body(*drives, **properties):
    return {
        "location": "westus",
        "tags": {"team": "backup"},
        "properties": {
            "storageAccountId": ACCOUNT,
            "jobType": "Import",
            "returnAddress": return_address(),
            "driveList": [drive.entry() for drive in drives],
            **properties,
        },
    }


@attrs.define
class Client:
    service: ImportService
    version: str = "2021-01-01"

    def send(self, method, path, body=None, *, token=None, headers=None, query=""):
        url = urlsplit(self.service.url)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
        token = self.service.credential.get_token("x").token if token is None else token
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        if isinstance(body, dict):
            body = json.dumps(body)
        try:
            joint = "&" if "?" in path else "?"
            full = f"{path}{joint}api-version={self.version}{query}"
            connection.request(method, full, body, sent)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        return response.status, json.loads(data) if data else None, dict(response.getheaders())

    def job(self, method, name="job-one", body=None, group="rg", suffix="", **kwargs):
        path = f"/subscriptions/sub/resourceGroups/{group}/providers/Microsoft.ImportExport/jobs"
        return self.send(method, f"{path}/{name}{suffix}", body, **kwargs)

    def ship(self, name="job-one", tracking="1Z", **properties):
        package = {"carrierName": "FedEx", "trackingNumber": tracking}
        properties = {"state": "Shipping", "deliveryPackage": package, **properties}
        return self.job("PATCH", name, {"properties": properties})


@pytest.fixture
def landed(tmp_path):
    return tmp_path / "landed"


@pytest.fixture
def events():
    return []


@pytest.fixture
def service(landed, events):
    with ImportService(
        destination=FolderDestination(landed), clock=VirtualClock(START), on_event=events.append
    ) as service:
        yield service


@pytest.fixture
def client(service):
    return Client(service)


@pytest.fixture
def drive(tmp_path):
    path = tmp_path / "drive"
    path.mkdir()
    return HandmadeDrive(path)


@pytest.fixture
def body():
    return job_body


@pytest.fixture
def make_drive(tmp_path):
    def make(drive_id):
        path = tmp_path / drive_id
        path.mkdir()
        return HandmadeDrive(path, drive_id)

    return make


@pytest.fixture
def management_certificate(tmp_path):
    """
    A certificate signed by itself, as publish settings have it, with its key.
    """
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "management")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    file = tmp_path / "management.pem"
    file.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, file
