"""Performance before labels come: confidence-based estimation (as NannyML's CBPE) from calibrated probabilities.

Each prediction counts as right with the probability that its calibrated score says. The interval is by simulation:
labels are drawn, and so is the calibration, whose uncertainty grows as the covariates leave those that it was fitted
on. It can't see a concept drift: that the same inputs mean something else only labels can say.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from selfheal.data.moments import as_utc
from selfheal.performance.calibration import calibrated, fit_calibration
from selfheal.performance.logistic import fit_logistic
from selfheal.records.monitoring import Estimate, Performance

DRAWS = 200
# More rows than this add nothing to an interval that the calibration dominates by then.
ROWS_DRAWN = 4000
SEED = 0

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answered:
    """n predictions: when, how likely, which class; and what their rows are like, shape (n, k)."""

    timestamps: NDArray[np.datetime64]
    probabilities: Floats
    predictions: NDArray[np.int8]
    traits: Floats


def estimated_performance(
    answered: Answered, tuning_probabilities: Floats, tuning_labels: NDArray[np.int8], tuning_traits: Floats
) -> Performance:
    """F1, precision, recall, ROC AUC and Brier of the predictions (one at least), each with a 95 % interval.

    The tuning rows, which need both classes, are those that the model's twin hadn't seen.
    """
    fit = fit_calibration(tuning_probabilities, tuning_labels)
    rng = np.random.default_rng(SEED)
    values = _metrics(answered, calibrated(answered.probabilities, fit.coefficients[None]))
    rows = rng.permutation(len(answered.probabilities))[:ROWS_DRAWN]
    sample = Answered(*(part[rows] for part in vars(answered).values()))
    widened = fit.covariance * len(tuning_labels) / effective_rows(tuning_traits, sample.traits)
    drawn = rng.multivariate_normal(fit.coefficients, widened, size=DRAWS)
    chances = calibrated(sample.probabilities, drawn)
    simulated = _metrics(sample, (rng.random(chances.shape) < chances).astype(np.float64))
    return Performance(
        estimated=True,
        n=len(answered.probabilities),
        positives=float(calibrated(answered.probabilities, fit.coefficients[None]).sum()),
        oldest=as_utc(answered.timestamps.min()),
        newest=as_utc(answered.timestamps.max()),
        metrics={name: _estimate(float(value[0]), simulated[name]) for name, value in values.items()},
    )


def effective_rows(tuning_traits: Floats, window_traits: Floats) -> float:
    """How many of the tuning rows speak for the window: Kish's effective size under density-ratio weights.

    The ratio is the odds of a logistic regression that tells window from tuning rows. At least 1.
    """
    both = np.concatenate([tuning_traits, window_traits])
    design = np.column_stack([np.ones(len(both)), both])
    is_window = np.repeat(np.array([0, 1], dtype=np.int8), [len(tuning_traits), len(window_traits)])
    fit = fit_logistic(design, is_window, np.zeros(design.shape[1]), ridge=1.0)
    weights = np.exp(np.clip(design[: len(tuning_traits)] @ fit.coefficients, -20, 20))
    return float(max(1.0, weights.sum() ** 2 / (weights**2).sum()))


def _metrics(answered: Answered, truth: Floats) -> dict[str, Floats]:
    """Each metric, shape (draws,), of truths in [0, 1], shape (draws, n); NaN where it isn't defined."""
    predictions, probabilities = answered.predictions.astype(np.float64), answered.probabilities
    true_positives = truth @ predictions
    predicted, actual = predictions.sum(), truth.sum(axis=1)
    return {
        "f1": _ratio(2 * true_positives, predicted + actual),
        "precision": _ratio(true_positives, np.full(len(truth), predicted)),
        "recall": _ratio(true_positives, actual),
        "roc_auc": _roc_auc(probabilities, truth),
        "brier": (truth @ (1 - probabilities) ** 2 + (1 - truth) @ probabilities**2) / len(probabilities),
    }


def _roc_auc(probabilities: Floats, truth: Floats) -> Floats:
    """Expected share of pairs in the right order, ties counted half, for fractional truths."""
    ordered = truth[:, np.argsort(probabilities, kind="stable")]
    starts = np.flatnonzero(np.diff(np.sort(probabilities), prepend=-1.0))
    positives = np.add.reduceat(ordered, starts, axis=1)
    negatives = np.add.reduceat(1 - ordered, starts, axis=1)
    pairs = (positives * (np.cumsum(negatives, axis=1) - negatives / 2)).sum(axis=1)
    return _ratio(pairs, truth.sum(axis=1) * (1 - truth).sum(axis=1))


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _estimate(value: float, simulated: Floats) -> Estimate:
    known = simulated[~np.isnan(simulated)]
    if np.isnan(value) or not len(known):
        return Estimate(value=None, low=None, high=None)
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(value=value, low=float(min(low, value)), high=float(max(high, value)))
