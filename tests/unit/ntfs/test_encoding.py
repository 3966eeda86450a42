import hashlib

import pytest

from offlineseed.ntfs import NtfsFile
from offlineseed.ntfs._decode import decode_runs, parse_record, remove_fixups
from offlineseed.ntfs._encoding import (
    HOLE,
    encode_record,
    encode_runs,
    protect,
    resident_attribute,
)
from offlineseed.ntfs._records import Records


@pytest.mark.parametrize(
    ("runs", "encoded"),
    [
        ([(4, 7)], "11070400"),
        ([(8192, 512)], "22 0002 0020 00"),
        ([(32768, 327)], "32 4701 008000 00"),
        ([(268435463, 65536)], "43 000001 07000010 00"),
        ([(HOLE, 16383)], "02 ff3f 00"),
        ([(10, 3), (4, 2), (0x123456789, 0x80)], "11030a 1102fa 528000 8567452301 00"),
        ([(5, 128), (3, 127), (1 << 40, 1 << 31)], "12800005 117ffe 6500000080 00fdffffffff0000"),
    ],
)
def test_encode_runs_gives_the_vectors(runs, encoded):
    assert encode_runs(runs) == bytes.fromhex(encoded)
    expected = [(None if first == HOLE else first, count) for first, count in runs]
    assert list(decode_runs(encode_runs(runs))) == expected


def test_protect_keeps_the_ends_of_the_strides_for_the_reader():
    plain = bytearray(range(256)) * 4
    plain[:4], plain[4:8] = b"FILE", bytes([0x30, 0, 3, 0])
    block = plain.copy()
    protect(block, 0, 1024, 0x30, 2)

    assert block[510:512] == block[1022:1024] == b"\2\0"
    assert remove_fixups(bytes(block), b"FILE")[510:512] == plain[510:512]


def test_encode_record_of_a_file_gives_the_vector(make_layout):
    layout = make_layout([NtfsFile(path="hello.txt", length=12)], size=64 << 20)
    layout.first_clusters[0] = 9000
    (record,) = Records(layout, {}).render()

    digest = hashlib.sha256(record).hexdigest()
    assert digest == "55dab6b019138a2132b2ac76f8d7e6d442f146d44eb43cd8c26c35520a35eaf1"
    assert parse_record(record, 64).used == 0x158


def test_encode_record_whose_attributes_do_not_fit_is_refused():
    attribute = resident_attribute(0x80, bytes(1000), instance=0)

    with pytest.raises(ValueError, match="1088 bytes"):
        encode_record(70, [attribute], sequence=1, links=1, flags=1, next_instance=1)
