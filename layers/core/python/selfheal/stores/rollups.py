"""Closed hours of the prediction log, each as one Parquet object that lists the log objects it holds.

An hour is written in one conditional write: by `create` the first time, by compare-and-swap when log objects came late.
So it is there whole or not at all, of two writers one wins and the other adds to what that one wrote, and a crash
leaves an hour as it was. Log objects are never deleted here: their lifecycle does that, long after.
"""

import io
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from selfheal.contract.parsing import RESERVED_PREFIX
from selfheal.errors import ObjectChanged, ObjectExists
from selfheal.prefixes import PREDICTIONS, PREDICTIONS_HOURLY, STREAM
from selfheal.records.predictions import moment_of
from selfheal.stores.bucket import Bucket
from selfheal.stores.gzipped import unpacked
from selfheal.stores.id_index import IdIndex
from selfheal.stores.log_columns import ID, OWN_ID, TIMESTAMP, columns_of
from selfheal.stores.prediction_log import hour_prefix, log_key

HELD = b"selfheal.objects"
EMPTY = ".empty"
HOUR = timedelta(hours=1)
# An hour is closed this long after its end: a request that was answered in it is logged by then.
GRACE = timedelta(minutes=20)
# As long as log objects are kept.
HORIZON = timedelta(days=30)


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
        self._ids = IdIndex(data)

    def hours_between(self, start: datetime, end: datetime) -> dict[datetime, bool]:
        """The hours that are rolled up and begin in [start's hour, end); True where there was traffic in them."""
        found: dict[datetime, bool] = {}
        for key in self._data.keys(PREDICTIONS_HOURLY, start_after=_hour_key(hour_of(start))):
            hour = _hour_in(key)
            if hour >= end:
                break
            # An hour that was empty at first has a marker as well; it comes before the rows.
            found[hour] = not key.endswith(EMPTY)
        return found

    def read(self, hour: datetime) -> HourOfLog:
        """A rolled-up hour. Raises ObjectMissing."""
        stored = self._data.get(rollup_key(hour))
        table = pq.read_table(pa.BufferReader(stored.body))
        held = json.loads((table.schema.metadata or {}).get(HELD, b"[]"))
        return HourOfLog(table.to_pandas(split_blocks=True, self_destruct=True), frozenset(held), stored.etag)

    def holds_any(self, prediction_ids: Collection[str]) -> bool:
        """Whether any of these predictions was made: of the log only hours and objects that the ids name are read."""
        wanted = frozenset(prediction_ids)
        hours = sorted({hour_of(moment_of(each)) for each in wanted})
        rolled = [rollup_key(hour) for hour in hours]
        # Mostly the first hour holds one. What came late or isn't rolled up has a log object under its own key, or is
        # among what a stream has delivered.
        logged = {log_key(each.partition("-")[0]) for each in wanted}
        return any(
            not wanted.isdisjoint(_ids_in(body)) for keys in (rolled[:1], rolled[1:]) for body in self._bodies(keys)
        ) or any(
            row["prediction_id"] in wanted
            for keys in (logged, self._delivered(hours))
            for body in self._bodies(keys)
            for row in _parsed_if_sound(body)
        )

    def logged_between(self, start: datetime, end: datetime) -> Mapping[datetime, list[str]]:
        """The keys of log objects by hour, for hours that begin in [start's hour, end); hours without any are left out.

        One listing for all hours: an hour costs nothing by itself.
        """
        found: defaultdict[datetime, list[str]] = defaultdict(list)
        for key in self._data.keys(PREDICTIONS, start_after=hour_prefix(start)):
            hour = _hour_in(key)
            if hour >= end:
                break
            found[hour].append(key)
        return found

    def rows_of(self, keys: Iterable[str]) -> pd.DataFrame:
        """The rows of log objects as columns. Raises ValueError where one doesn't hold JSON lines."""
        asked = tuple(keys)
        return columns_of(lambda: (row for body in self._bodies(asked) for row in _parsed(body)))

    def readable_rows_of(self, keys: Iterable[str]) -> pd.DataFrame:
        """The same without objects that can't be read: their hour stays open, and that is told."""
        asked = tuple(keys)
        return columns_of(lambda: (row for body in self._bodies(asked) for row in _parsed_if_sound(body)))

    def roll_up(self, hour: datetime, keys: Iterable[str]) -> None:
        """Write the roll-up of an hour that has none, from its log objects; where another writer is first, join it.

        An hour without log objects gets an empty object whose name says so: nobody has to read it.

        Raises:
            ValueError: a log object doesn't hold JSON lines.
            StoreUnavailable: nothing is known to be written.
        """
        held = frozenset(keys)
        try:
            if held:
                self._write(hour, HourOfLog(once_each(self.rows_of(held)), held), None)
            else:
                self._data.create(_hour_key(hour) + EMPTY, b"")
        except ObjectExists:
            if held:
                self.take_in(hour, held)

    def take_in(self, hour: datetime, keys: Iterable[str]) -> None:
        """Add those of an hour's log objects that its roll-up doesn't hold, anew where another writer was quicker.

        Raises:
            ObjectMissing: the hour isn't rolled up.
            ValueError: a log object doesn't hold JSON lines.
            StoreUnavailable: nothing is known to be written.
        """
        wanted = frozenset(keys)
        while late := wanted - (known := self.read(hour)).held:
            rows = pd.concat([known.rows, self.rows_of(late)], ignore_index=True)
            with suppress(ObjectChanged):
                self._write(hour, HourOfLog(once_each(rows), known.held | late), known.etag)

    def oldest_logged_hour(self) -> datetime | None:
        """The oldest hour that has a log object; None where there is none."""
        key = next(iter(self._data.keys(PREDICTIONS)), None)
        return None if key is None else _hour_in(key)

    def _delivered(self, hours: Sequence[datetime]) -> Iterator[str]:
        """What a stream has delivered of hours that aren't rolled up; nothing is asked before somebody wants it."""
        rolled = self.hours_between(hours[0], hours[-1] + HOUR) if hours else {}
        for hour in hours:
            if hour not in rolled:
                yield from self._data.keys(f"{hour_prefix(hour)}{STREAM}")

    def _bodies(self, keys: Iterable[str]) -> Iterator[bytes]:
        return (body for _, body in self._data.get_many(keys))

    def _write(self, hour: datetime, content: HourOfLog, etag: str | None) -> None:
        # Before the hour itself: once that is written, nobody looks at its rows' ids again.
        self._ids.add(_own_ids(content.rows))
        table = _with_known_types(pa.Table.from_pandas(content.rows, preserve_index=False))
        metadata = {**(table.schema.metadata or {}), HELD: json.dumps(sorted(content.held)).encode()}
        buffer = io.BytesIO()
        pq.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd")
        if etag is None:
            self._data.create(rollup_key(hour), buffer.getvalue())
        else:
            self._data.replace(rollup_key(hour), buffer.getvalue(), etag)


def rollup_key(hour: datetime) -> str:
    """Where an hour's roll-up lies."""
    return f"{_hour_key(hour)}.parquet"


def hour_of(moment: datetime) -> datetime:
    """The hour that holds a moment, by its beginning."""
    return moment.replace(minute=0, second=0, microsecond=0)


def closed_hours(since: datetime, now: datetime) -> Iterator[datetime]:
    """All hours from the one that holds `since` that are closed now."""
    hour = hour_of(since)
    while hour + HOUR + GRACE <= now:
        yield hour
        hour += HOUR


def once_each(rows: pd.DataFrame) -> pd.DataFrame:
    """Each prediction once, oldest first."""
    # No copy of a large hour where there is nothing to drop.
    is_repeated = rows[ID].duplicated()
    distinct = rows[~is_repeated] if is_repeated.any() else rows
    return distinct.sort_values([TIMESTAMP, ID], ignore_index=True)


def _with_known_types(table: pa.Table) -> pa.Table:
    """A column has one type in all hours, so that queries can read them as one table.

    Where no row has a user's id, Parquet would note no type. A feature that no row has a value of would come as numbers
    even where it holds texts; it is left out, which readers take for missing.
    """
    ids = table.schema.get_field_index(OWN_ID)
    typed = table.set_column(ids, OWN_ID, table[OWN_ID].cast(pa.string())) if ids >= 0 else table
    valueless = [name for name in typed.column_names if typed[name].null_count == len(typed)]
    return typed.drop_columns([name for name in valueless if not name.startswith(RESERVED_PREFIX)])


def _own_ids(rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Pairs of a user's id and a prediction's id; roll-ups of earlier releases hold none."""
    if OWN_ID in rows:
        known = rows[rows[OWN_ID].notna()]
        yield from zip(known[OWN_ID], known[ID], strict=True)


def _hour_key(hour: datetime) -> str:
    return f"{PREDICTIONS_HOURLY}dt={hour:%Y-%m-%d}/hh={hour:%H}"


def _hour_in(key: str) -> datetime:
    day, hour = key.split("dt=")[1].split("/hh=")
    return datetime.fromisoformat(f"{day}T{hour[:2]}:00:00+00:00")


def _ids_in(body: bytes) -> list[str]:
    ids: list[str] = pq.read_table(pa.BufferReader(body), columns=[ID])[ID].to_pylist()
    return ids


def _parsed(body: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a request's object, or of one that a stream delivered, which is compressed."""
    return map(orjson.loads, io.BytesIO(unpacked(body)))


def _parsed_if_sound(body: bytes) -> list[dict[str, Any]]:
    try:
        return list(_parsed(body))
    except ValueError:
        return []
