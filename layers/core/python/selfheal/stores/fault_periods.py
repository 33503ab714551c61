"""When the data pipeline was broken: what was predicted then teaches and judges no model."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from selfheal.prefixes import FAULT_PERIODS
from selfheal.records.monitoring import FaultPeriod
from selfheal.stores.bucket import Bucket

RESOLUTION = timedelta(seconds=1)


class FaultPeriods:
    """`monitoring/faults/<end>.json` of the data bucket, one object for each run that found a fault."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def add(self, period: FaultPeriod) -> None:
        """Keep a period; doing it again changes nothing."""
        self._data.put(_key(period.end), period.to_json())

    def touching(self, start: datetime, end: datetime) -> Iterator[FaultPeriod]:
        """The periods that share a moment with [start, end), oldest end first."""
        for _, body in self._data.get_many(self._data.keys(FAULT_PERIODS, start_after=_key(start - RESOLUTION))):
            period = FaultPeriod.model_validate_json(body)
            if period.start < end and start < period.end:
                yield period


def _key(end: datetime) -> str:
    return f"{FAULT_PERIODS}{end:%Y-%m-%dT%H%M%S}.json"
