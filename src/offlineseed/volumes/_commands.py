"""
Running the system's own tools.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Protocol, final

import attrs

__all__ = ["CommandResult", "CommandRunner", "SystemCommands"]

_SEARCHED_TOO = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # where administrators' tools lie


@final
@attrs.frozen(kw_only=True)
class CommandResult:
    """
    How a command ended.
    """

    status: int
    """Its exit status."""
    output: str
    """What it wrote to its standard output."""
    errors: str = ""
    """What it wrote to its standard error output."""


class CommandRunner(Protocol):
    """
    Runs commands of the system. A host replaces it to run them elsewhere, or with more rights.
    """

    def find(self, name: str, /) -> bool:
        """
        Return whether there is a command of that name.
        """

    def run(self, command: Sequence[str], /, *, given: bytes = b"") -> CommandResult:
        """
        Run a command to its end.

        Args:
            command: its name and arguments; no shell reads them, and no secret is among them.
            given: what its standard input gets.

        Raises:
            OSError: it can't be started.
        """


@final
class SystemCommands:
    """
    The commands of this machine.
    """

    def find(self, name: str, /) -> bool:
        return _locate(name) is not None

    def run(self, command: Sequence[str], /, *, given: bytes = b"") -> CommandResult:
        program = _locate(command[0]) or command[0]
        done = subprocess.run(
            [program, *command[1:]], input=given, capture_output=True, check=False
        )
        return CommandResult(
            status=done.returncode,
            output=done.stdout.decode("utf-8", "replace"),
            errors=done.stderr.decode("utf-8", "replace"),
        )


def _locate(name: str) -> str | None:
    searched = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SEARCHED_TOO])
    return shutil.which(name, path=searched)
