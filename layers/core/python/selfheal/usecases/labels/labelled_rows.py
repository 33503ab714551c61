"""Predictions joined with their true labels: the rows that training, performance and the gates work on."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.data.moments import as_datetime64
from selfheal.labels.known import KnownLabel
from selfheal.records.monitoring import FaultPeriod
from selfheal.stores.collection import Stores
from selfheal.tables.dataset import Dataset
from selfheal.tables.predictions import LabelledRows, LabelledWindow, PredictionWindow
from selfheal.tables.smallest import MOST_JUDGED, smallest_of
from selfheal.tasks.coding import labels_of
from selfheal.usecases.labels.labelled_days import labelled_days

type Kept = Callable[[Dataset], NDArray[np.bool_]]


def labelled_rows(
    stores: Stores, contract: Contract, start: datetime, end: datetime, *, kept: Kept | None = None
) -> Dataset:
    """The labelled predictions made in [start, end), oldest first. Days without any aren't read, others by the hour.

    So a year of predictions of which few are labelled costs the memory of those few. `kept` says which of some rows are
    kept; it is asked now and then of all that were read, and at last of all that there are.
    """
    collected: list[Dataset] = []
    settled = 0
    for since, until in labelled_days(stores, start, end):
        collected += _joined_by_hour(stores, contract, max(since, start), min(until, end))
        # Where twice as many rows have come as were left by the last look, or more, it is worth another one.
        if kept is not None and sum(map(len, collected)) > 2 * settled:
            rows = Dataset.concatenate(collected or [_none(contract)])
            collected = [rows.take(kept(rows))]
            settled = len(collected[0])
    rows = Dataset.concatenate(collected or [_none(contract)])
    return rows if kept is None else rows.take(kept(rows))


def labelled_window(
    stores: Stores, contract: Contract, start: datetime, end: datetime, *, most: int = MOST_JUDGED
) -> LabelledWindow:
    """The predictions made in [start, end) while the pipeline was sound, joined with the labels known now.

    Of more predictions than `most` a sample, and what is counted is of that sample: an hour of them is in memory beside
    it, and of the labels no more than its own.
    """
    made = smallest_of(stores.history.partitions(start, end, contract), PredictionWindow.empty(contract), most)
    sound = is_sound(made.rows, stores.fault_periods.touching(start, end))
    predictions = made.rows.take(sound)
    known = stores.labels.of_predictions_between(start, end, made.below)
    unmatched = len(known.keys() - set(made.rows.prediction_ids))
    is_labelled, rows = joined(predictions, known, contract)
    return LabelledWindow(
        predictions,
        is_labelled,
        rows,
        unmatched,
        faulty=int((~sound).sum()),
        sampled_from=0 if made.below is None else made.held,
    )


def _joined_by_hour(stores: Stores, contract: Contract, start: datetime, end: datetime) -> Iterator[Dataset]:
    known = stores.labels.of_predictions_between(start, end)
    broken = tuple(stores.fault_periods.touching(start, end))
    for hour in stores.history.hours(start, end, contract):
        parts = (joined(made.take(is_sound(made, broken)), known, contract)[1].rows for made in hour.parts())
        if labelled := [rows for rows in parts if len(rows)]:
            rows = Dataset.concatenate(labelled)
            # Parts of a large hour lie beside each other in time.
            yield rows.in_time_order() if len(labelled) > 1 else rows


def joined(
    predictions: PredictionWindow, known: Mapping[str, KnownLabel], contract: Contract
) -> tuple[NDArray[np.bool_], LabelledRows]:
    """Which predictions are labelled, shape (len(predictions),), and those with their labels, in the same order."""
    is_labelled = np.array([key in known for key in predictions.prediction_ids], dtype=bool)
    row_ids = predictions.prediction_ids[is_labelled]
    labelled = Dataset(
        row_ids=row_ids,
        timestamps=predictions.timestamps[is_labelled],
        features=predictions.features[is_labelled].reset_index(drop=True),
        labels=labels_of([known[key].label for key in row_ids], contract),
    )
    arrivals = np.array([known[key].received_at.replace(tzinfo=None) for key in row_ids], dtype="datetime64[us]")
    return is_labelled, LabelledRows(labelled, arrivals)


def _none(contract: Contract) -> Dataset:
    _, nothing = joined(PredictionWindow.empty(contract), {}, contract)
    return nothing.rows


def is_sound(made: PredictionWindow, broken: Iterable[FaultPeriod]) -> NDArray[np.bool_]:
    """Which predictions no broken pipeline made, shape (len(made),)."""
    sound = np.ones(len(made), dtype=bool)
    for period in broken:
        sound &= (made.timestamps < as_datetime64(period.start)) | (made.timestamps >= as_datetime64(period.end))
    return sound
