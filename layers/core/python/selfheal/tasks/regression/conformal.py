"""Intervals that cover nine labels in ten: split conformal prediction on rows that the model hadn't seen.

Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005; Lei et al., Journal of the American
Statistical Association 113, 2018. The coverage holds on average, where new rows are exchangeable with those rows: not
under drift, which is why it is watched.
"""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from selfheal.records.manifest import INTERVAL_LEVEL


def half_width_of(answers: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """How far the interval reaches on either side of an answer; of fewer than 9 rows as far as the largest error."""
    errors = np.sort(np.abs(answers - labels))
    return float(errors[min(ceil((len(errors) + 1) * INTERVAL_LEVEL), len(errors)) - 1])
