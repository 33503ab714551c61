"""Where the picture of a numeric feature is cut into bars."""

import numpy as np
from numpy.typing import NDArray

BARS = 16

type Floats = NDArray[np.float64]


def bar_edges(ordered: Floats) -> Floats:
    """Edges of sixteen bars over the middle 98 % of sorted values, one value at least; or of one bar a value."""
    distinct = np.unique(ordered)
    if len(distinct) <= BARS:
        # One bar a value.
        middles = (distinct[1:] + distinct[:-1]) / 2
        return np.concatenate([[distinct[0] - 0.5], middles, [distinct[-1] + 0.5]])
    low, high = np.quantile(ordered, [0.01, 0.99])
    if not (distinct % 1).any():
        # Bars of whole numbers hold equally many of them, or the picture shows gaps that aren't there.
        width = max(1.0, float(round((high - low) / BARS)))
        return np.arange(low - 0.5, high + width, width)
    return np.linspace(low, high if high > low else low + 1.0, BARS + 1)
