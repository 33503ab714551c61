"""What a person looks at to judge a training run: learning curves, reliability, and what each threshold would do."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import TaskName
from selfheal.models.trainer import Curves

BINS = 10
THRESHOLDS = np.arange(0.02, 1.0, 0.02)


def curves_of(
    learning: Mapping[str, Sequence[float]],
    labels: NDArray[Any],
    probabilities: NDArray[np.float64],
    task: TaskName = "binary",
) -> Curves:
    """Curves of a run, of the tuning rows' labels and the finished model's answers to them."""
    if task != "binary":
        return Curves(learning={name: list(losses) for name, losses in learning.items()}, reliability=[], f1=[])
    tenths = np.array_split(np.argsort(probabilities, kind="stable"), BINS)
    return Curves(
        learning={name: list(losses) for name, losses in learning.items()},
        reliability=[(float(probabilities[rows].mean()), float(labels[rows].mean())) for rows in tenths if len(rows)],
        f1=list(zip(THRESHOLDS.tolist(), _f1_at(THRESHOLDS, labels, probabilities), strict=True)),
    )


def _f1_at(
    thresholds: NDArray[np.float64], labels: NDArray[np.int8], probabilities: NDArray[np.float64]
) -> list[float]:
    """F1 at each threshold; 0 where nothing is predicted nor positive. In scikit-learn it takes 10 ms each."""
    predicted = probabilities[:, None] >= thresholds
    true_positives = predicted[labels == 1].sum(axis=0)
    total = predicted.sum(axis=0) + int((labels == 1).sum())
    scores: list[float] = np.divide(2.0 * true_positives, total, out=np.zeros(len(total)), where=total > 0).tolist()
    return scores
