"""A binary answer is the probability of the positive label; it is right to the degree that the Brier loss says."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

# A probability of exactly 0 or 1 has no log-odds.
SMALLEST = 1e-12

type Floats = NDArray[np.float64]


def are_probabilities(values: Floats) -> bool:
    """Whether all lie in [0, 1]; NaN doesn't."""
    return bool(np.all((values >= 0) & (values <= 1)))


def predictions_at(probabilities: Floats, threshold: float) -> NDArray[np.int8]:
    """1 from the threshold on, shape (n,)."""
    return (probabilities >= threshold).astype(np.int8)


def brier_losses(probabilities: Floats, labels: NDArray[np.int8]) -> Floats:
    """Squared error of each row, shape (n,)."""
    return np.square(probabilities - labels)


def squared_differences(before: Floats, after: Floats) -> Floats:
    """Of two models' probabilities for the same rows, shape (n,)."""
    return np.square(before - after)


def log_odds(probabilities: Floats) -> Floats:
    """Of probabilities of any shape; 0 and 1 count as 1e-12 from there."""
    return np.asarray(logit(np.clip(probabilities, SMALLEST, 1 - SMALLEST)))


def probabilities_of(scores: Floats) -> Floats:
    """Of log-odds of any shape."""
    return np.asarray(expit(scores))


def rarer_so_far(labels: NDArray[np.int8]) -> NDArray[np.intp]:
    """How many of the rarer class the first 1, 2, ... n rows hold, shape (n,)."""
    positives = np.cumsum(labels, dtype=np.intp)
    return np.asarray(np.minimum(positives, np.arange(1, len(labels) + 1) - positives))
