import copy
import json
import logging
import pickle
import traceback

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offlineseed._secret import Secret

VALUE = "AccountKey=c2VjcmV0LXNlY3JldA=="


@attrs.frozen(kw_only=True)
class Holder:
    name: str
    key: Secret


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param("{}".format, id="format method"),
        pytest.param("{!r:>40}".format, id="padded repr"),
        pytest.param("{:s}".format, id="string format spec"),
        pytest.param("{:>60}".format, id="width format spec"),
        pytest.param(lambda secret: f"{secret}", id="f-string"),
        pytest.param("%-40s".__mod__, id="percent"),
        pytest.param(lambda secret: str([secret, {"key": secret}]), id="inside containers"),
        pytest.param(lambda secret: repr(Holder(name="a", key=secret)), id="inside a value"),
        pytest.param(lambda secret: str(attrs.asdict(Holder(name="a", key=secret))), id="asdict"),
        pytest.param(lambda secret: str(attrs.astuple(Holder(name="a", key=secret))), id="astuple"),
        pytest.param(lambda secret: str(ValueError("wrong", secret)), id="exception"),
        pytest.param(lambda secret: str(copy.deepcopy({"key": secret})), id="deep copy"),
    ],
)
def test_secret_shown_in_any_way_hides_its_value(show):
    shown = show(Secret(VALUE))

    assert VALUE not in shown
    assert "c2VjcmV0" not in shown
    assert "Secret('…')" in shown


def test_secret_logged_hides_its_value(caplog):
    with caplog.at_level(logging.INFO):
        logging.getLogger("host").info("key %s, settings %r", Secret(VALUE), {"k": Secret(VALUE)})

    assert "Secret('…')" in caplog.text
    assert VALUE not in caplog.text


def test_secret_in_a_traceback_hides_its_value():
    def fail(secret):
        raise RuntimeError(f"refused {secret}")

    with pytest.raises(RuntimeError) as caught:
        fail(Secret(VALUE))

    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(report.format())
    assert "refused Secret('…')" in text
    assert "secret = Secret('…')" in text
    assert VALUE not in text


def test_secret_revealed_returns_the_value():
    assert Secret(VALUE).reveal() == VALUE


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_secret_pickled_is_refused(protocol):
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(VALUE), protocol)


def test_value_with_a_secret_pickled_is_refused():
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Holder(name="a", key=Secret(VALUE)))


def test_secret_given_to_json_is_refused():
    with pytest.raises(TypeError):
        json.dumps({"key": Secret(VALUE)})


def test_secret_hashed_is_refused():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret(VALUE))


def test_secret_given_an_attribute_is_refused():
    with pytest.raises(AttributeError):
        Secret(VALUE).note = "x"


@pytest.mark.parametrize("value", [b"bytes", None, 7, Secret("nested")], ids=repr)
def test_secret_of_anything_but_a_string_is_refused_without_showing_it(value):
    with pytest.raises(TypeError, match=r"holds a str, not (bytes|NoneType|int|Secret)$"):
        Secret(value)


@given(st.text(st.characters(codec=None), max_size=40), st.text(max_size=40))
def test_secret_equality_is_equality_of_values(left, right):
    assert (Secret(left) == Secret(right)) == (left == right)
    assert Secret(left) == Secret(left)


def test_secret_with_a_lone_surrogate_compares():
    assert Secret("\ud800") == Secret("\ud800")
    assert Secret("\ud800") != Secret("?")


def test_secret_compared_with_its_value_is_unequal():
    assert Secret(VALUE) != VALUE
    assert Secret(VALUE) != VALUE


@pytest.mark.parametrize(
    ("value", "truth"), [("", False), ("x", True)], ids=["empty", "one letter"]
)
def test_secret_truth_tells_whether_there_is_a_value(value, truth):
    assert bool(Secret(value)) is truth


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_secret_copied_stays_equal(copier):
    assert copier(Secret(VALUE)).reveal() == VALUE
