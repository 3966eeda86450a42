import datetime as dt

import pytest

from offlineseed._secret import Secret
from offlineseed.clouds import PUBLIC
from offlineseed.errors import PublishSettingsError
from offlineseed.publishsettings import (
    ManagementCertificate,
    PublishedSubscription,
    PublishSettings,
)

EPOCH = dt.datetime(2014, 1, 1, tzinfo=dt.timezone.utc)
CERTIFICATE = ManagementCertificate(
    certificate_pem="",
    private_key_pem=Secret("key"),
    thumbprint="",
    subject="",
    not_valid_before=EPOCH,
    not_valid_after=EPOCH,
)


def settings_of(*ids) -> PublishSettings:
    return PublishSettings(
        subscriptions=[
            PublishedSubscription(
                id=identity,
                name=str(number),
                service_management_url=PUBLIC.service_management,
                cloud=PUBLIC,
                certificate=CERTIFICATE,
            )
            for number, identity in enumerate(ids)
        ]
    )


def test_subscription_is_found_without_regard_to_case():
    assert settings_of("aa-1", "bb-2").subscription("BB-2").name == "1"


def test_subscription_is_the_only_one_where_none_is_named():
    assert settings_of("aa-1", "AA-1").subscription().name == "0"


@pytest.mark.parametrize("wanted", [None, "cc-3"])
def test_subscription_not_to_be_chosen_names_the_ids(wanted):
    with pytest.raises(PublishSettingsError, match="choose one of aa-1, bb-2"):
        settings_of("aa-1", "bb-2").subscription(wanted)
