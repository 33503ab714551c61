"""Performance before labels come, of several classes: confidence-based estimation from calibrated probabilities.

Each class counts as the truth with the probability that its calibrated score says; the interval is by drawing labels,
and the temperature, whose uncertainty grows as the covariates leave those that it was fitted on.
"""

import numpy as np

from selfheal.tasks.effective_rows import effective_rows
from selfheal.tasks.multiclass.answers import SMALLEST
from selfheal.tasks.multiclass.calibration import fit_temperature
from selfheal.tasks.port import Floats, Measured, Scored, Unlabelled
from selfheal.tasks.simulation import estimate_of, expected_roc_auc

DRAWS = 200
ROWS_DRAWN = 2000
SEED = 0


def estimated(rows: Unlabelled, tuning: Scored, costs: Floats | None = None) -> Measured:
    """Accuracy, macro F1, ROC AUC, Brier and log loss of the rows (one at least), each with a 95 % interval.

    And their mean cost, where errors have prices: `costs` by truth and prediction, shape (classes, classes).
    """
    temperature = fit_temperature(tuning.answers, tuning.labels)
    rng = np.random.default_rng(SEED)
    expected = temperature.of(rows.answers)
    values = _metrics(rows, expected, costs)
    sample = rows.take(rng.permutation(len(rows.answers))[:ROWS_DRAWN])
    widening = np.sqrt(len(tuning.labels) / effective_rows(tuning.traits, sample.traits))
    drawn = [
        _metrics(sample, _drawn(rng, temperature.of(sample.answers, shift)), costs)
        for shift in widening * rng.standard_normal(DRAWS)
    ]
    simulated = {name: np.array([one[name] for one in drawn]) for name in values}
    commonest = float(expected.sum(axis=0).max())
    estimates = {name: estimate_of(value, simulated[name]) for name, value in values.items()}
    return Measured(estimates, len(expected) - commonest)


def _drawn(rng: np.random.Generator, probabilities: Floats) -> Floats:
    """One class for each row, as a unit vector."""
    places = (np.cumsum(probabilities, axis=1) < rng.random((len(probabilities), 1))).sum(axis=1)
    return np.asarray(np.eye(probabilities.shape[1])[np.minimum(places, probabilities.shape[1] - 1)])


def _metrics(rows: Unlabelled, truth: Floats, costs: Floats | None) -> dict[str, float]:
    """Of truths of shape (n, classes), drawn or expected; NaN where a metric isn't defined."""
    said, classes = rows.answers, rows.answers.shape[1]
    predicted = np.eye(classes)[rows.predictions.astype(np.intp)]
    hits, total = (predicted * truth).sum(axis=0), predicted.sum(axis=0) + truth.sum(axis=0)
    areas = [float(expected_roc_auc(said[:, code], truth[:, code][None])[0]) for code in range(classes)]
    known = [area for area in areas if not np.isnan(area)]
    paid = {} if costs is None else {"cost": float((truth * costs[:classes].T[rows.predictions]).sum(axis=1).mean())}
    return {
        **paid,
        "accuracy": float(hits.sum() / len(said)),
        "macro_f1": float((2 * hits[total > 0] / total[total > 0]).mean()),
        "roc_auc": float(np.mean(known)) if known else float("nan"),
        "brier": float(((np.square(said).sum(axis=1) + 1) / 2 - (truth * said).sum(axis=1)).mean()),
        "log_loss": float(-(truth * np.log(np.maximum(said, SMALLEST))).sum(axis=1).mean()),
    }
