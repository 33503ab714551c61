"""Predictions as the log holds them, and those of them whose labels have come."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.tables.dataset import Dataset, typed_features
from selfheal.tables.table import Table
from selfheal.tasks.coding import answers_of


@dataclass(frozen=True, eq=False)
class PredictionWindow(Table):
    """n logged predictions, oldest first.

    prediction_ids, model_versions: shape (n,), strings. timestamps: shape (n,), datetime64[us] in UTC.
    probabilities: what was answered, float64: shape (n,), or (n, classes); a regression's number. predictions: shape
    (n,): 0 or 1, a class's position, a number. features: n rows by the contract's features.
    """

    prediction_ids: NDArray[np.object_]
    timestamps: NDArray[np.datetime64]
    model_versions: NDArray[np.object_]
    probabilities: NDArray[np.float64]
    predictions: NDArray[Any]
    features: pd.DataFrame

    @classmethod
    def empty(cls, contract: Contract) -> Self:
        """No prediction."""
        nothing = pd.Series(dtype="float64")
        texts = np.zeros(0, dtype=object)
        features = typed_features(pd.DataFrame(dict.fromkeys(contract.feature_names, texts)), contract)
        answers, predictions = answers_of(nothing, nothing, {}, contract)
        return cls(texts, np.zeros(0, dtype="datetime64[us]"), texts, answers, predictions, features)

    @property
    def order_in_time(self) -> NDArray[np.intp]:
        """Positions of the rows, oldest first; those of one moment in the order of their ids. Shape (n,)."""
        return np.lexsort((self.prediction_ids.astype(str), self.timestamps))

    def in_time_order(self) -> Self:
        """The rows oldest first, as they are where they are so already."""
        is_disordered = bool((np.diff(self.timestamps.astype(np.int64)) < 0).any())
        return self.take(self.order_in_time) if is_disordered else self


@dataclass(frozen=True, eq=False)
class LabelledPredictions(Table):
    """n predictions, oldest first, and their labels; `labels` is shape (n,)."""

    rows: PredictionWindow
    labels: NDArray[Any]

    @property
    def in_time(self) -> Self:
        """The same, oldest first, of rows in any order."""
        return self.take(self.rows.order_in_time)


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
    sampled_from: of so many predictions this is a sample, and what is counted is its own; 0 where it is all.
    """

    predictions: PredictionWindow
    is_labelled: NDArray[np.bool_]
    joined: LabelledRows
    unmatched: int
    faulty: int
    sampled_from: int = 0

    @property
    def labelled(self) -> Dataset:
        """The labelled rows without when their labels arrived."""
        return self.joined.rows

    @property
    def coverage(self) -> float:
        """Labelled predictions / all predictions; 0 where there are none."""
        return float(self.is_labelled.mean()) if len(self.is_labelled) else 0.0
