import hashlib

import pytest

from offlineseed.ntfs._upcase import UPCASE_CRC, collation_key, upcase_bytes, upcase_table

# One directory in the order in which Windows' rules list it.
IN_ORDER = [
    "aZ", "a^", "a_", "A`", "emoji😀🎉.bin", "zz~", "[x]", "^x", "_x", "`x", "{x", "µ", "ÀÉÎ.txt",
    "äöüß", "ı dotless", "ÿ", "Ÿx", "ſ long s", "ǅ", "Ⴀ", "ა", "ᾳ", "中文文件名.txt", "日本語", "ꙁ",
    "𐐨 deseret", "𝔘𝔫𝔦", "\ue000 pua", "ﬁ", "ａ fullwidth", "\uffee",
]  # fmt: skip


def crc64(data):
    crc = (1 << 64) - 1
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x9A6C9329AC4BC9B5 if value & 1 else 0)
        table.append(value)
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ (1 << 64) - 1


def test_upcase_table_is_the_one_of_windows_7():
    digest = hashlib.sha256(upcase_bytes()).hexdigest()

    assert digest == "41c26bc7a12bdaeb26025c93118697c7e3ef81ee048b00fe5cce2a472e0e0742"
    assert crc64(upcase_bytes()) == UPCASE_CRC


def test_collation_key_sorts_names_as_windows_does():
    assert sorted(IN_ORDER, key=collation_key) == IN_ORDER


@pytest.mark.parametrize("name", ["ß", "ı", "ſ", "µ", "ﬁ", "ა"])
def test_collation_key_leaves_letters_alone_that_windows_leaves_alone(name):
    assert collation_key(name) == name


@pytest.mark.parametrize(("one", "other"), [("é", "É"), ("ÿ", "Ÿ"), ("abc", "ABC"), ("ǆ", "Ǆ")])
def test_collation_key_of_names_that_differ_in_case_is_one(one, other):
    assert collation_key(one) == collation_key(other)


def test_collation_key_of_ascii_agrees_with_the_table():
    ascii_name = "".join(map(chr, range(128)))

    assert collation_key(ascii_name) == "".join(chr(upcase_table()[unit]) for unit in range(128))
