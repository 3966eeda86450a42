"""
Text as XML 1.0 carries it, and elements as the manifest writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from offlineseed.errors import ManifestError
from offlineseed.manifest._models import HashedPath, UnknownElement

__all__ = [
    "XML_DECLARATION",
    "element_text",
    "escape_attribute",
    "escape_text",
    "hashed_path_text",
    "unknown_text",
]

XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile(r'[&<>"\t\n\r]')
# Line ends and tabs are written as references: a reader turns bare ones into spaces or line feeds.
_REFERENCES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}


def escape_attribute(text: str, *, context: str) -> str:
    """
    Return text for the inside of a double-quoted attribute.

    Raises:
        ManifestError: the text has a character that XML 1.0 can't carry in any form.
    """
    require_representable(text, context=context)
    return _SPECIAL.sub(lambda match: _REFERENCES[match.group()], text)


def escape_text(text: str, *, context: str) -> str:
    """
    Return text for the inside of an element.

    Raises:
        ManifestError: the text has a character that XML 1.0 can't carry in any form.
    """
    require_representable(text, context=context)
    return _SPECIAL.sub(
        lambda match: '"' if match.group() == '"' else _REFERENCES[match.group()], text
    )


def forbidden_character(text: str) -> str | None:
    """
    Return the first character that XML 1.0 can't carry in any form, such as `U+0007`, or None.
    """
    match = _FORBIDDEN.search(text)
    return None if match is None else f"U+{ord(match.group()):04X}"


def require_representable(text: str, *, context: str) -> None:
    """
    Refuse text that XML 1.0 can't carry; the error names the character, not the text.

    Raises:
        ManifestError: the text has such a character.
    """
    character = forbidden_character(text)
    if character is not None:
        raise ManifestError(
            f"{context} has the character {character}, which XML 1.0 can't carry: "
            "stage the item under another name",
            context=context,
        )


def element_text(
    indent: str, name: str, text: str, attributes: Iterable[tuple[str, str]] = ()
) -> str:
    """
    Return a line with an element that holds text.
    """
    return (
        f"{indent}<{name}{attributes_text(attributes, name)}>"
        f"{escape_text(text, context=name)}</{name}>\n"
    )


def hashed_path_text(indent: str, name: str, value: HashedPath | None) -> str:
    """
    Return the line of a metadata or properties path; nothing for None.
    """
    if value is None:
        return ""
    return element_text(indent, name, value.path, (("Hash", value.hash), *value.unknown_attributes))


def attributes_text(attributes: Iterable[tuple[str, str]], context: str) -> str:
    """
    Return attributes as they stand in a start tag, each after a blank.
    """
    return "".join(
        f' {name}="{escape_attribute(text, context=f"{context}/@{name}")}"'
        for name, text in attributes
    )


def unknown_text(indent: str, elements: Iterable[UnknownElement], *, within: str = "") -> str:
    """
    Return the unknown elements of one place, each on its own line with its content as it was read.
    """
    return "".join(
        f"{indent}{_unknown(element)}\n" for element in elements if element.within == within
    )


def _unknown(element: UnknownElement) -> str:
    start = f"<{element.name}{attributes_text(element.attributes, element.name)}"
    if not element.content:
        return start + " />"
    content = "".join(
        escape_text(part, context=element.name) if isinstance(part, str) else _unknown(part)
        for part in element.content
    )
    return f"{start}>{content}</{element.name}>"
