"""The prediction log as monitoring and training read it: a window of hours as one table."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256

import numpy as np
import pandas as pd

from selfheal.contract import Contract
from selfheal.stores.bucket import Bucket
from selfheal.stores.log_columns import BY_CLASS, ID, PREDICTION, PROBABILITY, TIMESTAMP, VERSION
from selfheal.stores.rollups import HOUR, HourlyRollups, once_each
from selfheal.tables.dataset import typed_features
from selfheal.tables.predictions import PredictionWindow
from selfheal.tasks.coding import answers_of


@dataclass(frozen=True, eq=False)
class LoggedHour:
    """An hour of the log, or the part of it that was asked for; `rows` reads them, each once, oldest first.

    end: of the hour, no longer in it.
    fingerprint: says of a whole hour that is rolled up which log objects it holds; None for others.
    """

    hour: datetime
    end: datetime
    fingerprint: str | None
    rows: Callable[[], PredictionWindow]


class PredictionHistory:
    """Reads what PredictionLog wrote: hours that are rolled up as such, and the log objects beside them."""

    def __init__(self, data: Bucket) -> None:
        self._rollups = HourlyRollups(data)

    def window(self, start: datetime, end: datetime, contract: Contract) -> PredictionWindow:
        """All predictions with start <= timestamp < end, each once, with the contract's features.

        A row logged under an older contract may lack a feature; it is missing then.
        """
        parts = list(self.partitions(start, end, contract))
        rows = PredictionWindow.concatenate(parts) if parts else PredictionWindow.empty(contract)
        # An id lies in the hour that it names, so that no two hours share one.
        return rows.take(rows.order_in_time) if (np.diff(rows.timestamps.astype(np.int64)) < 0).any() else rows

    def partitions(
        self, start: datetime, end: datetime, contract: Contract, *, newest_first: bool = False
    ) -> Iterator[PredictionWindow]:
        """The same an hour at a time, so that no more than an hour of them is in memory; hours without any left out."""
        made = (hour.rows() for hour in self.hours(start, end, contract, newest_first=newest_first))
        return (rows for rows in made if len(rows))

    def hours(
        self, start: datetime, end: datetime, contract: Contract, *, newest_first: bool = False
    ) -> Iterator[LoggedHour]:
        """The hours that may hold any, before anything of them is read."""
        rolled = {hour for hour, has_rows in self._rollups.hours_between(start, end).items() if has_rows}
        logged = self._rollups.logged_between(start, end)
        for hour in sorted(rolled.union(logged), reverse=newest_first):
            keys, is_rolled = logged.get(hour, ()), hour in rolled
            is_whole = is_rolled and start <= hour and hour + HOUR <= end
            yield LoggedHour(
                hour=hour,
                end=hour + HOUR,
                fingerprint=sha256("\n".join(keys).encode()).hexdigest()[:16] if is_whole else None,
                rows=partial(
                    _window_between, partial(self._hour, hour, keys, is_rolled=is_rolled), start, end, contract
                ),
            )

    def holds_any(self, prediction_ids: Collection[str]) -> bool:
        """Whether any of these predictions was made, found out without reading a day of them."""
        return self._rollups.holds_any(prediction_ids)

    def _hour(self, hour: datetime, keys: Sequence[str], *, is_rolled: bool) -> pd.DataFrame:
        """An hour's rows, each once, oldest first."""
        if not is_rolled:
            return once_each(self._rollups.readable_rows_of(keys))
        known = self._rollups.read(hour)
        late = [key for key in keys if key not in known.held]
        if not late:
            return known.rows
        return once_each(pd.concat([known.rows, self._rollups.readable_rows_of(late)], ignore_index=True))


def _window_between(
    read: Callable[[], pd.DataFrame], start: datetime, end: datetime, contract: Contract
) -> PredictionWindow:
    return window_of(_between(read(), start, end), contract)


def _between(rows: pd.DataFrame, start: datetime, end: datetime) -> pd.DataFrame:
    first, last = (pd.Timestamp(moment.replace(tzinfo=None)) for moment in (start, end))
    inside = (rows[TIMESTAMP] >= first) & (rows[TIMESTAMP] < last)
    return rows if inside.all() else rows[inside]


def window_of(rows: pd.DataFrame, contract: Contract) -> PredictionWindow:
    """Rows of the log, as `HourlyRollups` reads them, with the features of a contract."""
    by_class = {name.removeprefix(BY_CLASS): rows[name] for name in map(str, rows) if name.startswith(BY_CLASS)}
    answers, predictions = answers_of(rows[PROBABILITY], rows[PREDICTION], by_class, contract)
    return PredictionWindow(
        prediction_ids=rows[ID].to_numpy(dtype=object),
        timestamps=rows[TIMESTAMP].to_numpy(dtype="datetime64[us]"),
        model_versions=rows[VERSION].to_numpy(dtype=object),
        probabilities=answers,
        predictions=predictions,
        features=typed_features(rows.reindex(columns=list(contract.feature_names)), contract),
    )
