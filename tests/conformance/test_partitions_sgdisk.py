import shutil
import subprocess
import uuid

import pytest

from offlineseed.partitions import (
    BASIC_DATA,
    PartitionScheme,
    plan_data_partition,
    read_partitions,
    render_partition_table,
)

MIB = 1024**2

pytestmark = pytest.mark.skipif(
    shutil.which("sgdisk") is None, reason="sgdisk (package gdisk) is not installed"
)


def sgdisk(*arguments) -> str:
    done = subprocess.run(
        ["sgdisk", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def reader(file):
    def read(offset, length):
        file.seek(offset)
        return file.read(length)

    return read


@pytest.mark.parametrize(
    "size", [3 * MIB, 64 * MIB, 1024 * MIB + 512, 16 * 1024 * MIB, 8_001_563_222_016]
)
def test_sgdisk_finds_no_problems_in_our_table(tmp_path, size):
    path = tmp_path / "disk.img"
    table = plan_data_partition(
        size,
        disk_guid=uuid.UUID("01234567-89ab-cdef-0123-456789abcdef"),
        partition_guid=uuid.UUID("fedcba98-7654-3210-fedc-ba9876543210"),
    )
    with path.open("wb") as file:
        file.truncate(size)
        for offset, data in render_partition_table(table):
            file.seek(offset)
            file.write(data)
    assert "No problems found" in sgdisk("-v", path)
    info = sgdisk("-i", "1", path)
    assert str(BASIC_DATA).upper() in info
    assert "(Microsoft basic data)" in info
    assert "FEDCBA98-7654-3210-FEDC-BA9876543210" in info
    assert "First sector: 2048 " in info
    assert f"Last sector: {table.partitions[0].last_lba} " in info
    assert "'Basic data partition'" in info
    assert "01234567-89AB-CDEF-0123-456789ABCDEF" in sgdisk("-p", path)


def test_we_read_what_sgdisk_writes_and_render_the_same_bytes(tmp_path):
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    sgdisk("-n", "1:2048:20479", "-t", "1:0700", "-c", "1:data", path)
    sgdisk("-n", "3:40960:+10M", "-t", "3:8300", "-A", "3:set:2", path)
    with path.open("r+b") as file:
        found = read_partitions(reader(file), 64 * MIB)
        assert found.scheme is PartitionScheme.GPT
        assert found.findings == ()
        assert [(p.number, p.offset_bytes // 512) for p in found.partitions] == [
            (1, 2048),
            (3, 40960),
        ]
        assert found.partitions[0].name == "data"
        assert found.table.partitions[1].attributes == 4
        for offset, data in render_partition_table(found.table):
            file.seek(offset)
            # The protective partition's last CHS address is any that is large enough.
            skip = 454 if offset == 0 else 0
            assert file.read(len(data))[skip:] == data[skip:]


def test_sgdisk_backup_alone_is_read(tmp_path):
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    sgdisk("-n", "1:2048:20479", path)
    with path.open("r+b") as file:
        file.write(bytes(34 * 512))
        found = read_partitions(reader(file), 64 * MIB)
    assert [p.offset_bytes for p in found.partitions] == [MIB]
    assert {finding.code for finding in found.findings} == {
        "gpt-half-missing",
        "mbr-not-protective",
    }
