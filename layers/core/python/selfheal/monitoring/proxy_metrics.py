"""Proxy metrics: what predictions say before any label has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray

from selfheal.data.moments import as_datetime64
from selfheal.monitoring.answers import Answers, values_of
from selfheal.records.monitoring import ProxyChange, ProxyMetrics
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.sample import Hashes

HOURS = (1, 6, 24)
MICROSECONDS_AN_HOUR = 3_600_000_000
# What a regression has none of.
OF_PROBABILITIES = (
    "positive_rate",
    "probability_mean",
    "probability_std",
    "probability_median",
    "probability_q25",
    "probability_q75",
    "entropy",
)


@dataclass(frozen=True, eq=False)
class AnswersByAge:
    """Predictions by how old they are at one moment; additive.

    recent: those of the last 1, 6 and 24 hours. hourly: by hours of age, rounded down, how many predictions there are,
    how many are positive, and the sum of their probabilities.
    """

    recent: tuple[Answers, ...]
    hourly: Mapping[int, NDArray[np.float64]]

    @classmethod
    def of(cls, now: datetime, rows: PredictionWindow, hashes: Hashes) -> Self:
        """Of some predictions; `hashes` are of their ids."""
        ages = (as_datetime64(now) - rows.timestamps).astype(np.int64) / MICROSECONDS_AN_HOUR
        masks = [ages <= hours for hours in HOURS]
        recent = tuple(Answers.of(rows.predictions[m], rows.probabilities[m], hashes[m]) for m in masks)
        hours, places = np.unique(np.floor(ages).astype(np.int64), return_inverse=True)
        return cls(recent, dict(zip(hours.tolist(), sums_of(rows, places, len(hours)), strict=True)))

    def __add__(self, other: Self) -> Self:
        """Of the predictions of both, at the same moment."""
        recent = tuple(mine + theirs for mine, theirs in zip(self.recent, other.recent, strict=True))
        hourly = dict(self.hourly)
        for hour, sums in other.hourly.items():
            hourly[hour] = hourly[hour] + sums if hour in hourly else sums
        return type(self)(recent, hourly)

    @property
    def proxies(self) -> tuple[ProxyMetrics, ...]:
        """Metrics of the last 1, 6 and 24 hours."""
        return tuple(proxy_metrics(hours, answers) for hours, answers in zip(HOURS, self.recent, strict=True))

    @property
    def change(self) -> ProxyChange:
        """Slope per hour of positive rate and mean probability: least squares through the hours, weighted by rows."""
        positives, probabilities = self._slopes()
        newest = self.recent[-1]
        if newest.are_numbers:
            return ProxyChange(
                positive_rate_per_hour=None, probability_mean_per_hour=None, prediction_mean_per_hour=probabilities
            )
        is_binary = not len(newest.by_class)
        return ProxyChange(
            positive_rate_per_hour=positives if is_binary else None, probability_mean_per_hour=probabilities
        )

    def _slopes(self) -> tuple[float | None, float | None]:
        if len(self.hourly) < 2:  # noqa: PLR2004 - a line needs two hours
            return None, None
        hours = np.array(sorted(self.hourly), dtype=np.float64)
        rows, *sums = np.array([self.hourly[int(hour)] for hour in hours]).T
        centred = (hours * rows).sum() / rows.sum() - hours
        first, second = (float((centred * each).sum() / (rows * centred**2).sum()) for each in sums)
        return first, second


def sums_of(rows: PredictionWindow, places: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    """By place, shape (count, 3): how many predictions, how many positive ones, the sum of their probabilities."""
    values = (np.ones(len(rows)), rows.predictions, values_of(rows.probabilities))
    return np.column_stack([np.bincount(places, weights=value, minlength=count) for value in values])


def proxy_metrics(hours: float, answers: Answers) -> ProxyMetrics:
    """Metrics of the predictions of some hours; every value but the number is None where there are none."""
    if not answers.n:
        return ProxyMetrics(hours=hours, num_predictions=0, **dict.fromkeys(OF_PROBABILITIES))
    low, median, high = np.quantile(answers.sample, [0.25, 0.5, 0.75])
    if answers.are_numbers:
        numbers = {
            "prediction_mean": answers.mean,
            "prediction_std": float(np.sqrt(answers.squares / answers.n)),
            "prediction_median": float(median),
            "prediction_q25": float(low),
            "prediction_q75": float(high),
        }
        return ProxyMetrics(hours=hours, num_predictions=answers.n, **dict.fromkeys(OF_PROBABILITIES), **numbers)
    several = len(answers.by_class) > 0
    return ProxyMetrics(
        hours=hours,
        num_predictions=answers.n,
        positive_rate=None if several else answers.positives / answers.n,
        probability_mean=answers.mean,
        probability_std=float(np.sqrt(answers.squares / answers.n)),
        probability_median=float(median),
        probability_q25=float(low),
        probability_q75=float(high),
        entropy=histogram_entropy(answers.histogram),
        class_shares=tuple((answers.by_class / answers.n).tolist()) if several else None,
    )


def histogram_entropy(counts: NDArray[np.int64]) -> float:
    """Entropy, in nats, of a histogram of ten equal bins over [0, 1]; 0 for a constant, ln 10 for an even spread."""
    shares = counts / counts.sum()
    held = shares[shares > 0]
    return float(-(held * np.log(held)).sum()) + 0.0
