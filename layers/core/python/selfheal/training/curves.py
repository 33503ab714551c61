"""What a person looks at to judge a training run: learning curves, reliability, and what each threshold would do."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

BINS = 10
THRESHOLDS = np.arange(0.02, 1.0, 0.02)


class Curves(TypedDict):
    """All of the tuning rows.

    learning: for each candidate the Brier score by number of trees (one value where it has none). reliability: for each
    tenth of the rows by probability, the mean probability and the share of positives. f1: threshold and F1.
    """

    learning: dict[str, list[float]]
    reliability: list[tuple[float, float]]
    f1: list[tuple[float, float]]


def curves_of(
    learning: Mapping[str, Sequence[float]], labels: NDArray[np.int8], probabilities: NDArray[np.float64]
) -> Curves:
    """Curves of a run; labels and the finished model's probabilities have shape (tuning rows,)."""
    tenths = np.array_split(np.argsort(probabilities, kind="stable"), BINS)
    return Curves(
        learning={name: list(losses) for name, losses in learning.items()},
        reliability=[(float(probabilities[rows].mean()), float(labels[rows].mean())) for rows in tenths if len(rows)],
        f1=[(float(at), float(f1_score(labels, probabilities >= at, zero_division=0.0))) for at in THRESHOLDS],
    )
