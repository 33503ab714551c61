"""Parts of large hours of the log: which log objects each is made of, and its rows, beside the hour's own object.

`predictions-hourly/dt=…/` holds `hh=…-<part>.parquet` and, under names that engines of queries pass over,
`_hh=…-<part>.json.gz`, the keys of its log objects, and `_hh=…-manifest-<n>.json`, the parts that were planned when n
had been rolled up. A part is called by what it is made of. All of it is written once: whoever plans an hour again
finds what was planned, so that no row comes to lie in the parts of two plans. What counts is what the hour's own object
names.
"""

import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from selfheal.contract.parsing import RESERVED_PREFIX
from selfheal.data.stored_table import frame_of, table_in
from selfheal.errors import ObjectExists, ObjectMissing
from selfheal.prefixes import PREDICTIONS_HOURLY
from selfheal.stores.bucket import Bucket
from selfheal.stores.log_columns import ID, OWN_ID

PART = "part"


class HourParts:
    """`predictions-hourly/dt=…/hh=…-<part>.parquet` and what belongs to them, of the data bucket."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def plan(self, hour: datetime, rolled_up: int, parts: Iterable[Sequence[str]]) -> str:
        """Write down of which log objects each part is made, and which parts there are; the key of the latter.

        rolled_up: number of parts that the hour has. Where such a plan is there already, that one stays.
        """
        names = []
        for keys in parts:
            names.append(fingerprint_of(keys))
            self._data.put(_objects_key(hour, names[-1]), gzip.compress(json.dumps(list(keys)).encode(), mtime=0))
        manifest = manifest_key(hour, rolled_up)
        with suppress(ObjectExists):
            self._data.create(manifest, json.dumps([{PART: name} for name in names]).encode())
        return manifest

    def planned_at(self, hour: datetime, rolled_up: int) -> str | None:
        """The key of the plan that was made when so many parts had been rolled up; None where there is none."""
        manifest = manifest_key(hour, rolled_up)
        return next(self._data.keys(manifest), None) and manifest

    def planned(self, manifest: str) -> tuple[str, ...]:
        """The names of a plan's parts. Raises ObjectMissing."""
        return tuple(item[PART] for item in json.loads(self._data.get(manifest).body))

    def keys_of(self, hour: datetime, part: str) -> tuple[str, ...]:
        """The keys of the log objects that one part is made of. Raises ObjectMissing."""
        return tuple(json.loads(gzip.decompress(self._data.get(_objects_key(hour, part)).body)))

    def objects(self, hour: datetime, parts: Iterable[str]) -> frozenset[str]:
        """The keys of the log objects that parts are made of."""
        lists = self._data.get_many(_objects_key(hour, part) for part in parts)
        return frozenset(key for _, body in lists for key in json.loads(gzip.decompress(body)))

    def write(self, hour: datetime, part: str, rows: pd.DataFrame) -> None:
        """Write a part's rows, unless they were written before."""
        with suppress(ObjectExists):
            self._data.create(part_key(hour, part), as_parquet(pa.Table.from_pandas(rows, preserve_index=False)))

    def rows_in(self, hour: datetime, part: str) -> int | None:
        """How many rows a part holds; None where it isn't written."""
        try:
            body = self._data.get(part_key(hour, part)).body
        except ObjectMissing:
            return None
        return int(pq.read_metadata(pa.BufferReader(body)).num_rows)

    def read(self, hour: datetime, part: str) -> tuple[pd.DataFrame, str]:
        """A part's rows, oldest first, and the ETag that `replace` has to present. Raises ObjectMissing."""
        stored = self._data.get(part_key(hour, part))
        return frame_of(table_in(stored.body)), stored.etag

    def replace(self, hour: datetime, part: str, rows: pd.DataFrame, etag: str) -> None:
        """Write fewer rows of a part that was written with some that an earlier part holds. Raises ObjectChanged."""
        body = as_parquet(pa.Table.from_pandas(rows, preserve_index=False))
        self._data.replace(part_key(hour, part), body, etag)

    def ids(self, hour: datetime, part: str) -> NDArray[np.object_]:
        """The ids of a part's predictions. Raises ObjectMissing."""
        return ids_in(self._data.get(part_key(hour, part)).body)

    def schema(self, hour: datetime, part: str) -> pa.Schema:
        """The columns of a part. Raises ObjectMissing."""
        return pq.read_schema(pa.BufferReader(self._data.get(part_key(hour, part)).body))


def fingerprint_of(keys: Iterable[str]) -> str:
    """Says of which log objects something is made: other ones have another."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]


def hour_key(hour: datetime) -> str:
    """What the names of all that is rolled up of an hour begin with."""
    return f"{PREDICTIONS_HOURLY}dt={hour:%Y-%m-%d}/hh={hour:%H}"


def part_key(hour: datetime, part: str) -> str:
    """Where a part's rows lie."""
    return f"{hour_key(hour)}-{part}.parquet"


def manifest_key(hour: datetime, rolled_up: int) -> str:
    """Where the list of the parts lies that were planned when so many had been rolled up."""
    return f"{_hidden(hour)}-manifest-{rolled_up}.json"


def ids_in(body: bytes) -> NDArray[np.object_]:
    """The ids of the predictions of a Parquet object."""
    ids: NDArray[np.object_] = table_in(body, [ID])[ID].to_numpy(zero_copy_only=False)
    return ids.astype(object)


def as_parquet(table: pa.Table, metadata: dict[bytes, Any] | None = None) -> bytes:
    """A table as an object, with metadata of ours beside pandas' own."""
    described = _with_known_types(table).replace_schema_metadata({**(table.schema.metadata or {}), **(metadata or {})})
    buffer = io.BytesIO()
    pq.write_table(described, buffer, compression="zstd")
    return buffer.getvalue()


def _with_known_types(table: pa.Table) -> pa.Table:
    """A column has one type in all hours, so that queries can read them as one table.

    Where no row has a user's id, Parquet would note no type. A feature that no row has a value of would come as numbers
    even where it holds texts; it is left out, which readers take for missing.
    """
    ids = table.schema.get_field_index(OWN_ID)
    typed = table.set_column(ids, OWN_ID, table[OWN_ID].cast(pa.string())) if ids >= 0 else table
    valueless = [name for name in typed.column_names if typed[name].null_count == len(typed)]
    return typed.drop_columns([name for name in valueless if not name.startswith(RESERVED_PREFIX)])


def _objects_key(hour: datetime, part: str) -> str:
    return f"{_hidden(hour)}-{part}.json.gz"


def _hidden(hour: datetime) -> str:
    return f"{PREDICTIONS_HOURLY}dt={hour:%Y-%m-%d}/_hh={hour:%H}"
