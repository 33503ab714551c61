"""Accuracy, macro F1 and the Brier score of several classes, and what a candidate is described by."""

import numpy as np
from numpy.typing import NDArray

from selfheal.records.monitoring import Estimate
from selfheal.tasks import intervals
from selfheal.tasks.metric import Metric, mean_metric, mean_of_parts
from selfheal.tasks.multiclass.answers import (
    half_squared_distances,
    likeliest,
    log_losses,
    of_truth,
)
from selfheal.tasks.port import Measured
from selfheal.tasks.reliability import expected_calibration_error

type Floats = NDArray[np.float64]
type Labels = NDArray[np.int8]


def macro_f1(classes: int) -> Metric:
    """The mean F1 of the classes that occur, in truth or prediction; a later class than `classes` is none of them."""

    def parts(_: Floats, predictions: Labels, labels: Labels) -> Floats:
        """For each class true positives, predicted and actual ones."""
        known = np.arange(classes)
        predicted, actual = predictions[:, None] == known, labels[:, None] == known
        return np.hstack([predicted & actual, predicted, actual]).astype(np.float64)

    def of_sums(sums: Floats) -> Floats:
        true_positives, predicted, actual = np.split(sums, 3, axis=1)
        total = predicted + actual
        f1 = np.divide(2 * true_positives, total, out=np.zeros_like(total), where=total > 0)
        occurring = (total > 0).sum(axis=1)
        return np.asarray(np.divide(f1.sum(axis=1), occurring, out=np.zeros(len(sums)), where=occurring > 0))

    return Metric("macro_f1", "macro F1", is_loss=False, parts=parts, of_sums=of_sums)


def _accuracy_parts(_: Floats, predictions: Labels, labels: Labels) -> Floats:
    return np.column_stack([predictions == labels, np.ones(len(labels))]).astype(np.float64)


ACCURACY = Metric("accuracy", "accuracy", is_loss=False, parts=_accuracy_parts, of_sums=mean_of_parts)
BRIER = mean_metric("brier", "Brier score", lambda said, _, labels: half_squared_distances(said, labels))
LOG_LOSS = mean_metric("logloss", "log loss", lambda said, _, labels: log_losses(said, labels))


def tuning_metrics(
    probabilities: Floats, labels: Labels, _: float, predictions: Labels | None = None
) -> dict[str, float]:
    """Brier, log loss, one-against-rest ROC AUC, calibration error of the likeliest class, accuracy and macro F1.

    Without `predictions` the likeliest class is predicted.
    """
    metric, best = macro_f1(probabilities.shape[1]), likeliest(probabilities)
    predictions = best if predictions is None else predictions
    sums = metric.parts(probabilities, predictions, labels).sum(axis=0, keepdims=True)
    return {
        "brier": float(half_squared_distances(probabilities, labels).mean()),
        "log_loss": float(log_losses(probabilities, labels).mean()),
        "roc_auc": roc_auc(probabilities, labels).value or 0.0,
        "expected_calibration_error": expected_calibration_error(probabilities.max(axis=1), best == labels),
        "accuracy": float((predictions == labels).mean()),
        "macro_f1": float(metric.of_sums(sums)[0]),
    }


def realised(probabilities: Floats, predictions: Labels, labels: Labels) -> Measured:
    """Metrics of at least one row. Intervals: accuracy by Wilson, macro F1 by the bootstrap, the others by the normal.

    That of the ROC AUC is the mean of the classes' own (DeLong): wider than it need be, as they aren't all alike.
    """
    metric = macro_f1(probabilities.shape[1])
    metrics = {
        "accuracy": intervals.proportion(float((predictions == labels).sum()), len(labels)),
        "macro_f1": intervals.of_resampled_rows(metric, probabilities, predictions, labels),
        "roc_auc": roc_auc(probabilities, labels),
        "brier": intervals.mean(half_squared_distances(probabilities, labels)),
        "log_loss": intervals.mean_of_any(log_losses(probabilities, labels)),
    }
    commonest = np.bincount(labels.astype(np.intp)).max()
    return Measured(metrics, float(len(labels) - commonest))


def roc_auc(probabilities: Floats, labels: Labels) -> Estimate:
    """Mean of the classes' ROC AUC against the rest, of those that occur and aren't alone."""
    found = [
        intervals.roc_auc(probabilities[:, code], (labels == code).astype(np.int8))
        for code in range(probabilities.shape[1])
    ]
    known = [one for one in found if one.value is not None]
    if not known:
        return Estimate(value=None, low=None, high=None)
    value, low, high = (float(np.mean([getattr(one, bound) for one in known])) for bound in ("value", "low", "high"))
    return Estimate(value=value, low=low, high=high)


def excess_of_truth(probabilities: Floats, labels: Labels) -> tuple[Floats, Floats]:
    """By how much each row's loss exceeds what its own probabilities let expect, and the variance of that by them."""
    squares, cubes = np.square(probabilities).sum(axis=1), (probabilities**3).sum(axis=1)
    return squares - of_truth(probabilities, labels), np.maximum(cubes - squares**2, 0.0)
