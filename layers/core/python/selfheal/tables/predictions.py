"""Predictions as the log holds them, and those of them whose labels have come."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.tables.dataset import Dataset
from selfheal.tables.table import Table


@dataclass(frozen=True, eq=False)
class PredictionWindow(Table):
    """n logged predictions, oldest first.

    prediction_ids, model_versions: shape (n,), strings. timestamps: shape (n,), datetime64[us] in UTC.
    probabilities: shape (n,), float64. predictions: shape (n,), int8. features: n rows by the contract's features.
    """

    prediction_ids: NDArray[np.object_]
    timestamps: NDArray[np.datetime64]
    model_versions: NDArray[np.object_]
    probabilities: NDArray[np.float64]
    predictions: NDArray[np.int8]
    features: pd.DataFrame


@dataclass(frozen=True, eq=False)
class RecentPredictions(Table):
    """n predictions, oldest first, and their labels; `labels` is shape (n,), -1 where none has come yet."""

    rows: PredictionWindow
    labels: NDArray[np.int8]

    @property
    def is_labelled(self) -> NDArray[np.bool_]:
        """Shape (n,)."""
        return self.labels >= 0


@dataclass(frozen=True, eq=False)
class LabelledRows(Table):
    """n labelled rows, oldest first, and when their labels arrived: `arrivals` is shape (n,), datetime64[us] in UTC."""

    rows: Dataset
    arrivals: NDArray[np.datetime64]

    @property
    def delays(self) -> NDArray[np.timedelta64]:
        """From a prediction to the arrival of its label, shape (n,), timedelta64[us]."""
        return np.asarray(self.arrivals - self.rows.timestamps)


@dataclass(frozen=True, eq=False)
class LabelledWindow:
    """A window of predictions and which of them are labelled, those left out that a broken pipeline made.

    is_labelled: shape (n predictions,). joined: the labelled rows, in the window's order.
    unmatched: labels of the window whose prediction isn't in the log (yet). faulty: predictions left out.
    """

    predictions: PredictionWindow
    is_labelled: NDArray[np.bool_]
    joined: LabelledRows
    unmatched: int
    faulty: int

    @property
    def labelled(self) -> Dataset:
        """The labelled rows without when their labels arrived."""
        return self.joined.rows

    @property
    def coverage(self) -> float:
        """Labelled predictions / all predictions; 0 where there are none."""
        return float(self.is_labelled.mean()) if len(self.is_labelled) else 0.0
