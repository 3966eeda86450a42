"""
Paths inside our code (POSIX, relative) and in the manifest (backslashes, beginning with one).
"""

from __future__ import annotations

from offlineseed.errors import ManifestError

__all__ = ["file_path_of", "path_of_file_path"]


def file_path_of(path: str) -> str:
    r"""
    Return the manifest's file path of a relative POSIX path: `a/b` gives `\a\b`.

    Raises:
        ManifestError: the path is absolute, has a backslash, or an empty, `.` or `..` part.
    """
    _require_inside(path, path.split("/"))
    if "\\" in path:
        raise ManifestError(
            f"{path!r} has a backslash, which parts folders on the drive: stage it under another "
            "name",
            context="FilePath",
        )
    return "\\" + path.replace("/", "\\")


def path_of_file_path(file_path: str) -> str:
    r"""
    Return the relative POSIX path of a manifest's file path: `\a\b` gives `a/b`.

    Raises:
        ManifestError: the path leaves the volume's root or has an empty, `.` or `..` part.
    """
    path = file_path.removeprefix("\\").replace("\\", "/")
    _require_inside(file_path, path.split("/"))
    if ":" in path.partition("/")[0]:
        raise ManifestError(f"{file_path!r} names a drive or a stream", context="FilePath")
    return path


def _require_inside(path: str, parts: list[str]) -> None:
    if any(part in ("", ".", "..") for part in parts) or "\0" in path:
        raise ManifestError(
            f"{path!r} is no path below a drive's root: it has an empty, '.' or '..' part",
            context="FilePath",
        )
