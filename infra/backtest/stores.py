"""Buckets in memory, read without the hourly roll-ups: those spare requests to S3, and here there are none to spare."""

from datetime import datetime
from functools import cached_property

import pandas as pd

from selfheal.composition import Stores
from selfheal.stores.history import PredictionHistory
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.prediction_log import PREFIX, hour_prefix
from selfheal.stores.rollups import TIMESTAMP, HourlyRollups, empty_hour


class RememberedHistory(PredictionHistory):
    """Parses each log object once; replays read the same weeks over and over."""

    def __init__(self, data: MemoryBucket) -> None:
        super().__init__(data)
        self._data = data
        self._parser = HourlyRollups(data)
        self._parsed: dict[str, pd.DataFrame] = {}

    def _rows(self, start: datetime, end: datetime) -> pd.DataFrame:
        first, last = (pd.Timestamp(moment.replace(tzinfo=None)) for moment in (start, end))
        parts: list[pd.DataFrame] = []
        for key in self._data.keys(PREFIX, hour_prefix(start)):
            rows = self._object(key)
            moment = rows[TIMESTAMP].iloc[0]
            if moment >= last:
                break
            if moment >= first:
                parts.append(rows)
        return pd.concat(parts, ignore_index=True) if parts else empty_hour()

    def _object(self, key: str) -> pd.DataFrame:
        if key not in self._parsed:
            self._parsed[key] = self._parser.rows_of([key])
        return self._parsed[key]


class NothingToRollUp(HourlyRollups):
    """A log without closed hours."""

    def oldest_logged_hour(self) -> datetime | None:
        """There is none."""
        return None


class ReplayStores(Stores):
    """The stores of one replay."""

    def __init__(self) -> None:
        self._bucket = MemoryBucket()
        super().__init__(self._bucket, MemoryBucket())

    @cached_property
    def history(self) -> PredictionHistory:
        """What was logged, each object parsed once."""
        return RememberedHistory(self._bucket)

    @cached_property
    def rollups(self) -> HourlyRollups:
        """Nothing to do for the roll-up."""
        return NothingToRollUp(self._bucket)
