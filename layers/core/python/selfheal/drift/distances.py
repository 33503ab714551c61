"""Distances between two distributions. Those on cells take shares with the cells on the last axis, and broadcast."""

from dataclasses import dataclass
from typing import Self

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


@dataclass(frozen=True, eq=False)
class Presorted:
    """A reference sample made ready: its distinct values, and how many rows hold each or a smaller one."""

    points: NDArray[np.float64]
    ranks: NDArray[np.int64]

    @classmethod
    def of(cls, ordered: NDArray[np.float64]) -> Self:
        """From sorted values without NaN; there must be one at least."""
        last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        return cls(ordered[last], last.astype(np.int64) + 1)


def wasserstein(reference: Presorted, ordered: NDArray[np.float64]) -> float:
    """Exact Wasserstein-1 distance of a reference and sorted values without NaN, of which there must be one at least.

    Between two neighbouring reference values the reference's distribution is flat and the other one rises, so they
    cross at most once there: prefix sums of the values on either side of the crossing give the area, at O(m log n)
    for m reference values after one pass over the n values.
    """
    centre = reference.points[len(reference.points) // 2]
    # Sums of distances from a middle value lose fewer digits than sums of the values.
    sums = np.empty(len(ordered) + 1)
    sums[0] = 0.0
    np.cumsum(ordered - centre, out=sums[1:])
    return _area(reference, ordered, sums, centre) / len(ordered)


def _area(reference: Presorted, values: NDArray[np.float64], sums: NDArray[np.float64], centre: float) -> float:
    """Area between the two distributions, times n."""
    n, ranks, m = len(values), reference.ranks[:-1], int(reference.ranks[-1])
    at, before = np.searchsorted(values, reference.points, side="right"), np.searchsorted(values, reference.points)
    points = reference.points - centre
    tails = before[0] * points[0] - sums[before[0]] + sums[n] - sums[at[-1]] - (n - at[-1]) * points[-1]
    start, stop, left, right = at[:-1], before[1:], points[:-1], points[1:]
    height = ranks * n / m
    # The first value at which the rising distribution reaches the flat one; exact in integers.
    crossing = np.clip(-(-ranks * n // m) - 1, start, stop)
    turn = np.where(crossing < stop, values[np.minimum(crossing, n - 1)] - centre, right)
    turn = np.where((crossing == start) & (start >= height), left, turn)
    below = (height - start) * (turn - left) - ((crossing - start) * turn - (sums[crossing] - sums[start]))
    above = (crossing - height) * (right - turn) + (stop - crossing) * right - (sums[stop] - sums[crossing])
    return float(tails + np.abs(below).sum() + np.abs(above).sum())


def _relative_entropy(first: Shares, second: Shares) -> NDArray[np.float64]:
    held = first > 0
    ratio = np.divide(first, second, out=np.ones(np.broadcast_shapes(first.shape, second.shape)), where=held)
    return (first * np.log2(ratio)).sum(axis=-1)
