import shutil

import pytest

from offlineseed.errors import FormatError, StagedJobExistsError, StagedJobNotFoundError
from offlineseed.staging import StagingLocation


def test_job_created_is_opened_with_its_settings(location, make_settings):
    settings = make_settings(publish_settings_path="/Größe/p.publishsettings")
    created = location.create(settings)
    opened = location.open("nightly")
    assert opened.settings == created.settings == settings
    assert opened.name == "nightly"
    assert opened.folder == location.path / "nightly"
    assert opened.created == created.created
    assert opened.source_host == created.source_host


def test_jobs_are_listed_by_name(location, make_settings):
    assert list(location) == []
    for name in ("weekly", "nightly", "abc"):
        location.create(make_settings(name))
    (location.path / "lost+found").mkdir()
    (location.path / "notes.txt").write_text("x")
    assert [job.name for job in location] == ["abc", "nightly", "weekly"]


def test_job_that_exists_is_not_created_again(location, make_settings):
    location.create(make_settings())
    with pytest.raises(StagedJobExistsError) as caught:
        location.create(make_settings())
    assert caught.value.name == "nightly"


@pytest.mark.parametrize("name", ["missing", "../staging", "", ".", "a/b", "x" * 300, "nul\0"])
def test_job_that_does_not_exist_is_not_found(location, make_settings, name):
    location.create(make_settings())
    with pytest.raises(StagedJobNotFoundError, match="it has: nightly") as caught:
        location.open(name)
    assert caught.value.name == name


def test_location_that_does_not_exist_has_no_jobs(tmp_path):
    location = StagingLocation(tmp_path / "nowhere")
    assert list(location) == []
    with pytest.raises(StagedJobNotFoundError, match="none"):
        location.open("nightly")


def test_folder_that_is_no_jobs_is_left_out(location, make_settings):
    location.create(make_settings())
    shutil.copytree(location.path / "nightly", location.path / "Nightly (copy)")
    assert [job.name for job in location] == ["nightly"]
    with pytest.raises(StagedJobNotFoundError, match="it has: nightly"):
        location.open("missing")


def test_damaged_job_is_named_and_does_not_hide_that_another_is_missing(location, make_settings):
    job = location.create(make_settings())
    (job.folder / "seed.json").write_text("{")
    with pytest.raises(FormatError, match=r"nightly.seed\.json"):
        location.open("nightly")
    with pytest.raises(StagedJobNotFoundError, match="it has: nightly"):
        location.open("missing")


def test_second_run_opens_what_the_first_created(location, make_settings):
    first = location.open_or_create(make_settings())
    second = location.open_or_create(make_settings())
    assert (second.folder, second.created) == (first.folder, first.created)
    with pytest.raises(StagedJobExistsError, match="other settings"):
        location.open_or_create(make_settings(container="another"))


def test_creation_that_was_interrupted_is_repeated(location, make_settings):
    (location.path / "nightly").mkdir(parents=True)
    (location.path / "nightly" / "seed.json.123.partial").write_text("{")
    assert list(location) == []
    assert location.open_or_create(make_settings()).name == "nightly"
