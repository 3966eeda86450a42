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
from offlineseed.jobs._models import ImportJob
from offlineseed.jobs._states import JobAction, require_action

__all__ = ["explaining"]


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
