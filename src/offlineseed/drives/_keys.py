"""
Keeping recovery passwords until the import job holds them.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, final

from offlineseed._durable import remove_partials, write_whole
from offlineseed.bitlocker import RecoveryPassword
from offlineseed.drives._file_lock import lock_file
from offlineseed.errors import FormatError

__all__ = ["FileKeyStore", "KeyStore", "MemoryKeyStore"]


class KeyStore(Protocol):
    """
    Keeps one recovery password for each drive, and nothing of it on the staging location.

    A drive whose recovery password is lost is lost: keep it until the import job holds it.

    Thread rule: any thread.
    """

    def put(self, drive_id: str, recovery_password: RecoveryPassword) -> None:
        """
        Keep a recovery password in place of an older one; durable when this returns.

        Raises:
            OSError: it can't be kept.
        """

    def get(self, drive_id: str) -> RecoveryPassword | None:
        """
        Return a drive's recovery password, or None where there is none.

        Raises:
            FormatError: the store is damaged.
            OSError: it can't be read.
        """

    def delete(self, drive_id: str) -> None:
        """
        Forget a drive's recovery password; does nothing where there is none.

        Raises:
            OSError: the store can't be changed.
        """


@final
class MemoryKeyStore:
    """
    A key store that ends with the process: for tests, and for hosts that keep passwords elsewhere.
    """

    def __init__(self) -> None:
        self._passwords: dict[str, RecoveryPassword] = {}

    def put(self, drive_id: str, recovery_password: RecoveryPassword) -> None:
        self._passwords[drive_id] = recovery_password

    def get(self, drive_id: str) -> RecoveryPassword | None:
        return self._passwords.get(drive_id)

    def delete(self, drive_id: str) -> None:
        self._passwords.pop(drive_id, None)


@final
class FileKeyStore:
    """
    A key store in one file that only its owner may read (mode 0600), on the copy machine.

    Changes are atomic, and safe against other processes that use the same file. Beside the file
    lies an empty one that ends in `.lock`.

    Source for the permissions: none but care; on Windows the folder's access rights decide.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """
        Name the file; its folder is made where it is missing, with mode 0700.
        """
        self._path = Path(path)
        self._lock = threading.Lock()

    def put(self, drive_id: str, recovery_password: RecoveryPassword) -> None:
        with self._locked():
            self._write(self._read() | {drive_id: recovery_password.reveal()})

    def get(self, drive_id: str) -> RecoveryPassword | None:
        text = self._read().get(drive_id)
        return None if text is None else RecoveryPassword.parse(text)

    def delete(self, drive_id: str) -> None:
        with self._locked():
            passwords = self._read()
            if passwords.pop(drive_id, None) is not None:
                self._write(passwords)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._path.with_name(self._path.name + ".lock")
        with self._lock, lock.open("ab") as file:
            lock_file(file.fileno(), wait=True)
            # What a killed writer left has recovery passwords, also those deleted since.
            remove_partials(self._path)
            yield

    def _read(self) -> dict[str, str]:
        try:
            document = json.loads(self._path.read_text("utf-8"))
            version, passwords = document["format"], document["recovery_passwords"]
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, RecursionError):
            # Without its cause: that holds the file's text.
            raise FormatError(
                f"{self._path.name} is no key store, or damaged; restore it, or name another file"
            ) from None
        if version != 1 or not isinstance(passwords, dict):
            raise FormatError(f"{self._path.name} is of a newer version; update this program")
        return {str(drive_id): str(text) for drive_id, text in passwords.items()}

    def _write(self, passwords: dict[str, str]) -> None:
        document = {"format": 1, "recovery_passwords": passwords}
        text = json.dumps(document, indent=2, sort_keys=True) + "\n"
        write_whole(self._path, text.encode("utf-8"), mode=0o600)
