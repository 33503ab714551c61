"""One whole hour of predictions in fixed size: what any later run needs of it, whenever it looks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

from selfheal.data.moments import as_datetime64
from selfheal.monitoring.answers import Answers
from selfheal.monitoring.proxy_metrics import HOURS, AnswersByAge, sums_of
from selfheal.monitoring.window import WindowSummary
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.sample import Hashes

HOUR = timedelta(hours=1)
MINUTES = 60


@dataclass(frozen=True, eq=False)
class HourSummary:
    """The predictions of one clock hour beside the reference of one version.

    minutes: shape (60, 3): by minute how many there are, how many are positive, the sum of their probabilities.
    """

    window: WindowSummary
    answers: Answers
    minutes: NDArray[np.float64]

    @classmethod
    def of(cls, hour: datetime, rows: PredictionWindow, hashes: Hashes, window: WindowSummary) -> Self:
        """Of all predictions of the hour, which `window` summarises; `hashes` are of their ids."""
        places = (rows.timestamps - as_datetime64(hour)) // np.timedelta64(1, "m")
        minutes = sums_of(rows, places.astype(np.intp), MINUTES)
        return cls(window, Answers.of(rows.predictions, rows.probabilities, hashes), minutes)

    def __add__(self, other: Self) -> Self:
        """Of the predictions of both; each must be in one of them only."""
        return type(self)(self.window + other.window, self.answers + other.answers, self.minutes + other.minutes)

    def by_age(self, now: datetime, hour: datetime, nothing: Answers) -> AnswersByAge:
        """Its predictions by their age at a moment that cuts none of the hours that are told; ages to the minute."""
        recent = tuple(self.answers if now - hour <= hours * HOUR else nothing for hours in HOURS)
        hourly: dict[int, NDArray[np.float64]] = {}
        for minute in np.flatnonzero(self.minutes[:, 0]).tolist():
            age = (now - hour - timedelta(minutes=minute, seconds=30)) // HOUR
            hourly[age] = hourly.get(age, np.zeros(3)) + self.minutes[minute]
        return AnswersByAge(recent, hourly)


def is_cut(hour: datetime, now: datetime) -> bool:
    """Whether some of an hour's predictions are in the last 1, 6 or 24 hours and others aren't."""
    return any(hour < now - hours * HOUR < hour + HOUR for hours in HOURS)
