"""
The way to the service: an azure-core pipeline that every dialect shares.

It retries with Retry-After, numbers its requests, offers the tracing hook and logs redacted heads.
It never logs a body, because bodies hold recovery passwords, and never follows a redirect, because
a redirected body would carry them elsewhere.
"""

from __future__ import annotations

import importlib.metadata
import ipaddress
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, final

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    CustomHookPolicy,
    DistributedTracingPolicy,
    HeadersPolicy,
    HttpLoggingPolicy,
    ProxyPolicy,
    RequestIdPolicy,
    RetryPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from offlineseed.errors import ServiceFormatError
from offlineseed.jobs._json import JsonObject, parse_object

__all__ = ["ServicePipeline", "answer_object", "bearer_policy", "is_loopback", "quoted"]

_ERRORS = {401: ClientAuthenticationError, 404: ResourceNotFoundError, 409: ResourceExistsError}
# Every call of the dialects may be repeated: PUT and PATCH set, POST asks or tells the same again.
_RETRY_ON_METHODS = frozenset({"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"})
_LOGGED_HEADERS = frozenset(
    {"x-ms-request-id", "x-ms-correlation-request-id", "x-ms-client-request-id", "x-ms-version"}
)
_LOGGED_QUERY = frozenset({"api-version", "$top"})


def is_loopback(url: str) -> bool:
    """
    Return whether a URL's host is this machine itself, by address or as `localhost`.
    """
    host = urllib.parse.urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bearer_policy(
    credential: TokenCredential, scope: str, url: str
) -> BearerTokenCredentialPolicy[HttpRequest, HttpResponse]:
    """
    Return the policy that adds a token; plain HTTP is let through to a loopback host only.
    """
    if urllib.parse.urlsplit(url).scheme == "http" and is_loopback(url):
        return _LoopbackBearerPolicy(credential, scope)
    return BearerTokenCredentialPolicy(credential, scope)


class _LoopbackBearerPolicy(BearerTokenCredentialPolicy[HttpRequest, HttpResponse]):
    def on_request(self, request: Any) -> None:
        request.context.options["enforce_https"] = False
        super().on_request(request)


def _no_description(_: HttpResponse) -> str:
    return ""


@final
class ServicePipeline:
    """
    Sends requests to one service root and hands back checked answers.

    Not thread-bound: azure-core's transport keeps a pool of connections.
    """

    def __init__(
        self,
        base_url: str,
        *,
        authentication: Any = None,
        headers: Mapping[str, str] | None = None,
        describe: Callable[[HttpResponse], str] = _no_description,
        **options: Any,
    ) -> None:
        """
        Take the service's root and azure-core's options (`transport`, `retry_total`,
        `connection_timeout`, `read_timeout`, `proxies`, `user_agent`, `per_call_policies` …).
        `describe` puts a refusal into words where azure-core can't read its form.

        Raises:
            ValueError: the root is not an https URL, nor an http URL of a loopback host.
        """
        self.base_url = _checked_root(base_url)
        self._describe = describe
        transport = options.pop("transport", None)
        if transport is None:
            transport = RequestsTransport(**options)
        self._transport: HttpTransport[HttpRequest, HttpResponse] = transport
        logging = HttpLoggingPolicy(**options)
        logging.allowed_header_names.update(_LOGGED_HEADERS)
        logging.allowed_query_params.update(_LOGGED_QUERY)
        policies = [
            RequestIdPolicy(**options),
            HeadersPolicy({"Accept": "application/json", **(headers or {})}, **options),
            UserAgentPolicy(sdk_moniker=_moniker(), **options),
            ProxyPolicy(**options),
            RetryPolicy(**options),
            *([] if authentication is None else [authentication]),
            CustomHookPolicy(**options),
            DistributedTracingPolicy(**options),
            logging,
        ]
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            self.base_url, policies=policies, transport=transport, **options
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        expected: Iterable[int] = (200,),
        **options: Any,
    ) -> HttpResponse:
        """
        Send a request and return the answer, whole.

        `path` begins with a slash and is quoted already, or is a whole URL under the same root.

        Raises:
            HttpResponseError: azure-core's, or a subclass: the status is not one of `expected`.
            ServiceFormatError: `path` is a URL that leads to another host.
        """
        # azure-core's switch for logging bodies, which this pipeline never does.
        options.pop("logging_enable", None)
        options.setdefault("retry_on_methods", _RETRY_ON_METHODS)
        request = HttpRequest(
            method, self._url(path), params=dict(query) if query else None, json=body
        )
        response = self._client.send_request(request, **options)
        if response.status_code not in expected:
            error = _ERRORS.get(response.status_code, HttpResponseError)
            raise error(message=self._describe(response) or None, response=response)
        return response

    def pages(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        link: str = "nextLink",
        **options: Any,
    ) -> Iterator[JsonObject]:
        """
        Return the items of a paged list; a page is asked for when it is reached.

        Raises:
            HttpResponseError: azure-core's; the list is refused.
            ServiceFormatError: a page is malformed, or the pages run in a circle.
        """
        seen: set[str] = set()
        while True:
            response = self.send("GET", path, query=None if seen else query, **options)
            page = answer_object(response)
            yield from page.members("value")
            path = page.text(link)
            if not path:
                return
            if path in seen:
                raise ServiceFormatError(
                    "the service's list has no end: a page links back to an earlier one",
                    context=link,
                )
            seen.add(path)

    def _url(self, path: str) -> str:
        if path.startswith("/"):
            return self.base_url + path
        # A link in an answer: the token and the body must not leave for another host.
        if _origin(path) != _origin(self.base_url):
            raise ServiceFormatError(
                "the service's answer links to another host; it was not followed",
                context="nextLink",
            )
        return path

    def sleep(self, seconds: float) -> None:
        """
        Wait, by the transport's clock.
        """
        self._transport.sleep(seconds)

    def close(self) -> None:
        """
        Close the transport's connections.
        """
        self._client.close()

    def __enter__(self) -> ServicePipeline:
        self._client.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._client.__exit__(*details)


def answer_object(response: HttpResponse) -> JsonObject:
    """
    Return the JSON object of an answer.

    Raises:
        ServiceFormatError: it is none.
    """
    return parse_object(response.content)


def quoted(segment: str) -> str:
    """
    Quote one segment of a path; nothing in it can leave its place.

    Raises:
        ValueError: the segment is empty, `.` or `..`.
    """
    if segment in ("", ".", ".."):
        raise ValueError(f"{segment!r} can't stand in the path of a resource: give its name")
    return urllib.parse.quote(segment, safe="")


def _moniker() -> str:
    try:
        return f"offlineseed/{importlib.metadata.version('offlineseed')}"
    except importlib.metadata.PackageNotFoundError:
        return "offlineseed"


def _checked_root(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    is_good = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))
    if not is_good or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(
            f"{url!r} can't be the service's root: give an https URL; http is for loopback hosts"
        )
    return url.rstrip("/")


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urllib.parse.urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port
