"""
The dialect of classic Service Management, version 2014-11-01: OData JSON without metadata.

Source: Microsoft's sample client storage-dotnet-import-export-job-management, and the heads of the
reference pages of that API.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, final
from urllib.parse import quote, urlencode

from offlineseed._secret import Secret
from offlineseed.emulator._arm import Route, member, require_text, routed
from offlineseed.emulator._classic_documents import job_document, job_outline, location_document
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
from offlineseed.emulator._locations import LOCATIONS
from offlineseed.emulator._states import DELETABLE, TERMINAL, JobWord

__all__ = ["ClassicFace"]

_DIALECT = "Classic"
_VERSIONS = ("2014-11-01", "2014-05-01")
_MOST_OF_A_PAGE = 100
_MOST_OF_A_TEXT = 1024
_ROOT = r"/(?P<subscription>[^/]+)/services/importexport"
_JOBS = _ROOT + r"/storageaccounts/(?P<scope>[^/]+)/jobs"
_JOB = _JOBS + r"/(?P<name>[^/]+)"
_TEXTS = ("FriendlyName", "Description", "Metadata")
_ADDRESS = ("Name", "Address", "Phone", "Email")
_RETURN_SHIPPING = ("CarrierName", "CarrierAccountNumber")
_PACKAGE = ("CarrierName", "TrackingNumber", "ShipDate")


@final
class ClassicFace:
    """
    Answers requests to the classic Import/Export API. Called from many threads.
    """

    def __init__(self, book: JobBook, base_url: Callable[[], str]) -> None:
        self._book = book
        self._base_url = base_url
        self._routes: tuple[Route, ...] = (
            Route("GET", _ROOT + "/locations", self._locations),
            Route("GET", _ROOT + "/storageaccounts", self._accounts),
            Route("GET", _JOBS, self._list),
            Route("GET", _JOB, self._get),
            Route("HEAD", _JOB, self._get),
            Route("PUT", _JOB, self._create),
            Route("PATCH", _JOB, self._update),
            Route("DELETE", _JOB, self._delete),
        )

    @staticmethod
    def is_for(request: Request) -> bool:
        """
        Whether a request is for this API.
        """
        return "/services/importexport" in request.path.lower()

    @staticmethod
    def refused(refusal: Refusal) -> Answer:
        """
        Give a refusal this dialect's shape.
        """
        error = {
            "code": refusal.code,
            "message": {"lang": "en-us", "value": refusal.message},
            "azure.values": {
                "odata.type": "Collection(Microsoft.WindowsAzure.Management.NameValue)",
                "ExtendedCode": refusal.code,
                "ExtendedInformation": refusal.target or refusal.message,
            },
        }
        return Answer(
            status=refusal.status, document={"odata.error": error}, headers=refusal.headers
        )

    def answer(self, request: Request) -> Answer:
        """
        Answer a request.

        Raises:
            Refusal: the service would not do it.
        """
        if request.headers.get("x-ms-version") not in _VERSIONS:
            raise Refusal(
                400,
                "MissingOrInvalidRequiredHeader",
                f"The header x-ms-version is one of {', '.join(_VERSIONS)}.",
                target="x-ms-version",
            )
        accepted = request.query.get("$format") or request.headers.get("accept", "*/*")
        if not re.search(r"\bjson\b|\*/\*", accepted):
            raise Refusal(406, "NotAcceptable", "The Accept header is application/json.")
        return routed(self._routes, request)

    def _locations(self, request: Request, subscription: str) -> Answer:
        del subscription  # Every subscription ships to the same places.
        origin = request.query.get("originlocation")
        places = LOCATIONS
        if origin:
            alternate = require_location(origin, "originlocation", "location").alternate
            places = (require_location(alternate, "originlocation", "location"),)
        return self._answer(request, {"value": [location_document(place) for place in places]})

    def _accounts(self, request: Request, subscription: str) -> Answer:
        with self._book.lock:
            names = {
                job.key.scope: job.scope
                for job in self._book.jobs()
                if job.key.dialect == _DIALECT and job.key.subscription == subscription.lower()
            }
        return self._answer(request, {"value": [{"Name": name} for name in names.values()]})

    def _list(self, request: Request, subscription: str, scope: str) -> Answer:
        wanted = _wanted(request)
        with self._book.lock:
            jobs = [
                job
                for job in self._book.jobs()
                if job.key.dialect == _DIALECT
                and job.key.subscription == subscription.lower()
                and job.key.scope == scope.lower()
                and wanted(job)
            ]
            start = _number(request, "skip", 0)
            end = start + min(_number(request, "top", _MOST_OF_A_PAGE) or 1, _MOST_OF_A_PAGE)
            document: dict[str, Any] = {
                "value": [job_outline(job, self._base_url()) for job in jobs[start:end]]
            }
        if end < len(jobs):
            query = urlencode({**request.query, "skip": str(end)})
            document["next-link"] = f"{self._base_url()}{quote(request.path)}?{query}"
        return self._answer(request, document)

    def _get(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        with self._book.lock:
            job = self._require(subscription, scope, name)
            document = job_document(job, self._base_url())
            return self._answer(request, document, headers=(("ETag", _etag(job)),))

    def _create(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        require_job_name(name)
        body = request.document()
        if require_text(body, "Name").lower() != name.lower():
            raise Refusal(400, "InvalidInput", "Name is not the job of the path.", target="Name")
        properties = member(body, "Properties", dict) or {}
        if require_text(properties, "StorageAccountName").lower() != scope.lower():
            raise Refusal(
                400,
                "InvalidInput",
                "StorageAccountName is not the account of the path.",
                target="StorageAccountName",
            )
        if not (properties.get("StorageAccountKey") or properties.get("ContainerSas")):
            raise Refusal(
                400,
                "InvalidInput",
                "StorageAccountKey or ContainerSas is missing.",
                target="StorageAccountKey",
            )
        if require_text(properties, "Type") != "Import":
            raise Refusal(400, "InvalidInput", "This service takes imports only.", target="Type")
        location = require_location(require_text(properties, "Location"), "Location", "import job")
        key = JobKey(dialect=_DIALECT, subscription=subscription, scope=scope, name=name)
        with self._book.lock:
            now = self._book.clock.now()
            old = self._book.find(key)
            if old is not None and old.state is not JobWord.CREATING:
                raise wrong_state(old, "put again")
            job = ServiceJob(
                key=key,
                name=name,
                scope=scope,
                subscription=subscription,
                location=location,
                document={},
                drives=_drives(body),
                created=old.created if old else now,
                touched=now,
                since=now,
                logs_path=member(properties, "ImportExportStatesPath", str) or "waimportexport",
            )
            _settle(job, properties)
            self._book.put(job)
            return Answer(status=201, headers=(("ETag", _etag(job)),))

    def _update(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        properties = member(request.document(), "Properties", dict) or {}
        with self._book.lock:
            job = self._require(subscription, scope, name)
            _require_match(request, job)
            if job.state in TERMINAL:
                raise wrong_state(job, "updated")
            cancel = member(properties, "CancelRequested", bool)
            if cancel is False:
                raise Refusal(
                    400,
                    "InvalidInput",
                    "CancelRequested may only be true.",
                    target="CancelRequested",
                )
            if cancel:
                require_may_cancel(job)
            state = properties.get("State")
            is_shipped = bool(state) and state != job.state.value
            if is_shipped:
                _require_shipping(job, properties, is_cancelled=bool(cancel))
            if properties.get("DeliveryPackage") is not None and job.state not in (
                JobWord.CREATING,
                JobWord.SHIPPING,
            ):
                raise wrong_state(job, "given another DeliveryPackage")
            if properties.get("ReturnShipping") is not None and job.state is JobWord.PACKAGING:
                raise wrong_state(job, "given another ReturnShipping")
            _settle(job, properties)
            job.touched = self._book.clock.now()
            job.document["revision"] = job.document.get("revision", 0) + 1
            job.cancel_requested = job.cancel_requested or bool(cancel)
            if is_shipped:
                job.enter(JobWord.SHIPPING, job.touched)
            return Answer(status=200, headers=(("ETag", _etag(job)),))

    def _delete(self, request: Request, subscription: str, scope: str, name: str) -> Answer:
        with self._book.lock:
            job = self._require(subscription, scope, name)
            _require_match(request, job)
            if job.state not in DELETABLE:
                raise wrong_state(job, "deleted")
            self._book.remove(job)
        return Answer(status=200)

    def _require(self, subscription: str, scope: str, name: str) -> ServiceJob:
        key = JobKey(dialect=_DIALECT, subscription=subscription, scope=scope, name=name)
        job = self._book.find(key)
        if job is None:
            raise Refusal(404, "JobNotFound", f"There is no job '{name}' for account '{scope}'.")
        return job

    def _answer(
        self,
        request: Request,
        document: dict[str, Any],
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        metadata = f"{self._base_url()}{quote(request.path)}/$metadata"
        kind = "application/json;odata=minimalmetadata;charset=utf-8"
        return Answer(
            status=200,
            document={"odata.metadata": metadata, **document},
            headers=headers,
            content_type=kind,
        )


def _drives(body: dict[str, Any]) -> list[ServiceDrive]:
    return require_drives(_drive(entry) for entry in member(body, "DriveList", list) or ())


def _drive(entry: Any) -> ServiceDrive:
    if not isinstance(entry, dict):
        raise Refusal(400, "InvalidInput", "DriveList holds objects.", target="DriveList")
    return ServiceDrive(
        drive_id=require_text(entry, "DriveId"),
        recovery_password=Secret(require_text(entry, "BitLockerKey")),
        manifest_file=require_text(entry, "ManifestFile"),
        manifest_hash=require_text(entry, "ManifestHash"),
    )


def _require_shipping(job: ServiceJob, properties: dict[str, Any], *, is_cancelled: bool) -> None:
    if properties["State"] != JobWord.SHIPPING.value:
        raise Refusal(400, "InvalidInput", "State may only be Shipping.", target="State")
    require_may_ship(
        job,
        has_package=bool(properties.get("DeliveryPackage")),
        has_return_address=bool(properties.get("ReturnAddress")),
        is_cancelled=is_cancelled,
    )


def _settle(job: ServiceJob, properties: dict[str, Any]) -> None:
    """
    Take over what PUT and PATCH may both set. Everything is checked before anything changes.
    """
    changed: dict[str, Any] = {}
    for name in _TEXTS:
        text = member(properties, name, str)
        if text is not None:
            if name != "FriendlyName" and len(text) > _MOST_OF_A_TEXT:
                raise Refusal(
                    400,
                    "InvalidInput",
                    f"{name} has more than {_MOST_OF_A_TEXT} characters.",
                    target=name,
                )
            changed[name] = text
    for name, fields in (("ReturnAddress", _ADDRESS), ("ReturnShipping", _RETURN_SHIPPING)):
        given = member(properties, name, dict)
        if given is not None:
            changed[name] = {field: require_text(given, field) for field in fields}
    package = member(properties, "DeliveryPackage", dict)
    if package is not None:
        count = package.get("DriveCount")
        if type(count) is not int:
            raise Refusal(400, "InvalidInput", "DriveCount is missing.", target="DriveCount")
        changed["DeliveryPackage"] = {
            **{field: require_text(package, field) for field in _PACKAGE},
            "DriveCount": count,
        }
    is_verbose = member(properties, "EnableVerboseLog", bool)
    is_backed_up = member(properties, "BackupDriveManifest", bool)

    job.document.update(changed)
    if "ReturnAddress" in changed:
        job.has_return_address = True
    if package is not None:
        job.carrier = changed["DeliveryPackage"]["CarrierName"]
        job.tracking_number = changed["DeliveryPackage"]["TrackingNumber"]
    if is_verbose is not None:
        job.is_verbose = is_verbose
    if is_backed_up is not None:
        job.is_manifest_backed_up = is_backed_up


def _etag(job: ServiceJob) -> str:
    revision = job.document.get("revision", 0)
    return f'"{job.order_id}-{job.state.value}-{revision}"'


def _require_match(request: Request, job: ServiceJob) -> None:
    wanted = request.headers.get("if-match")
    if wanted not in (None, "*", _etag(job)):
        raise Refusal(412, "ConditionNotMet", "The job was changed in the meantime.")


def _wanted(request: Request) -> Callable[[ServiceJob], bool]:
    kind = request.query.get("type", "Import")
    states = {word for word in request.query.get("states", "").split(",") if word}
    begin, end = _moment(request, "from"), _moment(request, "to")

    def is_wanted(job: ServiceJob) -> bool:
        return (
            kind == "Import"
            and (not states or job.state.value in states)
            and (begin is None or job.created >= begin)
            and (end is None or job.created <= end)
        )

    return is_wanted


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query.get(name)
    if not text:
        return None
    try:
        # Python 3.10 does not read the Z.
        moment = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text))
    except ValueError:
        raise Refusal(400, "InvalidInput", f"'{name}' is not a time.", target=name) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise Refusal(400, "InvalidInput", f"'{name}' is not a number.", target=name)
    return int(text)
