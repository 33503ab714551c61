"""Realised performance of a binary model: what matured labels say, each metric with an interval."""

import numpy as np
from numpy.typing import NDArray

from selfheal.records.monitoring import Estimate
from selfheal.tasks import intervals
from selfheal.tasks.binary.answers import brier_losses
from selfheal.tasks.port import Measured
from selfheal.tasks.reliability import bins_of, expected_calibration_error, gaps_of

RESAMPLES = 200


def realised(probabilities: NDArray[np.float64], predictions: NDArray[np.int8], labels: NDArray[np.int8]) -> Measured:
    """Metrics of n labelled rows (all arrays of shape (n,), n at least 1).

    Intervals: precision and recall by Wilson, F1 by Wilson on the Jaccard index, ROC AUC by DeLong, Brier by the normal
    one, expected calibration error by the bootstrap's percentiles.
    """
    true_positives = float(((predictions == 1) & (labels == 1)).sum())
    predicted, actual = float((predictions == 1).sum()), float((labels == 1).sum())
    metrics = {
        "f1": intervals.f1(true_positives, predicted - true_positives, actual - true_positives),
        "precision": intervals.proportion(true_positives, predicted),
        "recall": intervals.proportion(true_positives, actual),
        "roc_auc": intervals.roc_auc(probabilities, labels),
        "brier": intervals.mean(brier_losses(probabilities, labels)),
        "expected_calibration_error": _calibration_error(probabilities, labels),
    }
    return Measured(metrics, actual)


def _calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int8]) -> Estimate:
    """The bootstrap resamples each bin's gaps: only their sums count, so rows needn't be drawn one by one."""
    rows = len(labels)
    draws = np.random.default_rng(0).integers(0, rows, size=(RESAMPLES, rows), dtype=np.int32)
    bins, gaps = bins_of(probabilities), probabilities - labels
    errors = [np.abs(gaps_of(bins[d], gaps[d])).sum() / rows for d in draws]
    value = expected_calibration_error(probabilities, labels)
    low, high = np.quantile(errors, [0.025, 0.975])
    return Estimate(value=value, low=float(min(low, value)), high=float(max(high, value)))
