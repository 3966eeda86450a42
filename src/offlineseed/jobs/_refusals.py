"""
What a refusal of the service means.

The service's error codes for jobs are not published. So a refusal is explained by what the job is:
where the state table forbids what was asked, that is the reason; else azure-core's error stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, HttpResponseError

from offlineseed.errors import JobNotFoundError
from offlineseed.jobs._locations import no_location
from offlineseed.jobs._models import ImportJob
from offlineseed.jobs._states import JobAction, require_action

__all__ = ["explaining", "locating"]


@contextmanager
def explaining(
    name: str,
    action: JobAction | None = None,
    get_job: Callable[[str], ImportJob] | None = None,
) -> Iterator[None]:
    """
    Turn azure-core's refusals within the block into this library's errors where they are known.

    `get_job` is called once after a refusal that may be about the job's state.

    Raises:
        JobNotFoundError: the service knows no job of that name.
        JobStateError: the state table forbids `action` in the job's state.
        HttpResponseError: azure-core's; any other refusal.
    """
    try:
        yield
    except HttpResponseError as error:
        if error.status_code == 404 and action is not JobAction.REPLACE:
            raise JobNotFoundError(
                f"the service has no import job {name!r} here: check its name, the resource group "
                "or storage account, and the subscription",
                name=name,
            ) from error
        if error.status_code in (400, 403, 405, 409, 412) and action and get_job:
            try:
                job = get_job(name)
            except (AzureError, JobNotFoundError):
                raise error from None
            try:
                require_action(job, action)
            except Exception as explained:
                raise explained from error
        raise


@contextmanager
def locating(region: str) -> Iterator[None]:
    """
    Turn the service's refusal of a region within the block into this library's error.

    Raises:
        ShippingError: the service does not know the region.
        HttpResponseError: azure-core's; any other refusal.
    """
    if not region.strip():
        raise no_location(region)
    try:
        yield
    except HttpResponseError as error:
        # The classic dialect's code stands before its message.
        code = getattr(error.error, "code", None) or error.message.partition(":")[0]
        if error.status_code in (400, 404) and "location" in code.casefold():
            raise no_location(region) from error
        raise
