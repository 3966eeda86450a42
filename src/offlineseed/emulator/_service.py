"""
The import service: its HTTP face, its clock, its faults and its datacentre, as one object.
"""

from __future__ import annotations

import hmac
import secrets
import time
from typing import Any, final

import attrs
from azure.core.credentials import AccessToken
from typing_extensions import Self

from offlineseed.emulator._clock import VirtualClock
from offlineseed.emulator._data_box import DataBoxFace
from offlineseed.emulator._datacenter import Datacenter
from offlineseed.emulator._destination import Destination
from offlineseed.emulator._faults import Faults
from offlineseed.emulator._http import Answer, HttpServer, Refusal, Request
from offlineseed.emulator._import_export import ImportExportFace
from offlineseed.emulator._jobbook import JobBook
from offlineseed.events import OnEvent, ignore_events

__all__ = ["FixedTokenCredential", "ImportService"]

_DAY_SECONDS = 86_400


@final
class FixedTokenCredential:
    """
    A credential with one token, which one service made and takes.

    It has azure-core's `TokenCredential` interface.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:  # noqa: ARG002  # azure-core's
        """
        Return the token, whatever it is for. It is good for a day, and then for another.
        """
        return AccessToken(self._token, int(time.time()) + _DAY_SECONDS)

    def __repr__(self) -> str:
        return "FixedTokenCredential('…')"


@final
class ImportService:
    """
    An Azure Import/Export service that runs in this process, for tests and trials.

    It listens on a free port of the loopback interface from `start()`, or from the beginning of
    a `with` block, until `close()`. Its jobs are in memory. Several may run side by side.

    Args:
        destination: where the datacentre lays blobs down; the caller closes it.
        clock: the service's time; a clock that stands at the machine's time where None.
        on_event: called with `BlobLanded` and `JobChanged` while the datacentre works, from the
            thread that called it.

    Example:
        ```python
        with ImportService(destination=FolderDestination("landed")) as service:
            jobs = ImportExportJobs(..., service.credential, endpoint=service.url)
            ...
            service.datacenter.receive(Package(tracking_number="1Z", drives=drives))
            service.datacenter.process()
        ```
    """

    def __init__(
        self,
        *,
        destination: Destination,
        clock: VirtualClock | None = None,
        on_event: OnEvent = ignore_events,
    ) -> None:
        self.clock = clock or VirtualClock()
        """The service's time."""
        self.faults = Faults()
        """What shall go wrong."""
        self._token = secrets.token_urlsafe(24)
        self.credential = FixedTokenCredential(self._token)
        """What its clients sign in with."""
        book = JobBook(self.clock)
        self.datacenter = Datacenter(book, destination, faults=self.faults, on_event=on_event)
        """Where the drives go."""
        self._arm_faces = (
            ImportExportFace(book, lambda: self.url),
            DataBoxFace(book, lambda: self.url),
        )
        self._server: HttpServer | None = None

    @property
    def url(self) -> str:
        """
        Where it listens, without a trailing slash.

        Raises:
            RuntimeError: it does not listen.
        """
        if self._server is None:
            raise RuntimeError("the import service does not run: use it in a with block")
        return self._server.url

    def start(self) -> None:
        """
        Begin to listen. Does nothing where it listens already.
        """
        if self._server is None:
            self._server = HttpServer(self._answer)

    def close(self) -> None:
        """
        Stop listening and wait for every thread; jobs stay. Does nothing the second time.
        """
        if self._server is not None:
            self._server.close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _answer(self, request: Request) -> Answer:
        answer, fault, seconds = self.faults.instead_of_answer()
        if answer is not None:
            return answer
        answer = self._answer_arm(request)
        if fault == "cut":
            return attrs.evolve(answer, is_cut=True)
        if fault == "slow":
            return attrs.evolve(answer, pause_seconds=seconds)
        return answer

    def _answer_arm(self, request: Request) -> Answer:
        try:
            self._require_token(request)
            for face in self._arm_faces:
                answer = face.answer(request)
                if answer is not None:
                    return answer
            raise Refusal(404, "InvalidResourceNamespace", f"There is nothing at {request.path}.")
        except Refusal as refusal:
            error = {"code": refusal.code, "message": refusal.message}
            if refusal.target:
                error["target"] = refusal.target
            headers = (("WWW-Authenticate", "Bearer"),) if refusal.status == 401 else ()
            return Answer(status=refusal.status, document={"error": error}, headers=headers)

    def _require_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(
                401,
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
            )
        if not hmac.compare_digest(token.strip().encode(), self._token.encode()):
            raise Refusal(401, "InvalidAuthenticationToken", "The access token is invalid.")
