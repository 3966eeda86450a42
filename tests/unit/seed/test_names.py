import pytest

from offlineseed.errors import UnsafeNameError
from offlineseed.seed._names import decode_name, encode_name, join_names


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "a/b",
        "a b",
        "Größe",
        "new\nline",
        "x" * 255,
        "~",
        "%2e%2e",
        "...",
        "a\\b",
        "..a",
        "C:x",
    ],
)
def test_name_that_stays_below_its_root_is_taken(name):
    assert decode_name(encode_name(name)) == name


def test_name_that_is_not_utf8_keeps_its_bytes():
    assert encode_name("a\udcff") == b"a\xff"
    assert decode_name(b"a\xff") == "a\udcff"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("..", "part"),
        ("a/../b", "part"),
        ("a/..", "part"),
        ("./a", "part"),
        ("a//b", "part"),
        ("a/", "part"),
        ("a\0b", "NUL"),
        ("x" * 65536, "longer"),
        ("a\ud800", "surrogate"),
    ],
    ids=[
        "empty", "absolute", "up", "up inside", "up at the end", "here", "empty part",
        "trailing slash", "NUL", "too long", "lone surrogate",
    ],
)  # fmt: skip
def test_name_that_could_leave_its_root_is_refused(name, reason):
    with pytest.raises(UnsafeNameError, match=reason) as caught:
        encode_name(name)
    assert caught.value.name == name[:200]


def test_join_names_with_an_empty_prefix_is_the_name():
    assert join_names(b"", b"name") == b"name"
    assert join_names(b"a/b", b"name") == b"a/b/name"
