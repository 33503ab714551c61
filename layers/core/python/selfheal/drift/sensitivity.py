"""What a test could have seen: the smallest shift of one feature that reaches significance with a power of 80 %."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

# Standard normal quantile of the power.
POWER_QUANTILE = float(special.ndtri(0.8))
# Shifts at which a feature's sensitivity is tabulated, in standard deviations.
SHIFTS = np.geomspace(1e-4, 10, 120)

type Floats = NDArray[np.float64]


def location_differences(ordered: Floats) -> Floats:
    """How far a sample's distribution (sorted values) and itself moved by each of `SHIFTS` are apart, by KS.

    Each value's mass is spread evenly to half-way towards its neighbours: otherwise the smallest shift of a feature
    with ties would count as having moved all of them. All zero for a constant.
    """
    # Two thousand values are enough to find a shift to two digits.
    values, counts = np.unique(ordered[:: max(1, len(ordered) // 2000)], return_counts=True)
    if len(values) < 2:  # noqa: PLR2004 - a constant has no scale to be shifted by
        return np.zeros(len(SHIFTS))
    middles = (values[1:] + values[:-1]) / 2
    edges = np.concatenate([[2 * values[0] - middles[0]], middles, [2 * values[-1] - middles[-1]]])
    cumulative = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    moved = np.interp(edges[:, None] - SHIFTS * ordered.std(), edges, cumulative)
    return np.asarray((cumulative[:, None] - moved).max(axis=0))


def smallest_location_shift(differences: Floats, critical: float, size: float) -> float | None:
    """Smallest upward shift, in standard deviations, that Kolmogorov-Smirnov sees with a power of 80 %.

    `differences` are the feature's own (see above), ties and tails included; a p-value of at most `critical` counts;
    `size` is m n / (m + n). None where not even ten standard deviations would be seen.
    """
    root = np.sqrt(size)
    bar = special.kolmogi(critical) / (root + 0.12 + 0.11 / root)
    # The statistic scatters around the true difference by at most 1 / (2 sqrt(size)).
    needed = float(bar + POWER_QUANTILE / (2 * root))
    if differences[-1] < needed:
        return None
    return float(np.interp(needed, np.maximum.accumulate(differences), SHIFTS))


def smallest_share_change(share: float, critical: float, size: float) -> float | None:
    """Smallest share of all rows that leave a category holding `share` of them and are missed with a power of 80 %."""
    needed = (-special.ndtri(critical / 2) + POWER_QUANTILE) * np.sqrt(share * (1 - share) / size)
    return float(needed) if 0 < needed <= share else None
