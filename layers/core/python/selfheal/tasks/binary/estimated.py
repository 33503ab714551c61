"""Performance before labels come: confidence-based estimation (as NannyML's CBPE) from calibrated probabilities.

Each prediction counts as right with the probability that its calibrated score says. The interval is by simulation:
labels are drawn, and so is the calibration, whose uncertainty grows as the covariates leave those that it was fitted
on. It can't see a concept drift: that the same inputs mean something else only labels can say.
"""

import numpy as np

from selfheal.contract.model import ErrorCosts
from selfheal.tasks.binary.calibration import calibrated, fit_calibration
from selfheal.tasks.binary.metrics import costs_of
from selfheal.tasks.effective_rows import effective_rows
from selfheal.tasks.port import Floats, Measured, Scored, Unlabelled
from selfheal.tasks.simulation import estimate_of, expected_roc_auc, ratio

DRAWS = 200
# More rows than this add nothing to an interval that the calibration dominates by then.
ROWS_DRAWN = 4000
SEED = 0


def estimated(rows: Unlabelled, tuning: Scored, costs: ErrorCosts | None = None) -> Measured:
    """F1, precision, recall, ROC AUC, Brier and the cost of the rows (one at least), each with a 95 % interval.

    The tuning rows, which need both classes, are those that the model's twin hadn't seen.
    """
    fit = fit_calibration(tuning.answers, tuning.labels)
    rng = np.random.default_rng(SEED)
    chances_of_all = calibrated(rows.answers, fit.coefficients[None])
    values = _metrics(rows, chances_of_all, costs)
    sample = rows.take(rng.permutation(len(rows.answers))[:ROWS_DRAWN])
    widened = fit.covariance * len(tuning.labels) / effective_rows(tuning.traits, sample.traits)
    drawn = rng.multivariate_normal(fit.coefficients, widened, size=DRAWS)
    chances = calibrated(sample.answers, drawn)
    simulated = _metrics(sample, (rng.random(chances.shape) < chances).astype(np.float64), costs)
    estimates = {name: estimate_of(float(value[0]), simulated[name]) for name, value in values.items()}
    return Measured(estimates, float(chances_of_all.sum()))


def _metrics(rows: Unlabelled, truth: Floats, costs: ErrorCosts | None) -> dict[str, Floats]:
    """Each metric, shape (draws,), of truths in [0, 1], shape (draws, n); NaN where it isn't defined."""
    predictions, probabilities = rows.predictions.astype(np.float64), rows.answers
    true_positives = truth @ predictions
    predicted, actual = predictions.sum(), truth.sum(axis=1)
    priced = {} if costs is None else {"cost": costs_of(predictions, truth, costs).mean(axis=1)}
    return {
        **priced,
        "f1": ratio(2 * true_positives, predicted + actual),
        "precision": ratio(true_positives, np.full(len(truth), predicted)),
        "recall": ratio(true_positives, actual),
        "roc_auc": expected_roc_auc(probabilities, truth),
        "brier": (truth @ (1 - probabilities) ** 2 + (1 - truth) @ probabilities**2) / len(probabilities),
    }
