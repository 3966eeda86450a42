"""
A real kernel on drives of ours: dm-crypt and ntfs-3g in user-mode Linux, which needs no KVM.

The kernel reads the partition table, unlocks the partition, mounts it and hashes every file. Then
it changes the volume, and ntfsfix still finds it clean.
"""

import contextlib
import hashlib
import os
import pathlib
import random
import shutil
import subprocess

import pytest

from offlineseed.bitlocker import CipherMethod, RecoveryPassword
from offlineseed.volumes import Drive, NativeVolumes, VolumeFile

MIB = 1 << 20
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
MODULES = pathlib.Path("/usr/lib/uml/modules")
PASSWORD = RecoveryPassword(bytes(range(50, 66)))
TOOLS = ["linux.uml", "modprobe", "cryptsetup", "ntfs-3g", "ntfsfix", "sha256sum"]
MANIFEST = VolumeFile(path="DriveManifest.xml", length=MIB, is_maximum=True)
FILES = [
    *(VolumeFile(path=f"nightly/segments/g0000-{n:06}.zst", length=n * 7001) for n in range(120)),
    *(VolumeFile(path=f"deep/{'/'.join('abcdef'[:n])}/file", length=n) for n in range(1, 7)),
    VolumeFile(path="nightly/large.vhd", length=20 * MIB + 5),
    VolumeFile(path="Größe ❄ 中文.bin", length=70_000),
    VolumeFile(path="x" * 255, length=1),
]
INIT = """#!/bin/sh
export PATH=/usr/sbin:/sbin:/usr/bin:/bin LC_ALL=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
for module in ecb cbc xts fuse dm-mod dm-zero dm-crypt; do  # in this order: one needs another
    modprobe -q -d {folder} $module
done
cryptsetup open --type bitlk --key-file={folder}/password /dev/ubda1 volume || echo NOT OPENED
mount -t tmpfs tmpfs /mnt
mkdir /mnt/volume
ntfs-3g -o {options} /dev/mapper/volume /mnt/volume || echo NOT MOUNTED
cd /mnt/volume
{commands}
cd /
umount /mnt/volume
ntfsfix -n /dev/mapper/volume > {folder}/ntfsfix 2>&1 && echo CLEAN
cryptsetup close volume && echo CLOSED
sync
echo o > /proc/sysrq-trigger
sleep 9
"""
HASH = "find . -type f -exec sha256sum {} + > {folder}/sums"
CHANGE = """find . -type d ! -path "./System Volume Information*" > {folder}/folders
while IFS= read -r one; do
    echo something > "$one/new" && echo else > "$one/other" && mkdir "$one/made"
    mv "$one/new" "$one/renamed" && rm "$one/other" && echo more >> "$one/renamed"
done < {folder}/folders
rm nightly/segments/g0000-00001*
"""


def content(file):
    if file.is_maximum:
        return b"<DriveManifest/>"
    return random.Random(file.path).randbytes(file.length)


@pytest.fixture
def kernel(tmp_path):
    missing = [name for name in TOOLS if shutil.which(name, path=SYSTEM_PATH) is None]
    if missing or not MODULES.is_dir():
        pytest.skip(f"not installed: {', '.join(missing) or 'modules of user-mode Linux'}")
    if os.geteuid() != 0:
        pytest.skip("needs root: the kernel's root folder is this machine's")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "modules").symlink_to(MODULES)
    password = tmp_path / "password"
    password.write_text(PASSWORD.reveal())

    def boot(image, commands, *, options="ro"):
        script = tmp_path / "init"
        for name, value in (("commands", commands), ("options", options), ("folder", tmp_path)):
            commands = INIT if name == "commands" else commands
            commands = commands.replace(f"{{{name}}}", str(value))
        script.write_text(commands)
        script.chmod(0o755)
        device = f"ubd0{'r' if options == 'ro' else ''}={image}"
        done = subprocess.run(
            [
                shutil.which("linux.uml", path=SYSTEM_PATH),
                *("mem=384M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw"),
                *(f"init={script}", device, "con=null", "con0=fd:0,fd:1", "quiet"),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
            env={"PATH": SYSTEM_PATH, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        )
        said = done.stdout.decode("utf-8", "replace")
        # The registers of AMX are more than it expects, so it can't start any program.
        has_amx = "amx" in pathlib.Path("/proc/cpuinfo").read_text("ascii", "replace")
        if "ptrace set fp regs failed" in said and has_amx:
            pytest.skip("this user-mode Linux can't run programs on a processor with AMX")
        return said

    return boot


@pytest.fixture(params=[CipherMethod.XTS_128, CipherMethod.CBC_256], ids=lambda m: m.name)
def drive(request, tmp_path):
    drive = Drive(drive_id="9WM35C2V", path=tmp_path / "drive.img", size_bytes=131 * MIB)
    volumes = NativeVolumes(cipher=request.param)
    contents = [*FILES, MANIFEST]
    with contextlib.closing(volumes.create(drive, contents, PASSWORD)) as writer:
        for file in contents:
            out = writer.open(file)
            out.write(content(file))
            out.close()
        writer.finish()
    yield drive
    drive.path.unlink()


def sums(file):
    lines = file.read_text("utf-8").splitlines()
    return {line[66:].removeprefix("./"): line[:64] for line in lines}


@pytest.mark.slow
def test_kernel_reads_every_file_and_changes_leave_the_volume_clean(kernel, drive, tmp_path):
    expected = {file.path: hashlib.sha256(content(file)).hexdigest() for file in FILES}
    expected[MANIFEST.path] = hashlib.sha256(content(MANIFEST)).hexdigest()
    said = kernel(drive.path, HASH)
    assert "CLEAN" in said, said
    assert "CLOSED" in said, said
    found = sums(tmp_path / "sums")
    # The files over BitLocker's own places read as zeros.
    system = {path: found.pop(path) for path in list(found) if path.startswith("System Volume")}
    assert found == expected
    zeros = {hashlib.sha256(bytes(length)).hexdigest() for length in (8192, 65536)}
    assert len(system) == 5
    assert set(system.values()) == zeros

    said = kernel(drive.path, CHANGE + HASH, options="rw")
    assert "CLEAN" in said, said
    kept = {path: value for path, value in expected.items() if "g0000-00001" not in path}
    found = sums(tmp_path / "sums")
    assert {path: found[path] for path in kept} == kept
    assert sum(path.endswith("/renamed") for path in found) >= 9
    with contextlib.closing(NativeVolumes().open(drive, PASSWORD)) as reader:
        for file in random.Random(1).sample(FILES, 20):
            if file.path in kept:
                assert reader.read(file.path, 0, file.length) == content(file)
        assert reader.read("nightly/renamed", 0, 100) == b"something\nmore\n"
