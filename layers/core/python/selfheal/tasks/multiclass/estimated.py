"""Performance before labels come, of several classes: confidence-based estimation from calibrated probabilities.

Each class counts as the truth with the probability that its calibrated score says; the interval is by drawing labels,
and the temperature, whose uncertainty grows as the covariates leave those that it was fitted on.
"""

from collections.abc import Sequence

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
    (values,) = _metrics(rows, [expected], costs)
    sample = rows.take(rng.permutation(len(rows.answers))[:ROWS_DRAWN])
    widening = np.sqrt(len(tuning.labels) / effective_rows(tuning.traits, sample.traits))
    shifts = widening * rng.standard_normal(DRAWS)
    drawn = _metrics(sample, [_drawn(rng, temperature.of(sample.answers, shift)) for shift in shifts], costs)
    simulated = {name: np.array([one[name] for one in drawn]) for name in values}
    commonest = float(expected.sum(axis=0).max())
    estimates = {name: estimate_of(value, simulated[name]) for name, value in values.items()}
    return Measured(estimates, len(expected) - commonest)


def _drawn(rng: np.random.Generator, probabilities: Floats) -> Floats:
    """One class for each row, as a unit vector."""
    places = (np.cumsum(probabilities, axis=1) < rng.random((len(probabilities), 1))).sum(axis=1)
    return np.asarray(np.eye(probabilities.shape[1])[np.minimum(places, probabilities.shape[1] - 1)])


def _metrics(rows: Unlabelled, truths: Sequence[Floats], costs: Floats | None) -> list[dict[str, float]]:
    """Of several truths of shape (n, classes) each, drawn or expected; NaN where a metric isn't defined."""
    said, classes = rows.answers, rows.answers.shape[1]
    # Ranked once for all truths, a class at a time.
    areas = np.stack([expected_roc_auc(said[:, code], _of_class(truths, code)) for code in range(classes)], axis=1)
    predicted = np.eye(classes)[rows.predictions.astype(np.intp)]
    sharpness, logs = (np.square(said).sum(axis=1) + 1) / 2, np.log(np.maximum(said, SMALLEST))
    prices = None if costs is None else costs[:classes].T[rows.predictions]
    found = []
    for truth, by_class in zip(truths, areas, strict=True):
        hits, total = (predicted * truth).sum(axis=0), predicted.sum(axis=0) + truth.sum(axis=0)
        known = by_class[~np.isnan(by_class)]
        paid = {} if prices is None else {"cost": float((truth * prices).sum(axis=1).mean())}
        found.append(
            {
                **paid,
                "accuracy": float(hits.sum() / len(said)),
                "macro_f1": float((2 * hits[total > 0] / total[total > 0]).mean()),
                "roc_auc": float(np.mean(known)) if len(known) else float("nan"),
                "brier": float((sharpness - (truth * said).sum(axis=1)).mean()),
                "log_loss": float(-(truth * logs).sum(axis=1).mean()),
            }
        )
    return found


def _of_class(truths: Sequence[Floats], code: int) -> Floats:
    return np.stack([truth[:, code] for truth in truths])
