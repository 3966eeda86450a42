"""
What was entered about shipping and what is known of a waiting job, as small JSON documents. Pure.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, final

import attrs

from offlineseed.errors import ServiceFormatError, StagingError
from offlineseed.jobs._addresses import DeliveryPackage, ReturnAddress, ReturnShipping
from offlineseed.jobs._deadlines import Deadline, job_deadlines
from offlineseed.jobs._json import JsonObject, parse_object, parse_time
from offlineseed.jobs._models import ImportJob
from offlineseed.jobs._words import JobState, known_word

__all__ = [
    "ShippingRecord",
    "WaitingJob",
    "parse_shipping_record",
    "parse_waiting_jobs",
    "render_shipping_record",
    "render_waiting_jobs",
]

_FORMAT = 1


def _state(value: JobState | str) -> JobState | str:
    return known_word(JobState, value)


def _aware(_: object, attribute: attrs.Attribute[Any], value: dt.datetime | None) -> None:
    if value is not None and value.tzinfo is None:
        raise ValueError(f"{attribute.name} needs a time zone")


@final
@attrs.frozen(kw_only=True)
class ShippingRecord:
    """
    The shipping information as it was entered: what `shipping.json` holds.
    """

    package: DeliveryPackage
    """The package."""
    return_address: ReturnAddress | None = None
    """The return address, where one was entered."""
    return_shipping: ReturnShipping | None = None
    """The return shipping, where one was entered."""
    entered_at: dt.datetime = attrs.field(validator=_aware)
    """When it was entered, aware."""

    def deadlines(self, now: dt.datetime) -> tuple[Deadline, ...]:
        """
        Return the deadlines that run since it was entered, as long as nothing has arrived.
        """
        return job_deadlines(JobState.SHIPPING, now=now, shipped_at=self.entered_at)


@final
@attrs.frozen(kw_only=True)
class WaitingJob:
    """
    An import job that this machine waits for: one entry of the registry.
    """

    name: str
    """The import job's name."""
    staging_location: str
    """Where it is staged, as the path that was given."""
    scope: str = ""
    """Where the service has it: a resource group's id, or a classic storage account's name."""
    state: JobState | str = attrs.field(default=JobState.CREATING, converter=_state)
    """The state as last seen."""
    tracking_number: str = ""
    """The tracking number, once there is one."""
    created_at: dt.datetime = attrs.field(validator=_aware)
    """When the job was created, aware."""
    updated_at: dt.datetime | None = attrs.field(default=None, validator=_aware)
    """When it was last changed while it was in `Creating`."""
    shipped_at: dt.datetime | None = attrs.field(default=None, validator=_aware)
    """When the shipping information was given."""
    ended_at: dt.datetime | None = attrs.field(default=None, validator=_aware)
    """When it was first seen completed or closed."""

    def deadlines(self, now: dt.datetime) -> tuple[Deadline, ...]:
        """
        Return the deadlines that run in the job's state, the earliest first.
        """
        return job_deadlines(
            self.state,
            now=now,
            updated_at=self.updated_at or self.created_at,
            shipped_at=self.shipped_at,
            ended_at=self.ended_at,
        )

    def seen(self, job: ImportJob, now: dt.datetime) -> WaitingJob:
        """
        Return this entry as a newer snapshot of its job makes it.
        """
        package = job.delivery_package
        has_shipped = job.state != JobState.CREATING
        return attrs.evolve(
            self,
            state=job.state,
            tracking_number=package.tracking_number if package else self.tracking_number,
            shipped_at=self.shipped_at or (now if has_shipped else None),
            ended_at=self.ended_at or (now if job.is_terminal else None),
        )


def render_shipping_record(record: ShippingRecord) -> bytes:
    """
    Render `shipping.json`.

    The deadlines are in it for people; reading works them out again.
    """
    deadlines = record.deadlines(record.entered_at)
    return _render(
        {
            "format": _FORMAT,
            "entered_at": record.entered_at.isoformat(),
            "deadlines": {deadline.code: deadline.due.isoformat() for deadline in deadlines},
            "package": _plain(record.package),
            "return_address": record.return_address and _plain(record.return_address),
            "return_shipping": record.return_shipping and _plain(record.return_shipping),
        }
    )


def parse_shipping_record(data: bytes) -> ShippingRecord:
    """
    Parse `shipping.json`.

    Raises:
        StagingError: it is damaged or of a newer format.
    """
    try:
        document = _document(data)
        package = document.member("package") or JsonObject({}, "$.package")
        address = document.member("return_address")
        shipping = document.member("return_shipping")
        return ShippingRecord(
            package=DeliveryPackage(
                carrier_name=package.text("carrier_name"),
                tracking_number=package.text("tracking_number"),
                drive_count=package.count("drive_count"),
                ship_date=package.text("ship_date"),
            ),
            return_address=address and ReturnAddress(**_texts(address, ReturnAddress)),
            return_shipping=shipping and ReturnShipping(**_texts(shipping, ReturnShipping)),
            entered_at=_required_time(document, "entered_at"),
        )
    except ServiceFormatError as error:
        raise StagingError(
            f"shipping.json is damaged at {error.context}: enter the shipping information again"
        ) from error


def render_waiting_jobs(jobs: tuple[WaitingJob, ...]) -> bytes:
    """
    Render the registry's file.
    """
    return _render({"format": _FORMAT, "jobs": [_plain(job) for job in jobs]})


def parse_waiting_jobs(data: bytes) -> tuple[WaitingJob, ...]:
    """
    Parse the registry's file.

    Raises:
        StagingError: it is damaged or of a newer format.
    """
    try:
        return tuple(
            WaitingJob(
                name=item.required_text("name"),
                staging_location=item.text("staging_location"),
                scope=item.text("scope"),
                state=item.text("state") or JobState.CREATING,
                tracking_number=item.text("tracking_number"),
                created_at=_required_time(item, "created_at"),
                updated_at=item.time("updated_at"),
                shipped_at=item.time("shipped_at"),
                ended_at=item.time("ended_at"),
            )
            for item in _document(data).members("jobs")
        )
    except ServiceFormatError as error:
        raise StagingError(
            f"the registry of import jobs is damaged at {error.context}: move its file away and "
            "name the staging location instead"
        ) from error


def _document(data: bytes) -> JsonObject:
    document = parse_object(data)
    if document.count("format") != _FORMAT:
        raise ServiceFormatError("unknown format", context="$.format")
    return document


def _required_time(document: JsonObject, name: str) -> dt.datetime:
    return parse_time(document.required_text(name), document.where(name))


def _texts(document: JsonObject, model: type[Any]) -> dict[str, Any]:
    names = [field.name for field in attrs.fields(model) if field.name != "unknown"]
    return {name: document.text(name) for name in names}


def _plain(value: Any) -> dict[str, Any]:
    def is_kept(attribute: attrs.Attribute[Any], member: object) -> bool:
        return attribute.name != "unknown" and member is not None

    def plain(_: object, __: object, member: object) -> object:
        return member.isoformat() if isinstance(member, dt.datetime) else member

    return attrs.asdict(value, filter=is_kept, value_serializer=plain)


def _render(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
