"""What a probability is worth: Platt's calibration on rows that the model hadn't seen."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from selfheal.tasks.logistic import Fit, fit_logistic

type Floats = NDArray[np.float64]


def fit_calibration(probabilities: Floats, labels: NDArray[np.int8]) -> Fit:
    """Intercept and slope on the log-odds that make these rows' probabilities honest (Platt 1999)."""
    return fit_logistic(_design(probabilities), labels, np.array([0.0, 1.0]), ridge=1e-3)


def calibrated(probabilities: Floats, coefficients: Floats) -> Floats:
    """Probabilities after calibration: shape (n,), or (draws, n) for coefficients of shape (draws, 2)."""
    return np.asarray(special.expit(coefficients @ _design(probabilities).T))


def log_odds(probabilities: Floats) -> Floats:
    """Log-odds, kept finite."""
    return np.asarray(special.logit(np.clip(probabilities, 1e-6, 1 - 1e-6)))


def _design(probabilities: Floats) -> Floats:
    return np.column_stack([np.ones(len(probabilities)), log_odds(probabilities)])
