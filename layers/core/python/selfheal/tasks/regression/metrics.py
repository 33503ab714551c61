"""Absolute and squared error in the target's unit, R², and how many labels an interval covers."""

import numpy as np
from numpy.typing import NDArray

from selfheal.records.monitoring import Estimate
from selfheal.tasks import intervals
from selfheal.tasks.metric import Metric, mean_metric, mean_of_parts
from selfheal.tasks.regression.answers import capped_squares

type Floats = NDArray[np.float64]


def _squared_parts(answers: Floats, _: Floats, labels: Floats) -> Floats:
    return np.column_stack([np.square(answers - labels), np.ones(len(labels))])


def _explained_parts(answers: Floats, _: Floats, labels: Floats) -> Floats:
    return np.column_stack([np.square(answers - labels), np.ones(len(labels)), labels, np.square(labels)])


def _explained(sums: Floats) -> Floats:
    """1 - squared error / variance; 0 where labels don't vary."""
    total = sums[:, 3] - sums[:, 2] ** 2 / sums[:, 1]
    return np.asarray(1 - np.divide(sums[:, 0], total, out=np.ones(len(sums)), where=total > 0))


def relative_squared_error(spread: float) -> Metric:
    """The mean of the losses: squared errors over the squared spread, 1 at the most."""
    title = "relative squared error"
    return mean_metric(
        "relative_squared_error", title, lambda answers, _, labels: capped_squares(answers - labels, spread)
    )


def mean_squared_error(spread: float) -> Metric:
    """In the target's unit, squared; no error counts for more than the spread: a wild label decides nothing."""
    return mean_metric(
        "mse",
        "mean squared error",
        lambda answers, _, labels: spread**2 * capped_squares(answers - labels, spread),
    )


MAE = mean_metric("mae", "mean absolute error", lambda answers, _, labels: np.abs(answers - labels))
RMSE = Metric(
    "rmse",
    "root mean squared error",
    is_loss=True,
    parts=_squared_parts,
    of_sums=lambda sums: np.sqrt(mean_of_parts(sums)),
)
R2 = Metric("r2", "R²", is_loss=False, parts=_explained_parts, of_sums=_explained)


def tuning_metrics(answers: Floats, labels: Floats, _: float) -> dict[str, float]:
    """RMSE and MAE in the target's unit, and R²."""
    errors, centred = answers - labels, labels - labels.mean()
    total = float(np.square(centred).sum())
    return {
        "rmse": float(np.sqrt(np.square(errors).mean())),
        "mae": float(np.abs(errors).mean()),
        "r2": 1 - float(np.square(errors).sum()) / total if total else 0.0,
    }


def realised(answers: Floats, labels: Floats, half_width: float | None) -> dict[str, Estimate]:
    """Of at least one row. Intervals: MAE and RMSE by the normal one of their means, R² by the bootstrap, coverage by
    Wilson.
    """
    errors = answers - labels
    squared = intervals.mean_of_any(np.square(errors))
    metrics = {
        "mae": intervals.mean_of_any(np.abs(errors)),
        "rmse": Estimate(value=_root(squared.value), low=_root(squared.low), high=_root(squared.high)),
        "r2": intervals.of_resampled_rows(R2, answers, answers, labels),
    }
    if half_width is not None:
        covered = float((np.abs(errors) <= half_width).sum())
        metrics["interval_coverage"] = intervals.proportion(covered, len(labels))
    return metrics


def _root(value: float | None) -> float | None:
    return None if value is None else float(np.sqrt(max(value, 0.0)))
