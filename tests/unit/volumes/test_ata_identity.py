import struct

import pytest

from offlineseed.volumes import FormFactor
from offlineseed.volumes._ata_identity import parse_identity


def identity(*, serial=b"", form=0, rate=0):
    words = bytearray(512)
    words[20:40] = serial.rjust(20)
    struct.pack_into("<H", words, 168 * 2, form)
    struct.pack_into("<H", words, 217 * 2, rate)
    return bytes(words)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (0, FormFactor.UNKNOWN),
        (1, FormFactor.LARGER),
        (2, FormFactor.INCH_3_5),
        (3, FormFactor.INCH_2_5),
        (7, FormFactor.SMALLER),
        (0xFFFF, FormFactor.UNKNOWN),
    ],
)
def test_form_factor_is_that_of_the_standard(form, expected):
    assert parse_identity(identity(form=form)).form_factor is expected


@pytest.mark.parametrize(
    ("rate", "expected"), [(0, None), (1, False), (5400, True), (7200, True), (0xFFFF, None)]
)
def test_rotation_is_that_of_the_standard(rate, expected):
    assert parse_identity(identity(rate=rate)).is_rotational is expected


def test_serial_has_no_spaces_and_no_nul():
    assert parse_identity(identity(serial=b"WD-WCC4E 1234567")).serial == "WD-WCC4E1234567"
    assert parse_identity(identity(serial=b"\0\0\0\0")).serial == ""


def test_answer_of_another_length_is_none():
    assert parse_identity(b"") is None
    assert parse_identity(bytes(511)) is None
