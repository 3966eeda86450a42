"""
Offline seeding: a first full backup to Azure by shipped disk, then incrementals.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__: str
"""The version of the installed distribution; looked up when it is first asked for."""


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # costs time that few need

        return version("offlineseed")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
