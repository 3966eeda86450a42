import pytest

from offlineseed.errors import VolumeFullError
from offlineseed.ntfs._geometry import Geometry, cluster_bytes_for

VECTOR = (
    "eb52904e5446532020202000020800000000000000f800003f00ff000008000000000000"
    "80008000ffff0100000000006c020000000000000200000000000000f600000001000000"
    "887766554433221100000000faf4ebfd"
)


def geometry(size, cluster=4096):
    return Geometry(volume_bytes=size, cluster_bytes=cluster)


def test_boot_sector_is_the_vector():
    boot = geometry(64 << 20).render_boot(
        mft=620, mirror=2, serial=0x1122334455667788, hidden_sectors=2048
    )

    assert boot == bytes.fromhex(VECTOR).ljust(510, b"\0") + b"\x55\xaa"


def test_geometry_leaves_the_last_sector_to_the_copy_of_the_boot_sector():
    values = geometry(64 << 20)

    assert (values.sectors, values.clusters) == (131071, 16383)
    assert values.backup_boot_offset == (64 << 20) - 512


@pytest.mark.parametrize(
    ("size", "length"),
    [(1 << 20, 256 << 10), (64 << 20, 2 << 20), (256 << 20, 327 * 4096), (16 << 30, 64 << 20)],
)
def test_geometry_log_has_the_length_by_the_volumes_size(size, length):
    assert geometry(size).log_bytes == length


@pytest.mark.parametrize(("size", "cluster"), [(8 << 40, 4096), (16 << 40, 4096), (20 << 40, 8192)])
def test_cluster_bytes_for_a_volume_above_16_tib_grow(size, cluster):
    assert cluster_bytes_for(size) == cluster


@pytest.mark.parametrize("cluster", [0, 256, 3000, 131072])
def test_geometry_with_a_cluster_that_ntfs_has_not_is_refused(cluster):
    with pytest.raises(ValueError, match="power of two"):
        geometry(64 << 20, cluster)


@pytest.mark.parametrize(("size", "cluster"), [(1 << 19, 4096), (1 << 50, 4096)])
def test_geometry_with_a_size_that_ntfs_has_not_is_refused(size, cluster):
    with pytest.raises(VolumeFullError):
        geometry(size, cluster)
