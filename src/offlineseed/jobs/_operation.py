"""
Waiting for the service to accept something: Resource Manager's asynchronous operations.

This is about the few seconds in which a job's resource is made, changed or removed; never about
the weeks of the job itself.

Source: Azure Resource Manager, "Track asynchronous Azure operations".
"""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpResponse

from offlineseed.errors import JobError
from offlineseed.jobs._pipeline import ServicePipeline, answer_object

__all__ = ["settle"]

_INTERVAL_SECONDS = 5.0
_PATIENCE_SECONDS = 900.0


def settle(pipeline: ServicePipeline, response: HttpResponse, **options: Any) -> None:
    """
    Return when the operation that `response` began is done.

    Asks as often as Retry-After says, every five seconds without it.

    Raises:
        HttpResponseError: azure-core's; the operation failed or was cancelled.
        JobError: it is not done after a quarter of an hour; the job may still come about.
        ServiceFormatError: an answer is malformed or links to another host.
    """
    operation = response.headers.get("Azure-AsyncOperation")
    location = response.headers.get("Location")
    waited = 0.0
    while operation or (location and response.status_code == 202):
        pause = _pause(response)
        waited += pause
        if waited > _PATIENCE_SECONDS:
            raise JobError(
                "the service has not finished what was asked for a quarter of an hour: get the "
                "job again later"
            )
        pipeline.sleep(pause)
        response = pipeline.send(
            "GET", operation or str(location), expected=(200, 201, 202, 204), **options
        )
        if operation and _is_done(response):
            return
        location = response.headers.get("Location") or location


def _is_done(response: HttpResponse) -> bool:
    status = answer_object(response).text("status").casefold()
    if status in ("failed", "canceled", "cancelled"):
        raise HttpResponseError(response=response)
    return status == "succeeded"


def _pause(response: HttpResponse) -> float:
    text = response.headers.get("Retry-After") or ""
    # A date is allowed there as well; Resource Manager sends seconds.
    return float(text) if text.isdecimal() else _INTERVAL_SECONDS
