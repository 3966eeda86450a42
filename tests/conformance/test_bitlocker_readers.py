"""
Other people's readers on volumes of ours: every cipher, with an NTFS that mkntfs made inside.
"""

import datetime as dt
import os
import random
import shutil
import subprocess
import zlib

import attrs
import pytest

from offlineseed.bitlocker import (
    CipherMethod,
    RecoveryPassword,
    VolumeLayout,
    VolumeSpec,
    encrypt_volume,
)

VOLUME_BYTES = 64 << 20
# mkntfs puts its journal where `plan_layout` has the first structures of so small a volume.
LAYOUT = VolumeLayout(
    volume_bytes=VOLUME_BYTES,
    info_offsets=(40 << 20, 48 << 20, 56 << 20),
    moved_offset=(40 << 20) + 0x10000,
    region_offset=(40 << 20) + 0x12000,
)
FREE_OFFSET, FREE_BYTES = 41 << 20, 3 << 20  # free clusters between the first two structures
METHODS = list(CipherMethod)
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"


def tool(name):
    path = shutil.which(name, path=SYSTEM_PATH)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def run(*command, **options):
    return subprocess.run(command, check=False, capture_output=True, timeout=120, **options)


@attrs.frozen
class Sample:
    path: str
    password: str = attrs.field(repr=False)
    plain: bytes = attrs.field(repr=False)
    spec: VolumeSpec


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    image = tmp_path_factory.mktemp("plain") / "ntfs.img"
    image.write_bytes(b"")
    os.truncate(image, VOLUME_BYTES)
    made = run(tool("mkntfs"), "-F", "-Q", "-q", "-s", "512", "-c", "4096", "-p", "2048", image)
    assert made.returncode == 0, made.stderr
    content = bytearray(image.read_bytes())
    content[FREE_OFFSET : FREE_OFFSET + FREE_BYTES] = random.Random(1).randbytes(FREE_BYTES)
    return bytes(content)


@pytest.fixture(scope="module", params=METHODS, ids=lambda method: method.name)
def sample(request, tmp_path_factory, plain):
    password = RecoveryPassword.generate()
    spec = VolumeSpec.generate(
        LAYOUT,
        description="HOST SEED 11/22/2026",
        created=dt.datetime.now(dt.timezone.utc),
        method=request.param,
    )
    volume = encrypt_volume(spec, password)
    path = tmp_path_factory.mktemp("volume") / "volume.img"
    with path.open("wb") as image:
        for offset in range(0, VOLUME_BYTES, 1 << 20):
            for piece in volume.encrypt(offset, plain[offset : offset + (1 << 20)]):
                image.seek(piece.offset)
                image.write(piece.data)
        for piece in (*volume.structures, volume.boot_sector):
            image.seek(piece.offset)
            image.write(piece.data)
    return Sample(str(path), password.reveal(), plain, spec)


def test_cryptsetup_shows_what_the_metadata_say(sample):
    shown = run(tool("cryptsetup"), "bitlkDump", sample.path)
    assert shown.returncode == 0, shown.stderr
    text = shown.stdout.decode()
    assert str(sample.spec.volume_guid) in text
    assert str(sample.spec.protector_guid) in text
    assert "HOST SEED 11/22/2026" in text
    is_xts = sample.spec.method in {CipherMethod.XTS_128, CipherMethod.XTS_256}
    assert ("aes-xts-plain64" if is_xts else "aes-cbc-eboiv") in text
    assert f"{8 * sample.spec.method.key_bytes} bits" in text


def test_cryptsetup_takes_the_password_and_no_other(sample):
    command = (tool("cryptsetup"), "open", "--type", "bitlk", "--test-passphrase", sample.path)
    right = run(*command, "--key-file=-", input=sample.password.encode())
    assert right.returncode == 0, right.stderr
    other = RecoveryPassword.generate().reveal()
    assert run(*command, "--key-file=-", input=other.encode()).returncode != 0


def test_libbde_reads_the_same_content(sample):
    pybde = pytest.importorskip("pybde", reason="libbde-python is not installed")
    with open(sample.path, "rb") as image:
        volume = pybde.volume()
        volume.set_recovery_password(sample.password)
        volume.open_file_object(image)
        assert not volume.is_locked()
        assert volume.get_size() == VOLUME_BYTES
        assert volume.get_description() == "HOST SEED 11/22/2026"
        checksum = 0
        for offset in range(0, VOLUME_BYTES, 1 << 20):
            checksum = zlib.crc32(volume.read_buffer_at_offset(1 << 20, offset), checksum)
        volume.close()
    assert checksum == zlib.crc32(sample.plain)


def test_dissect_reads_the_same_content(sample):
    bde = pytest.importorskip("dissect.fve.bde", reason="dissect.fve is not installed")
    with open(sample.path, "rb") as image:
        volume = bde.BDE(image)
        volume.unlock_with_recovery_password(sample.password)
        assert volume.unlocked
        assert volume.information.check_integrity(sample.spec.master_key.reveal())
        stream = volume.open()
        for offset in (0, LAYOUT.info_offsets[0] - 0x8000, VOLUME_BYTES - 0x80000):
            stream.seek(offset)
            assert stream.read(0x80000) == sample.plain[offset : offset + 0x80000]


def test_dislocker_reads_the_same_content_and_ntfsfix_likes_it(sample, tmp_path):
    out = tmp_path / "plain.img"
    opened = run(tool("dislocker-file"), "-V", sample.path, f"-p{sample.password}", "--", out)
    assert opened.returncode == 0, opened.stdout + opened.stderr
    assert out.read_bytes() == sample.plain
    checked = run(tool("ntfsfix"), "-n", out)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_bdeinfo_opens_it(sample):
    name = tool("bdeinfo")
    version = run(name, "-V").stdout.decode().split()[1]
    if sample.spec.method is CipherMethod.XTS_256 and version < "2020":
        pytest.skip(f"bdeinfo {version} can't do XTS-256, not even Windows' own")
    shown = run(name, "-r", sample.password, sample.path)
    assert shown.returncode == 0, shown.stderr
    assert b"HOST SEED 11/22/2026" in shown.stdout
    assert b"locked" not in shown.stdout.lower().replace(b"unlocked", b"")
