"""Proxy metrics: what predictions say before any label has come."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from selfheal.data.moments import as_datetime64
from selfheal.records.monitoring import ProxyChange, ProxyMetrics

HOURS = (1, 6, 24)
BINS = 10
MICROSECONDS_AN_HOUR = 3_600_000_000


def proxy_metrics(hours: float, probabilities: NDArray[np.float64], predictions: NDArray[np.int8]) -> ProxyMetrics:
    """Metrics of the n predictions of some hours; every value but the number is None where there are none."""
    if not len(probabilities):
        names = set(ProxyMetrics.model_fields) - {"hours", "num_predictions"}
        return ProxyMetrics(hours=hours, num_predictions=0, **dict.fromkeys(names))
    low, median, high = np.quantile(probabilities, [0.25, 0.5, 0.75])
    return ProxyMetrics(
        hours=hours,
        num_predictions=len(probabilities),
        positive_rate=float(predictions.mean()),
        probability_mean=float(probabilities.mean()),
        probability_std=float(probabilities.std()),
        probability_median=float(median),
        probability_q25=float(low),
        probability_q75=float(high),
        entropy=histogram_entropy(probabilities),
    )


def proxy_metrics_over_hours(
    now: datetime,
    timestamps: NDArray[np.datetime64],
    probabilities: NDArray[np.float64],
    predictions: NDArray[np.int8],
) -> tuple[ProxyMetrics, ...]:
    """The same over the last 1, 6 and 24 hours."""
    ages = _hours_before(now, timestamps)
    return tuple(proxy_metrics(hours, probabilities[ages <= hours], predictions[ages <= hours]) for hours in HOURS)


def proxy_change(
    now: datetime,
    timestamps: NDArray[np.datetime64],
    probabilities: NDArray[np.float64],
    predictions: NDArray[np.int8],
) -> ProxyChange:
    """Slope per hour of positive rate and mean probability: least squares through the hours, weighted by their rows."""
    hours = np.floor(_hours_before(now, timestamps)).astype(np.intp)
    return ProxyChange(
        positive_rate_per_hour=_slope(hours, predictions.astype(np.float64)),
        probability_mean_per_hour=_slope(hours, probabilities),
    )


def histogram_entropy(probabilities: NDArray[np.float64]) -> float:
    """Entropy, in nats, of a histogram of ten equal bins over [0, 1]; 0 for a constant, ln 10 for an even spread."""
    shares = np.histogram(probabilities, bins=BINS, range=(0.0, 1.0))[0] / len(probabilities)
    held = shares[shares > 0]
    return float(-(held * np.log(held)).sum()) + 0.0


def _hours_before(now: datetime, timestamps: NDArray[np.datetime64]) -> NDArray[np.float64]:
    moment = as_datetime64(now)
    return (moment - timestamps).astype("timedelta64[us]").astype(np.int64) / MICROSECONDS_AN_HOUR


def _slope(hours_ago: NDArray[np.intp], values: NDArray[np.float64]) -> float | None:
    if not len(values) or (hours_ago == hours_ago[0]).all():
        return None
    centred = -(hours_ago - hours_ago.mean())
    return float((centred * values).sum() / (centred**2).sum())
