"""The prediction log as monitoring and training read it: a window of hours as one table."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pandas as pd

from selfheal.contract import Contract
from selfheal.hours.size import is_large
from selfheal.stores.bucket import Bucket
from selfheal.stores.hour_parts import fingerprint_of
from selfheal.stores.log_columns import BY_CLASS, ID, PREDICTION, PROBABILITY, TIMESTAMP, VERSION
from selfheal.stores.rollups import HOUR, HourlyRollups, once_each
from selfheal.tables.dataset import typed_features
from selfheal.tables.predictions import PredictionWindow
from selfheal.tasks.coding import answers_of


@dataclass(frozen=True, eq=False)
class LoggedHour:
    """An hour of the log, or the stretch of it that was asked for.

    end: of the hour, no longer in it.
    parts: reads its rows, each once; of a large hour part by part, so that no more than one is in memory, each oldest
    first, and empty ones left out. fingerprint: says of a whole hour that is rolled up which log objects it holds; None
    for others. waits: whether it is too large to be read before it is rolled up; then there are no parts.
    """

    hour: datetime
    end: datetime
    fingerprint: str | None
    parts: Callable[[], Iterator[PredictionWindow]]
    waits: bool = False

    def newest(self, n: int, contract: Contract) -> PredictionWindow:
        """Its newest n rows, or all where they are fewer, oldest first."""
        found = PredictionWindow.empty(contract)
        for part in self.parts():
            both = PredictionWindow.concatenate([found, part.take(slice(-n, None))]) if len(found) else part
            found = both.in_time_order().take(slice(-n, None))
        return found


class PredictionHistory:
    """Reads what PredictionLog wrote: hours that are rolled up as such, and the log objects beside them."""

    def __init__(self, data: Bucket) -> None:
        self._rollups = HourlyRollups(data)

    def window(self, start: datetime, end: datetime, contract: Contract) -> PredictionWindow:
        """All predictions with start <= timestamp < end, each once, with the contract's features.

        A row logged under an older contract may lack a feature; it is missing then. A large hour that isn't rolled up
        yet is left out, as it is by `partitions`.
        """
        parts = list(self.partitions(start, end, contract))
        # An id lies in the hour that it names, so that no two hours share one.
        return PredictionWindow.concatenate(parts).in_time_order() if parts else PredictionWindow.empty(contract)

    def partitions(self, start: datetime, end: datetime, contract: Contract) -> Iterator[PredictionWindow]:
        """The same an hour at a time, a large one in parts, so that no more than that is in memory.

        Each part is oldest first; the parts of one hour lie beside each other, not one after the other.
        """
        return (part for hour in self.hours(start, end, contract) for part in hour.parts())

    def hours(
        self, start: datetime, end: datetime, contract: Contract, *, newest_first: bool = False
    ) -> Iterator[LoggedHour]:
        """The hours that may hold any, before anything of them is read."""
        rolled = {hour for hour, has_rows in self._rollups.hours_between(start, end).items() if has_rows}
        logged = self._rollups.logged_between(start, end)
        for hour in sorted(rolled.union(logged), reverse=newest_first):
            objects, is_rolled = logged.get(hour, {}), hour in rolled
            is_whole = is_rolled and start <= hour and hour + HOUR <= end
            waits = not is_rolled and is_large(objects)
            read = partial(self._parts_of, hour, objects) if is_rolled else partial(self._open, objects)
            yield LoggedHour(
                hour=hour,
                end=hour + HOUR,
                fingerprint=fingerprint_of(objects) if is_whole else None,
                parts=partial(_windows_between, _nothing if waits else read, start, end, contract),
                waits=waits,
            )

    def holds_any(self, prediction_ids: Collection[str]) -> bool:
        """Whether any of these predictions was made, found out without reading a day of them."""
        return self._rollups.holds_any(prediction_ids)

    def _open(self, keys: Iterable[str]) -> Iterator[pd.DataFrame]:
        """The rows of an hour that isn't rolled up."""
        yield once_each(self._rollups.readable_rows_of(keys))

    def _parts_of(self, hour: datetime, keys: Iterable[str]) -> Iterator[pd.DataFrame]:
        """The rows of one that is, and what came late."""
        known = self._rollups.read(hour)
        late = self._rollups.late(hour, known, keys)
        beside = self._rollups.readable_rows_of(late) if late else None
        for part in known.parts:
            rows = self._rollups.part(hour, part)
            beside = None if beside is None else beside[~beside[ID].isin(rows[ID])]
            yield rows
        if beside is None or not len(beside):
            yield known.rows
        elif not len(known.rows):
            yield once_each(beside)
        else:
            yield once_each(pd.concat([known.rows, beside], ignore_index=True))


def _nothing() -> Iterator[pd.DataFrame]:
    return iter(())


def _windows_between(
    read: Callable[[], Iterator[pd.DataFrame]], start: datetime, end: datetime, contract: Contract
) -> Iterator[PredictionWindow]:
    made = (_between(rows, start, end) for rows in read())
    return (window_of(rows, contract) for rows in made if len(rows))


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
