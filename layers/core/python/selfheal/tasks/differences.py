"""Whether two sets of rows differ in the mean of several quantities at once."""

import numpy as np
from numpy.typing import NDArray
from scipy import special


def mean_difference_p_value(then: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Chi-squared test of the difference of means, shape (n, k) each, of its covariance's rank."""
    difference = now.mean(axis=0) - then.mean(axis=0)
    covariance = sum(np.atleast_2d(np.cov(one, rowvar=False)) / len(one) for one in (then, now))
    statistic = difference @ np.linalg.pinv(covariance, hermitian=True) @ difference
    return float(special.chdtrc(np.linalg.matrix_rank(covariance, hermitian=True), statistic))
