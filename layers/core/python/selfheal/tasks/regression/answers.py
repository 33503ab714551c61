"""A regression's answer is a number in the target's unit; its loss is the squared error on the scale of the target."""

import numpy as np
from numpy.typing import NDArray

# The spread of the target: between these quantiles of training's labels, so that a few wild ones don't set the scale.
SPREAD_QUANTILES = (0.001, 0.999)

type Floats = NDArray[np.float64]


def spread_of(labels: Floats) -> float:
    """How far the target spreads, in its own unit; 0 where it is constant."""
    low, high = np.quantile(labels, SPREAD_QUANTILES)
    return float(high - low) or float(labels.max() - labels.min())


def are_numbers(values: Floats) -> bool:
    """Whether all are finite."""
    return bool(np.isfinite(values).all())


def as_they_are(values: Floats, _: float = np.nan) -> Floats:
    """Numbers are averaged, and predicted, as they are."""
    return np.asarray(values, dtype=np.float64)


def capped_squares(errors: Floats, spread: float) -> Floats:
    """Squared errors over the squared spread, 1 at the most: in [0, 1], shape (n,)."""
    return np.minimum(np.square(errors / spread), 1.0)


def half_if_varied(labels: Floats) -> NDArray[np.intp]:
    """Half of the first 1, 2, ... n rows, once two of them differ; before that 0. Shape (n,).

    Half of them, as of two equally frequent classes, so that as many rows judge.
    """
    if not len(labels):
        return np.zeros(0, dtype=np.intp)
    varied = np.logical_or.accumulate(labels != labels[0])
    return np.where(varied, np.arange(1, len(labels) + 1) // 2, 0)
