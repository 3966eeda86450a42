"""
What every dialect of the service can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from offlineseed.jobs._addresses import DeliveryPackage, Location, ReturnAddress, ReturnShipping
from offlineseed.jobs._models import DriveRecoveryPassword, ImportJob, JobChanges

__all__ = ["ImportJobs"]


@runtime_checkable
class ImportJobs(Protocol):
    """
    The import jobs of one place: a resource group, or a storage account in the classic dialect.

    Every method talks to the service. Beside the errors named here, azure-core's errors pass
    through: `HttpResponseError` for refusals that this library knows nothing more about,
    `ServiceRequestError` and `ServiceResponseError` for the network.

    A client may be shared by threads once it is constructed.
    """

    def create_job(self, job: ImportJob) -> ImportJob:
        """
        Create the job, or replace it while it is being created, and return what the service has.

        Every drive needs its recovery password; what only the service sets is ignored.

        Raises:
            JobStateError: a job of that name is past the state in which it can be replaced.
            ServiceFormatError: the answer is malformed.
        """

    def get_job(self, name: str) -> ImportJob:
        """
        Return a snapshot of the job.

        Raises:
            JobNotFoundError: there is none of that name.
            ServiceFormatError: the answer is malformed.
        """

    def list_jobs(self) -> Iterator[ImportJob]:
        """
        Return the jobs, in the service's order, page by page as the iterator is read.

        Raises:
            ServiceFormatError: an answer is malformed.
        """

    def update_job(self, name: str, changes: JobChanges) -> ImportJob:
        """
        Change what can be changed before the drives are done, and return what the service has.

        Raises:
            JobNotFoundError: there is none of that name.
            JobStateError: it is too late for that.
            ServiceFormatError: the answer is malformed.
        """

    def update_shipping(
        self,
        name: str,
        package: DeliveryPackage,
        *,
        return_address: ReturnAddress | None = None,
        return_shipping: ReturnShipping | None = None,
    ) -> ImportJob:
        """
        Tell that the package is on its way, and return what the service has.

        The job moves from `Creating` to `Shipping`. In `Shipping` this corrects the tracking
        number, where the dialect allows that.

        Raises:
            JobNotFoundError: there is none of that name.
            JobStateError: the job is past shipping.
            ServiceFormatError: the answer is malformed.
        """

    def cancel_job(self, name: str, *, reason: str = "") -> ImportJob:
        """
        Ask the service to cancel the job, and return what the service has. Best effort.

        Raises:
            JobNotFoundError: there is none of that name.
            JobStateError: it is too late for that.
            ServiceFormatError: the answer is malformed.
        """

    def delete_job(self, name: str) -> None:
        """
        Delete the job.

        Raises:
            JobNotFoundError: there is none of that name; Data Box may be content with that.
            JobStateError: the service is at work on it.
        """

    def list_recovery_passwords(self, name: str) -> tuple[DriveRecoveryPassword, ...]:
        """
        Return the recovery passwords of the job's drives, in the service's order.

        Raises:
            JobNotFoundError: there is none of that name.
            JobError: the dialect does not give them out.
            ServiceFormatError: the answer is malformed.
        """

    def get_location(self, region: str) -> Location:
        """
        Return the location that takes the drives for a storage account's region.

        A region is named as the service does, `West US` or `westus`.

        Raises:
            ShippingError: the service takes no drives for that region.
            ServiceFormatError: the answer is malformed.
        """
