"""What probabilities of classes are worth: one temperature, fitted on rows that the model hadn't seen.

Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from selfheal.tasks.multiclass.answers import log_losses, log_probabilities, normalised
from selfheal.tasks.port import Floats, LossModel, Scored

# Of the temperature's logarithm: nothing beyond is a matter of calibration.
BOUNDS = (-2.0, 2.0)
STEP = 1e-3


@dataclass(frozen=True, slots=True)
class Temperature:
    """The factor on log-probabilities, as its logarithm, and the standard error of that."""

    log_slope: float
    error: float

    def of(self, probabilities: Floats, shift: float = 0.0) -> Floats:
        """Calibrated probabilities, with so many standard errors more."""
        return normalised(np.exp(self.log_slope + shift * self.error) * log_probabilities(probabilities))


def fit_temperature(probabilities: Floats, labels: NDArray[np.int8]) -> Temperature:
    """By maximum likelihood, with a slight pull towards 1 that keeps perfectly told classes finite."""
    scores = log_probabilities(probabilities)

    def loss(log_slope: float) -> float:
        return float(log_losses(normalised(np.exp(log_slope) * scores), labels).sum()) + log_slope**2

    best = float(minimize_scalar(loss, bounds=BOUNDS, method="bounded").x)
    curvature = (loss(best + STEP) - 2 * loss(best) + loss(best - STEP)) / STEP**2
    return Temperature(best, float(1 / np.sqrt(max(curvature, 1e-6))))


def expected_losses(tuning: Scored) -> LossModel:
    """Half the squared distance that a row's own probabilities let expect, calibrated on the tuning rows."""
    temperature = fit_temperature(tuning.answers, tuning.labels)

    def losses(probabilities: Floats, _: Floats) -> Floats:
        honest = temperature.of(probabilities)
        return np.asarray((np.square(probabilities).sum(axis=1) + 1) / 2 - (honest * probabilities).sum(axis=1))

    return losses
