"""How sure a version may be, by how sure the versions before it turned out to be with right.

A model is calibrated on the rows that follow its training at once. In production it answers for weeks, on rows that
move away from these, and where the world moves it is surer of itself than it has a right to be. How much surer, the
versions before it tell: each has a stretch of labelled rows for which it was the newest one. So scores are drawn
towards the base rate by one slope (temperature scaling: Guo, Pleiss, Sun and Weinberger, ICML 2017) fitted on these.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from selfheal.contract import Contract
from selfheal.records.manifest import Confidence
from selfheal.training.curves import curves_of
from selfheal.training.metrics import tuning_metrics
from selfheal.training.model import FittedModel
from selfheal.training.training import TrainedModel

# One that was wrong may have met with a change that comes once; it takes several to tell a habit.
FEWEST_VERSIONS = 3
# Scores drawn by less than this are as good as they were.
WORTH_DRAWING = 0.95

type Floats = NDArray[np.float64]


def confidence_of(scores: Floats, labels: NDArray[np.int8], versions: NDArray[np.intp]) -> Confidence | None:
    """How far scores like these should be drawn towards the base rate; None where they may stay as they are.

    The slope of highest likelihood, and a standard error more (clustered by version: Liang and Zeger, Biometrika 73,
    1986), so that no more is taken away than versions of several times have shown.

    Args:
        scores: shape (n,): log-odds that versions said of rows that came after their training.
        labels: shape (n,), 0 or 1: what was true.
        versions: shape (n,): which version said it.
    """
    if len(np.unique(versions)) < FEWEST_VERSIONS or len(np.unique(labels)) < 2:  # noqa: PLR2004 - both classes
        return None
    centre = float(logit(labels.mean()))
    distances = scores - centre
    if _derivative(1.0, distances, labels, centre) >= 0:
        return None
    falls_before = _derivative(0.0, distances, labels, centre) <= 0
    slope = 0.0 if falls_before else float(brentq(_derivative, 0.0, 1.0, args=(distances, labels, centre)))
    cautious = slope + _standard_error(slope, distances, labels, centre, versions)
    return Confidence(slope=cautious, centre=centre, answers=len(labels)) if cautious < WORTH_DRAWING else None


def _derivative(slope: float, distances: Floats, labels: NDArray[np.int8], centre: float) -> float:
    """Of the log-likelihood in the slope: it falls from 0 to 1, so that it has one zero at the most."""
    return float((distances * (labels - expit(centre + slope * distances))).sum())


def _standard_error(
    slope: float, distances: Floats, labels: NDArray[np.int8], centre: float, versions: NDArray[np.intp]
) -> float:
    expected = expit(centre + slope * distances)
    information = float((distances**2 * expected * (1 - expected)).sum())
    names, numbers = np.unique(versions, return_inverse=True)
    of_version = np.bincount(numbers, distances * (labels - expected))
    # Their mean is 0 but where the likeliest slope lies below 0.
    spread = float(np.linalg.norm(of_version - of_version.mean()))
    return spread / information * float(np.sqrt(len(names) / (len(names) - 1)))


def drawn(scores: Floats, confidence: Confidence) -> Floats:
    """Scores in log-odds drawn towards the centre."""
    return confidence.centre + confidence.slope * (scores - confidence.centre)


def less_sure(
    trained: TrainedModel, confidence: Confidence, contract: Contract, tuning_labels: NDArray[np.int8]
) -> TrainedModel:
    """The same model with its scores drawn towards the centre; a threshold that it chose itself moves along."""
    fitted = trained.fitted
    probabilities = expit(drawn(logit(trained.tuning_probabilities), confidence))
    threshold = contract.model.threshold
    if threshold == "max_f1":
        threshold = float(expit(drawn(np.array(logit(fitted.threshold)), confidence)))
    calibration = fitted.calibration.drawn(confidence.slope, confidence.centre)
    return replace(
        trained,
        fitted=FittedModel(fitted.members, calibration, threshold),
        metrics=tuning_metrics(tuning_labels, probabilities, threshold),
        tuning_probabilities=probabilities,
        curves=curves_of(trained.curves["learning"], tuning_labels, probabilities),
    )
