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
from selfheal.training.model import Calibration, FittedModel
from selfheal.training.training import TrainedModel

# One that was wrong may have met with a change that comes once; it takes several to tell a habit, and each of them so
# many answers.
FEWEST_VERSIONS, FEWEST_ANSWERS = 3, 100
# Without one of the versions the others may look as if they had been too modest, or wrong: by so much at the most.
STEEPEST, PRECISION = 3.0, 1e-4
# Scores drawn by less than this are as good as they were; by more than this they would hardly say anything.
WORTH_DRAWING, LEAST = 0.95, 0.05

type Floats = NDArray[np.float64]


def confidence_of(scores: Floats, labels: NDArray[np.int8], versions: NDArray[np.intp]) -> Confidence | None:
    """How far scores like these should be drawn towards the base rate; None where they may stay as they are.

    The slope of highest likelihood and a standard error more, by jackknife over versions (MacKinnon, Nielsen and Webb,
    Journal of Econometrics 232, 2023, CV3: honest too where clusters are few and unlike in size); or the slope without
    the one version that speaks the most for drawing, where that is more. So no single version can take anything away.

    Args:
        scores: shape (n,): log-odds that versions said of rows that came after their training.
        labels: shape (n,), 0 or 1: what was true.
        versions: shape (n,): which version said it; one with fewer than 100 rows counts for nothing.
    """
    names, sizes = np.unique(versions, return_counts=True)
    names = names[sizes >= FEWEST_ANSWERS]
    counts = np.isin(versions, names)
    scores, labels, versions = scores[counts], labels[counts], versions[counts]
    if len(names) < FEWEST_VERSIONS or len(np.unique(labels)) < 2:  # noqa: PLR2004 - both classes
        return None
    centre = float(logit(labels.mean()))
    slope = _slope(scores, labels, centre)
    without = np.array([_slope(scores[versions != name], labels[versions != name], centre) for name in names])
    cautious = max(float(without.max()), slope + _standard_error(slope, without))
    if cautious >= WORTH_DRAWING:
        return None
    return Confidence(slope=max(LEAST, cautious), centre=centre, answers=len(labels))


def _slope(scores: Floats, labels: NDArray[np.int8], centre: float) -> float:
    """The one of highest likelihood, from -3 to 3."""
    distances = scores - centre

    def derivative(slope: float) -> float:
        # Of the log-likelihood: it falls, so that it has one zero at the most.
        return float((distances * (labels - expit(centre + slope * distances))).sum())

    if derivative(-STEEPEST) <= 0:
        return -STEEPEST
    return STEEPEST if derivative(STEEPEST) >= 0 else float(brentq(derivative, -STEEPEST, STEEPEST, xtol=PRECISION))


def _standard_error(slope: float, without: Floats) -> float:
    versions = len(without)
    return float(np.sqrt((versions - 1) / versions * ((without - slope) ** 2).sum()))


def less_sure(
    trained: TrainedModel, confidence: Confidence, contract: Contract, tuning_labels: NDArray[np.int8]
) -> TrainedModel:
    """The same model with its scores drawn towards the centre; a threshold that it chose itself moves along."""
    fitted = trained.fitted
    towards = Calibration().drawn(confidence.slope, confidence.centre)
    probabilities = towards.probabilities(logit(trained.tuning_probabilities))
    threshold = contract.model.threshold
    if threshold == "max_f1":
        threshold = float(towards.probabilities(np.array(logit(fitted.threshold))))
    calibration = fitted.calibration.drawn(confidence.slope, confidence.centre)
    return replace(
        trained,
        fitted=FittedModel(fitted.members, calibration, threshold),
        metrics=tuning_metrics(tuning_labels, probabilities, threshold),
        tuning_probabilities=probabilities,
        curves=curves_of(trained.curves["learning"], tuning_labels, probabilities),
    )
