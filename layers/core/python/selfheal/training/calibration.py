"""Platt scaling on the tuning rows, kept only where it helps on rows that it wasn't fitted on."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from selfheal.models.fitted import Calibration
from selfheal.tasks.binary.answers import brier_losses

# Relative gain in Brier below which a calibration is noise.
SMALLEST_GAIN = 0.002
FOLDS = 5


def calibration_of(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> Calibration:
    """The calibration of scores in log-odds (both shape (n,), in time order), or the identity.

    It is judged by cross-validation over consecutive stretches of time.
    """
    folds = np.arange(len(labels)) * FOLDS // len(labels)
    if any(len(np.unique(labels[folds != fold])) < 2 for fold in range(FOLDS)):  # noqa: PLR2004
        return Calibration()
    held_out = np.empty(len(labels))
    for fold in range(FOLDS):
        inside, outside = folds != fold, folds == fold
        held_out[outside] = _platt(scores[inside], labels[inside]).probabilities(scores[outside])
    before = brier_losses(Calibration().probabilities(scores), labels).mean()
    after = brier_losses(held_out, labels).mean()
    return _platt(scores, labels) if after < before * (1 - SMALLEST_GAIN) else Calibration()


def _platt(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> Calibration:
    # Hardly any penalty: two parameters on at least a hundred rows.
    fitted = LogisticRegression(C=1e4, solver="newton-cholesky").fit(scores[:, None], labels)
    return Calibration(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))
