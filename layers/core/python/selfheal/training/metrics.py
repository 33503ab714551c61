"""Metrics of a candidate on the tuning rows, and the threshold that is best there."""

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from selfheal.performance.realised import brier_losses, expected_calibration_error


def tuning_metrics(labels: NDArray[np.int8], probabilities: NDArray[np.float64], threshold: float) -> dict[str, float]:
    """Brier, log loss, ROC AUC, calibration error, and at the threshold F1, precision and recall."""
    predicted = probabilities >= threshold
    return {
        "brier": float(brier_losses(probabilities, labels).mean()),
        "log_loss": float(metrics.log_loss(labels, probabilities)),
        "roc_auc": float(metrics.roc_auc_score(labels, probabilities)),
        "expected_calibration_error": expected_calibration_error(probabilities, labels),
        "f1": float(metrics.f1_score(labels, predicted, zero_division=0.0)),
        "precision": float(metrics.precision_score(labels, predicted, zero_division=0.0)),
        "recall": float(metrics.recall_score(labels, predicted, zero_division=0.0)),
    }


def best_f1_threshold(labels: NDArray[np.int8], probabilities: NDArray[np.float64]) -> float:
    """The threshold with the highest F1 on these rows: halfway between two probabilities, clear of rounding."""
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    true_positives = np.cumsum(labels[order] == 1)
    f1 = 2 * true_positives / (np.arange(1, len(labels) + 1) + true_positives[-1])
    is_last_of_ties = np.append(ranked[1:] != ranked[:-1], True)
    best = int(np.argmax(np.where(is_last_of_ties, f1, -1.0)))
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + below) / 2)
