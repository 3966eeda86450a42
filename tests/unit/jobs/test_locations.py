import pytest

from offlineseed.errors import ShippingError
from offlineseed.jobs import Location, choose_location, same_location

PREFIX = "/providers/Microsoft.ImportExport/locations/"


def location(name, *alternates):
    short = name.replace(" ", "").lower()
    return Location(
        id=PREFIX + short, name=name, alternate_locations=[PREFIX + other for other in alternates]
    )


LOCATIONS = (
    location("West US", "westus"),
    location("East US 2", "eastus"),
    location("East US", "eastus"),
    location("UK West", "atlantis", "eastus"),
    location("Mars North", "atlantis"),
    location("Brazil South"),
)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("West US", "West US"),
        ("westus", "West US"),
        (PREFIX + "westus", "West US"),
        ("East US 2", "East US"),
        ("uk west", "East US"),
        ("brazilsouth", "Brazil South"),
    ],
    ids=[
        "its own alternate",
        "short name",
        "resource id",
        "another takes its drives",
        "second alternate is listed",
        "no alternates said",
    ],
)
def test_choose_location_follows_the_alternates(wanted, chosen):
    assert choose_location(LOCATIONS, wanted).name == chosen


@pytest.mark.parametrize("wanted", ["Atlantis", "Mars North", ""])
def test_choose_location_that_leads_nowhere_is_a_shipping_error(wanted):
    with pytest.raises(ShippingError) as caught:
        choose_location(LOCATIONS, wanted)
    assert caught.value.findings[0].code == "location-unknown"


def test_same_location_never_matches_emptiness():
    assert not same_location("", "")
    assert same_location("West US", "WESTUS")
