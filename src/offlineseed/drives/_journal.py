"""
A drive's journal: what is on the drive for certain, one JSON line for each fact.

Records, in order; each is an object with `record` and the members in brackets:

- `drive` (`format` 1, `drive_id`, `size_bytes`, `plan`: the plan's digest, `container`): once,
  first: what the journal is about;
- `volume`: the volume was created;
- `blob` (`path`, `length`, and `md5`: the MD5s of its blocks of 4 MiB, joined, or `pages`: an
  [offset, length, MD5] for each page range): one for each blob that is whole on the drive, in the
  plan's order;
- `manifest` (`hash`, `length`): the manifest is whole on the drive; again where a later session
  wrote it again;
- `sealed` (`manifest_hash`, `cache_bypass`): once, last: all was read back and was right.

A record counts once its line feed is on the disk. A torn last line is dropped when the journal is
opened again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import attrs

from offlineseed._durable import sync_folder
from offlineseed.drives._file_lock import lock_file
from offlineseed.errors import DriveError, JournalError

__all__ = ["Journal", "JournalState"]

_FORMAT = 1
_FOLLOWERS = {
    "": {"drive"},
    "drive": {"volume"},
    "volume": {"blob", "manifest"},
    "blob": {"blob", "manifest"},
    "manifest": {"manifest", "sealed"},
    "sealed": set[str](),
}
_MEMBERS: dict[str, dict[str, type]] = {
    "drive": {"format": int, "drive_id": str, "size_bytes": int, "plan": str, "container": str},
    "volume": {},
    "blob": {"path": str, "length": int},
    "manifest": {"hash": str, "length": int},
    "sealed": {"manifest_hash": str, "cache_bypass": str},
}


@final
@attrs.define
class JournalState:
    """
    How far a drive's preparation got.
    """

    last: str = ""
    """The kind of the last record; empty where there is none."""
    drive: dict[str, Any] | None = None
    """The first record; None where the journal is empty."""
    has_volume: bool = False
    """Whether the volume was created."""
    blobs: int = 0
    """How many blobs are whole on the drive: the first ones of the plan."""
    blob_bytes: int = 0
    """Their bytes."""
    manifest_hash: str = ""
    """The manifest's hash; empty where it is not on the drive."""
    sealed: dict[str, Any] | None = None
    """The last record; None while the drive is not prepared."""


@final
class Journal:
    """
    An open journal. It is locked: a drive is prepared by one process at a time.

    Thread rule: one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        """
        Open the journal, or begin one; a torn last line is cut off.

        Raises:
            DriveError: another process is preparing this drive.
            JournalError: it is damaged before its last record, or of a newer version.
            OSError: it can't be read or written.
        """
        self._path = path
        self._file = path.open("a+b")
        try:
            if not lock_file(self._file.fileno(), wait=False):
                raise DriveError(
                    f"{path.parent.name}: another process is preparing this drive; wait for it"
                )
            self.state = JournalState()
            """How far the preparation got."""
            self._recover()
            sync_folder(path.parent)
        except BaseException:
            self._file.close()
            raise

    def append(self, record: str, **members: object) -> None:
        """
        Add a record, durable when this returns.

        Raises:
            OSError: it can't be written; reopen the journal to see what is in it.
        """
        entry = {"record": record, **members}
        _advance(self.state, entry, context=record)
        line = json.dumps(entry, separators=(",", ":")) + "\n"
        self._file.write(line.encode("ascii"))
        self._file.flush()
        os.fsync(self._file.fileno())

    def require_about(self, facts: dict[str, Any]) -> None:
        """
        Refuse a journal that is about another drive, plan or container.

        Args:
            facts: the members that its first record must have.

        Raises:
            JournalError: names what differs.
        """
        drive = self.state.drive or {}
        for name, wanted in facts.items():
            if drive.get(name) != wanted:
                raise JournalError(
                    f"the journal is about another {name.replace('_', ' ')}: {drive.get(name)!r},"
                    f" not {wanted!r}; go on with what it was begun for, or prepare the drive anew",
                    context=name,
                )

    def clear(self) -> None:
        """
        Forget everything: the drive is to be prepared anew.
        """
        self._file.truncate(0)
        os.fsync(self._file.fileno())
        self.state = JournalState()

    def blobs(self) -> Iterator[dict[str, Any]]:
        """
        Yield the blob records, in the plan's order, read from the file.
        """
        with self._path.open("rb") as file:
            for line in file:
                entry = json.loads(line)
                if entry["record"] == "blob":
                    yield entry

    def close(self) -> None:
        """
        Let go of the journal and its lock; may be called twice.
        """
        self._file.close()

    def _recover(self) -> None:
        self._file.seek(0)
        whole, size = 0, os.fstat(self._file.fileno()).st_size
        for number, line in enumerate(self._file, 1):
            entry = _parse(line)
            if entry is None:
                if whole + len(line) < size:
                    raise JournalError(
                        f"{self._path.name} is damaged in line {number}; prepare the drive anew",
                        context=f"line {number}",
                    )
                self._file.truncate(whole)
                os.fsync(self._file.fileno())
                break
            _advance(self.state, entry, context=f"line {number}")
            whole += len(line)
        self._file.seek(0, os.SEEK_END)


def _parse(line: bytes) -> dict[str, Any] | None:
    """
    Return the record of a line, or None where it is torn or damaged.
    """
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if line.endswith(b"\n") and isinstance(entry, dict) else None


def _advance(state: JournalState, entry: dict[str, Any], *, context: str) -> None:
    kind = entry.get("record")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        raise JournalError(f"{context} is no record of a drive's journal", context=context)
    if any(type(entry.get(name)) is not wanted for name, wanted in _MEMBERS[kind].items()):
        raise JournalError(f"{context}: a {kind} record lacks a member", context=context)
    if kind not in _FOLLOWERS[state.last]:
        raise JournalError(f"{context}: a {kind} record can't stand here", context=context)
    state.last = kind
    if kind == "drive":
        if entry["format"] != _FORMAT:
            raise JournalError(
                f"the journal has format {entry['format']}, this program knows {_FORMAT};"
                " update it",
                context=context,
            )
        state.drive = entry
    elif kind == "volume":
        state.has_volume = True
    elif kind == "blob":
        state.blobs += 1
        state.blob_bytes += entry["length"]
    elif kind == "manifest":
        state.manifest_hash = entry["hash"]
    else:
        state.sealed = entry
