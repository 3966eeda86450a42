import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest

from offlineseed.errors import StagingError
from offlineseed.jobs import DeliveryPackage, JobRegistry, WaitingJob, taken_tracking_numbers

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)


def waiting(name, *, days=0, **changes):
    return WaitingJob(
        name=name,
        created_at=NOW + dt.timedelta(days=days),
        **{"staging_location": "/stage", **changes},
    )


@pytest.fixture
def registry(tmp_path):
    return JobRegistry(tmp_path / "state" / "offlineseed")


def test_registry_before_its_first_job_is_empty(registry):
    assert registry.list_jobs() == ()
    assert not registry.path.parent.exists()


def test_registry_lists_the_oldest_first(registry):
    new, old = waiting("a", days=2), waiting("b", days=1)
    registry.put_job(new)
    registry.put_job(old)
    assert JobRegistry(registry.path.parent).list_jobs() == (old, new)


def test_registry_put_again_replaces_the_entry_of_that_place_only(registry):
    here, there = waiting("a"), waiting("a", staging_location="/elsewhere")
    registry.put_job(here)
    registry.put_job(there)
    shipped = attrs.evolve(here, state="Shipping", tracking_number="7")
    registry.put_job(shipped)
    assert set(registry.list_jobs()) == {shipped, there}


def test_registry_delete_forgets_one_place_or_all(registry):
    registry.put_job(waiting("a"))
    registry.put_job(waiting("a", staging_location="/elsewhere"))
    registry.delete_job("a", staging_location="/stage")
    assert [job.staging_location for job in registry.list_jobs()] == ["/elsewhere"]
    registry.delete_job("a")
    registry.delete_job("a")
    assert registry.list_jobs() == ()


def test_registry_writers_at_once_lose_nothing(registry):
    names = [f"job-{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: registry.put_job(waiting(name)), names))
    assert sorted(job.name for job in registry.list_jobs()) == sorted(names)


def test_registry_leaves_nothing_but_its_file_and_lock(registry):
    registry.put_job(waiting("a"))
    assert sorted(path.name for path in registry.path.parent.iterdir()) == [
        "import-jobs.json",
        "import-jobs.lock",
    ]


def test_registry_damaged_file_is_a_staging_error_and_stays(registry):
    registry.put_job(waiting("a"))
    registry.path.write_bytes(b"{torn")
    with pytest.raises(StagingError, match="registry"):
        registry.list_jobs()
    with pytest.raises(StagingError, match="registry"):
        registry.put_job(waiting("b"))
    assert registry.path.read_bytes() == b"{torn"


def test_taken_tracking_numbers_come_from_registry_and_service(registry, new_job):
    registry.put_job(waiting("a", tracking_number="1"))
    registry.put_job(waiting("b"))
    package = DeliveryPackage(carrier_name="DHL", tracking_number="2")
    listed = [new_job(delivery_package=package), new_job()]
    assert taken_tracking_numbers(registry, listed) == (("1", "a"), ("2", "seed-1"))
    assert taken_tracking_numbers(None) == ()


def test_change_clears_up_what_a_killed_writer_left(registry):
    registry.put_job(waiting("a"))
    left = registry.path.with_name(f"{registry.path.name}.77-0a.partial")
    left.write_bytes(b"{")

    registry.put_job(waiting("b"))

    assert not left.exists()
    assert [job.name for job in registry.list_jobs()] == ["a", "b"]


def test_taken_tracking_numbers_tell_a_namesake_apart_by_its_place(registry):
    registry.put_job(waiting("a", tracking_number="1"))
    registry.put_job(waiting("a", tracking_number="2", staging_location="/elsewhere"))
    own = waiting("a")

    taken = taken_tracking_numbers(registry, own=(own.name, own.staging_location))

    assert set(taken) == {("1", "a"), ("2", "a at /elsewhere")}
