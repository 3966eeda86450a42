"""
Reads the metadata and properties files that lie on a drive beside the data.
"""

from __future__ import annotations

import hashlib
from xml.parsers import expat

from offlineseed.emulator._manifest_reader import SideFile
from offlineseed.emulator._shipped_volume import FileNameRefusedError, ShippedVolume

__all__ = ["read_side_file"]

_MOST_BYTES = 1 << 20


def read_side_file(
    volume: ShippedVolume, side: SideFile | None
) -> tuple[str | None, dict[str, str]]:
    """
    Read a metadata or properties file; return the copy log's status, and its values by name.

    The status is None where there is no such file to read; the values are empty unless the status
    is Completed.
    """
    if side is None:
        return None, {}
    try:
        file = volume.open(side.path)
        try:
            data = file.read_at(0, _MOST_BYTES)
        finally:
            file.close()
    except FileNotFoundError:
        return "FileNotFound", {}
    except PermissionError:
        return "FileAccessDenied", {}
    except FileNameRefusedError as refused:
        return refused.status, {}
    except OSError:
        return "IOFailed", {}
    if hashlib.md5(data, usedforsecurity=False).hexdigest().upper() != side.md5:
        return "Corrupted", {}
    try:
        return "Completed", _flat_document(data)
    except (expat.ExpatError, ValueError):
        return "XmlReadFailed", {}


def _flat_document(data: bytes) -> dict[str, str]:
    """
    Read XML of one level: a root, and elements of text in it.
    """
    values: dict[str, str] = {}
    path: list[str] = []
    text: list[str] = []

    def start(name: str, _attributes: dict[str, str]) -> None:
        path.append(name)
        text.clear()

    def end(name: str) -> None:
        if len(path) == 2:
            values[name] = "".join(text)
        path.pop()

    def refuse(*_: object) -> None:
        raise ValueError("a DOCTYPE")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(data, True)
    return values
