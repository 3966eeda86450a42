"""
The staging location: a folder or share with one folder for each import job.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import final

from offlineseed._durable import make_folder, write_whole
from offlineseed.errors import StagedJobExistsError, StagedJobNotFoundError
from offlineseed.settings import SeedSettings, check_import_job_name
from offlineseed.staging._document import JobDocument, parse_document, render_document
from offlineseed.staging._job import StagedJob

__all__ = ["StagingLocation"]

_DOCUMENT = "seed.json"


@final
class StagingLocation:
    """
    Where backups are staged. Several import jobs may share it, and source and copy machine open it
    by the same path.

    Args:
        path: the folder or share.

    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        """The folder or share."""

    def __repr__(self) -> str:
        return f"StagingLocation({str(self.path)!r})"

    def __iter__(self) -> Iterator[StagedJob]:
        for name in self._names():
            yield self.open(name)

    def create(self, settings: SeedSettings) -> StagedJob:
        """
        Make a new import job's folder.

        Raises:
            StagedJobExistsError: there is one of that name.
        """
        folder = self.path / settings.import_job_name
        if (folder / _DOCUMENT).exists():
            raise StagedJobExistsError(
                f"{self.path} already has an import job {settings.import_job_name!r}: open it, or "
                "choose another name",
                name=settings.import_job_name,
            )
        make_folder(folder)
        document = JobDocument(
            settings=settings,
            source_host=socket.gethostname(),
            created=datetime.now(timezone.utc),
        )
        write_whole(folder / _DOCUMENT, render_document(document))
        return StagedJob(folder, document)

    def open(self, name: str) -> StagedJob:
        """
        Open an import job.

        Raises:
            StagedJobNotFoundError: there is none of that name.
            FormatError: its `seed.json` is damaged.
        """
        path = self.path / name / _DOCUMENT
        try:
            if check_import_job_name(name) is not None:
                raise FileNotFoundError(name)
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            names = ", ".join(self._names()) or "none"
            raise StagedJobNotFoundError(
                f"{self.path} has no import job {name!r}; it has: {names}", name=name
            ) from error
        return StagedJob(path.parent, parse_document(data, where=str(path)))

    def _names(self) -> Iterator[str]:
        if self.path.is_dir():
            for folder in sorted(self.path.iterdir()):
                # A copy that somebody made under another kind of name is no job.
                is_job = check_import_job_name(folder.name) is None
                if is_job and (folder / _DOCUMENT).is_file():
                    yield folder.name

    def open_or_create(self, settings: SeedSettings) -> StagedJob:
        """
        Open the import job of that name, or make it: what a run that may be a second one wants.

        Raises:
            StagedJobExistsError: there is one with other settings.
        """
        try:
            job = self.open(settings.import_job_name)
        except StagedJobNotFoundError:
            return self.create(settings)
        if job.settings != settings:
            raise StagedJobExistsError(
                f"{job.folder} was initiated with other settings: open it, or choose another name",
                name=settings.import_job_name,
            )
        return job
