"""
Reading JSON answers strictly in what is known and leniently in what is not.

A property of the wrong kind is an error that says where it stands. A property that nobody asked
for is kept as JSON text, so that it survives a read followed by a write.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, final

from offlineseed._secret import Secret
from offlineseed.errors import ServiceFormatError
from offlineseed.jobs._addresses import Unknown

__all__ = [
    "JsonObject",
    "parse_object",
    "parse_time",
    "render_json",
    "with_unknown",
    "without_none",
]

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)


@final
class JsonObject:
    """
    One JSON object of an answer. Remembers what was asked for; the rest is `unknown()`.

    An absent property and a null one are the same: the service leaves out what it does not have.
    """

    def __init__(self, value: object, context: str) -> None:
        """
        Wrap a parsed JSON value; `context` says where it stands.

        Raises:
            ServiceFormatError: `value` is not a JSON object.
        """
        if not isinstance(value, Mapping):
            raise ServiceFormatError(
                f"the service's answer has {_kind(value)} at {context} where an object belongs",
                context=context,
            )
        self._members: Mapping[str, Any] = value
        self._context = context
        self._asked: set[str] = set()

    def _get(self, name: str, kind: type | tuple[type, ...], wanted: str) -> Any:
        self._asked.add(name)
        value = self._members.get(name)
        if value is None:
            return None
        # bool is an int to Python, and not to JSON.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ServiceFormatError(
                f"the service's answer has {_kind(value)} at {self.where(name)} where {wanted} "
                "belongs",
                context=self.where(name),
            )
        return value

    def where(self, name: str) -> str:
        """
        Return where a member stands in the document.
        """
        return f"{self._context}.{name}"

    def text(self, name: str) -> str:
        """
        Return a string member, or an empty string.
        """
        return self._get(name, str, "a string") or ""

    def required_text(self, name: str) -> str:
        """
        Return a string member that has to be there.
        """
        text = self.text(name)
        if not text:
            raise ServiceFormatError(
                f"the service's answer has nothing at {self.where(name)}", context=self.where(name)
            )
        return text

    def required_secret(self, name: str) -> Secret:
        """
        Return a string member that has to be there, as a secret.
        """
        return Secret(self.required_text(name))

    def flag(self, name: str) -> bool:
        """
        Return a boolean member, or False.
        """
        return bool(self._get(name, bool, "true or false"))

    def count(self, name: str) -> int | None:
        """
        Return a whole number of 0 or more, or None.
        """
        value = self._get(name, (int, float), "a number")
        if value is None:
            return None
        if value < 0 or value != int(value):
            raise ServiceFormatError(
                f"the service's answer has {value!r} at {self.where(name)} where a count belongs",
                context=self.where(name),
            )
        return int(value)

    def time(self, name: str) -> dt.datetime | None:
        """
        Return a time member as an aware datetime, or None.
        """
        text = self.text(name)
        return parse_time(text, self.where(name)) if text else None

    def member(self, name: str) -> JsonObject | None:
        """
        Return an object member, or None.
        """
        value = self._get(name, Mapping, "an object")
        return None if value is None else JsonObject(value, self.where(name))

    def members(self, name: str) -> tuple[JsonObject, ...]:
        """
        Return an array of objects; empty where there is none.
        """
        items = self._get(name, list, "an array") or ()
        return tuple(
            JsonObject(item, f"{self.where(name)}[{index}]") for index, item in enumerate(items)
        )

    def named_members(self, name: str) -> tuple[tuple[str, JsonObject], ...]:
        """
        Return an object's members, objects themselves, with their names; in document order.
        """
        value = self._get(name, Mapping, "an object") or {}
        return tuple(
            (key, JsonObject(item, f"{self.where(name)}.{key}")) for key, item in value.items()
        )

    def texts(self, name: str) -> tuple[str, ...]:
        """
        Return an array of strings; empty where there is none.
        """
        items = self._get(name, list, "an array") or ()
        for index, item in enumerate(items):
            if not isinstance(item, str):
                where = f"{self.where(name)}[{index}]"
                raise ServiceFormatError(
                    f"the service's answer has {_kind(item)} at {where} where a string belongs",
                    context=where,
                )
        return tuple(items)

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        """
        Return an object of strings as pairs; values of another kind as their JSON text.
        """
        value = self._get(name, Mapping, "an object") or {}
        return tuple(
            (key, item if isinstance(item, str) else render_json(item))
            for key, item in value.items()
        )

    def ignore(self, *names: str) -> None:
        """
        Count these members as known: they are read-only and never written back.
        """
        self._asked.update(names)

    def unknown(self, prefix: str = "") -> Unknown:
        """
        Return the members that nobody asked for, as sorted pairs of JSON pointer and JSON text.

        `prefix` is this object's own pointer, seen from the value that keeps the pairs.
        """
        return tuple(
            sorted(
                (f"{prefix}/{name.replace('~', '~0').replace('/', '~1')}", render_json(value))
                for name, value in self._members.items()
                if name not in self._asked and value is not None
            )
        )


def parse_object(body: bytes | str, context: str = "$") -> JsonObject:
    """
    Parse an answer that has to be a JSON object.

    Raises:
        ServiceFormatError: it is not JSON, or not an object. Never shows the body.
    """
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        position = getattr(error, "pos", getattr(error, "start", 0))
        raise ServiceFormatError(
            f"the service's answer is not JSON: it breaks at character {position}",
            context=context,
        ) from None
    return JsonObject(value, context)


def parse_time(text: str, context: str = "") -> dt.datetime:
    """
    Parse an RFC 3339 time; without an offset it is UTC. Fractions beyond microseconds are cut.

    Raises:
        ServiceFormatError: it is none.
    """
    match = _TIME.fullmatch(text)
    if match is not None:
        day, clock, fraction, offset = match.groups()
        fraction = ((fraction or "") + "000000")[:6]
        offset = "+00:00" if offset in (None, "Z") else offset
        try:
            return dt.datetime.fromisoformat(f"{day}T{clock}.{fraction}{offset}")
        except ValueError:
            pass
    raise ServiceFormatError(
        f"the service's answer has {text!r} at {context} where a time belongs", context=context
    )


def render_json(value: object) -> str:
    """
    Render a value as JSON text, keys sorted, so that equal values have equal texts.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the members that have a value: the service wants sections left out, not null.
    """
    return {name: value for name, value in members.items() if value is not None}


def with_unknown(
    members: dict[str, Any], unknown: Iterable[tuple[str, str]], prefix: str = ""
) -> dict[str, Any]:
    """
    Add unknown properties back to an object; what is known wins.

    Takes those whose JSON pointer leads to a member of the object at `prefix`.
    """
    for pointer, text in unknown:
        parent, _, last = pointer.rpartition("/")
        name = last.replace("~1", "/").replace("~0", "~")
        if parent == prefix and name not in members:
            members[name] = json.loads(text)
    return members


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"
