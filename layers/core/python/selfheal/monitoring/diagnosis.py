"""Why: pipeline fault, covariate drift, prior shift, concept drift, or can't tell yet; each has its own action.

Labels decide. The model's own scores, calibrated on its tuning rows, say what labels to expect of these inputs. Where
the residuals of recent rows differ from those of the tuning rows, the same inputs now mean something else; unless one
constant on the log-odds explains it while each class still looks as it did, which is what a prior shift does
(Saerens, Latinne and Decaestecker 2002).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from selfheal.performance.calibration import calibrated, fit_calibration, log_odds
from selfheal.performance.logistic import Fit
from selfheal.records.drift import DriftVerdict
from selfheal.records.monitoring import Cause, Diagnosis, Finding

SIGNIFICANCE = 0.01
MINIMUM_OF_CLASS = 20

type Floats = NDArray[np.float64]

ACTIONS: dict[Cause, str] = {
    "none": "Nothing to do.",
    "pipeline_fault": "Mend the data pipeline first; no model is trained on these rows.",
    "covariate_drift": "Retrain on recent labelled rows, so that the model knows these inputs better.",
    "prior_shift": "Retrain, or at least choose the operating point anew: positives have become more or less frequent.",
    "concept_drift": "Retrain on recent labelled rows only as far back as the new behaviour goes.",
    "cannot_tell": "Deliver labels for recent predictions: inputs moved, but only labels can say what it means.",
}
UNEXPLAINED = "Retrain on recent labelled rows: the model has become worse, whatever the cause."


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """n labelled rows as one model scores them.

    probabilities, labels: shape (n,). traits: shape (n, k), what the rows are like: ranks of numeric features.
    """

    probabilities: Floats
    labels: NDArray[np.int8]
    traits: Floats

    @property
    def are_enough(self) -> bool:
        """Whether both classes are there often enough to compare."""
        positives = int(self.labels.sum())
        return min(positives, len(self.labels) - positives) >= MINIMUM_OF_CLASS

    @property
    def logits(self) -> Floats:
        """Log-odds of the probabilities, shape (n,)."""
        return log_odds(self.probabilities)

    def of_class(self, label: int) -> Self:
        """The rows of one class."""
        rows = self.labels == label
        return type(self)(self.probabilities[rows], self.labels[rows], self.traits[rows])


def diagnose(
    faults: tuple[Finding, ...],
    drift: DriftVerdict | None,
    tuning: ScoredRows,
    recent: ScoredRows,
    minimum_labels: int,
    *,
    decayed: bool = False,
) -> Diagnosis:
    """The most likely cause of what a run found; `recent` holds the newest labelled rows of the same model.

    decayed: whether those rows show that the model has become worse, so that something is wrong whatever the cause.
    """
    cause, reason = _cause(faults, drift, tuning, recent, minimum_labels)
    if decayed and cause == "none":
        return Diagnosis(cause="cannot_tell", reason=f"labels don't tell why yet: {reason}", action=UNEXPLAINED)
    return Diagnosis(cause=cause, reason=reason, action=ACTIONS[cause])


def _cause(
    faults: tuple[Finding, ...], drift: DriftVerdict | None, tuning: ScoredRows, recent: ScoredRows, minimum_labels: int
) -> tuple[Cause, str]:
    if faults:
        return "pipeline_fault", "; ".join(fault.message for fault in faults)
    moved = drift is not None and drift.drift_detected
    inputs = "too few predictions to judge the inputs" if drift is None else "inputs hold still"
    if len(recent.labels) < minimum_labels or not recent.are_enough or not tuning.are_enough:
        labelled = f"only {len(recent.labels)} recent predictions are labelled"
        return ("cannot_tell", f"inputs moved, and {labelled}") if moved else ("none", f"{inputs}; {labelled}")
    return _cause_by_labels(tuning, recent, inputs, moved=moved)


def _cause_by_labels(tuning: ScoredRows, recent: ScoredRows, inputs: str, *, moved: bool) -> tuple[Cause, str]:
    honest = fit_calibration(tuning.probabilities, tuning.labels)
    p_meaning = residual_p_value(tuning, recent, honest)
    if p_meaning > SIGNIFICANCE:
        if moved:
            return "covariate_drift", f"inputs moved; what they mean has not (p = {p_meaning:.2g})"
        return "none", f"{inputs}; what they mean holds still (p = {p_meaning:.2g})"
    explained = residual_p_value(tuning, recent, honest, Offset.between(tuning.labels, recent.labels))
    classes = class_p_value(tuning, recent)
    share = f"positives went from {tuning.labels.mean():.1%} to {recent.labels.mean():.1%}"
    if min(explained, classes) > SIGNIFICANCE:
        return "prior_shift", f"{share}, and each class looks as before (p = {min(explained, classes):.2g})"
    return "concept_drift", f"the same inputs now mean something else (p = {p_meaning:.2g}); {share}"


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


def residual_p_value(tuning: ScoredRows, recent: ScoredRows, honest: Fit, offset: Offset | None = None) -> float:
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
    def of(cls, rows: ScoredRows, coefficients: Floats) -> Self:
        expected = calibrated(rows.probabilities, coefficients)
        regressors = np.column_stack([np.ones(len(rows.labels)), rows.logits, rows.traits])
        leanings = (rows.labels - expected)[:, None] * regressors
        certainty = (expected * (1 - expected))[:, None] * regressors
        return cls(
            leanings.mean(axis=0),
            np.atleast_2d(np.cov(leanings, rowvar=False)) / len(leanings),
            certainty.T @ regressors[:, :2] / len(leanings),
        )


def class_p_value(tuning: ScoredRows, recent: ScoredRows) -> float:
    """Whether within each class the scores are distributed as before: two KS tests, Bonferroni-corrected."""
    p_values = [
        stats.ks_2samp(tuning.of_class(label).logits, recent.of_class(label).logits, method="asymp").pvalue
        for label in (0, 1)
    ]
    return float(min(1.0, 2 * min(p_values)))
