"""Simulated time: a file that the functions' processes read, and waits that end when it is moved on."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

# How often a wait looks whether it is still wanted; moving time on wakes it at once.
WANTED_CHECK_SECONDS = 0.2


class SimulatedClock:
    """Time that stands still until it is moved; it never goes back."""

    def __init__(self, file: Path, start: datetime) -> None:
        self.file = file
        self._moved = threading.Condition()
        self._waits: dict[object, datetime] = {}
        self._now = start.astimezone(UTC)
        self._write()

    @property
    def now(self) -> datetime:
        """The simulated time, aware, in UTC."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move time on."""
        self.set(self._now + by)

    def set(self, moment: datetime) -> None:
        """Move time on to a moment; one that has passed changes nothing."""
        with self._moved:
            self._now = max(self._now, moment.astimezone(UTC))
            self._write()
            self._moved.notify_all()

    def wait(self, seconds: float, still_wanted: Callable[[], bool]) -> None:
        """Block the calling thread until simulated seconds have passed, or the wait isn't wanted any more."""
        wait = object()
        with self._moved:
            due = self._now + timedelta(seconds=seconds)
            self._waits[wait] = due
            while self._now < due and still_wanted():
                self._moved.wait(WANTED_CHECK_SECONDS)
            del self._waits[wait]

    def pending_waits(self) -> list[datetime]:
        """When each wait that still blocks its thread ends, soonest first."""
        with self._moved:
            return sorted(due for due in self._waits.values() if due > self._now)

    def _write(self) -> None:
        # Replaced whole, so that a process never reads half a time.
        fresh = self.file.with_suffix(".new")
        fresh.write_text(self._now.isoformat(), encoding="utf-8")
        fresh.replace(self.file)
