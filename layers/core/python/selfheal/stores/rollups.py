"""Closed hours of the prediction log, each as one Parquet object that lists the log objects it holds.

An hour is written in one conditional write: by `create` the first time, by compare-and-swap when log objects came late.
So it is there whole or not at all, of two writers one wins and the other changes nothing, and a crash leaves an hour as
it was. Log objects are never deleted here: their lifecycle does that, long after.
"""

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from selfheal.errors import ObjectChanged, ObjectExists, ObjectMissing
from selfheal.stores.bucket import Bucket
from selfheal.stores.prediction_log import PREFIX as LOG_PREFIX
from selfheal.stores.prediction_log import hour_prefix

PREFIX = "predictions-hourly/"
# Columns beside the features; a contract can't hold such names.
ID, TIMESTAMP, VERSION, PROBABILITY, PREDICTION = (
    "__prediction_id",
    "__timestamp",
    "__model_version",
    "__probability",
    "__prediction",
)
HELD = b"selfheal.objects"
HOUR = timedelta(hours=1)
# An hour is closed this long after its end: a request that was answered in it is logged by then.
GRACE = timedelta(minutes=20)
# As long as log objects are kept.
HORIZON = timedelta(days=30)
# Late objects are looked for this far back.
LATE = timedelta(hours=48)


@dataclass(frozen=True, eq=False)
class HourOfLog:
    """One hour as it is rolled up: its rows, oldest first, and the log objects they came from."""

    rows: pd.DataFrame
    held: frozenset[str]
    etag: str | None = None


class HourlyRollups:
    """`predictions-hourly/dt=…/hh=….parquet` of the data bucket."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def hours_between(self, start: datetime, end: datetime) -> set[datetime]:
        """The hours that are rolled up and begin in [start's hour, end)."""
        first = start.replace(minute=0, second=0, microsecond=0)
        keys = self._data.keys(PREFIX, start_after=rollup_key(first - HOUR))
        found: set[datetime] = set()
        for key in keys:
            hour = _hour_of(key)
            if hour >= end:
                break
            found.add(hour)
        return found

    def read(self, hour: datetime) -> HourOfLog:
        """A rolled-up hour. Raises ObjectMissing."""
        stored = self._data.get(rollup_key(hour))
        table = pq.read_table(pa.BufferReader(stored.body))
        held = json.loads((table.schema.metadata or {}).get(HELD, b"[]"))
        return HourOfLog(table.to_pandas(split_blocks=True, self_destruct=True), frozenset(held), stored.etag)

    def unheld(self, hour: datetime, held: frozenset[str]) -> list[str]:
        """Keys of the hour's log objects that a roll-up doesn't hold."""
        return [key for key in self._data.keys(hour_prefix(hour)) if key not in held]

    def rows_of(self, keys: Iterable[str]) -> pd.DataFrame:
        """The rows of log objects as columns. Raises ValueError where one doesn't hold JSON lines."""
        return _columns(row for _, body in self._data.get_many(keys) for row in _parsed(body))

    def readable_rows_of(self, keys: Iterable[str]) -> pd.DataFrame:
        """The same without objects that can't be read: their hour stays open, and that is told."""
        return _columns(row for _, body in self._data.get_many(keys) for row in _parsed_if_sound(body))

    def roll_up(self, hour: datetime) -> bool:
        """Bring an hour's roll-up up to date; False where it was, or where another writer was first.

        Raises:
            ValueError: a log object doesn't hold JSON lines.
            StoreUnavailable: nothing is known to be written.
        """
        try:
            known = self.read(hour)
        except ObjectMissing:
            known = None
        keys = self.unheld(hour, known.held if known else frozenset())
        if known and not keys:
            return False
        rows = self.rows_of(keys)
        merged = HourOfLog(
            rows=once_each(pd.concat([known.rows, rows], ignore_index=True) if known else rows),
            held=(known.held if known else frozenset()).union(keys),
        )
        with suppress(ObjectExists, ObjectChanged):
            self._write(hour, merged, known.etag if known else None)
            return True
        return False

    def oldest_logged_hour(self) -> datetime | None:
        """The oldest hour that has a log object; None where there is none."""
        key = next(iter(self._data.keys(LOG_PREFIX)), None)
        return None if key is None else _hour_of(key)

    def _write(self, hour: datetime, content: HourOfLog, etag: str | None) -> None:
        table = pa.Table.from_pandas(content.rows, preserve_index=False)
        metadata = {**(table.schema.metadata or {}), HELD: json.dumps(sorted(content.held)).encode()}
        buffer = io.BytesIO()
        pq.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd")
        if etag is None:
            self._data.create(rollup_key(hour), buffer.getvalue())
        else:
            self._data.replace(rollup_key(hour), buffer.getvalue(), etag)


def rollup_key(hour: datetime) -> str:
    """Where an hour's roll-up lies."""
    return f"{PREFIX}dt={hour:%Y-%m-%d}/hh={hour:%H}.parquet"


def closed_hours(since: datetime, now: datetime) -> Iterator[datetime]:
    """All hours from the one that holds `since` that are closed now."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour + HOUR + GRACE <= now:
        yield hour
        hour += HOUR


def once_each(rows: pd.DataFrame) -> pd.DataFrame:
    """Each prediction once, oldest first."""
    distinct = rows.drop_duplicates(ID)
    return distinct.sort_values([TIMESTAMP, ID], ignore_index=True)


def empty_hour() -> pd.DataFrame:
    """An hour without rows."""
    return _columns([])


def _hour_of(key: str) -> datetime:
    day, hour = key.split("dt=")[1].split("/hh=")
    return datetime.fromisoformat(f"{day}T{hour[:2]}:00:00+00:00")


def _parsed(body: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in body.splitlines()]


def _parsed_if_sound(body: bytes) -> list[dict[str, Any]]:
    try:
        return _parsed(body)
    except ValueError:
        return []


def _columns(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    logged = list(rows)
    features = pd.DataFrame([row["features"] for row in logged], dtype=object)
    columns: dict[str, Any] = {
        ID: pd.Series([row["prediction_id"] for row in logged], dtype=object),
        TIMESTAMP: pd.Series([row["timestamp"].removesuffix("Z") for row in logged], dtype="datetime64[ms]"),
        VERSION: pd.Series([row["model_version"] for row in logged], dtype=object),
        PROBABILITY: pd.Series([row["probability"] for row in logged], dtype="float64"),
        PREDICTION: pd.Series([row["prediction"] for row in logged], dtype="int8"),
    }
    return pd.DataFrame({**columns, **{str(name): _plain(features[name]) for name in features}})


def _plain(column: pd.Series) -> pd.Series:
    """Numbers and booleans as float64; where any value is a text, all are."""
    if any(isinstance(value, str) for value in column):
        return column.map(str, na_action="ignore").where(column.notna(), None).astype(object)
    return column.astype("float64")
