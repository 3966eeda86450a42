import pickle

import attrs
import pytest

from offlineseed.findings import Finding, Severity


def finding(**changes):
    values = {"code": "blob-missing", "subject": "nightly/a", "message": "it is not there"}
    return Finding(**values | changes)


def test_finding_without_a_severity_is_an_error():
    assert finding().severity is Severity.ERROR


def test_finding_as_text_names_its_subject_first():
    assert str(finding()) == "nightly/a: it is not there"


def test_finding_changed_is_refused():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        finding().code = "other"


def test_finding_compared_and_hashed_goes_by_value():
    assert finding() == finding()
    assert len({finding(), finding(), finding(severity=Severity.WARNING)}) == 2


def test_finding_pickled_is_the_same_value():
    value = finding(severity=Severity.WARNING)

    again = pickle.loads(pickle.dumps(value))

    assert again == value
    assert again.severity is Severity.WARNING


def test_finding_given_positional_arguments_is_refused():
    with pytest.raises(TypeError):
        Finding("blob-missing", "nightly/a", "it is not there")


@pytest.mark.parametrize(
    ("severity", "word"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning")]
)
def test_severity_reads_and_writes_as_its_word(severity, word):
    assert severity.value == word
    assert Severity(word) is severity
    assert severity == word
