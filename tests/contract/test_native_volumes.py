import random

import pytest

from offlineseed.testing import VolumeContract
from offlineseed.volumes import Drive, NativeVolumes

MIB = 1024 * 1024


@pytest.fixture
def adapter(stretch_once):
    return NativeVolumes(random_bytes=lambda count: random.Random(count).randbytes(count))


@pytest.fixture
def drive(memory_path):
    return Drive(drive_id="9WM35C2V", path=memory_path / "drive.img", size_bytes=80 * MIB + 512)


class TestNativeVolumes(VolumeContract):
    pass
