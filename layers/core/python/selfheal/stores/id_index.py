"""Which predictions were made under a user's id: an index by day of the prediction and by hash of the id.

A part holds a sixteenth of a day's ids, so that no reader has all of them in memory. It only ever grows, by
compare-and-swap: adding what it holds changes nothing, and of two writers the second adds to what the first one wrote.
"""

import hashlib
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import batched

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from selfheal.errors import ObjectChanged, ObjectExists, ObjectMissing, StoreUnavailable
from selfheal.records.predictions import moment_of
from selfheal.stores.bucket import Bucket

PREFIX = "prediction-ids/"
ID, PREDICTION_ID = "id", "prediction_id"
ATTEMPTS = 20
# Parts in memory at once.
PARTS = 32

type Pairs = set[tuple[str, str]]


class IdIndex:
    """`prediction-ids/dt=…/<first hex digit of the id's hash>.parquet` of the data bucket."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Add pairs of a user's id and a prediction's id; those that are known change nothing.

        Raises:
            StoreUnavailable: some may not be added; doing it again completes it.
        """
        parts: defaultdict[str, Pairs] = defaultdict(set)
        for own_id, prediction_id in pairs:
            parts[_key(_day(moment_of(prediction_id)), _part_of(own_id))].add((own_id, prediction_id))
        for key, found in parts.items():
            self._grow(key, found)

    def find(self, ids: Collection[str], since: datetime, until: datetime) -> dict[str, list[str]]:
        """The ids of the predictions of the days from since's to until's that were made under some of the users' ids.

        Raises:
            StoreUnavailable: the index can't be read.
        """
        wanted: defaultdict[str, list[str]] = defaultdict(list)
        for own_id in ids:
            wanted[_part_of(own_id)].append(own_id)
        value_sets = {part: pa.array(listed) for part, listed in wanted.items()}
        found: defaultdict[str, list[str]] = defaultdict(list)
        keys = (key for key in self._keys(since, until) if _part_in(key) in value_sets)
        for some in batched(keys, PARTS, strict=False):
            for key, body in self._data.get_many(some):
                for own_id, prediction_id in _pairs(body, value_sets[_part_in(key)]):
                    found[own_id].append(prediction_id)
        return found

    def _keys(self, since: datetime, until: datetime) -> Iterator[str]:
        last = f"{PREFIX}{_day(until)}/"
        for key in self._data.keys(PREFIX, start_after=f"{PREFIX}{_day(since)}/"):
            if key[: len(last)] > last:
                return
            yield key

    def _grow(self, key: str, pairs: Pairs) -> None:
        for _ in range(ATTEMPTS):
            try:
                stored = self._data.get(key)
                known = set(_pairs(stored.body))
                if pairs <= known:
                    return
                self._data.replace(key, _parquet(known | pairs), stored.etag)
            except ObjectMissing:
                try:
                    self._data.create(key, _parquet(pairs))
                except ObjectExists:
                    continue
            except ObjectChanged:
                continue
            return
        raise StoreUnavailable(f"{key} was changed by others each time it was to be written: try again in a moment")


def _pairs(body: bytes, ids: pa.Array | None = None) -> Iterator[tuple[str, str]]:
    table = pq.read_table(pa.BufferReader(body))
    if ids is not None:
        table = table.filter(pc.is_in(table[ID], value_set=ids))
    return zip(table[ID].to_pylist(), table[PREDICTION_ID].to_pylist(), strict=True)


def _parquet(pairs: Pairs) -> bytes:
    ordered = sorted(pairs)
    columns = {ID: [own_id for own_id, _ in ordered], PREDICTION_ID: [prediction for _, prediction in ordered]}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


def _part_of(own_id: str) -> str:
    return hashlib.sha256(own_id.encode()).hexdigest()[0]


def _part_in(key: str) -> str:
    return key.removesuffix(".parquet")[-1]


def _day(moment: datetime) -> str:
    return f"dt={moment:%Y-%m-%d}"


def _key(day: str, part: str) -> str:
    return f"{PREFIX}{day}/{part}.parquet"
