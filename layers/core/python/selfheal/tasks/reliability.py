"""How far probabilities are from how often what they speak of happens."""

import numpy as np
from numpy.typing import NDArray

from selfheal.tasks.port import Floats

BINS = 10


def expected_calibration_error(probabilities: Floats, happened: NDArray[np.bool_] | NDArray[np.int8]) -> float:
    """Mean distance of probability and frequency over ten equally wide bins, weighted by rows (Naeini et al. 2015).

    probabilities, happened: shape (n,), n at least 1; of several classes the likeliest one's, and whether it was right.
    """
    return float(np.abs(gaps_of(bins_of(probabilities), probabilities - happened)).sum() / len(probabilities))


def bins_of(probabilities: Floats) -> NDArray[np.intp]:
    """The bin of each, shape (n,)."""
    return np.minimum((probabilities * BINS).astype(np.intp), BINS - 1)


def gaps_of(bins: NDArray[np.intp], gaps: Floats) -> Floats:
    """The sum of the rows' gaps in each bin, shape (BINS,)."""
    return np.bincount(bins, weights=gaps, minlength=BINS)
