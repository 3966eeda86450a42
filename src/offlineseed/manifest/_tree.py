"""
XML documents of strangers as small trees: no DOCTYPE, bounded size, depth and element count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final
from xml.parsers import expat

from offlineseed.errors import ManifestError

__all__ = ["Node", "TreeReader", "shown"]

_MAXIMUM_DEPTH = 32
_FEED_BYTES = 64 * 1024
_SHOWN = 60


@final
class Node:
    """
    An element: its name, its attributes, its text and elements in order.
    """

    __slots__ = ("attributes", "content", "line", "name")

    def __init__(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.name = name
        self.attributes = attributes
        self.content: list[str | Node] = []
        self.line = line

    def elements(self) -> list[Node]:
        """
        Return the elements inside.
        """
        return [part for part in self.content if not isinstance(part, str)]

    def text(self) -> str:
        """
        Return the text inside, without that of elements inside.
        """
        return "".join(part for part in self.content if isinstance(part, str))


@final
class TreeReader:
    """
    Builds a tree from pushed bytes.

    Elements at `detached_path` are handed to `on_detached` when they end and do not stay in the
    tree, so a document of any number of them is read in bounded memory. `on_detached` gets the
    element and those around it, outermost first; it raises nothing but `ManifestError`.

    Raises:
        ManifestError: from `feed` and `close`: not well-formed, a DOCTYPE, deeper than 32 elements,
            or longer than `max_bytes`.
    """

    def __init__(
        self,
        *,
        what: str,
        max_bytes: int,
        detached_path: tuple[str, ...] = (),
        on_detached: Callable[[Node, tuple[Node, ...]], None] | None = None,
    ) -> None:
        self._what = what
        self._max_bytes = max_bytes
        self._detached_path = detached_path
        self._on_detached = on_detached
        self._bytes = 0
        self._stack: list[Node] = []
        self._text: list[str] = []
        self._root: Node | None = None
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        self._parser = parser

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """
        Take the next bytes.
        """
        self._bytes += len(data)
        if self._bytes > self._max_bytes:
            raise ManifestError(
                f"the {self._what} is longer than {self._max_bytes} bytes: "
                "give a higher limit if it is meant to be"
            )
        for start in range(0, len(data), _FEED_BYTES):
            self._parse(bytes(data[start : start + _FEED_BYTES]), is_final=False)

    def close(self) -> Node:
        """
        Return the root element.
        """
        self._parse(b"", is_final=True)
        assert self._root is not None  # expat has raised where there is no element
        return self._root

    def _parse(self, data: bytes, *, is_final: bool) -> None:
        try:
            self._parser.Parse(data, is_final)
        except expat.ExpatError as error:
            reason = expat.errors.messages.get(error.code, "not well-formed")
            raise ManifestError(
                f"the {self._what} is no well-formed XML: {reason} in line {error.lineno}, "
                f"column {error.offset}",
                context=f"line {error.lineno}",
            ) from error
        except ManifestError:
            raise
        except (LookupError, ValueError) as error:  # an encoding that Python or expat lacks
            raise ManifestError(
                f"the {self._what} is in an encoding that can't be read: write it as UTF-8"
            ) from error

    def _doctype(self, *_arguments: object) -> None:
        raise ManifestError(
            f"the {self._what} has a DOCTYPE, which is refused: it has no use here",
            context=f"line {self._parser.CurrentLineNumber}",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        if len(self._stack) >= _MAXIMUM_DEPTH:
            raise ManifestError(
                f"the {self._what} is nested deeper than {_MAXIMUM_DEPTH} elements",
                context=f"line {line}",
            )
        node = Node(name, attributes, line)
        if self._stack:
            self._end_text()
            self._stack[-1].content.append(node)
        else:
            self._root = node
        self._stack.append(node)

    def _characters(self, text: str) -> None:
        self._text.append(text)

    def _end_text(self) -> None:
        if self._text:
            self._stack[-1].content.append("".join(self._text))
            self._text.clear()

    def _end(self, _name: str) -> None:
        self._end_text()
        path = self._detached_path
        is_detached = len(self._stack) == len(path) and all(
            node.name == name for node, name in zip(self._stack, path, strict=True)
        )
        node = self._stack.pop()
        if is_detached and self._on_detached is not None:
            siblings = self._stack[-1].content
            siblings.pop()
            # The blanks between detached elements would pile up.
            if siblings and isinstance(siblings[-1], str) and siblings[-1].isspace():
                siblings.pop()
            self._on_detached(node, tuple(self._stack))


def shown(text: str) -> str:
    """
    Return untrusted text for an error: quoted, and cut where it is long.
    """
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
