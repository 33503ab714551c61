"""Repeated looks: a window that slides is tested again and again, and an alarm is one event until it has been quiet."""

from datetime import datetime, timedelta

# 288 looks at overlapping 24-hour windows raise the false-alarm rate as about twelve separate ones do (measured:
# `make bench-drift`, unchanged days).
SEPARATE_LOOKS = 12.0


def level_of_one_look(false_alarm_rate: float, looks_a_day: float) -> float:
    """The level of a single look that keeps a day's false-alarm rate."""
    return false_alarm_rate / min(SEPARATE_LOOKS, max(1.0, looks_a_day))


def event_start(
    now: datetime, *, alarming: bool, previous_start: datetime | None, last_alarm: datetime | None, lookback: timedelta
) -> datetime | None:
    """When the alarm event under way began; None where there is none.

    An event goes on until a look without an alarm finds that a full window has passed since the last one, so that a
    test statistic near its bar doesn't ring twice for one cause. Looks may be further apart than a window is long.
    """
    is_recent = last_alarm is not None and now - last_alarm < lookback
    if previous_start is not None and (alarming or is_recent):
        return previous_start
    return now if alarming else None
