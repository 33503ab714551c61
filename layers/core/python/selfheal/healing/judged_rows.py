"""Rows that judge a version in probation, kept by the hours of their predictions: an hour is judged once."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from selfheal.data.stored_table import table_in
from selfheal.tables.table import Table

COLUMNS = ("row_ids", "timestamps", "arrivals", "differences")
# Of the file's metadata: the days, and for each hour when it began, its fingerprint and how many rows are its own.
HELD = b"selfheal.judged.1"


@dataclass(frozen=True, eq=False)
class JudgedRows(Table):
    """n labelled rows that neither trained nor gated the version.

    row_ids: shape (n,), strings. timestamps, arrivals: of the predictions and of their labels, shape (n,),
    datetime64[us] in UTC. differences: loss of the version minus that of the one before it, shape (n,), in [-1, 1].
    """

    row_ids: NDArray[np.object_]
    timestamps: NDArray[np.datetime64]
    arrivals: NDArray[np.datetime64]
    differences: NDArray[np.float64]

    @classmethod
    def none(cls) -> "JudgedRows":
        """No row."""
        no_moments = np.zeros(0, dtype="datetime64[us]")
        return cls(np.zeros(0, dtype=object), no_moments, no_moments, np.zeros(0))


@dataclass(frozen=True, eq=False)
class JudgedHour:
    """fingerprint: of all that the rows follow from."""

    fingerprint: str
    rows: JudgedRows


@dataclass(frozen=True, eq=False)
class Judged:
    """By day and by hour; a day's fingerprint is of all that its hours' follow from, found without reading labels."""

    days: Mapping[date, str]
    hours: Mapping[datetime, JudgedHour]

    def of(self, day: date) -> dict[datetime, JudgedHour]:
        """A day's hours."""
        return {hour: judged for hour, judged in self.hours.items() if hour.date() == day}

    def says_as_much_as(self, other: "Judged") -> bool:
        """Whether it follows from the same."""
        return self.days == other.days and self.fingerprints == other.fingerprints

    @property
    def fingerprints(self) -> dict[datetime, str]:
        """Those of the hours."""
        return {hour: judged.fingerprint for hour, judged in self.hours.items()}


NOTHING = Judged({}, {})


def in_order_of_arrival(row_ids: NDArray[np.object_], arrivals: NDArray[np.datetime64]) -> NDArray[np.intp]:
    """Positions of rows as their labels came; those of one moment in the order of their ids. Shape (n,)."""
    return np.lexsort((row_ids.astype(str), arrivals))


def packed(judged: Judged) -> bytes:
    """As `unpacked` reads it."""
    rows = JudgedRows.concatenate([JudgedRows.none(), *(hour.rows for hour in judged.hours.values())])
    table = pa.table({name: getattr(rows, name) for name in COLUMNS})
    days = {day.isoformat(): fingerprint for day, fingerprint in judged.days.items()}
    hours = [(hour.isoformat(), each.fingerprint, len(each.rows)) for hour, each in judged.hours.items()]
    buffer = io.BytesIO()
    held = json.dumps({"days": days, "hours": hours})
    parquet.write_table(table.replace_schema_metadata({HELD: held}), buffer, compression="zstd")
    return buffer.getvalue()


def unpacked(body: bytes) -> Judged:
    """What was packed; nothing where it is of another release, or broken: hours are judged again then."""
    try:
        table = table_in(body)
        rows = JudgedRows(**{name: _array(table[name], name) for name in COLUMNS})
        held = json.loads((table.schema.metadata or {})[HELD])
    except (KeyError, OSError, ValueError):
        return NOTHING
    ends = accumulate((n for *_, n in held["hours"]), initial=0)
    hours = {
        datetime.fromisoformat(hour): JudgedHour(fingerprint, rows.take(slice(*bounds)))
        for (hour, fingerprint, _), bounds in zip(held["hours"], pairwise(ends), strict=True)
    }
    return Judged({date.fromisoformat(day): fingerprint for day, fingerprint in held["days"].items()}, hours)


def _array(column: pa.ChunkedArray, name: str) -> NDArray[Any]:
    return np.asarray(column.to_numpy(), dtype=object if name == "row_ids" else None)
