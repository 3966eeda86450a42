"""
The known parts of an element, taken out one by one; what is left is unknown and kept.
"""

from __future__ import annotations

import re
from typing import final

from offlineseed.errors import ManifestError
from offlineseed.manifest._models import UnknownElement
from offlineseed.manifest._tree import Node, shown

__all__ = ["Fields"]

_NUMBER = re.compile(r"[0-9]{1,19}")


@final
class Fields:
    """
    An element whose known attributes and children are taken by name.

    Args:
        node: the element.
        context: where it is in the document, for errors.

    Raises:
        ManifestError: from every method: a part is missing, there twice, or of the wrong form.
    """

    def __init__(self, node: Node, context: str) -> None:
        self._node = node
        self._context = context
        self._attributes = dict(node.attributes)
        self._children: dict[str, list[Node]] = {}
        for part in node.content:
            if not isinstance(part, str):
                self._children.setdefault(part.name, []).append(part)
        self._child_attributes: list[tuple[str, str]] = []

    def attribute(self, name: str) -> str | None:
        """
        Take an attribute.
        """
        return self._attributes.pop(name, None)

    def required_attribute(self, name: str) -> str:
        """
        Take an attribute that must be there.
        """
        value = self.attribute(name)
        if value is None:
            raise self._error(f"{self._node.name} has no {name}", f"@{name}")
        return value

    def number_attribute(self, name: str) -> int:
        """
        Take an attribute that is a whole number of bytes.
        """
        return self._number(self.required_attribute(name), name, f"@{name}")

    def child(self, name: str) -> Fields | None:
        """
        Take the one child of that name.
        """
        nodes = self._children.pop(name, [])
        if len(nodes) > 1:
            raise self._error(f"{self._node.name} has {len(nodes)} {name}, it may have one", name)
        return Fields(nodes[0], self._inside(name)) if nodes else None

    def children(self, name: str) -> list[Fields]:
        """
        Take every child of that name, in order.
        """
        nodes = self._children.pop(name, [])
        return [Fields(node, self._inside(f"{name}[{i}]")) for i, node in enumerate(nodes, 1)]

    def text(self, name: str) -> str | None:
        """
        Take the text of a child; blanks around it stay.
        """
        child = self.child(name)
        if child is None:
            return None
        text = child.own_text()
        self._child_attributes += [
            (f"{name}/{attribute}", value) for attribute, value in child.leaf_attributes()
        ]
        return text

    def required_text(self, name: str) -> str:
        """
        Take the text of a child that must be there.
        """
        text = self.text(name)
        if text is None:
            raise self._error(f"{self._node.name} has no {name}", name)
        return text

    def required_number(self, name: str) -> int:
        """
        Take a child that is a whole number of bytes.
        """
        return self._number(self.required_text(name), name, name)

    def own_text(self) -> str:
        """
        Return the text of this element, which has no elements inside.
        """
        if self._children:
            raise self._error(f"{self._node.name} has elements where its text belongs", "")
        return self._node.text()

    def leaf_attributes(self) -> tuple[tuple[str, str], ...]:
        """
        Return the attributes that are left, of an element that has no elements inside.
        """
        if self._children:
            raise self._error(f"{self._node.name} has elements inside, it may not", "")
        return tuple(self._attributes.items())

    def unknown_attributes(self, within: str = "") -> tuple[tuple[str, str], ...]:
        """
        Return the attributes that are left, here and on children, named from `within`.
        """
        prefix = f"{within}/" if within else ""
        return tuple(
            (prefix + name, value)
            for name, value in (*self._attributes.items(), *self._child_attributes)
        )

    def unknown_elements(self, within: str = "") -> tuple[UnknownElement, ...]:
        """
        Return the children that are left, in order.
        """
        for part in self._node.content:
            if isinstance(part, str) and not part.isspace():
                raise self._error(f"{self._node.name} has text where its elements belong", "")
        return tuple(
            _unknown(node, within) for node in self._node.elements() if node.name in self._children
        )

    def _number(self, text: str, name: str, place: str) -> int:
        stripped = text.strip()
        if not _NUMBER.fullmatch(stripped):
            raise self._error(f"{name} is {shown(text)}: it is a whole number of bytes", place)
        return int(stripped)

    def _inside(self, name: str) -> str:
        return f"{self._context}/{name}" if self._context else name

    def _error(self, message: str, place: str) -> ManifestError:
        context = self._inside(place) if place else self._context
        return ManifestError(f"{context or 'DriveManifest'}: {message}", context=context)


def _unknown(node: Node, within: str = "") -> UnknownElement:
    return UnknownElement(
        name=node.name,
        attributes=tuple(node.attributes.items()),
        content=tuple(part if isinstance(part, str) else _unknown(part) for part in node.content),
        within=within,
    )
