"""Distances between two distributions over cells: each takes shares with the cells on the last axis, and broadcasts."""

import numpy as np
from numpy.typing import NDArray

type Shares = NDArray[np.float64]


def kolmogorov_smirnov(first: Shares, second: Shares) -> NDArray[np.float64]:
    """Largest difference of the two cumulative distributions over cells in order; 0 to 1."""
    return np.abs(np.cumsum(first - second, axis=-1)).max(axis=-1)


def rank_wasserstein(window: Shares, reference: Shares) -> NDArray[np.float64]:
    """Wasserstein distance on the reference's rank scale, 0 to 0.5: how many quantiles values moved.

    Each cell sits at its mid-rank in the reference; a heavy tail counts by its rank, not by its size.
    """
    positions = np.cumsum(reference) - reference / 2
    return np.abs(np.cumsum(window - reference, axis=-1))[..., :-1] @ np.diff(positions)


def jensen_shannon(first: Shares, second: Shares) -> NDArray[np.float64]:
    """Jensen-Shannon distance (square root of the divergence in bits), 0 to 1: Endres and Schindelin 2003."""
    middle = (first + second) / 2
    divergence = (_relative_entropy(first, middle) + _relative_entropy(second, middle)) / 2
    return np.sqrt(np.maximum(divergence, 0.0))


def population_stability(window: Shares, reference: Shares, floor: float = 1e-4) -> float:
    """Population stability index over cells; an empty cell counts as `floor`, as is usual."""
    actual, expected = np.maximum(window, floor), np.maximum(reference, floor)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def _relative_entropy(first: Shares, second: Shares) -> NDArray[np.float64]:
    held = first > 0
    ratio = np.divide(first, second, out=np.ones(np.broadcast_shapes(first.shape, second.shape)), where=held)
    return (first * np.log2(ratio)).sum(axis=-1)
