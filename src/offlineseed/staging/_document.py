"""
`seed.json`: what a staged job is, without secrets.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, final

import attrs

from offlineseed.errors import FormatError, SettingsError
from offlineseed.settings import SeedSettings

__all__ = ["JobDocument", "parse_document", "render_document"]

_FORMAT = "offlineseed-staging"
_VERSION = "1.0"
_MAJOR = 1


@final
@attrs.frozen(kw_only=True)
class JobDocument:
    """
    The content of `seed.json`.
    """

    settings: SeedSettings
    """The wizard's inputs."""
    source_host: str
    """The machine that initiated the job."""
    created: datetime
    """When, UTC."""


def render_document(document: JobDocument) -> bytes:
    """
    Render `seed.json`.
    """
    content: dict[str, Any] = {
        "format": _FORMAT,
        "version": _VERSION,
        "created": document.created.astimezone(timezone.utc).isoformat(),
        "source_host": document.source_host,
        "settings": attrs.asdict(document.settings),
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode(
        "utf-8", "surrogateescape"
    )


def parse_document(data: bytes, *, where: str) -> JobDocument:
    """
    Parse `seed.json`.

    Raises:
        FormatError: it is damaged or of a newer major version.
    """
    try:
        content = json.loads(data.decode("utf-8", "surrogateescape"))
        if content["format"] != _FORMAT:
            raise ValueError("it is not a staged job's")
        if int(str(content["version"]).partition(".")[0]) > _MAJOR:
            raise FormatError(
                f"{where} is of format version {content['version']}; this library reads up to "
                f"{_MAJOR}: use a newer offlineseed",
                context=where,
            )
        return JobDocument(
            settings=SeedSettings(**content["settings"]),
            source_host=str(content["source_host"]),
            created=_aware(datetime.fromisoformat(content["created"])),
        )
    except FormatError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError, SettingsError) as error:
        raise FormatError(f"{where} is damaged: {error}", context=where) from error


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError("its time of creation names no time zone")
    return time
