import json
from datetime import datetime, timedelta, timezone

import pytest

from offlineseed.errors import FormatError
from offlineseed.staging._document import JobDocument, parse_document, render_document


@pytest.fixture
def document(make_settings):
    return JobDocument(
        settings=make_settings(),
        source_host="höst",
        created=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc),
    )


def change(document, **changes):
    return json.dumps(json.loads(render_document(document)) | changes).encode()


def test_document_rendered_is_parsed(document):
    assert parse_document(render_document(document), where="seed.json") == document


def test_document_of_a_path_that_is_not_utf8_is_parsed(document, make_settings):
    import attrs

    odd = attrs.evolve(document, settings=make_settings(staging_location="/srv/\udcff\udcfe"))
    assert parse_document(render_document(odd), where="seed.json") == odd


def test_document_has_no_secret_and_an_aware_time(document):
    text = render_document(document).decode()
    assert json.loads(text)["created"] == "2026-01-02T03:04:05.000678+00:00"
    elsewhere = document.created.astimezone(timezone(timedelta(hours=5)))
    assert json.loads(text)["created"] == (
        json.loads(render_document(JobDocument(
            settings=document.settings, source_host="höst", created=elsewhere
        )))["created"]
    )  # fmt: skip


def test_document_of_a_newer_minor_version_is_read(document):
    assert parse_document(change(document, version="1.7", more=1), where="x") == document


def test_document_of_a_newer_major_version_is_refused_by_name(document):
    with pytest.raises(FormatError, match=r"version 2\.0.*newer offlineseed"):
        parse_document(change(document, version="2.0"), where="x")


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000],
    ids=["nothing", "half", "list", "null", "empty", "no text", "deep"],
)
def test_document_that_is_none_is_refused(data):
    with pytest.raises(FormatError, match="the file"):
        parse_document(data, where="the file")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "another"},
        {"version": "one"},
        {"settings": None},
        {"settings": {"import_job_name": "nightly"}},
        {"settings": {"unknown": 1}},
        {"created": "yesterday"},
        {"created": 5},
        {"created": "2026-01-02T03:04:05"},
    ],
    ids=str,
)
def test_document_with_a_wrong_value_is_refused(document, changes):
    with pytest.raises(FormatError):
        parse_document(change(document, **changes), where="x")


def test_document_with_a_setting_that_the_service_refuses_is_refused(document):
    settings = json.loads(render_document(document))["settings"] | {"container": "NO"}
    with pytest.raises(FormatError, match="container"):
        parse_document(change(document, settings=settings), where="x")
