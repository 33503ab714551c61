"""Predictions joined with their true labels: the rows that training, performance and the gates work on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.data.dataset import Dataset
from selfheal.records.labels import Label
from selfheal.stores.history import PredictionHistory, PredictionWindow
from selfheal.stores.labels import LabelStore


@dataclass(frozen=True, eq=False)
class LabelledWindow:
    """A window of predictions and which of them are labelled.

    is_labelled: shape (n predictions,). labelled: the labelled rows as a Dataset, in the window's order.
    label_delays: shape (n labelled,), timedelta64[us]: from a prediction to the arrival of its label.
    unmatched: labels of the window whose prediction isn't in the log (yet).
    """

    predictions: PredictionWindow
    is_labelled: np.ndarray[tuple[int], np.dtype[np.bool_]]
    labelled: Dataset
    label_delays: NDArray[np.timedelta64]
    unmatched: int

    @property
    def coverage(self) -> float:
        """Labelled predictions / all predictions; 0 where there are none."""
        return float(self.is_labelled.mean()) if len(self.is_labelled) else 0.0


def labelled_window(
    history: PredictionHistory, labels: LabelStore, contract: Contract, start: datetime, end: datetime
) -> LabelledWindow:
    """All predictions made in [start, end), joined with the labels known now."""
    predictions = history.window(start, end, contract)
    known = labels.of_predictions_between(start, end)
    is_labelled = np.array([key in known for key in predictions.prediction_ids], dtype=bool)
    row_ids = predictions.prediction_ids[is_labelled]
    labelled = Dataset(
        row_ids=row_ids,
        timestamps=predictions.timestamps[is_labelled],
        features=predictions.features[is_labelled].reset_index(drop=True),
        labels=np.array([known[key].label for key in row_ids], dtype=np.int8),
    )
    delays = _delays(labelled, known)
    return LabelledWindow(predictions, is_labelled, labelled, delays, unmatched=len(known) - len(labelled))


def _delays(labelled: Dataset, known: Mapping[str, Label]) -> NDArray[np.timedelta64]:
    arrivals = [known[key].received_at.replace(tzinfo=None) for key in labelled.row_ids]
    delays: NDArray[np.timedelta64] = np.array(arrivals, dtype="datetime64[us]") - labelled.timestamps
    return delays
