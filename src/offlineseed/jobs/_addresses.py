"""
Who sends, who receives and by whom: the postal side of an import job.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import attrs
from attrs.validators import instance_of

__all__ = [
    "DeliveryPackage",
    "Location",
    "ReturnAddress",
    "ReturnShipping",
    "ShippingInformation",
    "Unknown",
]

Unknown = tuple[tuple[str, str], ...]
"""Properties that this library does not know: sorted pairs of a JSON pointer and JSON text."""

_text = instance_of(str)


def _is_count(_: object, attribute: attrs.Attribute[int | None], value: int | None) -> None:
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError(f"{attribute.name} is a count, 0 or more, not {value!r}")


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise TypeError("give a sequence of strings, not one string")
    return tuple(values)


def _lines(*parts: str) -> tuple[str, ...]:
    # The service fills blanks with " " and leaves line feeds inside fields.
    shown = (" ".join(part.split()) for part in parts)
    return tuple(part for part in shown if part)


@final
@attrs.frozen(kw_only=True)
class ReturnAddress:
    """
    Where the drives go after the import, and whom the service asks if something is wrong.
    """

    recipient_name: str = attrs.field(validator=_text)
    """Person or company."""
    street_address1: str = attrs.field(validator=_text)
    """First line of the street address; the classic dialect's whole address stands here."""
    street_address2: str = attrs.field(default="", validator=_text)
    """Second line of the street address."""
    city: str = attrs.field(default="", validator=_text)
    """City."""
    state_or_province: str = attrs.field(default="", validator=_text)
    """State or province, where the country has them."""
    postal_code: str = attrs.field(default="", validator=_text)
    """Postal code."""
    country_or_region: str = attrs.field(default="", validator=_text)
    """Country or region."""
    phone: str = attrs.field(default="", validator=_text)
    """Phone number for the carrier and the operators."""
    email: str = attrs.field(default="", validator=_text)
    """E-mail address; a group's mailbox outlives a person's holidays."""
    unknown: Unknown = attrs.field(default=(), repr=False)
    """Properties of a newer service, kept for writing back."""

    def lines(self) -> tuple[str, ...]:
        """
        Return the postal address as lines to print, blank ones left out.
        """
        return _lines(
            self.recipient_name,
            self.street_address1,
            self.street_address2,
            f"{self.city} {self.state_or_province} {self.postal_code}",
            self.country_or_region,
        )


@final
@attrs.frozen(kw_only=True)
class ReturnShipping:
    """
    By whom the drives come back, and on whose account.
    """

    carrier_name: str = attrs.field(validator=_text)
    """The carrier's name as the location lists it."""
    carrier_account_number: str = attrs.field(validator=_text)
    """The customer's account with the carrier; it is charged."""
    unknown: Unknown = attrs.field(default=(), repr=False)
    """Properties of a newer service, kept for writing back."""


@final
@attrs.frozen(kw_only=True)
class DeliveryPackage:
    """
    A package on its way: to the datacentre, or back.
    """

    carrier_name: str = attrs.field(validator=_text)
    """The carrier's name."""
    tracking_number: str = attrs.field(validator=_text)
    """The carrier's tracking number; no two jobs share one."""
    drive_count: int | None = attrs.field(default=None, validator=_is_count)
    """How many drives are in the package; None where it was not said."""
    ship_date: str = attrs.field(default="", validator=_text)
    """
    When it was handed over, such as `2026-01-31`; the service's own text where it wrote one. The
    classic dialect asks for it.
    """
    unknown: Unknown = attrs.field(default=(), repr=False)
    """Properties of a newer service, kept for writing back."""


@final
@attrs.frozen(kw_only=True)
class ShippingInformation:
    """
    Where the drives go: the datacentre's postal address, as the service gives it.

    Fields may be blank: some datacentres give their address on request only. Then
    `additional_information` says how to ask.
    """

    recipient_name: str = attrs.field(default="", validator=_text)
    """Whom to name as the recipient."""
    street_address1: str = attrs.field(default="", validator=_text)
    """First line of the street address; the classic dialect's whole address stands here."""
    street_address2: str = attrs.field(default="", validator=_text)
    """Second line of the street address."""
    city: str = attrs.field(default="", validator=_text)
    """City."""
    state_or_province: str = attrs.field(default="", validator=_text)
    """State or province."""
    postal_code: str = attrs.field(default="", validator=_text)
    """Postal code."""
    country_or_region: str = attrs.field(default="", validator=_text)
    """Country or region."""
    phone: str = attrs.field(default="", validator=_text)
    """Phone number of the recipient."""
    additional_information: str = attrs.field(default="", validator=_text)
    """What else the datacentre wants to be told or asked."""
    unknown: Unknown = attrs.field(default=(), repr=False)
    """Properties of a newer service, kept for writing back."""

    def lines(self) -> tuple[str, ...]:
        """
        Return the postal address as lines to print, blank ones left out.
        """
        return _lines(
            self.recipient_name,
            self.street_address1,
            self.street_address2,
            f"{self.city} {self.state_or_province} {self.postal_code}",
            self.country_or_region,
            self.phone,
            self.additional_information,
        )


@final
@attrs.frozen(kw_only=True)
class Location:
    """
    A datacentre region that takes drives.
    """

    id: str = attrs.field(default="", validator=_text)
    """The region's resource id; empty where the dialect has none."""
    name: str = attrs.field(validator=_text)
    """The region's name, such as `West US`."""
    shipping_information: ShippingInformation = ShippingInformation()
    """Where drives for this region are sent."""
    supported_carriers: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    """Carriers that the location works with; empty where it does not say."""
    alternate_locations: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    """Ids of the locations that take this region's drives; may contain the location itself."""
    unknown: Unknown = attrs.field(default=(), repr=False)
    """Properties of a newer service."""
