"""Closed hours of the prediction log, each as one Parquet object that lists the log objects it holds.

A large hour's object holds but what came late, and names the parts that hold the rest (`stores.hour_parts`). An hour,
or what is added to it, is written in one conditional write: by `create` the first time, by compare-and-swap when log
objects came late. So it is there whole or not at all, of two writers one wins and the other adds to what that one
wrote, and a crash leaves an hour as it was. Log objects are never deleted here: their lifecycle does that, long after.
"""

import io
import json
import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from selfheal.data.stored_table import frame_of, table_in
from selfheal.errors import ObjectChanged, ObjectExists, ObjectMissing
from selfheal.hours.size import Objects
from selfheal.prefixes import PREDICTIONS, PREDICTIONS_HOURLY, STREAM
from selfheal.records.predictions import moment_of
from selfheal.stores.bucket import Bucket
from selfheal.stores.gzipped import unpacked
from selfheal.stores.hour_parts import HourParts, as_parquet, hour_key, ids_in
from selfheal.stores.id_index import IdIndex
from selfheal.stores.log_columns import ID, OWN_ID, TIMESTAMP, columns_of
from selfheal.stores.prediction_log import hour_prefix, log_key

HELD, PARTS = b"selfheal.objects", b"selfheal.parts"
EMPTY = ".empty"
# What isn't a part of an hour, nor a list of its parts.
_OF_AN_HOUR = re.compile(r"/hh=\d\d\.\w+$")
HOUR = timedelta(hours=1)
# An hour is closed this long after its end: a request that was answered in it is logged by then.
GRACE = timedelta(minutes=20)
# As long as log objects are kept.
HORIZON = timedelta(days=30)


@dataclass(frozen=True, eq=False)
class HourOfLog:
    """One hour as it is rolled up: its rows, oldest first, and the log objects they came from.

    parts: of a large hour, the names of the parts that hold the other rows, each prediction in one of them.
    """

    rows: pd.DataFrame
    held: frozenset[str]
    parts: tuple[str, ...] = ()
    etag: str | None = None


class HourlyRollups:
    """`predictions-hourly/dt=…/hh=….parquet` of the data bucket."""

    def __init__(self, data: Bucket) -> None:
        self._data = data
        self._ids = IdIndex(data)
        self._parts = HourParts(data)

    def hours_between(self, start: datetime, end: datetime) -> dict[datetime, bool]:
        """The hours that are rolled up and begin in [start's hour, end); True where there was traffic in them."""
        found: dict[datetime, bool] = {}
        for key in self._data.keys(PREDICTIONS_HOURLY, start_after=hour_key(hour_of(start))):
            if _OF_AN_HOUR.search(key) is None:
                continue
            hour = _hour_in(key)
            if hour >= end:
                break
            # An hour that was empty at first has a marker as well; it comes before the rows.
            found[hour] = not key.endswith(EMPTY)
        return found

    def read(self, hour: datetime) -> HourOfLog:
        """A rolled-up hour. Raises ObjectMissing."""
        stored = self._data.get(rollup_key(hour))
        table = table_in(stored.body)
        held, parts = (_listed(table.schema, name) for name in (HELD, PARTS))
        return HourOfLog(frame_of(table), frozenset(held), tuple(parts), stored.etag)

    def find(self, hour: datetime) -> HourOfLog | None:
        """The same; None where the hour isn't rolled up."""
        try:
            return self.read(hour)
        except ObjectMissing:
            return None

    def part(self, hour: datetime, part: str) -> pd.DataFrame:
        """The rows of one part of a large hour, oldest first. Raises ObjectMissing."""
        return self._parts.read(hour, part)[0]

    def late(self, hour: datetime, known: HourOfLog, keys: Iterable[str]) -> frozenset[str]:
        """Those of an hour's log objects that neither its own rows nor its parts hold."""
        late = frozenset(keys) - known.held
        return late - self._parts.objects(hour, known.parts) if late and known.parts else late

    def holds_any(self, prediction_ids: Collection[str]) -> bool:
        """Whether any of these predictions was made: of the log only hours and objects that the ids name are read."""
        wanted = frozenset(prediction_ids)
        hours = sorted({hour_of(moment_of(each)) for each in wanted})
        # Mostly the first hour holds one. What came late or isn't rolled up has a log object under its own key, or is
        # among what a stream has delivered.
        logged = {log_key(each.partition("-")[0]) for each in wanted}
        return any(not wanted.isdisjoint(ids) for some in (hours[:1], hours[1:]) for ids in self._ids_of(some)) or any(
            row["prediction_id"] in wanted
            for keys in (logged, self._delivered(hours))
            for body in self._bodies(keys)
            for row in _parsed_if_sound(body)
        )

    def logged_between(self, start: datetime, end: datetime) -> Mapping[datetime, Objects]:
        """The log objects by hour, for hours that begin in [start's hour, end); hours without any are left out.

        One listing for all hours: an hour costs nothing by itself.
        """
        found: defaultdict[datetime, dict[str, int]] = defaultdict(dict)
        for key, size in self._data.sizes(PREDICTIONS, start_after=hour_prefix(start)):
            hour = _hour_in(key)
            if hour >= end:
                break
            found[hour][key] = size
        return found

    def rows_of(self, keys: Iterable[str]) -> pd.DataFrame:
        """The rows of log objects as columns. Raises ValueError where one doesn't hold JSON lines."""
        asked = tuple(keys)
        return columns_of(lambda: (row for body in self._bodies(asked) for row in _parsed(body)))

    def readable_rows_of(self, keys: Iterable[str]) -> pd.DataFrame:
        """The same without objects that can't be read: their hour stays open, and that is told."""
        asked = tuple(keys)
        return columns_of(lambda: (row for body in self._bodies(asked) for row in _parsed_if_sound(body)))

    def unreadable(self, keys: Iterable[str]) -> list[str]:
        """Those of some log objects that don't hold JSON lines."""
        return [key for key, body in self._data.get_many(keys) if not _is_sound(body)]

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
                self._data.create(hour_key(hour) + EMPTY, b"")
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
        while late := self.late(hour, known := self.read(hour), wanted):
            rows = self.beside_parts(hour, known.parts, self.rows_of(late))
            rows = once_each(pd.concat([known.rows, rows], ignore_index=True) if len(known.rows) else rows)
            with suppress(ObjectChanged):
                self._write(hour, replace(known, rows=rows, held=known.held | late), known.etag)

    def add_parts(self, hour: datetime, parts: Sequence[str], known: HourOfLog | None) -> None:
        """Let parts count, whose rows are written: in one write, where the hour is still as `known` says.

        Raises:
            ObjectExists, ObjectChanged: another writer was quicker; nothing is changed.
            StoreUnavailable: nothing is known to be written.
        """
        if known is not None:
            self._write(hour, replace(known, parts=(*known.parts, *parts)), known.etag)
            return
        nothing = self._parts.schema(hour, parts[0]).empty_table()
        self._data.create(rollup_key(hour), as_parquet(nothing, _lists(frozenset(), parts)))

    def beside_parts(self, hour: datetime, parts: Iterable[str], rows: pd.DataFrame) -> pd.DataFrame:
        """The rows that no part holds."""
        for part in parts if len(rows) else ():
            rows = rows[~rows[ID].isin(self._parts.ids(hour, part))]
        return rows

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

    def _ids_of(self, hours: Iterable[datetime]) -> Iterator[list[str]]:
        """The ids of rolled-up hours, of large ones a part at a time."""
        by_key = {rollup_key(hour): hour for hour in hours}
        for key, body in self._data.get_many(by_key):
            yield ids_in(body).tolist()
            for part in _listed(pq.read_schema(pa.BufferReader(body)), PARTS):
                yield self._parts.ids(by_key[key], part).tolist()

    def _bodies(self, keys: Iterable[str]) -> Iterator[bytes]:
        return (body for _, body in self._data.get_many(keys))

    def _write(self, hour: datetime, content: HourOfLog, etag: str | None) -> None:
        # Before the hour itself: once that is written, nobody looks at its rows' ids again.
        self._ids.add(own_ids(content.rows))
        table = pa.Table.from_pandas(content.rows, preserve_index=False)
        body = as_parquet(table, _lists(content.held, content.parts))
        if etag is None:
            self._data.create(rollup_key(hour), body)
        else:
            self._data.replace(rollup_key(hour), body, etag)


def rollup_key(hour: datetime) -> str:
    """Where an hour's roll-up lies."""
    return f"{hour_key(hour)}.parquet"


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


def own_ids(rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Pairs of a user's id and a prediction's id; roll-ups of earlier releases hold none."""
    if OWN_ID in rows:
        known = rows[rows[OWN_ID].notna()]
        yield from zip(known[OWN_ID], known[ID], strict=True)


def _lists(held: Iterable[str], parts: Sequence[str]) -> dict[bytes, bytes]:
    named = {PARTS: json.dumps(parts).encode()} if parts else {}
    return {HELD: json.dumps(sorted(held)).encode(), **named}


def _listed(schema: pa.Schema, name: bytes) -> list[str]:
    found: list[str] = json.loads((schema.metadata or {}).get(name, b"[]"))
    return found


def _hour_in(key: str) -> datetime:
    day, hour = key.split("dt=")[1].split("/hh=")
    return datetime.fromisoformat(f"{day}T{hour[:2]}:00:00+00:00")


def _parsed(body: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a request's object, or of one that a stream delivered, which is compressed."""
    return map(orjson.loads, io.BytesIO(unpacked(body)))


def _parsed_if_sound(body: bytes) -> list[dict[str, Any]]:
    try:
        return list(_parsed(body))
    except ValueError:
        return []


def _is_sound(body: bytes) -> bool:
    try:
        deque(_parsed(body), maxlen=0)
    except ValueError:
        return False
    return True
