"""
Key bytes that never show.
"""

import copy
import pickle

import attrs
import pytest

from offlineseed.bitlocker import BoxedKey, Key


def test_reveal_gives_the_bytes():
    assert Key(b"0123").reveal() == b"0123"
    assert len(Key(b"0123")) == 4


def test_generate_asks_for_the_length():
    assert Key.generate(5, random_bytes=lambda count: b"x" * count).reveal() == b"xxxxx"
    assert Key.generate(32) != Key.generate(32)


def test_shown_anywhere_is_redacted():
    boxed = BoxedKey(method=1, key=Key(b"0123"))
    for shown in (repr(boxed), str(boxed.key), f"{boxed.key:>9}", repr(attrs.asdict(boxed))):
        assert "0123" not in shown


def test_equality_compares_the_bytes():
    assert Key(b"0123") == Key(b"0123")
    assert Key(b"0123") != Key(b"0124")
    assert Key(b"0123") != b"0123"


def test_hash_and_pickle_are_refused():
    with pytest.raises(TypeError):
        hash(Key(b"0123"))
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Key(b"0123"))


def test_copies_are_itself():
    key = Key(b"0123")
    assert copy.copy(key) is key
    assert copy.deepcopy(key) is key
