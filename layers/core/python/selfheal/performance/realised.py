"""Realised performance: what matured labels say, each metric with an interval."""

import numpy as np
from numpy.typing import NDArray

from selfheal.data.moments import as_utc
from selfheal.records.monitoring import Performance
from selfheal.tasks import BINARY, Task


def realised_performance(
    timestamps: NDArray[np.datetime64],
    probabilities: NDArray[np.float64],
    predictions: NDArray[np.int8],
    labels: NDArray[np.int8],
    task: Task = BINARY,
) -> Performance:
    """The task's metrics of n labelled rows (all arrays of shape (n,), n at least 1)."""
    measured = task.realised(probabilities, predictions, labels)
    return Performance(
        estimated=False,
        n=len(labels),
        positives=measured.positives,
        oldest=as_utc(timestamps.min()),
        newest=as_utc(timestamps.max()),
        metrics=measured.metrics,
    )
