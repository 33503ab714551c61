"""The template's schedules on the simulated clock."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


class Schedule:
    """One schedule of a fixed rate; first due one period after the start. `definition` has its references resolved."""

    def __init__(self, function: str, definition: Mapping[str, Any], start: datetime) -> None:
        self.function = function
        self.target: str = definition["Target"]["Arn"]
        self.dead_letters: str = definition["Target"]["DeadLetterConfig"]["Arn"]
        self._input = definition["Target"].get("Input", "{}")
        self._period = period_of(definition["ScheduleExpression"])
        self.next_due = start + self._period

    def take_due(self, now: datetime) -> str | None:
        """The event to send where one is due; missed periods make one event, that of the newest."""
        if self.next_due > now:
            return None
        missed = (now - self.next_due) // self._period
        due = self.next_due + missed * self._period
        self.next_due = due + self._period
        return str(self._input.replace(SCHEDULED_TIME, f"{due:%Y-%m-%dT%H:%M:%SZ}"))


def period_of(expression: str) -> timedelta:
    """The period of a rate expression.

    Raises:
        ValueError: it isn't `rate(<n> minutes|hours|days)`.
    """
    found = _RATE.fullmatch(expression)
    if found is None:
        raise ValueError(f"the local cloud only knows schedules like rate(5 minutes), not {expression!r}")
    return timedelta(**{f"{found[2]}s": int(found[1])})
