"""
The Azure clouds and their endpoints, as data.
"""

from __future__ import annotations

import re
from typing import final

import attrs

__all__ = ["CHINA", "CLOUDS", "PUBLIC", "US_GOVERNMENT", "AzureCloud", "cloud_of_url"]


@final
@attrs.frozen(kw_only=True)
class AzureCloud:
    """
    One Azure cloud.

    Source: the cloud tables of msrestazure 0.6.4 and azure-xplat-cli; the portal links of the
    offline backup article.
    """

    name: str
    """The name that Azure's tools give it."""
    resource_manager: str
    """Base URL of Azure Resource Manager, without a trailing slash."""
    resource_manager_scope: str
    """The OAuth scope of tokens for it."""
    service_management: str
    """Base URL of the classic Service Management API."""
    login: str
    """Base URL of its Entra ID."""
    storage_suffix: str
    """DNS suffix of storage endpoints: `<account>.blob.<suffix>`."""
    publish_settings_portal: str
    """Where the portal gives out a publish settings file."""

    def blob_endpoint(self, storage_account: str) -> str:
        """
        Return the URL of a storage account's blob service.
        """
        return f"https://{storage_account}.blob.{self.storage_suffix}"


PUBLIC = AzureCloud(
    name="AzureCloud",
    resource_manager="https://management.azure.com",
    resource_manager_scope="https://management.azure.com/.default",
    service_management="https://management.core.windows.net",
    login="https://login.microsoftonline.com",
    storage_suffix="core.windows.net",
    publish_settings_portal=(
        "https://portal.azure.com/#blade/Microsoft_Azure_ClassicResources/PublishingProfileBlade"
    ),
)
"""The public cloud."""

US_GOVERNMENT = AzureCloud(
    name="AzureUSGovernment",
    resource_manager="https://management.usgovcloudapi.net",
    resource_manager_scope="https://management.usgovcloudapi.net/.default",
    service_management="https://management.core.usgovcloudapi.net",
    login="https://login.microsoftonline.us",
    storage_suffix="core.usgovcloudapi.net",
    publish_settings_portal=(
        "https://portal.azure.us#blade/Microsoft_Azure_ClassicResources/PublishingProfileBlade"
    ),
)
"""The United States government's cloud."""

CHINA = AzureCloud(
    name="AzureChinaCloud",
    resource_manager="https://management.chinacloudapi.cn",
    resource_manager_scope="https://management.chinacloudapi.cn/.default",
    service_management="https://management.core.chinacloudapi.cn",
    login="https://login.chinacloudapi.cn",
    storage_suffix="core.chinacloudapi.cn",
    publish_settings_portal=(
        "https://portal.azure.cn/#blade/Microsoft_Azure_ClassicResources/PublishingProfileBlade"
    ),
)
"""The cloud in China."""

CLOUDS = (PUBLIC, US_GOVERNMENT, CHINA)
"""Every cloud that is open today."""


def cloud_of_url(url: str) -> AzureCloud | None:
    """
    Recognise a cloud by the URL of its classic or its Resource Manager endpoint.

    Compares host names only, without regard to case, port, path or trailing slash. Returns None
    for an unknown host.

    >>> cloud_of_url("https://management.core.chinacloudapi.cn/").name
    'AzureChinaCloud'
    """
    host = _host(url)
    for cloud in CLOUDS:
        if host in (_host(cloud.service_management), _host(cloud.resource_manager)):
            return cloud
    return None


def _host(url: str) -> str:
    rest = url.strip().lower().partition("://")[2]
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    return authority.rpartition("@")[2].partition(":")[0]
