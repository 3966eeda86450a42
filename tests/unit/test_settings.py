import re
import uuid

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offlineseed.errors import SettingsError
from offlineseed.settings import (
    SeedSettings,
    check_container_name,
    check_import_job_name,
    check_storage_account_name,
    check_subscription_id,
)

GOOD = {
    "staging_location": "/srv/staging",
    "import_job_name": "contoso-first-backup",
    "publish_settings_path": None,
    "subscription_id": "01234567-89ab-cdef-0123-456789abcdef",
    "storage_account": "contosobackups",
    "container": "nightly",
}
BAD = {
    "staging_location": "",
    "import_job_name": "Contoso",
    "publish_settings_path": "",
    "subscription_id": "contoso",
    "storage_account": "contoso-backups",
    "container": "Nightly",
}
CODES = {
    "staging_location": "staging-location-invalid",
    "import_job_name": "import-job-name-invalid",
    "publish_settings_path": "publish-settings-path-invalid",
    "subscription_id": "subscription-id-invalid",
    "storage_account": "storage-account-name-invalid",
    "container": "container-name-invalid",
}


def codes_of(**changes):
    with pytest.raises(SettingsError) as caught:
        SeedSettings(**GOOD | changes)
    return [finding.code for finding in caught.value.findings]


def test_settings_within_every_rule_keep_what_was_given():
    settings = SeedSettings(**GOOD)

    assert attrs.asdict(settings) == GOOD


def test_settings_compared_and_hashed_go_by_value():
    assert len({SeedSettings(**GOOD), SeedSettings(**GOOD)}) == 1


def test_settings_changed_are_refused():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        SeedSettings(**GOOD).container = "other"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("staging_location", "\\\\server\\share\\staging", id="UNC share"),
        pytest.param("staging_location", "Sauvegarde de l'été", id="spaces and accents"),
        pytest.param("import_job_name", "abc", id="job name of three letters"),
        pytest.param("import_job_name", "a" * 24, id="job name of 24 letters"),
        pytest.param("import_job_name", "a--1", id="job name with two hyphens"),
        pytest.param("publish_settings_path", "C:\\x.PublishSettings", id="settings file"),
        pytest.param("subscription_id", "01234567-89AB-CDEF-0123-456789ABCDEF", id="upper-case id"),
        pytest.param("storage_account", "abc", id="account of three letters"),
        pytest.param("storage_account", "1" * 24, id="account of 24 digits"),
        pytest.param("container", "a-1", id="container of three characters"),
        pytest.param("container", "0" * 63, id="container of 63 digits"),
        pytest.param("container", "$root", id="root container"),
    ],
)
def test_setting_at_the_edge_of_its_rule_is_accepted(name, value):
    assert getattr(SeedSettings(**GOOD | {name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("staging_location", "", id="no staging location"),
        pytest.param("staging_location", " \t", id="blank staging location"),
        pytest.param("staging_location", "/srv/\0", id="staging location with a NUL"),
        pytest.param("staging_location", None, id="staging location None"),
        pytest.param("publish_settings_path", "", id="empty settings path"),
        pytest.param("publish_settings_path", "a\0b", id="settings path with a NUL"),
        pytest.param("publish_settings_path", b"bytes", id="settings path of bytes"),
        pytest.param("import_job_name", "ab", id="job name of two letters"),
        pytest.param("import_job_name", "a" * 25, id="job name of 25 letters"),
        pytest.param("import_job_name", "1abc", id="job name with a digit first"),
        pytest.param("import_job_name", "abc-", id="job name with a hyphen last"),
        pytest.param("import_job_name", "aBc", id="job name with an upper-case letter"),
        pytest.param("import_job_name", "a_c", id="job name with an underscore"),
        pytest.param("import_job_name", "abc\n", id="job name with a newline"),
        pytest.param("import_job_name", "aé", id="job name with an accent"),
        pytest.param("import_job_name", "ab\u0663", id="job name with an Arabic digit"),
        pytest.param("import_job_name", 7, id="job name of a number"),
        pytest.param("subscription_id", "", id="no id"),
        pytest.param(
            "subscription_id", "0123456789abcdef0123456789abcdef", id="id without hyphens"
        ),
        pytest.param("subscription_id", "{" + GOOD["subscription_id"] + "}", id="id in braces"),
        pytest.param("subscription_id", GOOD["subscription_id"] + "0", id="id of 33 digits"),
        pytest.param("subscription_id", "g" + GOOD["subscription_id"][1:], id="id with a g"),
        pytest.param("subscription_id", None, id="id None"),
        pytest.param("storage_account", "ab", id="account of two letters"),
        pytest.param("storage_account", "a" * 25, id="account of 25 letters"),
        pytest.param("storage_account", "abc-d", id="account with a hyphen"),
        pytest.param("storage_account", "Abc", id="account with an upper-case letter"),
        pytest.param("storage_account", "abc\n", id="account with a newline"),
        pytest.param("container", "ab", id="container of two letters"),
        pytest.param("container", "a" * 64, id="container of 64 letters"),
        pytest.param("container", "a--b", id="container with two hyphens"),
        pytest.param("container", "-ab", id="container with a hyphen first"),
        pytest.param("container", "ab-", id="container with a hyphen last"),
        pytest.param("container", "$web2", id="container with a dollar"),
        pytest.param("container", "a/b", id="container with a slash"),
        pytest.param("container", "abc\n", id="container with a newline"),
    ],
)
def test_setting_against_its_rule_is_the_one_finding(name, value):
    assert codes_of(**{name: value}) == [CODES[name]]


def test_settings_all_wrong_report_every_problem_at_once():
    with pytest.raises(SettingsError) as caught:
        SeedSettings(**BAD)

    findings = caught.value.findings
    assert {finding.subject: finding.code for finding in findings} == CODES
    assert len(findings) == len(CODES)
    assert "6 inputs" in str(caught.value)
    assert all(finding.message in str(caught.value) for finding in findings)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (check_import_job_name, GOOD["import_job_name"], BAD["import_job_name"]),
        (check_storage_account_name, GOOD["storage_account"], BAD["storage_account"]),
        (check_container_name, GOOD["container"], BAD["container"]),
        (check_subscription_id, GOOD["subscription_id"], BAD["subscription_id"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_single_check_returns_none_or_a_finding(check, good, bad):
    assert check(good) is None
    assert check(bad).code in CODES.values()
    assert bad in check(bad).message


NEAR_NAMES = st.text(
    st.sampled_from("abcxyz0189-_.$ABZ \n\0é\u0663\ud800"), max_size=70
) | st.from_regex(r"[a-z0-9-]{1,66}", fullmatch=True)
ANYTHING = (
    st.text(st.characters(codec=None), max_size=70)
    | NEAR_NAMES
    | st.none()
    | st.integers()
    | st.binary(max_size=8)
    | st.uuids().map(str)
)


@given(
    st.fixed_dictionaries(
        {}, optional={name: ANYTHING | st.just(value) for name, value in GOOD.items()}
    )
)
@example({"subscription_id": "\ud800" * 36})
@example({"import_job_name": "a\n"})
def test_settings_given_anything_match_every_rule_or_raise_settings_error(changes):
    try:
        settings = SeedSettings(**GOOD | changes)
    except SettingsError as error:
        wrong = {finding.subject for finding in error.findings}
        assert wrong
        assert wrong <= set(changes)
        str(error).encode("utf-8")
        return

    assert settings.staging_location.strip()
    assert "\0" not in settings.staging_location
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,22}[a-z0-9]", settings.import_job_name)
    assert str(uuid.UUID(settings.subscription_id)) == settings.subscription_id.lower()
    assert re.fullmatch(r"[a-z0-9]{3,24}", settings.storage_account)
    assert settings.container == "$root" or (
        re.fullmatch(r"[a-z0-9-]{3,63}", settings.container)
        and "--" not in settings.container
        and settings.container.strip("-") == settings.container
    )
    path = settings.publish_settings_path
    assert path is None or (path.strip() and "\0" not in path)
