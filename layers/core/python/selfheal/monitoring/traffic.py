"""Volume and freshness: traffic that stopped, grew or shrank out of all proportion, or carries wrong times."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from selfheal.records.monitoring import Finding

VOLUME_FACTOR = 5.0
# Rows that an hour has to have had, on average, before its silence says anything.
SILENT_HOURS, EXPECTED_ROWS = 3.0, 20.0
CLOCK_TOLERANCE = timedelta(minutes=5)


def traffic_findings(
    now: datetime,
    timestamps: NDArray[np.datetime64],
    id_moments: NDArray[np.datetime64],
    usual: float,
    lookback_hours: float,
) -> tuple[Finding, ...]:
    """What is wrong with when predictions were made.

    Args:
        now: the moment of looking.
        timestamps: shape (n,), as logged.
        id_moments: shape (n,), when the prediction ids were made.
        usual: number of predictions in earlier windows (see `usual_volume`).
        lookback_hours: length of the window.
    """
    moment = np.datetime64(now.replace(tzinfo=None), "us")
    return (
        *_stopped(moment, timestamps, usual, lookback_hours),
        *_volume(len(timestamps), usual),
        *_clock_skew(moment, timestamps, id_moments),
    )


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


def _stopped(
    moment: np.datetime64, timestamps: NDArray[np.datetime64], usual: float, lookback_hours: float
) -> Iterator[Finding]:
    hours = float((moment - timestamps.max()) / np.timedelta64(1, "h")) if len(timestamps) else lookback_hours
    if hours >= SILENT_HOURS and usual / lookback_hours * hours >= EXPECTED_ROWS:
        yield Finding(
            kind="stopped",
            severity="fault",
            feature=None,
            message=f"no prediction for {hours:.1f} hours, where about {usual / lookback_hours * hours:.0f} were usual",
            value=hours,
            expected=None,
            n=len(timestamps),
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


def _clock_skew(
    moment: np.datetime64, timestamps: NDArray[np.datetime64], id_moments: NDArray[np.datetime64]
) -> Iterator[Finding]:
    tolerance = np.timedelta64(CLOCK_TOLERANCE)
    wrong = int(((timestamps > moment + tolerance) | (np.abs(timestamps - id_moments) > tolerance)).sum())
    if wrong:
        yield Finding(
            kind="clock_skew",
            severity="fault",
            feature=None,
            message=f"{wrong} predictions carry a time that can't be right (in the future, or not that of their id)",
            value=float(wrong),
            expected=0.0,
            n=len(timestamps),
        )
