"""
A clock that stands still until it is told to go on.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from typing import final

__all__ = ["VirtualClock"]


@final
class VirtualClock:
    """
    The import service's idea of the time.

    Weeks pass in an import job. Here they pass when a test says so. Thread-safe.

    Args:
        start: where it stands at first, aware; the machine's time where None.

    Raises:
        ValueError: the start has no time zone.
    """

    def __init__(self, start: datetime | None = None) -> None:
        if start is None:
            start = datetime.now(timezone.utc)
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware time: give the start a time zone")
        self._now = start.astimezone(timezone.utc)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """
        Return the time, aware, UTC.
        """
        with self._lock:
            return self._now

    def advance(
        self, step: timedelta = timedelta(0), *, days: float = 0, hours: float = 0
    ) -> datetime:
        """
        Go on by a step, plus days, plus hours; return the new time.

        Raises:
            ValueError: time would run backwards.
        """
        step += timedelta(days=days, hours=hours)
        if step < timedelta(0):
            raise ValueError("a clock does not go back: start a new one")
        with self._lock:
            self._now += step
            return self._now

    def __repr__(self) -> str:
        return f"VirtualClock({self.now().isoformat()})"
