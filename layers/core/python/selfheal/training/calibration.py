"""Platt or temperature scaling on the tuning rows, kept only where it helps on rows that it wasn't fitted on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from selfheal.contract.model import TaskName
from selfheal.models.fitted import Calibration
from selfheal.tasks.binary.answers import brier_losses
from selfheal.tasks.multiclass.answers import half_squared_distances, normalised
from selfheal.tasks.multiclass.calibration import fit_temperature

# Relative gain in Brier below which a calibration is noise.
SMALLEST_GAIN = 0.002
FOLDS = 5


def calibration_of(scores: NDArray[np.float64], labels: NDArray[Any], task: TaskName = "binary") -> Calibration:
    """The calibration of scores of n rows in time order, or the identity: numbers have none.

    It is judged by cross-validation over consecutive stretches of time.
    """
    if task == "regression":
        return Calibration()
    fit, loss = (_platt, _brier) if task == "binary" else (_temperature, _distance)
    folds = np.arange(len(labels)) * FOLDS // len(labels)
    if any(len(np.unique(labels[folds != fold])) < 2 for fold in range(FOLDS)):  # noqa: PLR2004
        return Calibration()
    held_out = np.empty_like(scores)
    for fold in range(FOLDS):
        inside, outside = folds != fold, folds == fold
        held_out[outside] = fit(scores[inside], labels[inside]).scores(scores[outside])
    before, after = loss(scores, labels), loss(held_out, labels)
    return fit(scores, labels) if after < before * (1 - SMALLEST_GAIN) else Calibration()


def _platt(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> Calibration:
    # Hardly any penalty: two parameters on at least a hundred rows.
    fitted = LogisticRegression(C=1e4, solver="newton-cholesky").fit(scores[:, None], labels)
    return Calibration(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


def _temperature(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> Calibration:
    return Calibration(float(np.exp(fit_temperature(normalised(scores), labels).log_slope)))


def _brier(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> float:
    return float(brier_losses(Calibration().probabilities(scores), labels).mean())


def _distance(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> float:
    return float(half_squared_distances(normalised(scores), labels).mean())
