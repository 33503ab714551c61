"""Performance before labels come: confidence-based estimation (as NannyML's CBPE) from calibrated probabilities.

Each prediction counts as right with the probability that its calibrated score says. The interval is by simulation:
labels are drawn, and so is the calibration, whose uncertainty grows as the covariates leave those that it was fitted
on. It can't see a concept drift: that the same inputs mean something else only labels can say.
"""

import numpy as np

from selfheal.records.monitoring import Estimate
from selfheal.tasks.binary.calibration import calibrated, fit_calibration
from selfheal.tasks.effective_rows import effective_rows
from selfheal.tasks.port import Floats, Measured, Scored, Unlabelled

DRAWS = 200
# More rows than this add nothing to an interval that the calibration dominates by then.
ROWS_DRAWN = 4000
SEED = 0


def estimated(rows: Unlabelled, tuning: Scored) -> Measured:
    """F1, precision, recall, ROC AUC and Brier of the rows (one at least), each with a 95 % interval.

    The tuning rows, which need both classes, are those that the model's twin hadn't seen.
    """
    fit = fit_calibration(tuning.answers, tuning.labels)
    rng = np.random.default_rng(SEED)
    chances_of_all = calibrated(rows.answers, fit.coefficients[None])
    values = _metrics(rows, chances_of_all)
    sample = rows.take(rng.permutation(len(rows.answers))[:ROWS_DRAWN])
    widened = fit.covariance * len(tuning.labels) / effective_rows(tuning.traits, sample.traits)
    drawn = rng.multivariate_normal(fit.coefficients, widened, size=DRAWS)
    chances = calibrated(sample.answers, drawn)
    simulated = _metrics(sample, (rng.random(chances.shape) < chances).astype(np.float64))
    estimates = {name: _estimate(float(value[0]), simulated[name]) for name, value in values.items()}
    return Measured(estimates, float(chances_of_all.sum()))


def _metrics(rows: Unlabelled, truth: Floats) -> dict[str, Floats]:
    """Each metric, shape (draws,), of truths in [0, 1], shape (draws, n); NaN where it isn't defined."""
    predictions, probabilities = rows.predictions.astype(np.float64), rows.answers
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
