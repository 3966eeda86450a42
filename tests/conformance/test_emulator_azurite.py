"""
The datacentre uploads to a real Azurite, with the block ids and page ranges of the manifest.
"""

import base64
import hashlib
import http.client
import itertools
import json
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from azure.storage.blob import BlobClient, BlobServiceClient

from offlineseed.emulator import BlobDestination, ImportService, Package, ShippedDrive

MIB = 1 << 20
ACCOUNT = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"
NUMBERS = itertools.count()


def md5(data):
    return hashlib.md5(data).hexdigest().upper()


@pytest.fixture
def account(azurite):
    with BlobServiceClient.from_connection_string(azurite) as account:
        yield account


@pytest.fixture
def container():
    """
    A container name that no other test has.
    """
    return f"seed-{next(NUMBERS):04d}"


class Drive:
    def __init__(self, path):
        self.path = path
        self.blobs = []

    def add(self, blob_path, data, block=4 * MIB, ranges=None, disposition="overwrite", extra=""):
        name = f"f{len(self.blobs)}"
        (self.path / name).write_bytes(data)
        if ranges is None:
            parts = "".join(
                f'<Block Offset="{at}" Length="{len(data[at : at + block])}" '
                f'Id="{base64.b64encode((at // block).to_bytes(4, "little")).decode()}" '
                f'Hash="{md5(data[at : at + block])}" />'
                for at in range(0, len(data), block)
            )
            parts = f"<BlockList>{parts}</BlockList>"
        else:
            parts = "".join(
                f'<PageRange Offset="{at}" Length="{n}" Hash="{md5(data[at : at + n])}" />'
                for at, n in ranges
            )
            parts = f"<PageRangeList>{parts}</PageRangeList>"
        self.blobs.append(
            f"<Blob><BlobPath>{blob_path}</BlobPath><FilePath>\\{name}</FilePath>"
            f"<Length>{len(data)}</Length><ImportDisposition>{disposition}</ImportDisposition>"
            f"{parts}{extra}</Blob>"
        )

    def send(self, azurite, spoil=lambda faults: None, **properties):
        """
        Take the drive through a job; return what the job says about it.
        """
        manifest = (
            '<DriveManifest Version="2014-11-01"><Drive><DriveId>D1</DriveId>'
            "<StorageAccountKey>A</StorageAccountKey>"
            f"<BlobList>{''.join(self.blobs)}</BlobList></Drive></DriveManifest>"
        ).encode()
        (self.path / "DriveManifest.xml").write_bytes(manifest)
        entry = {
            "driveId": "D1",
            "bitLockerKey": "k",
            "manifestFile": "\\DriveManifest.xml",
            "manifestHash": md5(manifest),
        }
        address = dict.fromkeys(
            (
                "recipientName",
                "streetAddress1",
                "city",
                "postalCode",
                "countryOrRegion",
                "phone",
                "email",
            ),
            "x",
        )
        body = {
            "storageAccountId": ACCOUNT,
            "jobType": "Import",
            "returnAddress": address,
            "driveList": [entry],
            **properties,
        }
        package = {"carrierName": "FedEx", "trackingNumber": "T"}
        with (
            BlobDestination(azurite) as destination,
            ImportService(destination=destination) as service,
        ):
            spoil(service.faults)
            send(service, "PUT", {"location": "westus", "properties": body})
            ship = {"state": "Shipping", "deliveryPackage": package}
            send(service, "PATCH", {"properties": ship})
            shipped = ShippedDrive(drive_id="D1", path=self.path)
            service.datacenter.receive(Package(tracking_number="T", drives=[shipped]))
            service.datacenter.process()
            return send(service, "GET")["properties"]["driveList"][0]


def send(service, method, body=None):
    url = urlsplit(service.url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    path = (
        "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ImportExport/jobs/one"
        "?api-version=2021-01-01"
    )
    token = service.credential.get_token("x").token
    try:
        connection.request(
            method, path, json.dumps(body) if body else None, {"Authorization": f"Bearer {token}"}
        )
        response = connection.getresponse()
        document = json.loads(response.read())
    finally:
        connection.close()
    assert response.status < 300, document
    return document


@pytest.fixture
def drive(tmp_path):
    return Drive(tmp_path)


def test_block_blob_lands_with_the_manifests_ids(azurite, account, container, drive):
    # More than 128 blocks, so that an id's bytes are no text.
    data = bytes(range(256)) * 65
    drive.add(f"{container}/a b/ü%41.bin", data, block=128)
    assert drive.send(azurite)["copyStatus"] == "Completed"
    client = account.get_blob_client(container, "a b/ü%41.bin")
    assert client.download_blob().readall() == data
    blocks = raw_block_ids(client)
    assert len(blocks) == 130
    assert blocks[0] == "AAAAAA=="
    assert blocks[129] == "gQAAAA=="


def raw_block_ids(client):
    """
    Ids as they are on the wire: the client library decodes them to text where it can.
    """
    seen = []
    client.get_block_list("committed", raw_response_hook=lambda r: seen.append(r.http_response))
    root = ET.fromstring(seen[0].body())
    return [name.text for name in root.iter("Name")]


def test_page_blob_lands_with_its_gaps(azurite, account, container, drive):
    data = bytes(MIB) + b"A" * 1024 + bytes(MIB)
    drive.add(f"{container}/disk.vhd", data, ranges=[(MIB, 1024)])
    assert drive.send(azurite)["copyStatus"] == "Completed"
    client = account.get_blob_client(container, "disk.vhd")
    assert client.get_blob_properties().blob_type == "PageBlob"
    assert client.download_blob().readall() == data
    assert [(r.start, r.end) for r in client.list_page_ranges()] == [(MIB, MIB + 1023)]


def test_many_blobs_and_a_big_one_land(azurite, account, container, drive):
    big = bytes(range(256)) * (9 * MIB // 256) + b"tail"
    drive.add(f"{container}/big", big)
    for index in range(60):
        drive.add(f"{container}/small/{index}", str(index).encode())
    drive.add(f"{container}/empty", b"")
    shown = drive.send(azurite, logLevel="Verbose", backupDriveManifest=True)
    assert shown["copyStatus"] == "Completed"
    client = account.get_container_client(container)
    assert len(list(client.list_blobs())) == 62
    assert client.download_blob("big").readall() == big
    assert client.download_blob("small/59").readall() == b"59"
    log = ET.fromstring(read(account, shown["verboseLogUri"]))
    assert len(log.findall("Blob")) == 62
    assert read(account, shown["manifestUri"]).startswith(b"<DriveManifest")


def read(account, uri):
    with BlobClient.from_blob_url(uri, account.credential) as client:
        assert client.get_blob_properties().content_settings.content_type == "application/xml"
        return client.download_blob().readall()


def test_corrupt_block_leaves_the_others_committed(azurite, account, container, drive):
    drive.add(f"{container}/x", b"aaaabbbbcccc", block=4)
    shown = drive.send(azurite, lambda faults: faults.corrupt_block("D1", f"{container}/x", 1))
    assert shown["copyStatus"] == "CompletedWithErrors"
    log = ET.fromstring(read(account, shown["errorLogUri"]))
    statuses = [block.get("Status") for block in log.iter("Block")]
    assert statuses == ["Committed", "Corrupted", "Committed"]
    client = account.get_blob_client(container, "x")
    assert client.download_blob().readall() == b"aaaacccc"
    assert raw_block_ids(client) == ["AAAAAA==", "AgAAAA=="]


def test_overwritten_blob_survives_a_corrupt_block(azurite, account, container, drive):
    account.create_container(container)
    account.get_blob_client(container, "x").upload_blob(b"old")
    drive.add(f"{container}/x", b"aaaabbbb", block=4)
    shown = drive.send(azurite, lambda faults: faults.corrupt_block("D1", f"{container}/x", 1))
    log = ET.fromstring(read(account, shown["errorLogUri"]))
    assert [b.get("Status") for b in log.iter("Block")] == ["Uncommitted", "Corrupted"]
    assert account.get_blob_client(container, "x").download_blob().readall() == b"old"


@pytest.mark.parametrize(
    ("disposition", "old", "new"),
    [("rename", b"old", b"new"), ("no-overwrite", b"old", None), ("overwrite", b"new", None)],
)
def test_disposition_is_kept(azurite, account, container, drive, disposition, old, new):
    account.create_container(container)
    account.get_blob_client(container, "a.b/x.tar.gz").upload_blob(b"old")
    drive.add(f"{container}/a.b/x.tar.gz", b"new", disposition=disposition)
    drive.send(azurite)
    assert account.get_blob_client(container, "a.b/x.tar.gz").download_blob().readall() == old
    renamed = account.get_blob_client(container, "a.b/x.tar (2).gz")
    assert renamed.exists() == (new is not None)
    if new:
        assert renamed.download_blob().readall() == new


def test_metadata_and_properties_come_along(azurite, account, container, drive):
    meta = b"<Metadata><UploadMethod>offline</UploadMethod></Metadata>"
    props = (
        b"<Properties><Content-Type>text/x</Content-Type>"
        b"<Cache-Control>no-cache</Cache-Control></Properties>"
    )
    (drive.path / "meta.xml").write_bytes(meta)
    (drive.path / "props.xml").write_bytes(props)
    extra = (
        f'<MetadataPath Hash="{md5(meta)}">\\meta.xml</MetadataPath>'
        f'<PropertiesPath Hash="{md5(props)}">\\props.xml</PropertiesPath>'
    )
    drive.add(f"{container}/block", b"x", extra=extra)
    drive.add(f"{container}/page", bytes(512), ranges=[], extra=extra)
    assert drive.send(azurite)["copyStatus"] == "Completed"
    for name in ("block", "page"):
        found = account.get_blob_client(container, name).get_blob_properties()
        assert found.metadata == {"UploadMethod": "offline"}
        assert found.content_settings.content_type == "text/x"
        assert found.content_settings.cache_control == "no-cache"


def test_leased_blob_is_named(azurite, account, container, drive):
    account.create_container(container)
    blob = account.get_blob_client(container, "x")
    blob.upload_blob(b"old")
    blob.acquire_lease(60)
    drive.add(f"{container}/x", b"new")
    log = ET.fromstring(read(account, drive.send(azurite)["errorLogUri"]))
    assert log.find("Blob").get("Status") == "LeasePresent"


def test_key_refused_by_the_account_is_the_drives_status(azurite, container, drive):
    key = azurite.partition("AccountKey=")[2].partition(";")[0]
    drive.add(f"{container}/x", b"x")
    shown = drive.send(azurite.replace(key, base64.b64encode(b"wrong" * 12).decode()))
    assert shown["copyStatus"] == "BlobRequestForbidden"
    assert shown["state"] == "ShippedBack"
    assert "errorLogUri" not in shown
