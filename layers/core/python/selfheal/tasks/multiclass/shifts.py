"""Do the same inputs mean what they meant, and if not, have only the shares of the classes shifted?

The model's own probabilities, calibrated on its tuning rows, say what classes to expect of these inputs. A prior shift
multiplies each class's probability by a factor (Saerens, Latinne and Decaestecker 2002).
"""

import numpy as np
from scipy import special, stats

from selfheal.tasks.differences import mean_difference_p_value
from selfheal.tasks.multiclass.answers import likeliest, padded
from selfheal.tasks.multiclass.calibration import fit_temperature
from selfheal.tasks.port import Floats, PriorShift, Scored

# Rows of a class below which its scores aren't compared.
FEWEST_OF_A_CLASS = 20
# So that a class that never came has a share.
SMOOTHING = 0.5


def meaning_p_value(then: Scored, now: Scored) -> float:
    """Whether residuals lean the same way then and now; small where the same inputs mean something else."""
    temperature = fit_temperature(then.answers, then.labels)
    return _residual_p_value(then, now, temperature.of(then.answers), temperature.of(now.answers))


def prior_shift(then: Scored, now: Scored) -> PriorShift:
    """Whether factors on the classes explain that they don't, and each class looks as it did."""
    temperature = fit_temperature(then.answers, then.labels)
    classes = max(then.answers.shape[1], int(then.labels.max()) + 1, int(now.labels.max()) + 1)
    before, after = (_shares(rows, classes) for rows in (then, now))
    shifted = padded(temperature.of(now.answers), classes) * after / before
    shifted = shifted / shifted.sum(axis=1, keepdims=True)
    explained = _residual_p_value(then, now, padded(temperature.of(then.answers), classes), shifted)
    moved = int(np.abs(after - before).argmax())
    said = f"the share of one class went from {before[moved]:.1%} to {after[moved]:.1%}"
    return PriorShift(min(explained, _class_p_value(then, now)), said)


def _shares(rows: Scored, classes: int) -> Floats:
    counts = np.bincount(rows.labels.astype(np.intp), minlength=classes) + SMOOTHING
    return np.asarray(counts / counts.sum())


def _residual_p_value(then: Scored, now: Scored, expected_then: Floats, expected_now: Floats) -> float:
    """Chi-squared test of the difference of mean residuals times regressors: see `_leanings`."""
    leanings = [_leanings(rows, said) for rows, said in ((then, expected_then), (now, expected_now))]
    return mean_difference_p_value(*leanings)


def _leanings(rows: Scored, expected: Floats) -> Floats:
    """Each class's residual, and that of the likeliest class times its log-odds and the traits, shape (n, k)."""
    chosen = likeliest(expected)
    confidence = expected[np.arange(len(chosen)), chosen]
    truth = rows.labels[:, None] == np.arange(expected.shape[1])
    regressors = np.column_stack([special.logit(np.clip(confidence, 1e-6, 1 - 1e-6)), rows.traits])
    right = (rows.labels == chosen) - confidence
    return np.column_stack([truth - expected, right, right[:, None] * regressors])


def _class_p_value(then: Scored, now: Scored) -> float:
    """Whether within each class that both hold often enough its own score is distributed as before; Bonferroni."""
    p_values = []
    for code in range(then.answers.shape[1]):
        before, after = (rows.answers[rows.labels == code, code] for rows in (then, now))
        if min(len(before), len(after)) >= FEWEST_OF_A_CLASS:
            p_values.append(float(stats.ks_2samp(before, after, method="asymp").pvalue))
    return min(1.0, len(p_values) * min(p_values)) if p_values else 1.0
