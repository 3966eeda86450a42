"""
The rules of shipping, as data: each is checked, and everything that is wrong is said at once.

Sources: the offline backup article, "Update shipping information"; "Prerequisites for shipping";
the service's frequently asked questions, 2020-03. Those questions allow drives of several jobs in
one package; the article and the newer pages forbid it, and so do these rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import final

import attrs

from offlineseed.errors import ShippingError, TrackingNumberInUseError
from offlineseed.findings import Finding, Severity
from offlineseed.jobs._addresses import DeliveryPackage, Location, ReturnAddress, ReturnShipping
from offlineseed.jobs._carriers import is_offered, same_tracking_number
from offlineseed.jobs._models import ImportJob
from offlineseed.jobs._states import JobAction, allowed_actions

__all__ = ["MAX_DRIVES", "RULES", "Shipment", "ShippingRule", "check_shipping", "require_shipping"]

MAX_DRIVES = 10
"""Drives that a job may have."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)


def _pairs(value: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(number), str(name)) for number, name in value)


@final
@attrs.frozen(kw_only=True)
class Shipment:
    """
    What is about to be told to the service, and what it is checked against.
    """

    job: ImportJob
    """The job as last seen."""
    package: DeliveryPackage
    """The package as entered."""
    return_address: ReturnAddress | None = None
    """A return address as entered; None means the one that the job has."""
    return_shipping: ReturnShipping | None = None
    """A return shipping as entered; None means the one that the job has."""
    location: Location | None = None
    """Where the drives go; None leaves the carriers unchecked."""
    taken_tracking_numbers: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    """Tracking numbers of other jobs, each with its job's name: of the registry and the service."""

    @property
    def effective_return_address(self) -> ReturnAddress | None:
        """
        The return address that the job will have.
        """
        return self.return_address or self.job.return_address

    @property
    def effective_return_shipping(self) -> ReturnShipping | None:
        """
        The return shipping that the job will have.
        """
        return self.return_shipping or self.job.return_shipping

    def tracking_number_user(self) -> str | None:
        """
        Return the name of another job that has the package's tracking number, or None.
        """
        for number, name in self.taken_tracking_numbers:
            is_other = name != self.job.name
            if is_other and same_tracking_number(number, self.package.tracking_number):
                return name
        return None


@final
@attrs.frozen
class ShippingRule:
    """
    One rule: what it is called, how much it matters, and how it is checked.
    """

    code: str
    """The code of its findings."""
    subject: str
    """What its findings are about."""
    severity: Severity
    """Whether a shipment that breaks it can go on."""
    check: Callable[[Shipment], Iterator[str]]
    """Yields a message for each way in which the shipment breaks the rule."""


def check_shipping(shipment: Shipment) -> tuple[Finding, ...]:
    """
    Check a shipment against every rule, in the rules' order; empty means that nothing is wrong.
    """
    return tuple(
        Finding(code=rule.code, subject=rule.subject, message=message, severity=rule.severity)
        for rule in RULES
        for message in rule.check(shipment)
    )


def require_shipping(shipment: Shipment) -> tuple[Finding, ...]:
    """
    Check a shipment and return its warnings.

    Raises:
        TrackingNumberInUseError: another job has the tracking number; has all findings.
        ShippingError: another rule is broken; has all findings.
    """
    findings = check_shipping(shipment)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if not errors:
        return findings
    message = f"import job {shipment.job.name!r} can't be shipped like this: " + "; ".join(
        finding.message for finding in errors
    )
    user = shipment.tracking_number_user()
    if user is not None:
        raise TrackingNumberInUseError(message, findings=findings, job_name=user)
    raise ShippingError(message, findings=findings)


def _state(shipment: Shipment) -> Iterator[str]:
    job = shipment.job
    if job.cancel_requested:
        yield "the job was cancelled: delete it, create it again, and ship its drives then"
    elif JobAction.SHIP not in allowed_actions(job.state):
        yield (
            f"the job is {job.raw_state or job.state}: shipping information can be updated until "
            "the drives have arrived"
        )


def _drive_count_of_job(shipment: Shipment) -> Iterator[str]:
    count = len(shipment.job.drives)
    if not 1 <= count <= MAX_DRIVES:
        yield f"the job has {count} drives: a job has 1 to {MAX_DRIVES}"


def _carrier(shipment: Shipment) -> Iterator[str]:
    if not shipment.package.carrier_name.strip():
        yield "no carrier is given: name the carrier that took the package"


def _carrier_offered(shipment: Shipment) -> Iterator[str]:
    location, carrier = shipment.location, shipment.package.carrier_name
    if location and carrier.strip() and not is_offered(carrier, location.supported_carriers):
        yield (
            f"{location.name} does not name {carrier} among its carriers "
            f"({', '.join(location.supported_carriers)}): check that it delivers there with "
            "tracking"
        )


def _tracking_number(shipment: Shipment) -> Iterator[str]:
    if not shipment.package.tracking_number.strip():
        yield "no tracking number is given: enter the one on the carrier's receipt"


def _tracking_number_free(shipment: Shipment) -> Iterator[str]:
    user = shipment.tracking_number_user()
    if user is not None:
        yield (
            f"import job {user!r} already has this tracking number: send each job's drives in a "
            "package of their own"
        )


def _one_package(shipment: Shipment) -> Iterator[str]:
    known = shipment.job.delivery_package
    entered = shipment.package.tracking_number
    if known and known.tracking_number and entered.strip():
        if same_tracking_number(known.tracking_number, entered):
            return
        yield (
            f"the job already has a package, {known.carrier_name} {known.tracking_number}; all "
            "drives of a job travel in one package, so this replaces it"
        )


def _drive_count(shipment: Shipment) -> Iterator[str]:
    count, wanted = shipment.package.drive_count, len(shipment.job.drives)
    if count is None:
        yield f"the number of drives is not given: the job has {wanted}"
    elif count != wanted:
        yield f"the package has {count} drives and the job {wanted}: send all in one package"


def _ship_date(shipment: Shipment) -> Iterator[str]:
    if not shipment.package.ship_date.strip():
        yield "the ship date is not given: the classic dialect asks for it"


def _return_address(shipment: Shipment) -> Iterator[str]:
    address = shipment.effective_return_address
    if address is None:
        yield "no return address is given: the drives could not come back"
        return
    parts = {"recipient": address.recipient_name, "street": address.street_address1}
    if address.city or address.postal_code or address.country_or_region:
        # The classic dialect has the whole address in one string.
        parts |= {
            "city": address.city,
            "postal code": address.postal_code,
            "country or region": address.country_or_region,
        }
    missing = [name for name, value in parts.items() if not value.strip()]
    if missing:
        yield f"the return address lacks: {', '.join(missing)}"


def _phone(shipment: Shipment) -> Iterator[str]:
    address = shipment.effective_return_address
    if address and not any(letter.isdigit() for letter in address.phone):
        yield "the return address lacks a phone number: the carrier asks for one"


def _email(shipment: Shipment) -> Iterator[str]:
    address = shipment.effective_return_address
    if address is None:
        return
    # Data Box takes several addresses; they are written in a row.
    if not all(_EMAIL.fullmatch(part.strip()) for part in address.email.rstrip("; ").split(";")):
        yield (
            "the return address lacks a valid e-mail address: the service's operators write to "
            "it; a group's mailbox is best"
        )


def _return_shipping(shipment: Shipment) -> Iterator[str]:
    shipping = shipment.effective_return_shipping
    if shipping is None:
        yield "no return carrier is given: the drives go back on an account of yours"


def _return_account(shipment: Shipment) -> Iterator[str]:
    shipping = shipment.effective_return_shipping
    if shipping and not shipping.carrier_name.strip():
        yield "the return shipping lacks the carrier's name"
    if shipping and not shipping.carrier_account_number.strip():
        yield "the return shipping lacks the account number that the carrier charges"


def _return_carrier_offered(shipment: Shipment) -> Iterator[str]:
    shipping, location = shipment.effective_return_shipping, shipment.location
    if not shipping or not location or not shipping.carrier_name.strip():
        return
    if not is_offered(shipping.carrier_name, location.supported_carriers):
        yield (
            f"{location.name} does not send drives back by {shipping.carrier_name}: choose one of "
            f"{', '.join(location.supported_carriers)}"
        )


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

RULES: tuple[ShippingRule, ...] = (
    ShippingRule("job-past-shipping", "job", _ERROR, _state),
    ShippingRule("job-drive-count", "job", _ERROR, _drive_count_of_job),
    ShippingRule("carrier-missing", "delivery_package", _ERROR, _carrier),
    ShippingRule("carrier-not-offered", "delivery_package", _WARNING, _carrier_offered),
    ShippingRule("tracking-number-missing", "delivery_package", _ERROR, _tracking_number),
    ShippingRule("tracking-number-in-use", "delivery_package", _ERROR, _tracking_number_free),
    ShippingRule("package-replaced", "delivery_package", _WARNING, _one_package),
    ShippingRule("drive-count-differs", "delivery_package", _ERROR, _drive_count),
    ShippingRule("ship-date-missing", "delivery_package", _WARNING, _ship_date),
    ShippingRule("return-address-incomplete", "return_address", _ERROR, _return_address),
    ShippingRule("return-phone-missing", "return_address", _ERROR, _phone),
    ShippingRule("return-email-invalid", "return_address", _ERROR, _email),
    ShippingRule("return-shipping-missing", "return_shipping", _WARNING, _return_shipping),
    ShippingRule("return-shipping-incomplete", "return_shipping", _ERROR, _return_account),
    ShippingRule("return-carrier-not-offered", "return_shipping", _ERROR, _return_carrier_offered),
)
"""Every rule, in the order in which a person meets them."""
