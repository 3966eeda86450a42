import pickle

import attrs
import pytest

from offlineseed.errors import ShippingError, TrackingNumberInUseError
from offlineseed.findings import Severity
from offlineseed.jobs import (
    RULES,
    DeliveryPackage,
    ImportJob,
    JobDrive,
    Location,
    ReturnAddress,
    ReturnShipping,
    Shipment,
    check_shipping,
    require_shipping,
)

PACKAGE = DeliveryPackage(
    carrier_name="FedEx", tracking_number="1Z 999", drive_count=1, ship_date="2026-01-31"
)
LOCATION = Location(name="West US", supported_carriers=["FedEx", "Blue Dart"])


@pytest.fixture
def shipment(new_job):
    return Shipment(job=new_job(), package=PACKAGE, location=LOCATION)


def codes(shipment):
    return [finding.code for finding in check_shipping(shipment)]


def test_check_shipping_good_shipment_has_no_findings(shipment):
    assert check_shipping(shipment) == ()
    assert require_shipping(shipment) == ()


def evolved(shipment, path, **changes):
    if not path:
        return attrs.evolve(shipment, **changes)
    inner = getattr(shipment, path[0])
    return attrs.evolve(shipment, **{path[0]: evolved(inner, path[1:], **changes)})


BROKEN = [
    ("job-past-shipping", ["job"], {"state": "Transferring"}),
    ("job-past-shipping", ["job"], {"cancel_requested": True}),
    ("job-drive-count", ["job"], {"drives": [JobDrive(drive_id=str(n)) for n in range(11)]}),
    ("carrier-missing", ["package"], {"carrier_name": " "}),
    ("carrier-not-offered", ["package"], {"carrier_name": "USPS"}),
    ("tracking-number-missing", ["package"], {"tracking_number": ""}),
    ("tracking-number-in-use", [], {"taken_tracking_numbers": [("1z999", "seed-2")]}),
    (
        "package-replaced",
        ["job"],
        {"delivery_package": DeliveryPackage(carrier_name="DHL", tracking_number="5")},
    ),
    ("drive-count-differs", ["package"], {"drive_count": 2}),
    ("drive-count-differs", ["package"], {"drive_count": None}),
    ("ship-date-missing", ["package"], {"ship_date": ""}),
    ("return-address-incomplete", ["job"], {"return_address": None}),
    ("return-address-incomplete", ["job", "return_address"], {"postal_code": ""}),
    ("return-phone-missing", ["job", "return_address"], {"phone": "ask me"}),
    ("return-email-invalid", ["job", "return_address"], {"email": "nobody"}),
    ("return-shipping-missing", ["job"], {"return_shipping": None}),
    ("return-shipping-incomplete", ["job", "return_shipping"], {"carrier_account_number": ""}),
    ("return-carrier-not-offered", ["job", "return_shipping"], {"carrier_name": "DHL"}),
]


@pytest.mark.parametrize(("code", "path", "changes"), BROKEN, ids=[row[0] for row in BROKEN])
def test_check_shipping_each_broken_rule_has_its_finding(shipment, code, path, changes):
    assert code in codes(evolved(shipment, path, **changes))


def test_every_rule_is_broken_by_some_test():
    assert {rule.code for rule in RULES} == {row[0] for row in BROKEN}


def test_check_shipping_everything_wrong_is_said_at_once():
    nothing = Shipment(
        job=ImportJob(name="j"), package=DeliveryPackage(carrier_name="", tracking_number="")
    )
    assert codes(nothing) == [
        "job-drive-count",
        "carrier-missing",
        "tracking-number-missing",
        "drive-count-differs",
        "ship-date-missing",
        "return-address-incomplete",
        "return-shipping-missing",
    ]
    with pytest.raises(ShippingError, match=r"carrier.*tracking number") as caught:
        require_shipping(nothing)
    assert len(caught.value.findings) == 7


def test_require_shipping_number_in_use_names_the_job_and_brings_the_rest(shipment):
    shared = attrs.evolve(
        shipment,
        package=attrs.evolve(PACKAGE, drive_count=5),
        taken_tracking_numbers=[("1Z999", "seed-2")],
    )
    with pytest.raises(TrackingNumberInUseError, match="seed-2") as caught:
        require_shipping(shared)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.job_name == "seed-2"
    assert [finding.code for finding in again.findings] == [
        "tracking-number-in-use",
        "drive-count-differs",
    ]


def test_require_shipping_warnings_do_not_stop(shipment):
    elsewhere = evolved(shipment, ["package"], carrier_name="USPS")
    (finding,) = require_shipping(elsewhere)
    assert finding.severity is Severity.WARNING


def test_check_shipping_own_tracking_number_is_no_clash(shipment):
    own = attrs.evolve(shipment, taken_tracking_numbers=[("1Z999", shipment.job.name)])
    assert codes(own) == []


def test_check_shipping_pieces_of_one_shipment_are_different_numbers(shipment):
    pieces = attrs.evolve(shipment, taken_tracking_numbers=[("1Z999-2", "seed-2")])
    assert codes(pieces) == []


def test_check_shipping_carrier_in_another_spelling_is_offered(shipment):
    assert codes(evolved(shipment, ["package"], carrier_name="bluedart")) == []


def test_check_shipping_classic_address_in_one_line_is_whole(shipment):
    address = ReturnAddress(
        recipient_name="A", street_address1="B 1, 1 C", phone="1", email="a@b.example"
    )
    assert codes(attrs.evolve(shipment, return_address=address)) == []


def test_shipment_what_is_entered_wins_over_what_the_job_has(shipment):
    shipping = ReturnShipping(carrier_name="Blue Dart", carrier_account_number="7")
    assert attrs.evolve(shipment, return_shipping=shipping).effective_return_shipping is shipping
