"""
The import jobs that wait on this machine.

So "update the shipping information" finds its job without arguments on the source machine. The
registry is one small file in a directory that the caller chooses, beside a lock file. Each change
reads, changes and replaces the file whole under the lock.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import final

from offlineseed._durable import make_folder, remove_partials, write_whole
from offlineseed.jobs._models import ImportJob
from offlineseed.jobs._records import WaitingJob, parse_waiting_jobs, render_waiting_jobs

__all__ = ["JobRegistry", "taken_tracking_numbers"]

_FILE = "import-jobs.json"
_LOCK = "import-jobs.lock"


@final
class JobRegistry:
    """
    The waiting import jobs of one state directory, which is made when the first job is added.

    Processes and threads may use one registry at a time; they wait for each other.
    """

    def __init__(self, directory: os.PathLike[str] | str) -> None:
        self._directory = pathlib.Path(directory)

    @property
    def path(self) -> pathlib.Path:
        """
        The registry's file.
        """
        return self._directory / _FILE

    def list_jobs(self) -> tuple[WaitingJob, ...]:
        """
        Return the waiting jobs, the oldest first.

        Raises:
            StagingError: the file is damaged or of a newer format.
            OSError: it can't be read.
        """
        try:
            # A change replaces the file whole, so reading needs no lock.
            return parse_waiting_jobs(self.path.read_bytes())
        except FileNotFoundError:
            return ()

    def put_job(self, job: WaitingJob) -> None:
        """
        Add a job, or replace the entry of that name at the same staging location.

        Raises:
            StagingError: the file is damaged or of a newer format.
            OSError: it can't be written.
        """

        def change(jobs: tuple[WaitingJob, ...]) -> tuple[WaitingJob, ...]:
            rest = (other for other in jobs if not _is_same(other, job))
            return tuple(sorted((*rest, job), key=lambda entry: (entry.created_at, entry.name)))

        self._change(change)

    def delete_job(self, name: str, *, staging_location: str | None = None) -> None:
        """
        Forget a job, of one staging location or of all; one that is not there is no error.

        Raises:
            StagingError: the file is damaged or of a newer format.
            OSError: it can't be written.
        """

        def change(jobs: tuple[WaitingJob, ...]) -> tuple[WaitingJob, ...]:
            return tuple(
                job
                for job in jobs
                if job.name != name or staging_location not in (None, job.staging_location)
            )

        self._change(change)

    def _change(self, change: Callable[[tuple[WaitingJob, ...]], tuple[WaitingJob, ...]]) -> None:
        make_folder(self._directory)
        with _locked(self._directory / _LOCK):
            remove_partials(self.path)
            write_whole(self.path, render_waiting_jobs(change(self.list_jobs())))


def taken_tracking_numbers(
    registry: JobRegistry | None,
    service_jobs: Iterable[ImportJob] = (),
    *,
    own: tuple[str, str] | None = None,
) -> tuple[tuple[str, str], ...]:
    """
    Return the tracking numbers that jobs have, each with its job's name.

    Looks at the registry of this machine and at the service's list, for `Shipment`.

    Args:
        registry: this machine's registry; None for none.
        service_jobs: the jobs that the service lists.
        own: name and staging location of the job that is to be shipped; another of that name, as
            in another subscription, is then named with its staging location.

    Raises:
        StagingError: the registry is damaged.
    """
    entries = registry.list_jobs() if registry else ()
    taken = [(job.tracking_number, _told_apart(job, own)) for job in entries]
    taken += [
        (job.delivery_package.tracking_number, job.name)
        for job in service_jobs
        if job.delivery_package
    ]
    return tuple(pair for pair in dict.fromkeys(taken) if pair[0])


def _told_apart(job: WaitingJob, own: tuple[str, str] | None) -> str:
    if own is None or job.name != own[0] or job.staging_location == own[1]:
        return job.name
    return f"{job.name} at {job.staging_location}"


def _is_same(one: WaitingJob, other: WaitingJob) -> bool:
    return (one.name, one.staging_location) == (other.name, other.staging_location)


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> Iterator[None]:
    # The operating system lets go of the lock when its holder dies: nothing stale stays behind.
    with path.open("a+b") as stream:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  # exists on Windows only

            stream.seek(0)
            msvcrt.locking(stream.fileno(), msvcrt.LK_LOCK, 1)
            try:
                yield
            finally:
                stream.seek(0)
                msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl  # noqa: PLC0415  # does not exist on Windows

            fcntl.flock(stream, fcntl.LOCK_EX)
            yield
