"""
The dialect of Azure Resource Manager's Microsoft.DataBox, for orders with the customer's own disks.

Source: the shapes of Microsoft's client azure-mgmt-databox 4.0.0 (API 2025-07-01), and the order's
life as the articles on Data Box and Import/Export orders tell it.
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
from offlineseed.emulator._data_box_documents import (
    DELETABLE,
    TYPE,
    datacenter_document,
    job_document,
)
from offlineseed.emulator._http import Answer, Refusal, Request
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
from offlineseed.emulator._states import TERMINAL, JobWord

__all__ = ["DataBoxFace"]

_DIALECT = "DataBox"
_SKU = "DataBoxCustomerDisk"
_VERSIONS = (
    "2025-07-01",
    "2025-02-01",
    "2022-12-01",
    "2022-10-01",
    "2022-09-01",
    "2022-02-01",
    "2021-12-01",
    "2021-08-01-preview",
)
"""The versions that know the customer's own disks."""
_PROVIDER = r"/providers/Microsoft\.DataBox"
_SUBSCRIPTION = r"/subscriptions/(?P<subscription>[^/]+)"
_GROUP = _SUBSCRIPTION + r"/resourceGroups/(?P<scope>[^/]+)"
_JOB = _GROUP + _PROVIDER + r"/jobs/(?P<name>[^/]+)"
_REGION = _PROVIDER + r"/locations/(?P<location>[^/]+)/regionConfiguration"
_UPDATABLE = ("contactDetails", "shippingAddress", "reverseShippingDetails", "preferences")
_OPERATIONS = (
    "jobs/read",
    "jobs/write",
    "jobs/delete",
    "jobs/cancel/action",
    "jobs/markDevicesShipped/action",
    "jobs/listCredentials/action",
    "locations/regionConfiguration/action",
    "operations/read",
)


@final
class DataBoxFace:
    """
    Answers requests to Microsoft.DataBox. Called from many threads.
    """

    def __init__(self, book: JobBook, base_url: Callable[[], str]) -> None:
        self._book = book
        self._base_url = base_url
        self._routes: tuple[Route, ...] = (
            Route("GET", _PROVIDER + "/operations", self._operations),
            Route("GET", _SUBSCRIPTION + _PROVIDER + "/jobs", self._list),
            Route("GET", _GROUP + _PROVIDER + "/jobs", self._list),
            Route("PUT", _JOB, self._create),
            Route("GET", _JOB, self._get),
            Route("PATCH", _JOB, self._update),
            Route("DELETE", _JOB, self._delete),
            Route("POST", _JOB + "/cancel", self._cancel),
            Route("POST", _JOB + "/markDevicesShipped", self._ship),
            Route("POST", _JOB + "/listCredentials", self._credentials),
            Route("POST", _SUBSCRIPTION + _REGION, self._region),
            Route("POST", _GROUP + _REGION, self._region),
        )

    def answer(self, request: Request) -> Answer | None:
        """
        Answer a request, or return None where it is not for this provider.

        Raises:
            Refusal: the service would not do it.
        """
        if "/providers/microsoft.databox" not in request.path.lower():
            return None
        require_api_version(request, _VERSIONS)
        return routed(self._routes, request)

    def _operations(self, _request: Request) -> Answer:
        value = [
            {
                "name": f"Microsoft.DataBox/{name}",
                "isDataAction": False,
                "display": {
                    "provider": "Microsoft.DataBox",
                    "resource": name.partition("/")[0],
                    "operation": name,
                    "description": name,
                },
                "origin": "user",
            }
            for name in _OPERATIONS
        ]
        return Answer(status=200, document={"value": value})

    def _region(
        self, request: Request, subscription: str, location: str, scope: str = ""
    ) -> Answer:
        del subscription, scope  # Every subscription ships to the same places.
        require_location(location, "location", TYPE)
        asked = member(request.document(), "datacenterAddressRequest", dict)
        if asked is None:
            return Answer(status=200, document={})
        _require_sku(require_text(asked, "skuName"))
        storage = require_location(require_text(asked, "storageLocation"), "storageLocation", TYPE)
        return Answer(
            status=200, document={"datacenterAddressResponse": datacenter_document(storage)}
        )

    def _list(self, request: Request, subscription: str, scope: str = "") -> Answer:
        with self._book.lock:
            jobs = [
                job
                for job in self._book.jobs()
                if job.key.dialect == _DIALECT
                and job.key.subscription == subscription.lower()
                and (not scope or job.key.scope == scope.lower())
            ]
            some, skip = page(request, jobs)
            document: dict[str, Any] = {"value": [job_document(job) for job in some]}
        if skip:
            query = {name: value for name, value in request.query.items() if name != "$skipToken"}
            query["$skipToken"] = str(skip)
            document["nextLink"] = f"{self._base_url()}{quote(request.path)}?{urlencode(query)}"
        return Answer(status=200, document=document)

    def _create(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        require_job_name(name)
        body = request.document()
        written = require_text(body, "location")
        location = require_location(written, "location", TYPE)
        _require_sku(require_text(_required(body, "sku"), "name"))
        properties = _required(body, "properties")
        if require_text(properties, "transferType") != "ImportToAzure":
            raise Refusal(
                400, "InvalidArgument", "This service takes imports only.", target="transferType"
            )
        details = _required(properties, "details")
        key = JobKey(dialect=_DIALECT, subscription=subscription, scope=scope, name=name)
        with self._book.lock:
            now = self._book.clock.now()
            old = self._book.find(key)
            if old is not None and old.state is not JobWord.CREATING:
                raise wrong_state(old, "put again")
            account, is_verbose = _account(details)
            returned = _required(details, "returnToCustomerPackageDetails")
            job = ServiceJob(
                key=key,
                name=name,
                scope=scope,
                subscription=subscription,
                location=location,
                document={
                    "location": written,
                    "tags": member(body, "tags", dict),
                    "identity": member(body, "identity", dict) or {"type": "None"},
                    "account": account,
                    "details": {
                        "contactDetails": _contact(details),
                        **{
                            word: details[word]
                            for word in (*_UPDATABLE[1:], "keyEncryptionKey")
                            if details.get(word) is not None
                        },
                    },
                    "return": _return_package(returned),
                    "reason": None,
                },
                drives=_drives(details),
                created=old.created if old else now,
                touched=now,
                since=now,
                has_return_address=True,
                is_verbose=is_verbose,
                is_manifest_backed_up=member(details, "enableManifestBackup", bool) or False,
                logs_path="databoxcopylog",
                copy_log_format="2021-08-01",
            )
            self._book.put(job)
            return Answer(status=200, document=job_document(job))

    def _get(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        expand = request.query.get("$expand", "").lower()
        with self._book.lock:
            job = self._require(subscription, scope, name)
            return Answer(status=200, document=job_document(job, has_details="details" in expand))

    def _update(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        body = request.document()
        details = member(member(body, "properties", dict) or {}, "details", dict) or {}
        tags = member(body, "tags", dict)
        with self._book.lock:
            job = self._require(subscription, scope, name)
            if job.state in TERMINAL or job.cancel_requested:
                raise wrong_state(job, "updated")
            known: dict[str, Any] = job.document["details"]
            changed = dict(known)
            for word in _UPDATABLE:
                if details.get(word) is not None:
                    changed[word] = _contact(details) if word == "contactDetails" else details[word]
            returned = member(details, "returnToCustomerPackageDetails", dict)
            if returned is not None:
                if job.state is JobWord.PACKAGING:
                    raise wrong_state(job, "given another return package")
                job.document["return"] = _return_package(returned)
            job.document["details"] = changed
            if tags is not None:
                job.document["tags"] = tags
            job.touched = self._book.clock.now()
            return Answer(status=200, document=job_document(job))

    def _delete(self, _request: Request, subscription: str, scope: str, name: str) -> Answer:
        with self._book.lock:
            key = JobKey(dialect=_DIALECT, subscription=subscription, scope=scope, name=name)
            job = self._book.find(key)
            if job is None:
                return Answer(status=204)
            if job.state not in DELETABLE:
                raise wrong_state(job, "deleted: cancel it first")
            self._book.remove(job)
        return Answer(status=200)

    def _cancel(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        reason = require_text(request.document(), "reason")
        with self._book.lock:
            job = self._require(subscription, scope, name)
            if job.cancel_requested:
                raise wrong_state(job, "cancelled a second time")
            require_may_cancel(job)
            job.cancel_requested = True
            job.document["reason"] = reason
            if job.state is JobWord.CREATING:
                # Nothing was shipped: there is nothing to wait for.
                job.enter(JobWord.COMPLETED, self._book.clock.now())
        return Answer(status=204)

    def _ship(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        package = _required(request.document(), "deliverToDcPackageDetails")
        carrier = require_text(package, "carrierName")
        tracking_number = require_text(package, "trackingId")
        with self._book.lock:
            job = self._require(subscription, scope, name)
            require_may_ship(job, has_package=True, has_return_address=True)
            job.carrier = carrier
            job.tracking_number = tracking_number
            job.touched = self._book.clock.now()
            job.enter(JobWord.SHIPPING, job.touched)
        return Answer(status=204)

    def _credentials(self, _request: Request, subscription: str, scope: str, name: str) -> Answer:
        with self._book.lock:
            job = self._require(subscription, scope, name)
            secrets = {
                "jobSecretsType": _SKU,
                "diskSecrets": [
                    {
                        "diskSerialNumber": drive.drive_id,
                        "bitLockerKey": drive.recovery_password.reveal(),
                    }
                    for drive in job.drives
                ],
                "carrierAccountNumber": job.document["return"].get("carrierAccountNumber"),
            }
        value = [{"jobName": job.name, "jobSecrets": secrets}]
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


def _required(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = member(document, name, dict)
    if value is None:
        raise Refusal(400, "InvalidArgument", f"'{name}' is missing.", target=name)
    return value


def _require_sku(name: str) -> None:
    if name != _SKU:
        raise Refusal(
            400, "SkuNotAvailable", f"This service has the SKU {_SKU}, not '{name}'.", target="sku"
        )


def _account(details: dict[str, Any]) -> tuple[str, bool]:
    if require_text(details, "jobDetailsType") != _SKU:
        raise Refusal(400, "InvalidArgument", f"jobDetailsType is {_SKU}.", target="jobDetailsType")
    imports = member(details, "dataImportDetails", list) or []
    if len(imports) != 1 or not isinstance(imports[0], dict):
        raise Refusal(
            400,
            "InvalidArgument",
            "An order has one storage account in dataImportDetails.",
            target="dataImportDetails",
        )
    account = _required(imports[0], "accountDetails")
    if require_text(account, "dataAccountType") != "StorageAccount":
        raise Refusal(
            400, "InvalidArgument", "dataAccountType is StorageAccount.", target="dataAccountType"
        )
    account_id = require_text(account, "storageAccountId")
    if not re.search(r"/storageAccounts/[a-z0-9]{3,24}$", account_id, re.IGNORECASE):
        raise Refusal(
            400,
            "InvalidArgument",
            "storageAccountId is not the resource id of a storage account.",
            target="storageAccountId",
        )
    return account_id, imports[0].get("logCollectionLevel") == "Verbose"


def _contact(details: dict[str, Any]) -> dict[str, Any]:
    contact = _required(details, "contactDetails")
    require_text(contact, "contactName")
    require_text(contact, "phone")
    if not member(contact, "emailList", list):
        raise Refusal(400, "InvalidArgument", "'emailList' is missing.", target="emailList")
    return contact


def _return_package(package: dict[str, Any]) -> dict[str, Any]:
    fields = ("carrierName", "carrierAccountNumber")
    return {field: value for field in fields if (value := member(package, field, str)) is not None}


def _drives(details: dict[str, Any]) -> list[ServiceDrive]:
    listed = member(details, "importDiskDetailsCollection", dict) or {}
    return require_drives(_drive(serial, entry) for serial, entry in listed.items())


def _drive(serial: str, entry: Any) -> ServiceDrive:
    if not isinstance(entry, dict):
        raise Refusal(
            400,
            "InvalidArgument",
            "importDiskDetailsCollection holds objects.",
            target="importDiskDetailsCollection",
        )
    return ServiceDrive(
        drive_id=serial,
        recovery_password=Secret(require_text(entry, "bitLockerKey")),
        manifest_file=require_text(entry, "manifestFile"),
        manifest_hash=require_text(entry, "manifestHash"),
    )
