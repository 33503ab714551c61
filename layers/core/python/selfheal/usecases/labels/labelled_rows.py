"""Predictions joined with their true labels: the rows that training, performance and the gates work on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.data.dataset import Dataset
from selfheal.data.moments import as_datetime64
from selfheal.records.labels import Label
from selfheal.records.monitoring import FaultPeriod
from selfheal.stores.collection import Stores
from selfheal.stores.history import PredictionWindow
from selfheal.usecases.labels.labelled_days import labelled_days


@dataclass(frozen=True, eq=False)
class LabelledWindow:
    """A window of predictions and which of them are labelled, those left out that a broken pipeline made.

    is_labelled: shape (n predictions,). labelled: the labelled rows as a Dataset, in the window's order.
    label_delays: shape (n labelled,), timedelta64[us]: from a prediction to the arrival of its label.
    unmatched: labels of the window whose prediction isn't in the log (yet). faulty: predictions left out.
    """

    predictions: PredictionWindow
    is_labelled: np.ndarray[tuple[int], np.dtype[np.bool_]]
    labelled: Dataset
    label_delays: NDArray[np.timedelta64]
    unmatched: int
    faulty: int

    @property
    def coverage(self) -> float:
        """Labelled predictions / all predictions; 0 where there are none."""
        return float(self.is_labelled.mean()) if len(self.is_labelled) else 0.0


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """n labelled rows, oldest first, and when their labels arrived: `arrivals` is shape (n,), datetime64[us] in UTC."""

    rows: Dataset
    arrivals: NDArray[np.datetime64]


def labelled_rows(stores: Stores, contract: Contract, start: datetime, end: datetime) -> LabelledRows:
    """The labelled predictions made in [start, end). Days without any aren't read, others one at a time.

    So a year of predictions of which few are labelled costs the memory of those few.
    """
    windows = [
        labelled_window(stores, contract, max(since, start), min(until, end))
        for since, until in labelled_days(stores, start, end)
    ] or [labelled_window(stores, contract, end, end)]
    return LabelledRows(
        Dataset.concatenate([window.labelled for window in windows]),
        np.concatenate([window.labelled.timestamps + window.label_delays for window in windows]),
    )


def labelled_window(stores: Stores, contract: Contract, start: datetime, end: datetime) -> LabelledWindow:
    """All predictions made in [start, end) while the pipeline was sound, joined with the labels known now."""
    made = stores.history.window(start, end, contract)
    sound = is_sound(made, stores.fault_periods.touching(start, end))
    predictions = made.take(sound)
    known = stores.labels.of_predictions_between(start, end)
    unmatched = len(known.keys() - set(made.prediction_ids))
    is_labelled = np.array([key in known for key in predictions.prediction_ids], dtype=bool)
    row_ids = predictions.prediction_ids[is_labelled]
    labelled = Dataset(
        row_ids=row_ids,
        timestamps=predictions.timestamps[is_labelled],
        features=predictions.features[is_labelled].reset_index(drop=True),
        labels=np.array([known[key].label for key in row_ids], dtype=np.int8),
    )
    delays = _delays(labelled, known)
    return LabelledWindow(predictions, is_labelled, labelled, delays, unmatched, faulty=int((~sound).sum()))


def is_sound(made: PredictionWindow, broken: Iterable[FaultPeriod]) -> NDArray[np.bool_]:
    """Which predictions no broken pipeline made, shape (len(made),)."""
    sound = np.ones(len(made), dtype=bool)
    for period in broken:
        sound &= (made.timestamps < as_datetime64(period.start)) | (made.timestamps >= as_datetime64(period.end))
    return sound


def _delays(labelled: Dataset, known: Mapping[str, Label]) -> NDArray[np.timedelta64]:
    arrivals = [known[key].received_at.replace(tzinfo=None) for key in labelled.row_ids]
    delays: NDArray[np.timedelta64] = np.array(arrivals, dtype="datetime64[us]") - labelled.timestamps
    return delays
