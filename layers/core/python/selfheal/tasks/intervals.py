"""95 % intervals, each by the method that its metric's distribution asks for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from selfheal.records.monitoring import Estimate
from selfheal.tasks.metric import Metric
from selfheal.tasks.simulation import estimate_of

RESAMPLES = 200
Z = float(special.ndtri(0.975))


def proportion(successes: float, trials: float) -> Estimate:
    """Wilson's (1927) score interval of a binomial proportion."""
    if not trials:
        return Estimate(value=None, low=None, high=None)
    share, spread = successes / trials, Z * Z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = Z * np.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return Estimate(value=share, low=float(max(0.0, middle - half)), high=float(min(1.0, middle + half)))


def f1(true_positives: float, false_positives: float, false_negatives: float) -> Estimate:
    """F1 = 2J / (1 + J) of the Jaccard index J = TP / (TP + FP + FN), a proportion: Wilson's bounds carried over.

    Exact in the same sense as Wilson's interval, given the number of rows that are positive by truth or by prediction.
    """
    jaccard = proportion(true_positives, true_positives + false_positives + false_negatives)
    return Estimate(value=_dice(jaccard.value), low=_dice(jaccard.low), high=_dice(jaccard.high))


def mean(values: NDArray[np.float64]) -> Estimate:
    """Normal interval of a mean (values are bounded and many)."""
    if not len(values):
        return Estimate(value=None, low=None, high=None)
    centre = float(values.mean())
    half = Z * float(values.std(ddof=1)) / np.sqrt(len(values)) if len(values) > 1 else 0.5
    return Estimate(value=centre, low=max(0.0, centre - half), high=min(1.0, centre + half))


def mean_of_any(values: NDArray[np.float64]) -> Estimate:
    """Normal interval of the mean of values of any size; no interval of fewer than two."""
    if not len(values):
        return Estimate(value=None, low=None, high=None)
    centre = float(values.mean())
    if len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return Estimate(value=centre, low=None, high=None)
    half = Z * float(values.std(ddof=1)) / np.sqrt(len(values))
    return Estimate(value=centre, low=centre - half, high=centre + half)


def upper_tail(excess: float, error: float) -> float:
    """The chance of an excess as large as this, of a normal one around 0 with that standard error."""
    return float(special.ndtr(-excess / error)) if error else float(excess <= 0)


def of_resampled_rows(
    metric: Metric, answers: NDArray[np.float64], predictions: NDArray[Any], labels: NDArray[Any]
) -> Estimate:
    """A metric of n rows, and the central 95 % of it where rows are drawn anew."""
    parts = metric.parts(answers, predictions, labels)
    rng, rows = np.random.default_rng(0), len(labels)
    drawn = np.stack([rng.multinomial(rows, np.full(rows, 1 / rows)) @ parts for _ in range(RESAMPLES)])
    value = float(metric.of_sums(parts.sum(axis=0, keepdims=True))[0])
    return estimate_of(value, metric.of_sums(drawn))


def roc_auc(probabilities: NDArray[np.float64], labels: NDArray[np.int8]) -> Estimate:
    """DeLong's (1988) variance by mid-ranks (Sun and Xu 2014), on the logit scale so that it stays within (0, 1)."""
    positives, negatives = probabilities[labels == 1], probabilities[labels == 0]
    if not len(positives) or not len(negatives):
        return Estimate(value=None, low=None, high=None)
    above = _shares_below(np.sort(negatives), positives)
    below = 1 - _shares_below(np.sort(positives), negatives)
    area = float(above.mean())
    variance = _mean_variance(above) + _mean_variance(below)
    if not 0 < area < 1 or variance == 0:
        return Estimate(value=area, low=area, high=area)
    half = Z * np.sqrt(variance) / (area * (1 - area))
    bounds = special.expit(special.logit(area) + np.array([-half, half]))
    return Estimate(value=area, low=float(bounds[0]), high=float(bounds[1]))


def _dice(jaccard: float | None) -> float | None:
    return None if jaccard is None else 2 * jaccard / (1 + jaccard)


def _shares_below(ordered: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of `ordered` below each value, ties counted half."""
    return (np.searchsorted(ordered, values) + np.searchsorted(ordered, values, side="right")) / (2 * len(ordered))


def _mean_variance(values: NDArray[np.float64]) -> float:
    return float(values.var(ddof=1) / len(values)) if len(values) > 1 else 0.0
