"""Rows that judge a version in probation, kept by the hours of their predictions: an hour is judged once."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from selfheal.tables.table import Table

COLUMNS = ("row_ids", "timestamps", "arrivals", "differences")
# Of the file's metadata: for each hour when it began, its fingerprint and how many of the rows are its own.
HOURS = b"selfheal.judged_hours.1"


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


type JudgedHours = Mapping[datetime, JudgedHour]


def in_order_of_arrival(row_ids: NDArray[np.object_], arrivals: NDArray[np.datetime64]) -> NDArray[np.intp]:
    """Positions of rows as their labels came; those of one moment in the order of their ids. Shape (n,)."""
    return np.lexsort((row_ids.astype(str), arrivals))


def packed(hours: JudgedHours) -> bytes:
    """As `unpacked` reads it."""
    rows = JudgedRows.concatenate([JudgedRows.none(), *(hour.rows for hour in hours.values())])
    table = pa.table({name: getattr(rows, name) for name in COLUMNS})
    held = [(hour.isoformat(), judged.fingerprint, len(judged.rows)) for hour, judged in hours.items()]
    buffer = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({HOURS: json.dumps(held)}), buffer, compression="zstd")
    return buffer.getvalue()


def unpacked(body: bytes) -> JudgedHours:
    """What was packed; nothing where it is of another release, or broken: hours are judged again then."""
    try:
        table = parquet.read_table(pa.BufferReader(body))
        rows = JudgedRows(**{name: _array(table[name], name) for name in COLUMNS})
        held = json.loads((table.schema.metadata or {})[HOURS])
    except (KeyError, OSError, ValueError):
        return {}
    ends = accumulate((n for *_, n in held), initial=0)
    return {
        datetime.fromisoformat(hour): JudgedHour(fingerprint, rows.take(slice(*bounds)))
        for (hour, fingerprint, _), bounds in zip(held, pairwise(ends), strict=True)
    }


def _array(column: pa.ChunkedArray, name: str) -> NDArray[Any]:
    return np.asarray(column.to_numpy(), dtype=object if name == "row_ids" else None)
