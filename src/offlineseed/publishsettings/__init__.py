"""
Publish settings files: subscriptions, their cloud, and the certificate that manages them.
"""

from offlineseed.publishsettings._certificate import ManagementCertificate
from offlineseed.publishsettings._models import PublishedSubscription, PublishSettings
from offlineseed.publishsettings._parser import (
    MAXIMUM_PUBLISH_SETTINGS_BYTES,
    parse_publish_settings,
)

__all__ = [
    "MAXIMUM_PUBLISH_SETTINGS_BYTES",
    "ManagementCertificate",
    "PublishSettings",
    "PublishedSubscription",
    "parse_publish_settings",
]
