"""Which predictions were made under a user's id: an index by day of the prediction and by hash of the id.

A part holds a sixteenth of a day's ids, so that no reader has all of them in memory. It only ever grows, by
compare-and-swap: adding what it holds changes nothing, and of two writers the second adds to what the first one wrote.
Of large hours, which many write at once, each writer leaves parts of its own beside those of the day.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import batched

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from selfheal.errors import ObjectChanged, ObjectExists, ObjectMissing, StoreUnavailable
from selfheal.prefixes import PREDICTION_IDS
from selfheal.records.predictions import moment_of
from selfheal.stores.bucket import Bucket

ID, PREDICTION_ID = "id", "prediction_id"
ATTEMPTS = 20
# Parts in memory at once.
PARTS = 32

# Columns of one part. Arrow's own format, as a look reads hundreds of parts: Parquet takes ten times as long to open.
SCHEMA = pa.schema({ID: pa.string(), PREDICTION_ID: pa.string()})
OPTIONS = ipc.IpcWriteOptions(compression="zstd")
SUFFIX = ".arrow"

type Pairs = list[tuple[str, str]]


class IdIndex:
    """`prediction-ids/dt=…/<first hex digit of the id's hash>.arrow` of the data bucket, and the same below `hh=…/`."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Add pairs of a user's id and a prediction's id; those that are known change nothing.

        Raises:
            StoreUnavailable: some may not be added; doing it again completes it.
        """
        parts: defaultdict[str, Pairs] = defaultdict(list)
        for own_id, prediction_id in pairs:
            parts[_key(_day(moment_of(prediction_id)), _part_of(own_id))].append((own_id, prediction_id))
        for key, found in parts.items():
            self._grow(key, _table(found))

    def keep(self, hour: datetime, name: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Keep pairs of some predictions of an hour for themselves; whoever does it again under a name keeps the same.

        Raises:
            StoreUnavailable: some may not be kept; doing it again completes it.
        """
        parts: defaultdict[str, Pairs] = defaultdict(list)
        for own_id, prediction_id in pairs:
            parts[_key(f"{_day(hour)}/hh={hour:%H}-{name}", _part_of(own_id))].append((own_id, prediction_id))
        for key, found in parts.items():
            self._data.put(key, _written(_table(found)))

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
                part = _read(body)
                hits = part.filter(pc.is_in(part[ID], value_set=value_sets[_part_in(key)]))
                for own_id, prediction_id in zip(hits[ID].to_pylist(), hits[PREDICTION_ID].to_pylist(), strict=True):
                    # A line that came twice is in two parts of a large hour.
                    if prediction_id not in found[own_id]:
                        found[own_id].append(prediction_id)
        return found

    def _keys(self, since: datetime, until: datetime) -> Iterator[str]:
        last = f"{PREDICTION_IDS}{_day(until)}/"
        for key in self._data.keys(PREDICTION_IDS, start_after=f"{PREDICTION_IDS}{_day(since)}/"):
            if key[: len(last)] > last:
                return
            yield key

    def _grow(self, key: str, added: pa.Table) -> None:
        for _ in range(ATTEMPTS):
            try:
                stored = self._data.get(key)
                known = _read(stored.body)
                # A prediction has one id at the most.
                new = added.filter(pc.invert(pc.is_in(added[PREDICTION_ID], value_set=known[PREDICTION_ID])))
                if not len(new):
                    return
                self._data.replace(key, _written(pa.concat_tables([known, new])), stored.etag)
            except ObjectMissing:
                try:
                    self._data.create(key, _written(added))
                except ObjectExists:
                    continue
            except ObjectChanged:
                continue
            return
        raise StoreUnavailable(f"{key} was changed by others each time it was to be written: try again in a moment")


def _table(pairs: Pairs) -> pa.Table:
    ids, predictions = zip(*pairs, strict=True)
    return pa.table([ids, predictions], schema=SCHEMA)


def _read(body: bytes) -> pa.Table:
    return ipc.open_file(pa.BufferReader(body)).read_all()


def _written(part: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    # One batch: each growth would add one, and each costs as much to read as a part.
    with ipc.new_file(sink, SCHEMA, options=OPTIONS) as file:
        file.write_table(part.combine_chunks())
    written: bytes = sink.getvalue().to_pybytes()
    return written


def _part_of(own_id: str) -> str:
    return hashlib.sha256(own_id.encode()).hexdigest()[0]


def _part_in(key: str) -> str:
    return key.removesuffix(SUFFIX)[-1]


def _day(moment: datetime) -> str:
    return f"dt={moment:%Y-%m-%d}"


def _key(day: str, part: str) -> str:
    return f"{PREDICTION_IDS}{day}/{part}{SUFFIX}"
