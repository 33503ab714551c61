"""A small logistic regression by Newton's method: calibration and propensities need no more, and must not change."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

STEPS = 50
CONVERGED = 1e-9

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients, shape (k,), and their covariance, shape (k, k)."""

    coefficients: Floats
    covariance: Floats


def fit_logistic(design: Floats, labels: NDArray[np.int8], centre: Floats, ridge: float) -> Fit:
    """Maximum likelihood with a ridge towards `centre`, which keeps separable rows finite.

    design: shape (n, k). labels: shape (n,), 0 or 1. centre: shape (k,).
    """
    coefficients, penalty = centre.astype(np.float64), ridge * np.eye(design.shape[1])
    for _ in range(STEPS):
        expected = special.expit(design @ coefficients)
        gradient = design.T @ (labels - expected) - ridge * (coefficients - centre)
        step = np.linalg.solve(_curvature(design, expected) + penalty, gradient)
        # Short steps: far from the optimum the likelihood is flat.
        coefficients = coefficients + np.clip(step, -1, 1)
        if np.abs(step).max() < CONVERGED:
            break
    curvature = _curvature(design, special.expit(design @ coefficients)) + penalty
    return Fit(coefficients, np.linalg.inv(curvature))


def _curvature(design: Floats, expected: Floats) -> Floats:
    return np.asarray((design.T * (expected * (1 - expected))) @ design)
