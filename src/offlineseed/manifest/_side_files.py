"""
Metadata and properties files: what the service sets on a blob beside its content.

Source: "Azure Import/Export service metadata and properties file format" (2017).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, final

import attrs

from offlineseed.errors import ManifestError
from offlineseed.manifest._fields import Fields
from offlineseed.manifest._models import UnknownElement
from offlineseed.manifest._tree import Node, TreeReader, shown
from offlineseed.manifest._xml import XML_DECLARATION, element_text, unknown_text

__all__ = [
    "BlobProperties",
    "parse_metadata",
    "parse_properties",
    "render_metadata",
    "render_properties",
]

_MAXIMUM_BYTES = 1024 * 1024
# Names travel as HTTP headers, so the C# identifiers of the naming rules are ASCII here.
_METADATA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@final
@attrs.frozen(kw_only=True)
class BlobProperties:
    """
    A properties file: HTTP properties of a blob; None leaves the service's own.
    """

    content_type: str | None = attrs.field(default=None, metadata={"element": "Content-Type"})
    """The media type, such as `application/octet-stream`."""
    content_md5: str | None = attrs.field(default=None, metadata={"element": "Content-MD5"})
    """Base64 MD5 of the content."""
    content_encoding: str | None = attrs.field(
        default=None, metadata={"element": "Content-Encoding"}
    )
    """The content's coding, such as `gzip`."""
    content_language: str | None = attrs.field(
        default=None, metadata={"element": "Content-Language"}
    )
    """The content's language."""
    cache_control: str | None = attrs.field(default=None, metadata={"element": "Cache-Control"})
    """What caches may do."""
    last_modified: str | None = attrs.field(default=None, metadata={"element": "Last-Modified"})
    """When the blob was last changed, as it stands; export only."""
    etag: str | None = attrs.field(default=None, metadata={"element": "Etag"})
    """The blob's ETag; export only."""
    content_length: str | None = attrs.field(default=None, metadata={"element": "Content-Length"})
    """The blob's length, as it stands; export only."""
    unknown_elements: tuple[UnknownElement, ...] = ()
    """Elements that this version does not know."""


def render_metadata(items: Iterable[tuple[str, str]]) -> bytes:
    """
    Return a metadata file for (name, value) pairs, in their order.

    Raises:
        ManifestError: a name is no ASCII identifier or there twice without regard to case, or a
            value has a character that XML can't carry.
    """
    pairs = tuple(items)
    _require_names(name for name, _ in pairs)
    lines = [element_text("  ", name, value) for name, value in pairs]
    return _document("Metadata", lines)


def parse_metadata(data: bytes, *, max_bytes: int = _MAXIMUM_BYTES) -> tuple[tuple[str, str], ...]:
    """
    Read a metadata file into (name, value) pairs, in their order.

    Raises:
        ManifestError: no such file, longer than `max_bytes`, or names that a blob can't have.
    """
    root = _root(data, "Metadata", max_bytes)
    fields = Fields(root, "Metadata")
    pairs = tuple((node.name, Fields(node, node.name).own_text()) for node in root.elements())
    for node in root.elements():
        fields.children(node.name)
    fields.unknown_elements()  # refuses text between the elements
    _require_names(name for name, _ in pairs)
    return pairs


def render_properties(properties: BlobProperties) -> bytes:
    """
    Return a properties file.

    Raises:
        ManifestError: a value has a character that XML can't carry.
    """
    lines = [
        element_text("  ", name, value)
        for field, name in _elements()
        if (value := getattr(properties, field.name)) is not None
    ]
    lines.append(unknown_text("  ", properties.unknown_elements))
    return _document("Properties", lines)


def parse_properties(data: bytes, *, max_bytes: int = _MAXIMUM_BYTES) -> BlobProperties:
    """
    Read a properties file; an element without text is an empty string.

    Raises:
        ManifestError: no such file, longer than `max_bytes`, or a property is there twice.
    """
    fields = Fields(_root(data, "Properties", max_bytes), "Properties")
    values = {field.name: fields.text(name) for field, name in _elements()}
    return BlobProperties(**values, unknown_elements=fields.unknown_elements())


def _elements() -> Iterator[tuple[attrs.Attribute[Any], str]]:
    for field in attrs.fields(BlobProperties):
        if "element" in field.metadata:
            yield field, field.metadata["element"]


def _document(root: str, lines: Iterable[str]) -> bytes:
    return f"{XML_DECLARATION}<{root}>\n{''.join(lines)}</{root}>\n".encode()


def _root(data: bytes, name: str, max_bytes: int) -> Node:
    reader = TreeReader(what=f"{name.lower()} file", max_bytes=max_bytes)
    reader.feed(data)
    root = reader.close()
    if root.name != name:
        raise ManifestError(
            f"the document is a {shown(root.name)}, not a {name} file", context=root.name
        )
    return root


def _require_names(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not _METADATA_NAME.fullmatch(name):
            raise ManifestError(
                f"{shown(name)} is no metadata name: use ASCII letters, digits and underscores, "
                "begin with no digit",
                context="Metadata",
            )
        if name.lower() in seen:
            raise ManifestError(
                f"the metadata name {name!r} is there twice: case makes no difference",
                context="Metadata",
            )
        seen.add(name.lower())
