"""
The datacentre takes in an image: GPT, BitLocker of ours, an NTFS that mkntfs and ntfscp made.

It reads it with libbde and libfsntfs.
"""

import base64
import configparser
import datetime as dt
import hashlib
import http.client
import json
import lzma
import os
import random
import shutil
import subprocess
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest

from offlineseed.bitlocker import RecoveryPassword, VolumeLayout, VolumeSpec, encrypt_volume
from offlineseed.emulator import FolderDestination, ImportService, Package, ShippedDrive
from offlineseed.partitions import plan_data_partition, render_partition_table

pytest.importorskip("pybde", reason="libbde-python is not installed")
pytest.importorskip("pyfsntfs", reason="libfsntfs-python is not installed")

MIB = 1 << 20
VOLUME_BYTES = 64 * MIB
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
WINDOWS_VOLUMES = Path(__file__).parents[3] / "shared" / "data" / "bitlocker"
ACCOUNT = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"
ADDRESS = dict.fromkeys(
    ("recipientName", "streetAddress1", "city", "postalCode", "countryOrRegion", "phone", "email"),
    "x",
)


def tool(name):
    path = shutil.which(name, path=SYSTEM_PATH)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def run(*command):
    done = subprocess.run(command, check=False, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr


def md5(data):
    return hashlib.md5(data).hexdigest().upper()


@attrs.frozen
class Drive:
    path: Path
    password: str
    manifest_hash: str
    files: dict


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("native")
    noise = random.Random(5)
    files = {
        "big.bin": noise.randbytes(9 * MIB + 17),
        "Größe (1).bin": noise.randbytes(5000),
        "tiny": b"x",
        "empty": b"",
    }
    blobs = "".join(
        f"<Blob><BlobPath>seed/{name}</BlobPath><FilePath>\\{name}</FilePath>"
        f"<Length>{len(data)}</Length><BlockList>{blocks(data)}</BlockList></Blob>"
        for name, data in files.items()
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><DriveManifest Version="2014-11-01"><Drive>'
        "<DriveId>D1</DriveId><StorageAccountKey>A</StorageAccountKey>"
        f"<BlobList>{blobs}</BlobList></Drive></DriveManifest>"
    ).encode()

    plain = folder / "ntfs.img"
    plain.touch()
    os.truncate(plain, VOLUME_BYTES)
    run(tool("mkntfs"), "-F", "-Q", "-q", "-s", "512", "-c", "4096", "-p", "2048", plain)
    for name, data in {**files, "DriveManifest.xml": manifest}.items():
        (folder / "source").write_bytes(data)
        run(tool("ntfscp"), "-q", "-f", plain, folder / "source", name)

    password = RecoveryPassword.generate()
    content = plain.read_bytes()
    spec = VolumeSpec.generate(
        free_layout(content), description="D1", created=dt.datetime.now(dt.timezone.utc)
    )
    volume = encrypt_volume(spec, password)
    table = plan_data_partition(
        VOLUME_BYTES + 3 * MIB, disk_guid=uuid.uuid4(), partition_guid=uuid.uuid4()
    )
    (partition,) = table.partitions
    start = partition.first_lba * 512
    path = folder / "drive.img"
    with path.open("wb") as image:
        for offset in range(0, VOLUME_BYTES, MIB):
            for piece in volume.encrypt(offset, content[offset : offset + MIB]):
                image.seek(start + piece.offset)
                image.write(piece.data)
        for piece in (*volume.structures, volume.boot_sector):
            image.seek(start + piece.offset)
            image.write(piece.data)
        for offset, data in render_partition_table(table):
            image.seek(offset)
            image.write(data)
    plain.unlink()
    return Drive(path, password.reveal(), md5(manifest), files)


def free_layout(content):
    """
    Place BitLocker's structures where the file system has nothing.
    """
    zeros = bytes(MIB)
    free = [at for at in range(16 * MIB, VOLUME_BYTES, MIB) if content[at : at + MIB] == zeros]
    first, second, third = free[0], free[len(free) // 2], free[-2]
    return VolumeLayout(
        volume_bytes=VOLUME_BYTES,
        info_offsets=(first, second, third),
        moved_offset=first + 0x10000,
        region_offset=first + 0x12000,
    )


def blocks(data):
    return "".join(
        f'<Block Offset="{at}" Length="{len(data[at : at + 4 * MIB])}" '
        f'Id="{base64.b64encode((at // (4 * MIB)).to_bytes(4, "little")).decode()}" '
        f'Hash="{md5(data[at : at + 4 * MIB])}" />'
        for at in range(0, len(data), 4 * MIB)
    )


def send(service, method, body=None):
    url = urlsplit(service.url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    path = (
        "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ImportExport/jobs/one"
        "?api-version=2021-01-01"
    )
    headers = {"Authorization": f"Bearer {service.credential.get_token('x').token}"}
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        document = json.loads(response.read())
    finally:
        connection.close()
    assert response.status < 300, document
    return document


def take_in(landed, path, password, manifest_hash):
    """
    Send a drive through a job; return what the job says about it.
    """
    entry = {
        "driveId": "D1",
        "bitLockerKey": password,
        "manifestFile": "\\DriveManifest.xml",
        "manifestHash": manifest_hash,
    }
    properties = {
        "storageAccountId": ACCOUNT,
        "jobType": "Import",
        "returnAddress": ADDRESS,
        "driveList": [entry],
    }
    ship = {
        "state": "Shipping",
        "deliveryPackage": {"carrierName": "FedEx", "trackingNumber": "T"},
    }
    with ImportService(destination=FolderDestination(landed)) as service:
        send(service, "PUT", {"location": "westus", "properties": properties})
        send(service, "PATCH", {"properties": ship})
        shipped = ShippedDrive(drive_id="D1", path=path)
        service.datacenter.receive(Package(tracking_number="T", drives=[shipped]))
        service.datacenter.process()
        return send(service, "GET")["properties"]["driveList"][0]


def test_image_lands_byte_for_byte(drive, tmp_path):
    shown = take_in(tmp_path, drive.path, drive.password, drive.manifest_hash)
    assert shown["copyStatus"] == "Completed"
    assert shown["bytesSucceeded"] == sum(map(len, drive.files.values()))
    for name, data in drive.files.items():
        assert (tmp_path / "seed" / name).read_bytes() == data


def test_image_with_another_password_is_not_unlocked(drive, tmp_path):
    other = RecoveryPassword.generate().reveal()
    shown = take_in(tmp_path, drive.path, other, drive.manifest_hash)
    assert shown["copyStatus"] == "BitLockerKeyInvalid"


def test_image_with_junk_for_a_password_is_not_unlocked(drive, tmp_path):
    shown = take_in(tmp_path, drive.path, "junk", drive.manifest_hash)
    assert shown["copyStatus"] == "BitLockerKeyInvalid"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(b"", "DiskNotFound", id="nothing"),
        pytest.param(bytes(MIB), "BitLockerVolumeNotFound", id="zeros"),
    ],
)
def test_image_without_a_volume_is_named(tmp_path, content, status):
    image = tmp_path / "image"
    image.write_bytes(content)
    assert take_in(tmp_path / "landed", image, "junk", "0" * 32)["copyStatus"] == status


def test_image_with_a_plain_volume_is_not_activated(drive, tmp_path):
    image = tmp_path / "image"
    data = bytearray(drive.path.read_bytes()[: 2 * MIB])
    data[MIB + 3 : MIB + 11] = b"NTFS    "
    image.write_bytes(data)
    shown = take_in(tmp_path / "landed", image, drive.password, drive.manifest_hash)
    assert shown["copyStatus"] == "BitLockerNotActivated"


@pytest.mark.parametrize("name", ["bitlk-aes-cbc-256", "bitlk-aes-xts-128", "bitlk-aes-xts-256"])
def test_volume_that_windows_made_is_unlocked(name, tmp_path):
    packed = WINDOWS_VOLUMES / f"{name}.img.xz"
    if not packed.exists():
        pytest.skip("the reference volumes are not beside the repository")
    known = configparser.ConfigParser()
    known.read(WINDOWS_VOLUMES / "images.conf")
    image = tmp_path / "image"
    image.write_bytes(lzma.decompress(packed.read_bytes()))
    # Only the metadata were kept of these: past the lock there is no file system.
    shown = take_in(tmp_path / "landed", image, known[name]["rp"], "0" * 32)
    assert shown["copyStatus"] == "VolumeNotNtfs"
