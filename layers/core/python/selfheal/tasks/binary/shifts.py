"""Do the same inputs mean what they meant, and if not, has only the share of positives shifted?

The model's own scores, calibrated on its tuning rows, say what labels to expect of these inputs. Where the residuals of
recent rows differ from those of the tuning rows, the same inputs now mean something else; unless one constant on the
log-odds explains it while each class still looks as it did, which is what a prior shift does (Saerens, Latinne and
Decaestecker 2002).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from selfheal.tasks.binary.calibration import calibrated, fit_calibration, log_odds
from selfheal.tasks.logistic import Fit
from selfheal.tasks.port import Floats, PriorShift, Scored


def meaning_p_value(then: Scored, now: Scored) -> float:
    """Whether residuals lean the same way then and now; small where the same inputs mean something else."""
    return residual_p_value(then, now, fit_calibration(then.answers, then.labels))


def prior_shift(then: Scored, now: Scored) -> PriorShift:
    """Whether a constant on the log-odds explains that they don't, and each class looks as it did."""
    offset = Offset.between(then.labels, now.labels)
    explained = residual_p_value(then, now, fit_calibration(then.answers, then.labels), offset)
    said = f"positives went from {then.labels.mean():.1%} to {now.labels.mean():.1%}"
    return PriorShift(min(explained, class_p_value(then, now)), said)


@dataclass(frozen=True)
class Offset:
    """What a prior shift adds to every log-odds, and the variance of that estimate."""

    value: float = 0.0
    variance: float = 0.0

    @classmethod
    def between(cls, then: NDArray[np.int8], now: NDArray[np.int8]) -> Self:
        """The difference of the log-odds of two label frequencies."""
        rates = [float(labels.mean()) for labels in (then, now)]
        variances = [1 / (len(labels) * rate * (1 - rate)) for labels, rate in zip((then, now), rates, strict=True)]
        return cls(float(special.logit(rates[1]) - special.logit(rates[0])), sum(variances))


def residual_p_value(tuning: Scored, recent: Scored, honest: Fit, offset: Offset | None = None) -> float:
    """Whether residuals (label minus calibrated expectation) lean the same way on score and traits then and now.

    A two-sample score test: the mean of residual times (1, log-odds, traits) in the recent rows minus that in the
    tuning rows, against its covariance, to which the calibration's own uncertainty adds where the rows differ;
    chi-squared with the rank of that as degrees of freedom.
    """
    offset = offset or Offset()
    shifted = honest.coefficients + np.array([offset.value, 0.0])
    then, now = _Leanings.of(tuning, honest.coefficients), _Leanings.of(recent, shifted)
    difference = now.mean - then.mean
    slopes = now.slopes - then.slopes
    by_offset = np.outer(now.slopes[:, 0], now.slopes[:, 0]) * offset.variance
    covariance = now.covariance + then.covariance + slopes @ honest.covariance @ slopes.T + by_offset
    statistic = difference @ np.linalg.pinv(covariance, hermitian=True) @ difference
    return float(special.chdtrc(np.linalg.matrix_rank(covariance, hermitian=True), statistic))


@dataclass(frozen=True, eq=False)
class _Leanings:
    """Mean of residual times regressors, shape (k,), its covariance, and how it falls with the calibration, (k, 2)."""

    mean: Floats
    covariance: Floats
    slopes: Floats

    @classmethod
    def of(cls, rows: Scored, coefficients: Floats) -> Self:
        expected = calibrated(rows.answers, coefficients)
        regressors = np.column_stack([np.ones(len(rows.labels)), log_odds(rows.answers), rows.traits])
        leanings = (rows.labels - expected)[:, None] * regressors
        certainty = (expected * (1 - expected))[:, None] * regressors
        return cls(
            leanings.mean(axis=0),
            np.atleast_2d(np.cov(leanings, rowvar=False)) / len(leanings),
            certainty.T @ regressors[:, :2] / len(leanings),
        )


def class_p_value(tuning: Scored, recent: Scored) -> float:
    """Whether within each class the scores are distributed as before: two KS tests, Bonferroni-corrected."""
    then, now = ([log_odds(rows.answers[rows.labels == label]) for label in (0, 1)] for rows in (tuning, recent))
    pairs = zip(then, now, strict=True)
    p_values = [stats.ks_2samp(before, after, method="asymp").pvalue for before, after in pairs]
    return float(min(1.0, 2 * min(p_values)))
