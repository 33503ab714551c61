"""F1 and the Brier score from sums over rows, and what a candidate of a training run is described by."""

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import ErrorCosts
from selfheal.tasks import intervals
from selfheal.tasks.binary.answers import SMALLEST, brier_losses, predictions_at
from selfheal.tasks.metric import Metric, mean_metric
from selfheal.tasks.reliability import expected_calibration_error

type Floats = NDArray[np.float64]
type Labels = NDArray[np.int8]


def log_losses(probabilities: Floats, labels: Labels) -> Floats:
    """Negative log-likelihood of each row, shape (n,); an impossible truth counts as one of 1e-12."""
    of_truth = np.where(labels == 1, probabilities, 1 - probabilities)
    return np.asarray(-np.log(np.maximum(of_truth, SMALLEST)))


def tuning_metrics(probabilities: Floats, labels: Labels, threshold: float) -> dict[str, float]:
    """Brier, log loss, ROC AUC, calibration error, and at the threshold F1, precision and recall; of both classes."""
    true_positives, predicted, actual = _f1_parts(probabilities, predictions_at(probabilities, threshold), labels).sum(
        axis=0
    )
    return {
        "brier": float(brier_losses(probabilities, labels).mean()),
        "log_loss": float(log_losses(probabilities, labels).mean()),
        "roc_auc": float(intervals.roc_auc(probabilities, labels).value or 0.0),
        "expected_calibration_error": expected_calibration_error(probabilities, labels),
        "f1": float(2 * true_positives / (predicted + actual)) if predicted + actual else 0.0,
        "precision": float(true_positives / predicted) if predicted else 0.0,
        "recall": float(true_positives / actual) if actual else 0.0,
    }


def _f1_parts(_: Floats, predictions: Labels, labels: Labels) -> Floats:
    """True positives, predicted and actual ones."""
    return np.column_stack([labels * predictions, predictions, labels]).astype(np.float64)


def _f1(sums: Floats) -> Floats:
    """2 TP / (predicted positives + actual positives); 0 where there is neither."""
    positives = sums[:, 1] + sums[:, 2]
    return np.divide(2 * sums[:, 0], positives, out=np.zeros(len(sums)), where=positives > 0)


def cost_metric(costs: ErrorCosts) -> Metric:
    """The mean cost of a prediction."""
    return mean_metric("cost", "cost", lambda _, predictions, labels: costs_of(predictions, labels, costs))


def costs_of(predictions: Labels | Floats, labels: Labels | Floats, costs: ErrorCosts) -> Floats:
    """What each prediction costs, shape (n,); of labels that are only expected the expected cost, shape (draws, n)."""
    wrongly, missed = predictions * (1.0 - labels), (1.0 - predictions) * labels
    return np.asarray(costs.false_positive * wrongly + costs.false_negative * missed)


F1 = Metric("f1", "F1", is_loss=False, parts=_f1_parts, of_sums=_f1)
BRIER = mean_metric("brier", "Brier score", lambda probabilities, _, labels: brier_losses(probabilities, labels))
LOG_LOSS = mean_metric("logloss", "log loss", lambda probabilities, _, labels: log_losses(probabilities, labels))
