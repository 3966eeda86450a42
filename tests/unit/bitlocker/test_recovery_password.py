"""
The 48 digits: form, arithmetic, and that they never show.
"""

import copy
import pickle

import pytest

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import RecoveryPasswordError

DIGITS = "111111-222222-333333-444444-555555-666666-123453-654313"
KEY = bytes.fromhex("7527ea4e5f76d49d49c5beecd72b5be8")


def with_group(number: int, group: str) -> str:
    groups = DIGITS.split("-")
    groups[number - 1] = group
    return "-".join(groups)


def test_parse_published_vector_gives_its_key():
    assert RecoveryPassword.parse(DIGITS).key_bytes() == KEY


@pytest.mark.parametrize(
    "text",
    [DIGITS, f"  {DIGITS}\r\n", DIGITS.replace("-", "")],
    ids=["hyphens", "white space around", "bare digits"],
)
def test_parse_accepted_forms_reveal_the_canonical_one(text):
    assert RecoveryPassword.parse(text).reveal() == DIGITS


def test_generate_takes_exactly_sixteen_bytes():
    asked = []

    def random_bytes(count):
        asked.append(count)
        return KEY

    assert RecoveryPassword.generate(random_bytes=random_bytes).reveal() == DIGITS
    assert asked == [16]


def test_generate_by_default_differs_each_time():
    assert RecoveryPassword.generate() != RecoveryPassword.generate()


@pytest.mark.parametrize("key", [bytes(16), b"\xff" * 16], ids=["smallest", "largest"])
def test_reveal_at_the_ends_of_the_range_parses_again(key):
    password = RecoveryPassword(key)
    assert RecoveryPassword.parse(password.reveal()) == password


def test_reveal_keeps_leading_zeros():
    assert RecoveryPassword(bytes(16)).reveal() == "-".join(["000000"] * 8)
    assert RecoveryPassword(b"\xff" * 16).reveal() == "-".join(["720885"] * 8)


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize(
    ("group", "fact"),
    [
        ("111112", "multiple of 11"),
        ("720896", "below 720896"),
        ("999999", "below 720896"),
        ("11111", "6 digits"),
        ("1111111", "6 digits"),
        ("11111a", "6 digits"),
        ("+11111", "6 digits"),
        ("１１１１１１", "6 digits"),
        ("", "6 digits"),
    ],
)
def test_parse_wrong_group_names_it_and_not_its_digits(number, group, fact):
    with pytest.raises(RecoveryPasswordError) as caught:
        RecoveryPassword.parse(with_group(number, group))
    assert caught.value.group == number
    assert fact in str(caught.value)
    assert "111111" not in str(caught.value)
    assert not group or group == "720896" or group not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "111111", DIGITS[:-7], DIGITS + "-111111", DIGITS.replace("-", " "), "-" * 8]
)
def test_parse_wrong_form_has_no_group(text):
    with pytest.raises(RecoveryPasswordError) as caught:
        RecoveryPassword.parse(text)
    assert caught.value.group == 0
    assert "111111" not in str(caught.value)


def test_constructor_wrong_length_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        RecoveryPassword(b"short")


def test_shown_anywhere_is_redacted():
    password = RecoveryPassword.parse(DIGITS)
    for shown in (repr(password), str(password), f"{password}", f"{password:>80}"):
        assert shown == "RecoveryPassword('…')"


def test_pickle_is_refused():
    with pytest.raises(TypeError, match="KeyStore"):
        pickle.dumps(RecoveryPassword.parse(DIGITS))


def test_hash_is_refused():
    with pytest.raises(TypeError):
        hash(RecoveryPassword.parse(DIGITS))


def test_copies_are_itself():
    password = RecoveryPassword.parse(DIGITS)
    assert copy.copy(password) is password
    assert copy.deepcopy(password) is password


def test_equality_compares_the_key():
    password = RecoveryPassword.parse(DIGITS)
    assert password == RecoveryPassword(KEY)
    assert password != RecoveryPassword(bytes(16))
    assert password != DIGITS
