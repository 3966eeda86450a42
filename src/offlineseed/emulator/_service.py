"""
The import service: its HTTP face, its clock, its faults and its datacentre, as one object.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, final

import attrs
from azure.core.credentials import AccessToken
from typing_extensions import Self

from offlineseed.emulator._arm import refused
from offlineseed.emulator._classic import ClassicFace
from offlineseed.emulator._clock import VirtualClock
from offlineseed.emulator._data_box import DataBoxFace
from offlineseed.emulator._datacenter import Datacenter
from offlineseed.emulator._destination import Destination
from offlineseed.emulator._faults import Faults
from offlineseed.emulator._http import Answer, HttpServer, Refusal, Request
from offlineseed.emulator._import_export import ImportExportFace
from offlineseed.emulator._jobbook import JobBook
from offlineseed.emulator._postponed import PostponedAnswers
from offlineseed.emulator._tls import LoopbackTls
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

    It speaks three dialects; each sees the jobs that were made in it. The two of Azure Resource
    Manager, Microsoft.DataBox and Microsoft.ImportExport, ask for the token of `credential`. The
    classic one asks for a client certificate where the service speaks TLS, and for nothing
    otherwise.

    Args:
        destination: where the datacentre lays blobs down; the caller closes it.
        clock: the service's time; a clock that stands at the machine's time where None.
        tls: speak TLS, with a certificate that `certificate_file` holds. Clients that show no
            token to plain http, as Microsoft's, need it.
        client_certificates: the management certificates, in PEM, that the classic dialect takes;
            with them the service speaks TLS in any case.
        on_event: called with `BlobLanded` and `JobChanged` while the datacentre works, from the
            thread that called it.

    Example:
        ```python
        with ImportService(destination=FolderDestination("landed")) as service:
            jobs = ImportExportJobs(service.credential, base_url=service.url, ...)
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
        tls: bool = False,
        client_certificates: Iterable[bytes | str] = (),
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
        self._postponed = PostponedAnswers()
        self._classic_face = ClassicFace(book, lambda: self.url)
        self._client_certificates = tuple(client_certificates)
        self._speaks_tls = tls or bool(self._client_certificates)
        self._tls: LoopbackTls | None = None
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

    @property
    def certificate_file(self) -> Path:
        """
        The service's certificate in PEM, for clients to trust; there while the service listens.

        Raises:
            RuntimeError: it does not listen, or does not speak TLS.
        """
        if self._tls is None:
            raise RuntimeError("the import service does not speak TLS: start it with tls=True")
        return self._tls.certificate_file

    def start(self) -> None:
        """
        Begin to listen. Does nothing where it listens already.
        """
        if self._server is not None:
            return
        if self._speaks_tls:
            self._tls = LoopbackTls(self._client_certificates)
        try:
            self._server = HttpServer(self._answer, tls=self._tls.context if self._tls else None)
        except BaseException:
            self._close_tls()
            raise

    def close(self) -> None:
        """
        Stop listening and wait for every thread; jobs stay. Does nothing the second time.
        """
        if self._server is not None:
            self._server.close()
            self._server = None
        self._close_tls()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _close_tls(self) -> None:
        if self._tls is not None:
            self._tls.close()
            self._tls = None

    def _answer(self, request: Request) -> Answer:
        is_classic = self._classic_face.is_for(request)
        try:
            fault = self.faults.take_http_fault()
            answer = self._answer_classic(request) if is_classic else self._answer_arm(request)
        except Refusal as refusal:
            return self._classic_face.refused(refusal) if is_classic else refused(refusal)
        if fault is None:
            return answer
        return attrs.evolve(answer, is_cut=fault.is_cut, pause_seconds=fault.pause_seconds)

    def _answer_arm(self, request: Request) -> Answer:
        self._require_token(request)
        later = self._postponed.find(request)
        if later is not None:
            return later
        for face in self._arm_faces:
            answer = face.answer(request)
            if answer is None:
                continue
            is_write = request.method in ("PUT", "PATCH", "DELETE")
            if isinstance(face, DataBoxFace) and is_write and self.faults.take_postponement():
                return self._postponed.postpone(request, answer, self.url)
            return answer
        raise Refusal(404, "InvalidResourceNamespace", f"There is nothing at {request.path}.")

    def _answer_classic(self, request: Request) -> Answer:
        if self._speaks_tls and not request.has_client_certificate:
            raise Refusal(
                403,
                "AuthenticationFailed",
                "The server failed to authenticate the request: it has no client certificate.",
            )
        return self._classic_face.answer(request)

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
