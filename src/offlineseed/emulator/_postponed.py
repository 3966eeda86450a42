"""
Answers that come later: a request is accepted, and its outcome asked for at another address.
"""

from __future__ import annotations

import re
import threading
import uuid
from typing import final

import attrs

from offlineseed.emulator._http import Answer, Refusal, Request

__all__ = ["PostponedAnswers"]

_RESULT = (
    r"/subscriptions/[^/]+/providers/Microsoft\.DataBox/locations/[^/]+/operationResults/"
    r"(?P<operation>[^/]+)"
)
_POLLS = 2


@final
@attrs.define
class _Postponed:
    answer: Answer
    waiting: Answer
    polls: int = 0


@final
class PostponedAnswers:
    """
    Keeps the outcome of accepted requests until it was asked for twice. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Postponed] = {}

    def postpone(self, request: Request, answer: Answer, base_url: str) -> Answer:
        """
        Keep an answer; return the one that says where it will be.
        """
        operation = str(uuid.uuid4())
        subscription = request.path.split("/")[2]
        location = (
            f"{base_url}/subscriptions/{subscription}/providers/Microsoft.DataBox/locations/global"
            f"/operationResults/{operation}?api-version={request.query['api-version']}"
        )
        waiting = Answer(status=202, headers=(("Location", location), ("Retry-After", "1")))
        with self._lock:
            self._kept[operation] = _Postponed(answer, waiting)
        return waiting

    def find(self, request: Request) -> Answer | None:
        """
        Answer a question for an outcome; None where the request is none.

        Raises:
            Refusal: there is no such operation.
        """
        asked = re.fullmatch(_RESULT, request.path, re.IGNORECASE)
        if asked is None or request.method != "GET":
            return None
        with self._lock:
            kept = self._kept.get(asked["operation"])
            if kept is None:
                raise Refusal(404, "OperationNotFound", "There is no such operation.")
            kept.polls += 1
            if kept.polls >= _POLLS:
                return kept.answer
            return kept.waiting
