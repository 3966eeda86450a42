"""
The client for the classic Service Management API, the one that the offline backup article used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpResponse

from offlineseed._secret import Secret
from offlineseed.clouds import PUBLIC, AzureCloud
from offlineseed.errors import JobError, ServiceFormatError
from offlineseed.jobs import _wire_classic as wire
from offlineseed.jobs._addresses import DeliveryPackage, Location, ReturnAddress, ReturnShipping
from offlineseed.jobs._client_certificate import certificate_transport
from offlineseed.jobs._locations import choose_location, no_location
from offlineseed.jobs._models import DriveRecoveryPassword, ImportJob, JobChanges
from offlineseed.jobs._pipeline import ServicePipeline, answer_object, quoted
from offlineseed.jobs._refusals import explaining, locating
from offlineseed.jobs._states import JobAction
from offlineseed.jobs._words import JobState
from offlineseed.publishsettings import ManagementCertificate

__all__ = ["ClassicJobs"]


@final
class ClassicJobs:
    """
    Import jobs of one classic storage account through Service Management.

    An implementation of `ImportJobs`. Microsoft has retired this API; it is kept for private clouds
    and the emulator. Every method also takes azure-core's options for one call. Use it as a context
    manager, or `close()` it. Threads may share it.

    Source: Storage Import/Export, Service Management 2014-11-01.
    """

    def __init__(
        self,
        certificate: ManagementCertificate,
        *,
        subscription_id: str,
        storage_account: str,
        storage_account_key: Secret | None = None,
        container_sas: Secret | None = None,
        cloud: AzureCloud = PUBLIC,
        base_url: str | None = None,
        api_version: str = "2014-11-01",
        **options: Any,
    ) -> None:
        """
        Make a client; nothing is sent yet.

        One of `storage_account_key` and `container_sas` is needed to create a job, and for nothing
        else. `base_url` stands in for the cloud's Service Management: a private cloud, or the
        emulator. `options` go to azure-core's pipeline; with a `transport` of the caller's, showing
        the certificate is the caller's business.

        Raises:
            ValueError: `base_url` is neither https nor http on a loopback host, or a name is
                empty.
            PublishSettingsError: the certificate can't be read, or the TLS library refuses it.
            OSError: the certificate can't be handed to the TLS library.
        """
        self._account = storage_account
        self._key, self._sas = storage_account_key, container_sas
        self._root = f"/{quoted(subscription_id)}/services/importexport"
        self._jobs_path = f"{self._root}/storageaccounts/{quoted(storage_account)}/jobs"
        if options.get("transport") is None:
            options["transport"] = certificate_transport(certificate, **options)
        self._pipeline = ServicePipeline(
            base_url or cloud.service_management,
            headers={"x-ms-version": api_version, "Accept-Language": "en-us"},
            describe=_describe,
            **options,
        )

    def create_job(self, job: ImportJob, **options: Any) -> ImportJob:
        """
        Create the job and return what the service has.

        The job's `storage_account` has to be this client's, or empty.

        Raises:
            JobError: neither an account key nor a container's SAS was given to the client, or the
                job is for another storage account.
            JobStateError: a job of that name is past the state in which it can be replaced.
            ServiceFormatError: the answer is malformed.
        """
        if self._key is None and self._sas is None:
            raise JobError(
                "a classic job needs the storage account's key or a container's SAS: give one to "
                "the client"
            )
        account = job.storage_account.rpartition("/")[2]
        if account not in ("", self._account):
            raise JobError(
                f"the job is for storage account {account!r} and the client for "
                f"{self._account!r}: make a client for each"
            )
        key = self._key if self._sas is None else None
        body = wire.render_job(job, storage_account_key=key, container_sas=self._sas)
        body["Properties"]["StorageAccountName"] = self._account
        with explaining(job.name, JobAction.REPLACE, self.get_job):
            self._pipeline.send(
                "PUT", self._path(job.name), body=body, expected=(200, 201), **options
            )
        return self.get_job(job.name, **options)

    def get_job(self, name: str, **options: Any) -> ImportJob:
        with explaining(name):
            response = self._pipeline.send("GET", self._path(name), **options)
        return wire.parse_job(answer_object(response), self._account)

    def list_jobs(self, **options: Any) -> Iterator[ImportJob]:
        """
        Return the storage account's jobs, page by page; their drives are left out.

        Raises:
            ServiceFormatError: an answer is malformed.
        """
        for item in self._pipeline.pages(self._jobs_path, link="next-link", **options):
            yield wire.parse_job(item, self._account)

    def update_job(self, name: str, changes: JobChanges, **options: Any) -> ImportJob:
        if not changes.is_empty:
            body = wire.render_changes(changes)
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
        def body(state: JobState | None) -> dict[str, Any]:
            return wire.render_shipping(
                package,
                return_address=return_address,
                return_shipping=return_shipping,
                state=state,
            )

        with explaining(name, JobAction.SHIP, self.get_job):
            try:
                self._patch(name, body(JobState.SHIPPING), options)
            except HttpResponseError as error:
                # Moving a job to where it already is may be refused; its package may be corrected.
                is_refusal = error.status_code in (400, 409)
                if not is_refusal or self.get_job(name).state is not JobState.SHIPPING:
                    raise
                self._patch(name, body(None), options)
        return self.get_job(name, **options)

    def cancel_job(
        self,
        name: str,
        *,
        reason: str = "",  # noqa: ARG002  # this dialect has no place for it
        **options: Any,
    ) -> ImportJob:
        with explaining(name, JobAction.CANCEL, self.get_job):
            self._patch(name, {"Properties": {"CancelRequested": True}}, options)
        return self.get_job(name, **options)

    def delete_job(self, name: str, **options: Any) -> None:
        with explaining(name, JobAction.DELETE, self.get_job):
            self._pipeline.send("DELETE", self._path(name), expected=(200, 202, 204), **options)

    def list_recovery_passwords(
        self, name: str, **options: Any
    ) -> tuple[DriveRecoveryPassword, ...]:
        with explaining(name):
            response = self._pipeline.send("GET", self._path(name), **options)
        found = wire.parse_recovery_passwords(answer_object(response))
        if not found:
            raise JobError(
                f"the service does not give out the recovery passwords of import job {name!r}: "
                "look in the key store of the machine that prepared the drives"
            )
        return found

    def list_locations(self, **options: Any) -> tuple[Location, ...]:
        """
        Return every location that the service has.

        Raises:
            ServiceFormatError: the answer is malformed.
        """
        return self._locations(None, options)

    def get_location(self, region: str, **options: Any) -> Location:
        with locating(region):
            locations = self._locations({"originlocation": region}, options)
        if not locations:
            raise no_location(region)
        if len(locations) == 1:
            # The service was asked where this region's drives go.
            return locations[0]
        return choose_location(locations, region)

    def close(self) -> None:
        """
        Close the connections.
        """
        self._pipeline.close()

    def __enter__(self) -> ClassicJobs:
        self._pipeline.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._pipeline.__exit__(*details)

    def _path(self, name: str) -> str:
        return f"{self._jobs_path}/{quoted(name)}"

    def _patch(self, name: str, body: dict[str, Any], options: dict[str, Any]) -> None:
        self._pipeline.send(
            "PATCH", self._path(name), body=body, expected=(200, 202, 204), **options
        )

    def _locations(
        self, query: dict[str, str] | None, options: dict[str, Any]
    ) -> tuple[Location, ...]:
        pages = self._pipeline.pages(
            f"{self._root}/Locations", query=query, link="next-link", **options
        )
        return tuple(wire.parse_location(item) for item in pages)


def _describe(response: HttpResponse) -> str:
    try:
        return wire.parse_error(answer_object(response))
    except ServiceFormatError:
        return ""
