"""
What the dialects of Azure Resource Manager have in common: routes, versions, pages, members.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, final

import attrs

from offlineseed.emulator._http import Answer, Refusal, Request

__all__ = [
    "Route",
    "member",
    "page",
    "refused",
    "require_api_version",
    "require_text",
    "routed",
]

_MOST_OF_A_PAGE = 100
_T = TypeVar("_T")
_K = TypeVar("_K")


@final
@attrs.frozen
class Route:
    """
    A verb and a path that one function answers.
    """

    method: str
    """The verb."""
    pattern: str
    """A regular expression of the whole path; ARM's paths have no case."""
    handler: Callable[..., Answer]
    """Called with the request and the pattern's groups."""


def routed(routes: Sequence[Route], request: Request) -> Answer:
    """
    Find the route of a request and call it.

    Raises:
        Refusal: there is none.
    """
    is_known = False
    for route in routes:
        found = re.fullmatch(route.pattern, request.path.rstrip("/"), re.IGNORECASE)
        if found is None:
            continue
        is_known = True
        if route.method == request.method:
            return route.handler(request, **found.groupdict())
    if is_known:
        raise Refusal(
            405, "MethodNotAllowed", f"{request.method} is not allowed for {request.path}."
        )
    raise Refusal(404, "InvalidResourceType", f"There is nothing at {request.path}.")


def refused(refusal: Refusal) -> Answer:
    """
    Give a refusal the shape of Azure Resource Manager.
    """
    error = {"code": refusal.code, "message": refusal.message}
    if refusal.target:
        error["target"] = refusal.target
    headers = refusal.headers
    if refusal.status == 401:
        headers += (("WWW-Authenticate", "Bearer"),)
    return Answer(status=refusal.status, document={"error": error}, headers=headers)


def require_api_version(request: Request, versions: Sequence[str]) -> None:
    """
    Refuse a request without one of these api-versions.
    """
    version = request.query.get("api-version")
    if not version:
        raise Refusal(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version not in versions:
        raise Refusal(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. The supported versions are "
            f"'{','.join(versions)}'.",
        )


def page(request: Request, items: Sequence[_T]) -> tuple[Sequence[_T], int]:
    """
    Cut one page out of a list; return it, and where the next one starts, 0 where there is none.
    """
    top = _number(request, "$top", _MOST_OF_A_PAGE)
    if not 1 <= top <= _MOST_OF_A_PAGE:
        raise Refusal(400, "InvalidArgument", f"$top is 1 to {_MOST_OF_A_PAGE}.", target="$top")
    # The providers do not agree on its case.
    token = "$skipToken" if "$skipToken" in request.query else "$skiptoken"
    start = _number(request, token, 0)
    end = start + top
    return items[start:end], end if end < len(items) else 0


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise Refusal(400, "InvalidArgument", f"{name} is not a number.", target=name)
    return int(text)


def member(document: dict[str, Any], name: str, kind: type[_K]) -> _K | None:
    """
    Return a member of a JSON object; None where it is missing or null.

    Raises:
        Refusal: it is of another type.
    """
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, kind):
        raise Refusal(400, "InvalidArgument", f"'{name}' has the wrong type.", target=name)
    return value


def require_text(document: dict[str, Any], name: str) -> str:
    """
    Return a member that has to be there and has to be text that is not blank.
    """
    value = member(document, name, str)
    if not value or not value.strip():
        raise Refusal(400, "InvalidArgument", f"'{name}' is missing.", target=name)
    return value
