"""Metrics of labels that are only drawn or expected, and the intervals that many draws give."""

import numpy as np
from numpy.typing import NDArray

from selfheal.records.monitoring import Estimate

type Floats = NDArray[np.float64]


def expected_roc_auc(probabilities: Floats, truth: Floats) -> Floats:
    """Expected share of pairs in the right order, ties counted half, shape (draws,).

    probabilities: shape (n,). truth: shape (draws, n), in [0, 1]: how likely each row is positive.
    """
    ordered = truth[:, np.argsort(probabilities, kind="stable")]
    starts = np.flatnonzero(np.diff(np.sort(probabilities), prepend=-1.0))
    positives = np.add.reduceat(ordered, starts, axis=1)
    negatives = np.add.reduceat(1 - ordered, starts, axis=1)
    pairs = (positives * (np.cumsum(negatives, axis=1) - negatives / 2)).sum(axis=1)
    return ratio(pairs, truth.sum(axis=1) * (1 - truth).sum(axis=1))


def ratio(above: Floats, below: Floats) -> Floats:
    """Elementwise; NaN where `below` is 0."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def estimate_of(value: float, simulated: Floats) -> Estimate:
    """A value and the central 95 % of what was drawn; draws that don't define it are NaN."""
    known = simulated[~np.isnan(simulated)]
    if np.isnan(value) or not len(known):
        return Estimate(value=None, low=None, high=None)
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(value=value, low=float(min(low, value)), high=float(max(high, value)))
