"""
What a publish settings file gives access to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import attrs

from offlineseed.clouds import AzureCloud
from offlineseed.errors import PublishSettingsError
from offlineseed.findings import Finding
from offlineseed.publishsettings._certificate import ManagementCertificate

__all__ = ["PublishSettings", "PublishedSubscription"]


@final
@attrs.frozen(kw_only=True)
class PublishedSubscription:
    """
    A subscription and the certificate that manages it.
    """

    id: str
    """The subscription's id: a GUID."""
    name: str
    """Its name; may be empty."""
    service_management_url: str
    """Base URL of its classic Service Management API, without a trailing slash."""
    cloud: AzureCloud | None
    """The cloud of that URL; None for one that is not known, such as a private cloud."""
    certificate: ManagementCertificate
    """The certificate that the API takes."""
    schema_version: str = "1.0"
    """The schema of its profile: `1.0`, `2.0` or a later one."""


def _subscriptions(value: Iterable[PublishedSubscription]) -> tuple[PublishedSubscription, ...]:
    return tuple(value)


def _findings(value: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(value)


@final
@attrs.frozen(kw_only=True)
class PublishSettings:
    """
    A publish settings file that can be used.
    """

    subscriptions: tuple[PublishedSubscription, ...] = attrs.field(converter=_subscriptions)
    """Every subscription of every profile, in the order of the file; at least one."""
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=_findings)
    """What is odd and does not prevent its use: warnings."""

    def subscription(self, subscription_id: str | None = None) -> PublishedSubscription:
        """
        Return the subscription of that id, or the only one where no id is given.

        Ids compare without regard to case; of two entries with one id the first is taken.

        Raises:
            PublishSettingsError: there is none of that id, or several and no id was given; names
                the ids that there are.
        """
        ids = dict.fromkeys(subscription.id.lower() for subscription in self.subscriptions)
        if subscription_id is None and len(ids) == 1:
            return self.subscriptions[0]
        for subscription in self.subscriptions:
            if subscription_id is not None and subscription.id.lower() == subscription_id.lower():
                return subscription
        wanted = (
            "several subscriptions and none was chosen"
            if subscription_id is None
            else f"no subscription {subscription_id!r}"
        )
        raise PublishSettingsError(
            f"the publish settings have {wanted}: choose one of {', '.join(ids)}"
        )
