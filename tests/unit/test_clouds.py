import pickle

import pytest

from offlineseed import clouds
from offlineseed.clouds import CHINA, CLOUDS, PUBLIC, US_GOVERNMENT, cloud_of_url


@pytest.mark.parametrize(
    ("cloud", "endpoint"),
    [
        (PUBLIC, "https://examplebackups.blob.core.windows.net"),
        (US_GOVERNMENT, "https://examplebackups.blob.core.usgovcloudapi.net"),
        (CHINA, "https://examplebackups.blob.core.chinacloudapi.cn"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_cloud_names_the_blob_endpoint_of_an_account(cloud, endpoint):
    assert cloud.blob_endpoint("examplebackups") == endpoint


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
@pytest.mark.parametrize(
    "spell",
    [
        pytest.param(lambda url: url, id="as it is"),
        pytest.param(lambda url: url + "/", id="trailing slash"),
        pytest.param(lambda url: url.upper(), id="upper case"),
        pytest.param(lambda url: url + ":443/subscriptions/1?x=1", id="port and path"),
        pytest.param(lambda url: url + "?api-version=1", id="query without a path"),
        pytest.param(lambda url: f"  {url}\n", id="spaces around"),
        pytest.param(lambda url: url.replace("https", "http"), id="http"),
    ],
)
def test_cloud_of_url_recognises_both_endpoints_of_each_cloud(cloud, spell):
    assert cloud_of_url(spell(cloud.service_management)) is cloud
    assert cloud_of_url(spell(cloud.resource_manager)) is cloud


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "management.azure.com.example.org",
        "https://management.azure.com.example.org",
        "https://example.org/management.azure.com",
        "https://example.org#management.azure.com",
        "https://management.azure.com@example.org",
        "https://management.core.cloudapi.de",
    ],
)
def test_cloud_of_url_with_another_host_finds_none(url):
    assert cloud_of_url(url) is None


def test_clouds_list_holds_every_cloud_of_the_module_once():
    members = {
        name for name in clouds.__all__ if isinstance(getattr(clouds, name), clouds.AzureCloud)
    }

    assert {getattr(clouds, name) for name in members} == set(CLOUDS)
    assert len({cloud.name for cloud in CLOUDS}) == len(CLOUDS)


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_cloud_urls_are_https_without_a_trailing_slash(cloud):
    for url in (cloud.resource_manager, cloud.service_management, cloud.login):
        assert url.startswith("https://")
        assert not url.endswith("/")
    assert cloud.resource_manager_scope == cloud.resource_manager + "/.default"


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_cloud_pickled_is_the_same_value(cloud):
    assert pickle.loads(pickle.dumps(cloud)) == cloud
