import inspect
import pickle
import typing

import attrs
import pytest

from offlineseed import events
from offlineseed.findings import Finding

KINDS = [
    value
    for name in events.__all__
    if inspect.isclass(value := getattr(events, name)) and attrs.has(value)
]
SAMPLES = {
    "int": 3,
    "str": "x",
    "Finding": Finding(code="blob-missing", subject="nightly/a", message="it is not there"),
}


def sample(kind, **changes):
    values = {field.name: SAMPLES[field.type] for field in attrs.fields(kind)}
    return kind(**values | changes)


def test_event_union_holds_every_kind_of_event():
    assert set(typing.get_args(events.Event)) == set(KINDS)
    assert len(KINDS) >= 11


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_event_changed_is_refused(kind):
    event = sample(kind)
    name = attrs.fields(kind)[0].name

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(event, name, getattr(event, name))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_event_compared_and_hashed_goes_by_value(kind):
    assert sample(kind) == sample(kind)
    assert len({sample(kind), sample(kind)}) == 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_event_pickled_is_the_same_value(kind):
    assert pickle.loads(pickle.dumps(sample(kind))) == sample(kind)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_event_given_positional_arguments_is_refused(kind):
    with pytest.raises(TypeError):
        kind(*attrs.astuple(sample(kind), recurse=False))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_event_holds_no_percentages_or_rates(kind):
    assert {field.type for field in attrs.fields(kind)} <= set(SAMPLES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_ignore_events_takes_every_event_silently(kind, capsys):
    assert events.ignore_events(sample(kind)) is None
    assert capsys.readouterr() == ("", "")
