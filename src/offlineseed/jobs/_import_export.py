"""
The client for Microsoft.ImportExport, the Resource Manager dialect of the drives' documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from offlineseed.clouds import PUBLIC, AzureCloud
from offlineseed.jobs import _wire_import_export as wire
from offlineseed.jobs._addresses import DeliveryPackage, Location, ReturnAddress, ReturnShipping
from offlineseed.jobs._json import JsonObject
from offlineseed.jobs._locations import location_name, no_location, same_location
from offlineseed.jobs._models import DriveRecoveryPassword, ImportJob, JobChanges
from offlineseed.jobs._pipeline import ServicePipeline, answer_object, bearer_policy, quoted
from offlineseed.jobs._refusals import explaining, locating
from offlineseed.jobs._states import JobAction
from offlineseed.jobs._words import JobState

__all__ = ["ImportExportJobs"]


@final
class ImportExportJobs:
    """
    Import jobs of one resource group through ARM `Microsoft.ImportExport`.

    An implementation of `ImportJobs`. Every method also takes azure-core's options for one call,
    such as `headers`, `retry_total` or `read_timeout`. Use it as a context manager, or `close()`
    it. Threads may share it.

    Source: Microsoft.ImportExport 2021-01-01; 2016-11-01 and 2020-08-01 differ in nothing that is
    used here.
    """

    def __init__(
        self,
        credential: TokenCredential,
        *,
        subscription_id: str,
        resource_group: str,
        cloud: AzureCloud = PUBLIC,
        base_url: str | None = None,
        api_version: str = "2021-01-01",
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
                "PUT", path, query=self._query, body=body, expected=(200, 201), **options
            )
        return wire.parse_job(answer_object(response))

    def get_job(self, name: str, **options: Any) -> ImportJob:
        with explaining(name):
            response = self._pipeline.send("GET", self._path(name), query=self._query, **options)
        return wire.parse_job(answer_object(response))

    def list_jobs(self, **options: Any) -> Iterator[ImportJob]:
        return self._jobs(f"{self._group}/providers/Microsoft.ImportExport/jobs", options)

    def list_subscription_jobs(self, **options: Any) -> Iterator[ImportJob]:
        """
        Return the jobs of the whole subscription, page by page as the iterator is read.

        Raises:
            ServiceFormatError: an answer is malformed.
        """
        return self._jobs(f"{self._subscription}/providers/Microsoft.ImportExport/jobs", options)

    def update_job(self, name: str, changes: JobChanges, **options: Any) -> ImportJob:
        if changes.is_empty:
            return self.get_job(name, **options)
        with explaining(name, JobAction.UPDATE, self.get_job):
            return self._patch(name, wire.render_changes(changes), options)

    def update_shipping(
        self,
        name: str,
        package: DeliveryPackage,
        *,
        return_address: ReturnAddress | None = None,
        return_shipping: ReturnShipping | None = None,
        **options: Any,
    ) -> ImportJob:
        def body(state: JobState | None) -> dict[str, Any]:
            return wire.render_shipping(
                package,
                return_address=return_address,
                return_shipping=return_shipping,
                state=state,
            )

        with explaining(name, JobAction.SHIP, self.get_job):
            try:
                return self._patch(name, body(JobState.SHIPPING), options)
            except HttpResponseError as error:
                # Moving a job to where it already is may be refused; its package may be corrected.
                is_refusal = error.status_code in (400, 409)
                if not is_refusal or self.get_job(name).state is not JobState.SHIPPING:
                    raise
                return self._patch(name, body(None), options)

    def cancel_job(
        self,
        name: str,
        *,
        reason: str = "",  # noqa: ARG002  # this dialect has no place for it
        **options: Any,
    ) -> ImportJob:
        with explaining(name, JobAction.CANCEL, self.get_job):
            return self._patch(name, {"properties": {"cancelRequested": True}}, options)

    def delete_job(self, name: str, **options: Any) -> None:
        with explaining(name, JobAction.DELETE, self.get_job):
            self._pipeline.send(
                "DELETE", self._path(name), query=self._query, expected=(200, 202, 204), **options
            )

    def list_recovery_passwords(
        self, name: str, **options: Any
    ) -> tuple[DriveRecoveryPassword, ...]:
        path = f"{self._path(name)}/listBitLockerKeys"
        with explaining(name):
            response = self._pipeline.send("POST", path, query=self._query, **options)
        return wire.parse_recovery_passwords(answer_object(response))

    def list_locations(self, **options: Any) -> tuple[Location, ...]:
        """
        Return every location that the service has.

        Raises:
            ServiceFormatError: the answer is malformed.
        """
        path = "/providers/Microsoft.ImportExport/locations"
        pages = self._pages(path, options)
        return tuple(wire.parse_location(item) for item in pages)

    def get_location(self, region: str, **options: Any) -> Location:
        location = self._location(region, options)
        alternates = location.alternate_locations
        if not alternates:
            return location
        for alternate in alternates:
            if same_location(alternate, location.id) or same_location(alternate, location.name):
                return location
        return self._location(location_name(alternates[0]), options)

    def close(self) -> None:
        """
        Close the connections.
        """
        self._pipeline.close()

    def __enter__(self) -> ImportExportJobs:
        self._pipeline.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._pipeline.__exit__(*details)

    def _location(self, name: str, options: dict[str, Any]) -> Location:
        with locating(name):
            path = f"/providers/Microsoft.ImportExport/locations/{quoted(name)}"
            try:
                response = self._pipeline.send("GET", path, query=self._query, **options)
            except ResourceNotFoundError as error:
                raise no_location(name) from error
        return wire.parse_location(answer_object(response))

    def _path(self, name: str) -> str:
        return f"{self._group}/providers/Microsoft.ImportExport/jobs/{quoted(name)}"

    def _patch(self, name: str, body: dict[str, Any], options: dict[str, Any]) -> ImportJob:
        response = self._pipeline.send(
            "PATCH", self._path(name), query=self._query, body=body, **options
        )
        return wire.parse_job(answer_object(response))

    def _jobs(self, path: str, options: dict[str, Any]) -> Iterator[ImportJob]:
        for item in self._pages(path, options):
            yield wire.parse_job(item)

    def _pages(self, path: str, options: dict[str, Any]) -> Iterator[JsonObject]:
        return self._pipeline.pages(path, query=self._query, **options)
