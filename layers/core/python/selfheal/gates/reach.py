"""How far evidence reaches: do two models differ far more on the newest requests than on the rows that judged them?

Labels come late, so that the rows that judge are older than the requests that will be answered. Where the population
has changed since, a gain on those rows says little of these. What the models answer needs no label: two that disagree
far more on today's requests than where they were compared haven't been compared on what is asked today.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from selfheal.gates.resampling import blocks_of

# So many of the newest requests are asked.
NEWEST_REQUESTS = 1000
CONFIDENCE = 0.95

type Floats = NDArray[np.float64]


def disagreement(before: Floats, after: Floats, weights: Floats) -> float:
    """The weighted mean squared difference of two models' probabilities for the same rows, shape (n,) each."""
    return float(np.average(np.square(before - after), weights=weights))


def least_disagreement(before: Floats, after: Floats) -> float | None:
    """A lower 95 % bound of the mean squared difference, from blocks of rows in time order; None for fewer than two."""
    differences = np.square(before - after)
    blocks = blocks_of(len(differences))
    if len(differences) < 2:  # noqa: PLR2004 - one block has no spread
        return None
    means = np.bincount(blocks, differences) / np.bincount(blocks)
    error = float(means.std(ddof=1) / np.sqrt(len(means)))
    return max(0.0, float(differences.mean()) - float(ndtri(CONFIDENCE)) * error)
