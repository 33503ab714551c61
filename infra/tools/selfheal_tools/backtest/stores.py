"""Buckets in memory, read without the hourly roll-ups: those spare requests to S3, and here there are none to spare."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache, cached_property, partial

import numpy as np

from selfheal.contract import Contract
from selfheal.labels.known import known_labels
from selfheal.prefixes import PREDICTIONS
from selfheal.stores.collection import Stores
from selfheal.stores.history import LoggedHour, PredictionHistory, window_of
from selfheal.stores.labels import LabelStore
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.rollups import HourlyRollups
from selfheal.tables.predictions import PredictionWindow


class RememberedHistory(PredictionHistory):
    """Parses each log object once: a replay reads the same weeks over and over, under one contract.

    Its log grows in order of time, so that what was read before stays a beginning of what there is.
    """

    def __init__(self, data: MemoryBucket) -> None:
        super().__init__(data)
        self._data = data
        self._parser = HourlyRollups(data)
        self._last = ""
        self._known: PredictionWindow | None = None

    def window(self, start: datetime, end: datetime, contract: Contract) -> PredictionWindow:
        """All predictions with start <= timestamp < end."""
        known = self._read_on(contract)
        bounds = np.array([moment.replace(tzinfo=None) for moment in (start, end)], dtype="datetime64[us]")
        first, last = np.searchsorted(known.timestamps, bounds)
        return known.take(slice(int(first), int(last)))

    def hours(
        self, start: datetime, end: datetime, contract: Contract, *, newest_first: bool = False
    ) -> Iterator[LoggedHour]:
        """All of it at once, since it is in memory already; nothing of it is worth keeping."""
        del newest_first
        yield LoggedHour(start, end, None, partial(self._whole, start, end, contract))

    def _whole(self, start: datetime, end: datetime, contract: Contract) -> Iterator[PredictionWindow]:
        rows = self.window(start, end, contract)
        return iter([rows] if len(rows) else [])

    def _read_on(self, contract: Contract) -> PredictionWindow:
        unread = list(self._data.keys(PREDICTIONS, self._last))
        if self._known is None or unread:
            fresh = window_of(self._parser.rows_of(unread), contract)
            self._known = fresh if self._known is None else PredictionWindow.concatenate([self._known, fresh])
            self._last = unread[-1] if unread else self._last
        return self._known


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
    def labels(self) -> LabelStore:
        """The labels, each object parsed once: what was accepted is never written again."""
        return LabelStore(self._bucket, cache(known_labels))

    @cached_property
    def rollups(self) -> HourlyRollups:
        """Nothing to do for the roll-up."""
        return NothingToRollUp(self._bucket)
