"""
The dialect of Azure Resource Manager's Microsoft.ImportExport.

Written against recorded answers of the service, on raw JSON: nothing here is shared with the
library's own clients, so that two equal mistakes do not cancel out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, final
from urllib.parse import quote, urlencode

from offlineseed._secret import Secret
from offlineseed.emulator._arm import (
    Route,
    member,
    page,
    require_api_version,
    require_text,
    routed,
)
from offlineseed.emulator._http import Answer, Refusal, Request
from offlineseed.emulator._import_export_documents import (
    TYPE,
    job_document,
    location_document,
)
from offlineseed.emulator._job import JobKey, ServiceDrive, ServiceJob
from offlineseed.emulator._job_rules import (
    require_drives,
    require_job_name,
    require_location,
    require_may_cancel,
    require_may_ship,
    wrong_state,
)
from offlineseed.emulator._jobbook import JobBook
from offlineseed.emulator._locations import LOCATIONS, find_location
from offlineseed.emulator._states import DELETABLE, TERMINAL, JobWord

__all__ = ["ImportExportFace"]

_DIALECT = "ImportExport"
_VERSIONS = ("2016-11-01", "2020-08-01", "2021-01-01")
_PROVIDER = r"/providers/Microsoft\.ImportExport"
_GROUP = r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<scope>[^/]+)"
_JOB = _GROUP + _PROVIDER + r"/jobs/(?P<name>[^/]+)"

_ADDRESS = (
    ("recipientName", True),
    ("streetAddress1", True),
    ("streetAddress2", False),
    ("city", True),
    ("stateOrProvince", False),
    ("postalCode", True),
    ("countryOrRegion", True),
    ("phone", True),
    ("email", True),
)
_RETURN_SHIPPING = (("carrierName", True), ("carrierAccountNumber", True))
_OPERATIONS = (
    ("locations/read", "Get Location", "Gets the locations to which you can ship the disks."),
    ("jobs/write", "Create or Update Job", "Creates or updates a job."),
    ("jobs/read", "Get Job", "Gets a job, or lists jobs."),
    ("jobs/listBitLockerKeys/action", "Get BitLocker Keys", "Gets the BitLocker keys of a job."),
    ("jobs/delete", "Delete Job", "Deletes a job."),
    ("register/action", "Register", "Registers the provider for a subscription."),
)


@final
class ImportExportFace:
    """
    Answers requests to Microsoft.ImportExport. Called from many threads.
    """

    def __init__(self, book: JobBook, base_url: Callable[[], str]) -> None:
        self._book = book
        self._base_url = base_url
        self._routes: tuple[Route, ...] = (
            Route("GET", _PROVIDER + "/operations", self._operations),
            Route("GET", _PROVIDER + "/locations", self._locations),
            Route("GET", _PROVIDER + r"/locations/(?P<location>[^/]+)", self._location),
            Route("GET", rf"/subscriptions/(?P<subscription>[^/]+){_PROVIDER}/jobs", self._list),
            Route("GET", _GROUP + _PROVIDER + "/jobs", self._list),
            Route("PUT", _JOB, self._create),
            Route("GET", _JOB, self._get),
            Route("PATCH", _JOB, self._update),
            Route("DELETE", _JOB, self._delete),
            Route("POST", _JOB + "/listBitLockerKeys", self._keys),
        )

    def answer(self, request: Request) -> Answer | None:
        """
        Answer a request, or return None where it is not for this provider.

        Raises:
            Refusal: the service would not do it.
        """
        if "/providers/microsoft.importexport" not in request.path.lower():
            return None
        require_api_version(request, _VERSIONS)
        return routed(self._routes, request)

    def _operations(self, _request: Request) -> Answer:
        value = [
            {
                "name": f"Microsoft.ImportExport/{name}",
                "display": {
                    "provider": "Microsoft Import/Export",
                    "resource": name.partition("/")[0],
                    "operation": operation,
                    "description": description,
                },
            }
            for name, operation, description in _OPERATIONS
        ]
        return Answer(status=200, document={"value": value})

    def _locations(self, _request: Request) -> Answer:
        return Answer(
            status=200, document={"value": [location_document(place) for place in LOCATIONS]}
        )

    def _location(self, _request: Request, location: str) -> Answer:
        place = find_location(location)
        if place is None:
            raise Refusal(404, "LocationNotFound", f"There is no location '{location}'.")
        return Answer(status=200, document=location_document(place))

    def _list(self, request: Request, subscription: str, scope: str = "") -> Answer:
        if request.query.get("$filter"):
            raise Refusal(400, "InvalidFilter", "This service knows no $filter.", target="$filter")
        with self._book.lock:
            jobs = [
                job
                for job in self._book.jobs()
                if job.key.dialect == _DIALECT
                and job.key.subscription == subscription.lower()
                and (not scope or job.key.scope == scope.lower())
            ]
            some, skip = page(request, jobs)
            document: dict[str, Any] = {
                "value": [job_document(job, has_drives=False) for job in some]
            }
        if skip:
            query = urlencode({**request.query, "$skiptoken": str(skip)})
            document["nextLink"] = f"{self._base_url()}{quote(request.path)}?{query}"
        return Answer(status=200, document=document)

    def _create(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        require_job_name(name)
        body = request.document()
        written = require_text(body, "location")
        location = require_location(written, "location", TYPE)
        properties = member(body, "properties", dict)
        if properties is None:
            raise Refusal(400, "InvalidArgument", "'properties' is missing.", target="properties")
        key = JobKey(dialect=_DIALECT, subscription=subscription, scope=scope, name=name)
        with self._book.lock:
            now = self._book.clock.now()
            old = self._book.find(key)
            if old is not None and old.state is not JobWord.CREATING:
                raise Refusal(
                    409,
                    "InvalidJobState",
                    f"The job '{name}' is in state {old.state.value}; only a job in state Creating "
                    "can be put again.",
                )
            job = ServiceJob(
                key=key,
                name=name,
                scope=scope,
                subscription=subscription,
                location=location,
                document=_document(body, properties),
                drives=_drives(properties),
                created=old.created if old else now,
                touched=now,
                since=now,
            )
            _settle(job, properties)
            self._book.put(job)
            answer = job_document(job, location=written)
        return Answer(status=200 if old else 201, document=answer)

    def _get(self, _request: Request, subscription: str, scope: str, name: str) -> Answer:
        with self._book.lock:
            return Answer(
                status=200, document=job_document(self._require(subscription, scope, name))
            )

    def _update(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        body = request.document()
        properties = member(body, "properties", dict) or {}
        with self._book.lock:
            job = self._require(subscription, scope, name)
            if job.state in TERMINAL:
                raise wrong_state(job, "updated")
            for word in ("storageAccountId", "jobType", "diagnosticsPath"):
                if properties.get(word) is not None:
                    raise Refusal(
                        400, "InvalidArgument", f"'{word}' can't be updated.", target=word
                    )
            _require_legal_update(job, properties)
            tags = member(body, "tags", dict)
            drives = job.drives
            if properties.get("driveList") is not None:
                drives = _merged_drives(job, properties)
            _settle(job, properties)
            job.drives = drives
            if tags is not None:
                job.document["tags"] = tags
            job.touched = self._book.clock.now()
            if properties.get("cancelRequested"):
                job.cancel_requested = True
            if properties.get("state") == JobWord.SHIPPING.value and (
                job.state is JobWord.CREATING
            ):
                job.enter(JobWord.SHIPPING, job.touched)
            return Answer(status=200, document=job_document(job))

    def _delete(self, _request: Request, subscription: str, scope: str, name: str) -> Answer:
        with self._book.lock:
            job = self._require(subscription, scope, name)
            if job.state not in DELETABLE:
                raise wrong_state(job, "deleted")
            self._book.remove(job)
        return Answer(status=200)

    def _keys(self, _request: Request, subscription: str, scope: str, name: str) -> Answer:
        with self._book.lock:
            job = self._require(subscription, scope, name)
            value = [
                {"driveId": drive.drive_id, "bitLockerKey": drive.recovery_password.reveal()}
                for drive in job.drives
            ]
        return Answer(status=200, document={"value": value})

    def _require(self, subscription: str, scope: str, name: str) -> ServiceJob:
        key = JobKey(dialect=_DIALECT, subscription=subscription, scope=scope, name=name)
        job = self._book.find(key)
        if job is None:
            raise Refusal(
                404,
                "ResourceNotFound",
                f"The Resource '{TYPE}/{name}' under resource group '{scope}' was not found.",
            )
        return job


def _document(body: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    job_type = require_text(properties, "jobType")
    if job_type != "Import":
        raise Refusal(
            400,
            "InvalidArgument",
            f"jobType '{job_type}': this service takes import jobs only.",
            target="jobType",
        )
    account = require_text(properties, "storageAccountId")
    if not re.search(r"/storageAccounts/[a-z0-9]{3,24}$", account, re.IGNORECASE):
        raise Refusal(
            400,
            "InvalidArgument",
            "storageAccountId is not the resource id of a storage account.",
            target="storageAccountId",
        )
    document: dict[str, Any] = {
        "storageAccountId": account,
        "jobType": job_type,
        "diagnosticsPath": properties.get("diagnosticsPath") or "waimportexport",
        "encryptionKey": member(properties, "encryptionKey", dict)
        or {"kekType": "MicrosoftManaged"},
        "identity": member(body, "identity", dict) or {"type": "None"},
    }
    tags = member(body, "tags", dict)
    if tags is not None:
        document["tags"] = tags
    return document


def _drives(properties: dict[str, Any]) -> list[ServiceDrive]:
    return require_drives(_drive(entry) for entry in member(properties, "driveList", list) or ())


def _drive(entry: Any) -> ServiceDrive:
    if not isinstance(entry, dict):
        raise Refusal(400, "InvalidArgument", "driveList holds objects.", target="driveList")
    return ServiceDrive(
        drive_id=require_text(entry, "driveId"),
        recovery_password=Secret(require_text(entry, "bitLockerKey")),
        manifest_file=require_text(entry, "manifestFile"),
        manifest_hash=require_text(entry, "manifestHash"),
        header_hash=member(entry, "driveHeaderHash", str),
    )


def _merged_drives(job: ServiceJob, properties: dict[str, Any]) -> list[ServiceDrive]:
    # A drive that is known already need not repeat its recovery password: GET does not show it.
    known = {drive.drive_id.upper(): drive for drive in job.drives}
    entries = []
    for entry in member(properties, "driveList", list) or ():
        if isinstance(entry, dict):
            old = known.get(str(entry.get("driveId")).upper())
            if old is not None and not entry.get("bitLockerKey"):
                entry = {**entry, "bitLockerKey": old.recovery_password.reveal()}  # noqa: PLW2901
        entries.append(entry)
    return _drives({"driveList": entries})


def _require_legal_update(job: ServiceJob, properties: dict[str, Any]) -> None:
    if properties.get("driveList") is not None and job.state is not JobWord.CREATING:
        raise wrong_state(job, "given another driveList")
    if properties.get("deliveryPackage") is not None and job.state not in (
        JobWord.CREATING,
        JobWord.SHIPPING,
    ):
        raise wrong_state(job, "given another deliveryPackage")
    if properties.get("returnShipping") is not None and job.state is JobWord.PACKAGING:
        raise wrong_state(job, "given another returnShipping")
    cancel = member(properties, "cancelRequested", bool)
    if cancel is False and job.cancel_requested:
        raise Refusal(
            400, "InvalidArgument", "cancelRequested may only be true.", target="cancelRequested"
        )
    if cancel:
        require_may_cancel(job)
    wanted = properties.get("state")
    if not wanted or wanted == job.state.value:
        return
    if wanted != JobWord.SHIPPING.value:
        raise Refusal(
            400, "InvalidArgument", f"state may only be Shipping, not '{wanted}'.", target="state"
        )
    require_may_ship(
        job,
        has_package=bool(properties.get("deliveryPackage")),
        has_return_address=bool(properties.get("returnAddress")),
        is_cancelled=bool(cancel),
    )


def _settle(job: ServiceJob, properties: dict[str, Any]) -> None:
    """
    Take over what PUT and PATCH may both set. Everything is checked before anything changes.
    """
    address = _fields(properties, "returnAddress", _ADDRESS)
    shipping = _fields(properties, "returnShipping", _RETURN_SHIPPING)
    package = member(properties, "deliveryPackage", dict)
    if package is not None:
        require_text(package, "carrierName")
        require_text(package, "trackingNumber")
        count = package.get("driveCount")
        if count is not None and type(count) is not int:
            raise Refusal(400, "InvalidArgument", "driveCount is not a number.")
    log_level = properties.get("logLevel")
    if log_level not in (None, "", "Error", "Verbose"):
        raise Refusal(400, "InvalidArgument", "logLevel is Error or Verbose.", target="logLevel")
    backup = properties.get("backupDriveManifest")
    if backup not in (None, True, False):
        raise Refusal(
            400,
            "InvalidArgument",
            "backupDriveManifest is true or false.",
            target="backupDriveManifest",
        )
    if address is not None:
        job.document["returnAddress"] = address
        job.has_return_address = True
    if shipping is not None:
        job.document["returnShipping"] = shipping
    if package is not None:
        job.document["deliveryPackage"] = package
        job.carrier = package["carrierName"]
        job.tracking_number = package["trackingNumber"]
    if log_level:
        job.is_verbose = log_level == "Verbose"
    if backup is not None:
        job.is_manifest_backed_up = backup
    job.logs_path = job.document["diagnosticsPath"]


def _fields(
    properties: dict[str, Any], name: str, fields: tuple[tuple[str, bool], ...]
) -> dict[str, Any] | None:
    given = member(properties, name, dict)
    if given is None:
        return None
    for field, is_required in fields:
        if is_required:
            require_text(given, field)
    return {field: given[field] for field, _ in fields if given.get(field) is not None}
