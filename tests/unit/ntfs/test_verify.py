import attrs
import pytest

from offlineseed.errors import NtfsError
from offlineseed.findings import Severity
from offlineseed.ntfs import NtfsFile, NtfsReader, Placement, ReservedExtent, verify_volume
from offlineseed.ntfs._encoding import protect

MIB = 1 << 20
NAMES = [f"many/file-{i:04}.zst" for i in range(1500)]


def codes(volume):
    return {finding.code for finding in verify_volume(volume.read)}


@pytest.fixture(scope="module")
def whole(make_volume, contents):
    reserved = [ReservedExtent(name="FVE2.1", offset=9 * MIB, length=65536)]
    final = {"DriveManifest.xml": 12345}
    return make_volume(contents, reserved=reserved, final_lengths=final)


@pytest.fixture
def volume(whole):
    return attrs.evolve(whole, image=whole.image.copy())


@pytest.fixture
def many(volume):
    # Number of the directory that has blocks.
    return ~volume.layout.contents.lengths[volume.layout.contents.find("many")]


def edit(volume, offset, length, usa, place, new):
    # Change bytes of a record or block behind its fix-ups, as a writer with a fault would.
    block = bytearray(volume.image[offset : offset + length])
    for stride in range(length // 512):
        end = stride * 512 + 512
        block[end - 2 : end] = block[usa + 2 + 2 * stride : usa + 4 + 2 * stride]
    block[place : place + len(new)] = new
    protect(block, 0, length, usa, 9)
    volume.image[offset : offset + length] = block


def edit_record(volume, path, place, new):
    number = path if isinstance(path, int) else volume.record_of(path)
    edit(volume, volume.record_offset(number), 1024, 0x30, place, new)


def edit_block(volume, directory, block, place, new):
    edit(volume, volume.block_offset(directory, block), 4096, 0x28, place, new)


def find_in_block(volume, directory, block, name):
    offset = volume.block_offset(directory, block)
    key = volume.image.index(name.encode("utf-16-le"), offset, offset + 4096) - 0x42
    return key - offset


def flip_bit(volume, run, bit):
    volume.image[run[0] * 4096 + bit // 8] ^= 1 << bit % 8


@pytest.mark.parametrize("cluster_bytes", [512, 1024, 2048, 4096, 8192, 65536])
def test_verify_of_a_volume_finds_nothing(make_volume, cluster_bytes):
    files = [
        NtfsFile(path="a", length=0),
        NtfsFile(path="b", length=70_000),
        NtfsFile(path="c/d", length=300, content=bytes(300)),
        *(NtfsFile(path=f"d/{'n' * (i % 200)}{i}", length=i % 3) for i in range(300)),
    ]
    volume = make_volume(files, cluster_bytes=cluster_bytes, size=64 * MIB)

    assert verify_volume(volume.read) == ()


@pytest.mark.parametrize("placement", Placement)
def test_verify_of_an_empty_volume_finds_nothing(make_volume, placement):
    assert verify_volume(make_volume(placement=placement).read) == ()


def test_verify_of_a_volume_with_everything_finds_nothing(volume):
    assert verify_volume(volume.read) == ()


def test_verify_of_a_volume_on_noise_finds_nothing(make_volume, contents):
    volume = make_volume(contents, final_lengths={"DriveManifest.xml": 0}, background=b"\xa5")

    assert verify_volume(volume.read) == ()


def test_verify_of_noise_finds_that_it_is_no_volume():
    (finding,) = verify_volume(lambda offset, length: b"\xa5" * length)

    assert finding.code == "volume-unreadable"


def test_verify_passes_errors_of_the_device_on():
    def read(offset, length):
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        verify_volume(read)


def test_verify_sees_a_boot_sector_unlike_its_copy(volume):
    volume.image[volume.layout.geometry.backup_boot_offset + 0x48] ^= 1

    assert codes(volume) == {"boot-copy"}


def test_verify_sees_a_dirty_volume(volume):
    place = volume.record_offset(3)
    record = volume.image[place : place + 1024]
    edit_record(volume, 3, record.index(b"\3\1\0\0") + 2, b"\1")

    assert codes(volume) == {"volume-dirty", "mirror-differs"}


def test_verify_sees_a_mirror_that_differs(volume):
    volume.image[volume.layout.places.mirror[0] * 4096 + 100] ^= 1

    assert codes(volume) == {"mirror-differs"}


@pytest.mark.parametrize("bit", [3, 700, 4094], ids=["in use", "in use too", "free"])
def test_verify_sees_a_wrong_bit_of_a_cluster(volume, bit):
    flip_bit(volume, volume.layout.places.bitmap, bit)

    (finding,) = verify_volume(volume.read)
    assert (finding.code, finding.subject) == ("cluster-bit", f"cluster {bit}")


def test_verify_sees_a_wrong_bit_of_a_record(volume):
    flip_bit(volume, volume.layout.places.mft_bitmap, 70)

    assert codes(volume) == {"record-bit"}


def test_verify_sees_a_torn_record(volume):
    volume.image[volume.record_offset(volume.record_of("streamed")) + 510] ^= 1

    assert {"record-damaged", "entry-dangling", "record-bit", "cluster-bit"} == codes(volume)


@pytest.mark.parametrize(
    ("place", "new", "code"),
    [
        (0x10, b"\5", "entry-sequence"),
        (0x10, b"\0", "record-sequence"),
        (0x12, b"\2", "link-count"),
        (0x16, b"\0", "entry-dangling"),
        (0x18, b"\x60", "record-length"),
        (0x28, b"\2", "attribute-instance"),
        (0x2C, b"\1", "record-number"),
        (0x38 + 0x18 + 0x34, b"\x77", "security-unknown"),
        (0x38 + 0x18, b"\x77", "entry-times"),
        (0x38, b"\x40", "attribute-order"),
    ],
)
def test_verify_sees_a_wrong_field_of_a_record(volume, place, new, code):
    edit_record(volume, "streamed", place, new)

    assert code in codes(volume)


@pytest.mark.parametrize(
    ("place", "new", "code"),
    [
        (0x18, b"\7", "run-count"),
        (0x28, b"\0\0\0\0\1", "allocated-size"),
        (0x30, b"\0\0\0\0\1", "data-size"),
        (0x30, b"\1", "entry-differs"),
        (0x38, b"\0\0\0\0\1", "data-size"),
        (0x40, b"\x41\1\xff\xff\xff\x7f", "run-outside"),
        (0x40, b"\x11\3\5\0", "cluster-twice"),
        (0x40, b"\x1f", "record-damaged"),
    ],
)
def test_verify_sees_wrong_sizes_and_runs(volume, place, new, code):
    offset = volume.record_offset(volume.record_of("streamed"))
    data = volume.image.index(b"\x80\0\0\0", offset) - offset
    edit_record(volume, "streamed", data + place, new)

    assert code in codes(volume)


@pytest.mark.parametrize(
    ("place", "new", "code"),
    [
        (-0x10, b"\xff\xff", "entry-dangling"),
        (-0x10 + 6, b"\7", "entry-sequence"),
        (-0x10 + 10, b"\xff\xff", "index-block-damaged"),
        (0, b"\xff", "index-parent"),
        (8, b"\xff", "entry-times"),
        (0x28, b"\xff", "entry-differs"),
        (0x30, b"\xff", "entry-differs"),
        (0x38 + 3, b"\x10", "entry-differs"),
        (0x41, b"\2", "entry-differs"),
        (0x42, b"z", "index-order"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_verify_sees_a_wrong_field_of_an_index_entry(volume, many, place, new, code):
    key = find_in_block(volume, many, 2, "file-0")
    edit_block(volume, many, 2, key + place, new)

    assert code in codes(volume)


def test_verify_sees_entries_that_changed_places(volume, many):
    # Exactly what no public checker sees.
    first = find_in_block(volume, many, 0, NAMES[3][5:]) - 0x10
    second = find_in_block(volume, many, 0, NAMES[4][5:]) - 0x10
    start = volume.block_offset(many)
    a = bytes(volume.image[start + first : start + first + 0x6C])
    b = bytes(volume.image[start + second : start + second + 0x6C])
    edit_block(volume, many, 0, first, b)
    edit_block(volume, many, 0, second, a)

    assert codes(volume) == {"index-order"}


def test_verify_sees_a_size_in_an_index_entry_alone(volume, many):
    # What no public checker sees either.
    key = find_in_block(volume, many, 0, NAMES[3][5:])
    edit_block(volume, many, 0, key + 0x30, b"\x99")

    assert codes(volume) == {"entry-differs"}


def test_verify_sees_a_torn_index_block(volume, many):
    volume.image[volume.block_offset(many, 1) + 510] ^= 1

    assert {"index-block-damaged", "name-references"} <= codes(volume)


def test_verify_sees_an_index_block_with_another_number(volume, many):
    edit_block(volume, many, 1, 0x10, b"\x09")

    assert "index-block-damaged" in codes(volume)


def test_verify_sees_a_block_that_two_nodes_share(volume, many):
    blocks = volume.layout.index_blocks[many]
    top = volume.block_offset(many, blocks - 1)
    # The first entry's child becomes the last one's.
    length = int.from_bytes(volume.image[top + 0x48 : top + 0x4A], "little")
    edit_block(volume, many, blocks - 1, 0x40 + length - 8, bytes([blocks - 2]))

    assert {"index-block-twice", "index-block-lost", "name-references"} <= codes(volume)


def test_verify_sees_a_child_outside_the_index(volume, many):
    blocks = volume.layout.index_blocks[many]
    top = volume.block_offset(many, blocks - 1)
    length = int.from_bytes(volume.image[top + 0x48 : top + 0x4A], "little")
    edit_block(volume, many, blocks - 1, 0x40 + length - 8, b"\xff")

    assert {"index-block-free", "index-block-damaged"} <= codes(volume)


def test_verify_sees_a_leaf_without_entries(volume, many):
    empty = bytes.fromhex("0000000000000000 1000 0000 0200 0000")
    edit_block(volume, many, 1, 0x40, empty)
    edit_block(volume, many, 1, 0x1C, (0x28 + 0x10).to_bytes(4, "little"))

    assert "index-leaf-empty" in codes(volume)


def test_verify_sees_a_wrong_bit_of_an_index_block(volume):
    offset = volume.record_offset(volume.record_of("many"))
    bits = volume.image.index(b"\xb0\0\0\0", offset) - offset + 0x20
    edit_record(volume, "many", bits, b"\xfe")

    assert codes(volume) == {"index-block-free"}


@pytest.mark.parametrize(
    ("place", "code"),
    [(0x40000, "security-mirror"), (0x14, "security-hash"), (8, "security-place")],
)
def test_verify_sees_damaged_security_descriptors(volume, place, code):
    volume.image[volume.layout.places.security[0] * 4096 + place] ^= 0x80

    assert code in codes(volume)


@pytest.mark.parametrize("name", ["$SDH", "$SII"])
def test_verify_sees_damaged_indexes_of_security_descriptors(volume, name):
    offset = volume.record_offset(9)
    attribute = volume.image.index(name.encode("utf-16-le"), offset) - offset
    data = attribute + 8 + 0x20 + 0x18
    edit_record(volume, 9, data, bytes([volume.image[offset + data] ^ 1]))

    assert codes(volume) & {"security-entry", "security-order"}


def test_verify_notes_an_upper_case_table_of_another_windows(volume):
    volume.image[volume.layout.places.upcase[0] * 4096 + 2 * 0x1C89] ^= 1

    (finding,) = verify_volume(volume.read)
    assert (finding.code, finding.severity) == ("upcase-unknown", Severity.WARNING)


def test_verify_lists_a_thousand_findings_and_counts_the_rest(make_volume):
    files = [NtfsFile(path=f"{i:05}", length=1) for i in range(1100)]
    volume = make_volume(files)
    for number in range(64, 1164):
        edit_record(volume, number, 0x28, b"\0")

    findings = verify_volume(volume.read)
    assert len(findings) == 1001
    assert findings[-1].code == "more-findings"


def test_verify_sees_that_the_table_does_not_map_itself(volume):
    edit_record(volume, 0, 0x16, b"\0")
    volume.image[volume.record_offset(0)] ^= 1

    assert codes(volume) == {"volume-unreadable"}
    with pytest.raises(NtfsError):
        NtfsReader(volume.read)
