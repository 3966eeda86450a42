import pytest

from offlineseed.jobs import DriveState, JobState, LogLevel
from offlineseed.jobs._words import known_word


@pytest.mark.parametrize("text", ["Shipping", "shipping", "SHIPPING"])
def test_job_state_any_case_is_the_member(text):
    assert JobState(text) is JobState.SHIPPING


def test_known_word_unknown_state_stays_text():
    assert known_word(JobState, "Teleporting") == "Teleporting"
    assert not isinstance(known_word(JobState, "Teleporting"), JobState)


def test_job_state_unknown_word_is_a_value_error():
    with pytest.raises(ValueError, match="Teleporting"):
        JobState("Teleporting")


def test_words_format_as_the_services_words():
    assert str(DriveState.COMPLETED_MORE_INFO) == "CompletedMoreInfo"
    assert f"{LogLevel.VERBOSE}" == "Verbose"
