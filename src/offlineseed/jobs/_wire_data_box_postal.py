"""
The postal parts of Microsoft.DataBox's JSON: contacts, addresses, carriers and packages. Pure.

Source: Microsoft.DataBox 2025-07-01, as the client azure-mgmt-databox 4.0.0 describes it.
"""

from __future__ import annotations

from typing import Any

from offlineseed.jobs._addresses import (
    DeliveryPackage,
    ReturnAddress,
    ReturnShipping,
    ShippingInformation,
)
from offlineseed.jobs._json import JsonObject, with_unknown, without_none

__all__ = [
    "parse_address",
    "parse_datacenter",
    "parse_packages",
    "parse_return_shipping",
    "render_address",
    "render_return_shipping",
]


def render_address(address: ReturnAddress) -> dict[str, Any]:
    """
    Render a return address as the contact and the postal address of a job's details.
    """
    contact = {
        "contactName": address.recipient_name,
        "phone": address.phone,
        "emailList": [part.strip() for part in address.email.split(";") if part.strip()],
    }
    postal = {
        "streetAddress1": address.street_address1,
        "streetAddress2": address.street_address2 or None,
        "city": address.city or None,
        "stateOrProvince": address.state_or_province or None,
        "country": address.country_or_region,
        "postalCode": address.postal_code or None,
    }
    return {
        "contactDetails": with_unknown(contact, address.unknown, "/contactDetails"),
        "shippingAddress": with_unknown(without_none(postal), address.unknown, "/shippingAddress"),
    }


def parse_address(details: JsonObject) -> ReturnAddress | None:
    """
    Parse a job's contact and postal address; None where it has neither.
    """
    contact, postal = details.member("contactDetails"), details.member("shippingAddress")
    if contact is None and postal is None:
        return None
    contact = contact or JsonObject({}, details.where("contactDetails"))
    postal = postal or JsonObject({}, details.where("shippingAddress"))
    return ReturnAddress(
        recipient_name=contact.text("contactName"),
        phone=contact.text("phone"),
        email="; ".join(contact.texts("emailList")),
        street_address1=postal.text("streetAddress1"),
        street_address2=postal.text("streetAddress2"),
        city=postal.text("city"),
        state_or_province=postal.text("stateOrProvince"),
        country_or_region=postal.text("country"),
        postal_code=postal.text("postalCode"),
        unknown=tuple(
            sorted(contact.unknown("/contactDetails") + postal.unknown("/shippingAddress"))
        ),
    )


def render_return_shipping(shipping: ReturnShipping) -> dict[str, Any]:
    """
    Render by whom the drives come back.
    """
    members = {
        "carrierName": shipping.carrier_name,
        "carrierAccountNumber": shipping.carrier_account_number,
    }
    return with_unknown(members, shipping.unknown)


def parse_return_shipping(details: JsonObject) -> ReturnShipping | None:
    """
    Parse by whom the drives come back; None where nothing is said.
    """
    shipping = details.member("returnToCustomerPackageDetails")
    if shipping is None:
        return None
    shipping.ignore("trackingId")
    carrier, account = shipping.text("carrierName"), shipping.text("carrierAccountNumber")
    if not carrier and not account:
        return None
    return ReturnShipping(
        carrier_name=carrier, carrier_account_number=account, unknown=shipping.unknown()
    )


def parse_packages(details: JsonObject) -> tuple[DeliveryPackage | None, DeliveryPackage | None]:
    """
    Parse the package that was sent and the one that comes back, each where it has a number.
    """
    sent = details.member("deliverToDcPackageDetails")
    delivery, returned = details.member("deliveryPackage"), details.member("returnPackage")
    booked = details.member("returnToCustomerPackageDetails")
    return (
        _parse_package(sent) or _parse_package(delivery),
        _parse_package(returned) or _parse_package(booked),
    )


def _parse_package(document: JsonObject | None) -> DeliveryPackage | None:
    if document is None or not document.text("trackingId"):
        return None
    return DeliveryPackage(
        carrier_name=document.text("carrierName"), tracking_number=document.text("trackingId")
    )


def parse_datacenter(address: JsonObject | None) -> ShippingInformation | None:
    """
    Parse a datacentre's address, or the instruction how to ask for it.
    """
    if address is None:
        return None
    instruction = address.text("communicationInstruction")
    more = address.text("additionalShippingInformation")
    names = (address.text("contactPersonName"), address.text("company"))
    return ShippingInformation(
        recipient_name=", ".join(name for name in names if name.strip()),
        street_address1=address.text("street1"),
        street_address2=" ".join(
            part for part in (address.text("street2"), address.text("street3")) if part.strip()
        ),
        city=address.text("city"),
        state_or_province=address.text("state"),
        postal_code=address.text("zip"),
        country_or_region=address.text("country"),
        phone=" ".join(
            part for part in (address.text("phone"), address.text("phoneExtension")) if part.strip()
        ),
        additional_information="\n".join(part for part in (instruction, more) if part.strip()),
    )
