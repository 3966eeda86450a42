"""
The service's book of jobs, and what time does to them.
"""

from __future__ import annotations

import threading
from typing import final

from offlineseed.emulator._clock import VirtualClock
from offlineseed.emulator._job import JobKey, ServiceJob
from offlineseed.emulator._states import (
    ANSWER_DEADLINE,
    ARRIVAL_DEADLINE,
    KEPT_AFTER_THE_END,
    TERMINAL,
    TRACKING_DEADLINE,
    DriveWord,
    JobWord,
)

__all__ = ["JobBook"]


@final
class JobBook:
    """
    Every job of the service, in the order they were made.

    Whoever reads or writes a job holds `lock`. Deadlines that the clock has passed take effect
    when somebody looks: no thread waits for them.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        """The service's time."""
        self.lock = threading.RLock()
        """Held by whoever touches a job."""
        self._jobs: dict[JobKey, ServiceJob] = {}

    def find(self, key: JobKey) -> ServiceJob | None:
        """
        Return a job, or None.
        """
        with self.lock:
            self._sweep()
            return self._jobs.get(key)

    def jobs(self) -> tuple[ServiceJob, ...]:
        """
        Return every job, oldest first.
        """
        with self.lock:
            self._sweep()
            return tuple(self._jobs.values())

    def put(self, job: ServiceJob) -> None:
        """
        Add a job, or replace the one of the same key.
        """
        with self.lock:
            self._jobs[job.key] = job

    def remove(self, job: ServiceJob) -> None:
        """
        Forget a job.
        """
        with self.lock:
            self._jobs.pop(job.key, None)

    def _sweep(self) -> None:
        now = self.clock.now()
        for job in tuple(self._jobs.values()):
            if job.state is JobWord.CREATING and now - job.touched >= TRACKING_DEADLINE:
                self.remove(job)
            elif job.state is JobWord.SHIPPING:
                if now - job.since >= ARRIVAL_DEADLINE:
                    for drive in job.drives:
                        if drive.state is DriveWord.SPECIFIED:
                            drive.state = DriveWord.NEVER_RECEIVED
                if now - job.since >= ANSWER_DEADLINE:
                    # It closed on the day of its deadline, not on the day somebody looked.
                    job.enter(JobWord.CLOSED, job.since + ANSWER_DEADLINE)
            if job.state in TERMINAL and now - job.since >= KEPT_AFTER_THE_END:
                self.remove(job)
