"""
The client for Microsoft.DataBox, SKU `DataBoxCustomerDisk`: what the service takes today.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError

from offlineseed.clouds import PUBLIC, AzureCloud
from offlineseed.errors import JobNotFoundError, JobStateError
from offlineseed.jobs import _wire_data_box as wire
from offlineseed.jobs._addresses import DeliveryPackage, Location, ReturnAddress, ReturnShipping
from offlineseed.jobs._carriers import same_tracking_number
from offlineseed.jobs._models import DriveRecoveryPassword, ImportJob, JobChanges
from offlineseed.jobs._operation import settle
from offlineseed.jobs._pipeline import ServicePipeline, answer_object, bearer_policy, quoted
from offlineseed.jobs._refusals import explaining, locating
from offlineseed.jobs._states import JobAction

__all__ = ["DataBoxJobs"]


@final
class DataBoxJobs:
    """
    Import jobs of one resource group through ARM `Microsoft.DataBox`.

    An implementation of `ImportJobs`. Every method also takes azure-core's options for one call,
    such as `headers`, `retry_total` or `read_timeout`. Use it as a context manager, or `close()`
    it. Threads may share it.

    Source: Microsoft.DataBox 2025-07-01.
    """

    def __init__(
        self,
        credential: TokenCredential,
        *,
        subscription_id: str,
        resource_group: str,
        cloud: AzureCloud = PUBLIC,
        base_url: str | None = None,
        api_version: str = "2025-07-01",
        **options: Any,
    ) -> None:
        """
        Make a client; nothing is sent yet.

        `base_url` stands in for the cloud's Resource Manager: a private cloud, or the emulator.
        `options` go to azure-core's pipeline: `transport`, `retry_total`, `connection_timeout`,
        `read_timeout`, `proxies`, `user_agent`.

        Raises:
            ValueError: `base_url` is neither https nor http on a loopback host, or a name is
                empty.
        """
        root = base_url or cloud.resource_manager
        self._subscription = f"/subscriptions/{quoted(subscription_id)}"
        self._group = f"{self._subscription}/resourceGroups/{quoted(resource_group)}"
        self._query = {"api-version": api_version}
        self._pipeline = ServicePipeline(
            root,
            authentication=bearer_policy(credential, cloud.resource_manager_scope, root),
            **options,
        )

    def create_job(self, job: ImportJob, **options: Any) -> ImportJob:
        path, body = self._path(job.name), wire.render_job(job)
        with explaining(job.name, JobAction.REPLACE, self.get_job):
            response = self._pipeline.send(
                "PUT", path, query=self._query, body=body, expected=(200, 201, 202), **options
            )
            settle(self._pipeline, response, **options)
        return self.get_job(job.name, **options)

    def get_job(self, name: str, **options: Any) -> ImportJob:
        query = {**self._query, "$expand": "details"}
        with explaining(name):
            response = self._pipeline.send("GET", self._path(name), query=query, **options)
        return wire.parse_job(answer_object(response))

    def list_jobs(self, *, details: bool = True, **options: Any) -> Iterator[ImportJob]:
        """
        Return the resource group's jobs with the customer's own disks, page by page.

        The service's list has an outline of each job only; with `details` each job is asked for
        when the iterator reaches it, so that drives and packages are there.

        Raises:
            ServiceFormatError: an answer is malformed.
        """
        path = f"{self._group}/providers/Microsoft.DataBox/jobs"
        for item in self._pipeline.pages(path, query=self._query, **options):
            if not wire.is_customer_disk(item):
                continue
            job = wire.parse_job(item)
            if details:
                try:
                    job = self.get_job(job.name, **options)
                except JobNotFoundError:
                    # Deleted since the page was made.
                    continue
            yield job

    def update_job(self, name: str, changes: JobChanges, **options: Any) -> ImportJob:
        body = wire.render_changes(changes)
        if body:
            with explaining(name, JobAction.UPDATE, self.get_job):
                self._patch(name, body, options)
        return self.get_job(name, **options)

    def update_shipping(
        self,
        name: str,
        package: DeliveryPackage,
        *,
        return_address: ReturnAddress | None = None,
        return_shipping: ReturnShipping | None = None,
        **options: Any,
    ) -> ImportJob:
        changes = JobChanges(return_address=return_address, return_shipping=return_shipping)
        with explaining(name, JobAction.SHIP, self.get_job):
            if not changes.is_empty:
                self._patch(name, wire.render_changes(changes), options)
            try:
                self._act(name, "markDevicesShipped", wire.render_shipped(package), options)
            except HttpResponseError as error:
                if error.status_code not in (400, 409):
                    raise
                job = self.get_job(name)
                known = job.delivery_package
                if not known or not known.tracking_number:
                    raise
                # A repeated request whose first answer was lost has done its work.
                if not same_tracking_number(known.tracking_number, package.tracking_number):
                    raise JobStateError(
                        f"import job {name!r} is {job.raw_state} with package "
                        f"{known.carrier_name} {known.tracking_number}, and the service takes no "
                        "other: have its support correct the tracking number",
                        current=job.raw_state,
                        wanted=JobAction.SHIP.value,
                    ) from error
        return self.get_job(name, **options)

    def cancel_job(self, name: str, *, reason: str = "", **options: Any) -> ImportJob:
        with explaining(name, JobAction.CANCEL, self.get_job):
            try:
                self._act(name, "cancel", wire.render_cancellation(reason), options)
            except HttpResponseError as error:
                # A repeated request whose first answer was lost has done its work.
                if error.status_code not in (400, 409) or not self.get_job(name).cancel_requested:
                    raise
        return self.get_job(name, **options)

    def delete_job(self, name: str, **options: Any) -> None:
        with explaining(name, JobAction.DELETE, self.get_job):
            response = self._pipeline.send(
                "DELETE", self._path(name), query=self._query, expected=(200, 202, 204), **options
            )
            settle(self._pipeline, response, **options)

    def list_recovery_passwords(
        self, name: str, **options: Any
    ) -> tuple[DriveRecoveryPassword, ...]:
        path = f"{self._path(name)}/listCredentials"
        with explaining(name):
            response = self._pipeline.send("POST", path, query=self._query, **options)
        return wire.parse_recovery_passwords(answer_object(response))

    def get_location(self, region: str, **options: Any) -> Location:
        with locating(region):
            path = (
                f"{self._subscription}/providers/Microsoft.DataBox/locations/{quoted(region)}"
                "/regionConfiguration"
            )
            body = wire.render_location_request(region)
            response = self._pipeline.send("POST", path, query=self._query, body=body, **options)
        return wire.parse_location(answer_object(response), region)

    def close(self) -> None:
        """
        Close the connections.
        """
        self._pipeline.close()

    def __enter__(self) -> DataBoxJobs:
        self._pipeline.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._pipeline.__exit__(*details)

    def _path(self, name: str) -> str:
        return f"{self._group}/providers/Microsoft.DataBox/jobs/{quoted(name)}"

    def _patch(self, name: str, body: dict[str, Any], options: dict[str, Any]) -> None:
        response = self._pipeline.send(
            "PATCH", self._path(name), query=self._query, body=body, expected=(200, 202), **options
        )
        settle(self._pipeline, response, **options)

    def _act(self, name: str, verb: str, body: dict[str, Any], options: dict[str, Any]) -> None:
        self._pipeline.send(
            "POST",
            f"{self._path(name)}/{verb}",
            query=self._query,
            body=body,
            expected=(200, 202, 204),
            **options,
        )
