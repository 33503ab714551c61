"""Volume and freshness: traffic that stopped, or grew or shrank out of all proportion."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from selfheal.data.moments import as_utc
from selfheal.records.monitoring import Finding

VOLUME_FACTOR = 5.0
# A silence is told where at least so many rows came in its hours a day earlier; traffic may end that much sooner than
# it did then, and begin that much later.
EXPECTED_ROWS, TOLERANCE = 20, timedelta(minutes=90)
DAY, HOUR, NOTHING = timedelta(days=1), timedelta(hours=1), timedelta(0)


def traffic_findings(rows: int, usual: float, silence: timedelta, day_before: int) -> tuple[Finding, ...]:
    """What is wrong with how many predictions were made, and when.

    Args:
        rows: number of predictions in the window.
        usual: number of predictions in earlier windows (see `usual_volume`).
        silence: how long no prediction has been made (see `silence_until`).
        day_before: number of predictions in the hours of a day earlier that `overdue` names.
    """
    return (*_stopped(silence, day_before), *_volume(rows, usual))


def silence_until(
    now: datetime, timestamps: NDArray[np.datetime64], lookback: timedelta, waiting: Sequence[datetime] = ()
) -> timedelta:
    """How long no prediction has been made, as far as the window shows; `timestamps` is as logged, shape (n,).

    waiting: hours with predictions that the window lacks, by their beginning; they may reach to the hours' ends.
    """
    newest = [as_utc(timestamps.max())] if len(timestamps) else []
    return min([lookback, *(now - moment for moment in newest), *(max(now - hour - HOUR, NOTHING) for hour in waiting)])


def overdue(now: datetime, silence: timedelta) -> tuple[datetime, datetime] | None:
    """[start, end) of a day earlier: what came then has been missed by now; None for a silence too short to matter.

    Nights and batches return every day, so that a silence is compared with the same hours and not with the average.
    """
    start, end = now - DAY - silence + TOLERANCE, now - DAY - TOLERANCE
    return (start, end) if start < end else None


def open_hour_findings(hours: Sequence[datetime]) -> tuple[Finding, ...]:
    """One finding where hours of the log couldn't be rolled up for a day and more."""
    if not hours:
        return ()
    message = f"{len(hours)} hour(s) of the log can't be rolled up, the oldest {hours[0]:%Y-%m-%d %H}:00 UTC"
    return (
        Finding(
            kind="open_hour",
            severity="warning",
            feature=None,
            message=message,
            value=float(len(hours)),
            expected=0.0,
            n=len(hours),
        ),
    )


def usual_volume(before: float | None, predictions: int, hours_since: float) -> float:
    """Moving average of predictions in a window, with a memory of a day."""
    if before is None:
        return float(predictions)
    weight = -math.expm1(-hours_since / 24)
    return before + weight * (predictions - before)


def _stopped(silence: timedelta, day_before: int) -> Iterator[Finding]:
    if day_before < EXPECTED_ROWS:
        return
    hours = silence / timedelta(hours=1)
    yield Finding(
        kind="stopped",
        # Rows that aren't there can't be wrong: those before the silence teach and judge as ever.
        severity="warning",
        feature=None,
        message=f"no prediction for {hours:.1f} hours; a day earlier {day_before} had come by now",
        value=hours,
        expected=None,
        n=day_before,
    )


def _volume(rows: int, usual: float) -> Iterator[Finding]:
    if usual < EXPECTED_ROWS or usual / VOLUME_FACTOR <= rows <= usual * VOLUME_FACTOR:
        return
    yield Finding(
        kind="volume",
        severity="warning",
        feature=None,
        message=f"{rows} predictions in the window, where {usual:.0f} are usual",
        value=float(rows),
        expected=usual,
        n=rows,
    )
