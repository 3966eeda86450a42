import pytest

from offlineseed.seed import SeedOptions
from offlineseed.settings import SeedSettings
from offlineseed.staging import StagingLocation

KIB = 1024


@pytest.fixture
def tmp_path(memory_path):
    return memory_path


@pytest.fixture
def make_settings(tmp_path):
    def make(name="nightly", **changes):
        values = {
            "staging_location": str(tmp_path / "staging"),
            "import_job_name": name,
            "subscription_id": "01234567-89ab-cdef-0123-456789abcdef",
            "storage_account": "account",
            "container": "container",
        }
        return SeedSettings(**(values | changes))

    return make


@pytest.fixture
def location(tmp_path):
    return StagingLocation(tmp_path / "staging")


@pytest.fixture
def job(location, make_settings):
    return location.create(make_settings())


@pytest.fixture
def options():
    return SeedOptions(chunk_bytes=64 * KIB, segment_bytes=512 * KIB, workers=2)
