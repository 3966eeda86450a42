"""
Where packages are shipped to, as data.

Source: answers of the service recorded in April 2020. Stale by nature: good for a rehearsal, never
for an address label. Blank and shifted fields are the service's own.
"""

from __future__ import annotations

from typing import final

import attrs

__all__ = ["LOCATIONS", "ServiceLocation", "find_location"]

_ALL = ("Blue Dart", "DHL", "FedEx", "TNT", "UPS")
_TWO = ("FedEx", "DHL")
_FEDEX = ("FedEx",)
_DHL = ("DHL",)
_ASK = (
    "This DC has security requirements requiring advance notification for all inbound shipments. "
    "Contact adbops@microsoft.com specifying your order name to receive the unique inbound ID and "
    "shipping address"
)
_RECIPIENT = "Microsoft Azure Import/Export Service"


@final
@attrs.frozen(kw_only=True)
class ServiceLocation:
    """
    A location of the service.
    """

    display_name: str
    """As people write it: `West US`."""
    recipient: str = _RECIPIENT
    """To whom the package is addressed."""
    street: str
    """The first line of the address."""
    street_2: str = ""
    """The second line."""
    city: str
    """The city."""
    state: str = ""
    """The state or province."""
    postal_code: str = ""
    """The postal code."""
    country: str = ""
    """The country or region."""
    phone: str | None = None
    """A telephone number, where the service gives one."""
    carriers: tuple[str, ...]
    """Carriers that deliver there."""
    alternate: str
    """The short name of the location to ship to instead; its own where it takes packages."""

    @property
    def name(self) -> str:
        """
        The short name: `westus`.
        """
        return self.display_name.replace(" ", "").lower()


def _place(  # a row of a table
    display_name: str,
    street: str,
    city: str,
    state: str,
    postal_code: str,
    country: str,
    carriers: tuple[str, ...],
    alternate: str = "",
    *,
    street_2: str = "",
    phone: str | None = None,
    recipient: str = _RECIPIENT,
) -> ServiceLocation:
    return ServiceLocation(
        display_name=display_name,
        recipient=recipient,
        street=street,
        street_2=street_2,
        city=city,
        state=state,
        postal_code=postal_code,
        country=country,
        phone=phone,
        carriers=carriers,
        alternate=alternate or display_name.replace(" ", "").lower(),
    )


def _ask(display_name: str, carriers: tuple[str, ...], alternate: str = "") -> ServiceLocation:
    return _place(
        display_name,
        " ",
        " ",
        " ",
        " ",
        " ",
        carriers,
        alternate,
        street_2=" ",
        phone=" ",
        recipient=_ASK,
    )


def _agriport(
    display_name: str, carriers: tuple[str, ...] = _FEDEX, alternate: str = "westeurope"
) -> ServiceLocation:
    return _place(
        display_name,
        "Microsoft Agriport 570",
        "Middenmeer",
        "NL-NH",
        "1775TB",
        "Netherlands (NL)",
        carriers,
        alternate,
    )


LOCATIONS: tuple[ServiceLocation, ...] = (
    _ask("Australia East", _ALL),
    _ask("Australia Southeast", _ALL),
    _place(
        "Brazil South",
        "Microsoft c/o Ascenty Rua Papa Joao Paulo II 4",
        "São Paulo",
        "",
        "CEP: 13.185-252",
        "Brazil",
        _ALL,
        street_2="Hortolândia",
    ),
    _place("Canada Central", "35 John St", "West Toronto", "ON", "M5V 3G6", "Canada", _ALL),
    _place(
        "Canada East",
        "2675 Boulevard du Parc-Technologique",
        "Quebec City",
        "QC",
        "G1P 4S5",
        "Canada",
        _TWO,
        "canadacentral",
    ),
    _place("Central India", "Alandi Road", "Dighi, Pune", "Mahar", "411015", "India", _DHL),
    _place(
        "Central US",
        "550 SE White Crane Rd",
        "West Des Moines",
        "IA",
        "50265",
        "USA",
        _FEDEX,
        phone="5156975500",
    ),
    _place(
        "East Asia",
        "\n      Microsoft c/o NTT Comm 6 Chun Kwong Street ",
        "Tseung Kwan O",
        "",
        "",
        "",
        _DHL,
        phone="+852 3793 0508\n    ",
    ),
    _place("East US", "21625 Gresham Drive", "Ashburn", "VA", "20147", "USA", _ALL, phone=""),
    _place(
        "East US 2",
        "101 Herbert Drive, BLDG 7",
        "Boydton",
        "VA",
        "23917",
        "USA",
        _FEDEX,
        "eastus",
        phone="",
    ),
    _agriport("France Central"),
    _agriport("Germany North"),
    _agriport("Germany West Central"),
    _place("Japan East", "2-7-5, Tabatashinmachi", "Tokyo", "", "114-0012", "Japan", _ALL),
    _place(
        "Japan West",
        "3-1-21, Dojima Kita-ku",
        "Osaka City",
        "Osaka",
        "553-0003",
        "Japan",
        _ALL,
        phone="+81 (6) 7670-6655",
    ),
    _place(
        "Korea Central",
        "Microsoft c/o 29, Simindaero-327gil",
        "Kyeonggido",
        "",
        "14055",
        "Republic of Korea",
        _ALL,
        street_2="Anyang-si",
    ),
    _place(
        "Korea South",
        "Microsoft c/o 29, Simindaero-327gil",
        "Kyeonggido",
        "",
        "14055",
        "Republic of Korea",
        _TWO,
        "australiasoutheast",
        street_2="Anyang-si",
    ),
    _place(
        "North Central US",
        "601 Northwest Ave.",
        "Northlake",
        "IL",
        "60164",
        "USA",
        _ALL,
        phone="(708) 836-5143",
    ),
    _place(
        "North Europe",
        "Unit 74 Grange Castle Business Park, Clondalkin",
        "Dublin",
        "",
        "22",
        "Ireland (IE)",
        _ALL,
        "westeurope",
        phone="8886052200",
    ),
    _agriport("Norway East"),
    _place(
        "South Central US",
        "5150 Rogers Road",
        "San Antonio",
        "TX",
        "78251",
        "USA",
        _FEDEX,
        "westus",
        phone="+1 210 3462528",
    ),
    _place(
        "South India",
        "226 Red Hills Road, Kallikuppam",
        "Ambattur",
        "Tamil Nadu",
        "600053",
        "India",
        _DHL,
        phone="+91 7200090173",
    ),
    _place(
        "Southeast Asia",
        "21 Defu Ave 1",
        "Singapore",
        "539539",
        "Singapore (SG)",
        "+659017 9066",
        _ALL,
    ),
    _agriport("Switzerland North"),
    _agriport("Switzerland West"),
    _ask("UK South", _ALL),
    _ask("UK West", _TWO, "uksouth"),
    _place(
        "West Central US",
        "638 Logistics Drive",
        "Cheyenne",
        "WY",
        "82007",
        "USA",
        _TWO,
        "centralus",
    ),
    _agriport("West Europe", _ALL),
    _place(
        "West India", "Bandra Kurla Complex", "Mumbai", "", "400098", "India", _ALL, "centralindia"
    ),
    _place(
        "West US",
        "3020 Coronado",
        "Santa Clara",
        "CA",
        "95054",
        "USA",
        _ALL,
        phone="408 352 7600",
    ),
    _place("West US 2", "1515 Port Industrial Parkway", "Quincy", "WA", "98848", "USA", _ALL),
)
"""Every location that the recorded answers name."""

_BY_NAME = {location.name: location for location in LOCATIONS}


def find_location(name: str) -> ServiceLocation | None:
    """
    Find a location by its short or its display name, without regard to case.
    """
    return _BY_NAME.get(name.replace(" ", "").lower())
