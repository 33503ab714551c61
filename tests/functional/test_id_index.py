"""The index of users' ids: every prediction is found by its id, whoever writes it, how often, and in which order."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from selfheal.contract import parse_contract
from selfheal.errors import ObjectChanged, StoreUnavailable
from selfheal.prefixes import PREDICTION_IDS
from selfheal.records.predictions import Prediction, new_request_id, prediction_id, timestamp_of
from selfheal.stores.collection import Stores
from selfheal.stores.id_index import IdIndex
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CONTRACT = parse_contract('[model]\nname = "m"\ntarget = "y"\nid_column = "id"\n[features.x]\ntype = "number"\n')


def made(moment: datetime, row: int = 0) -> str:
    return prediction_id(new_request_id(moment), row)


def log(stores: Stores, moment: datetime, *ids: str | None) -> list[str]:
    request = new_request_id(moment)
    rows = [
        Prediction(
            prediction_id=prediction_id(request, row),
            id=own_id,
            timestamp=timestamp_of(moment),
            model_version="v1",
            probability=0.25,
            prediction=0,
            features={"x": 1.0},
        )
        for row, own_id in enumerate(ids)
    ]
    stores.prediction_log.append(request, rows)
    return [row["prediction_id"] for row in rows]


def test_an_id_is_found_in_the_days_that_are_asked_for():
    """All its predictions of those days, and those of no other id."""
    index = IdIndex(MemoryBucket())
    first, second, later, other = made(START), made(START, 1), made(START + 2 * DAY), made(START)
    index.add([("a", first), ("a", second), ("a", later), ("b", other)])
    assert index.find(["a"], START, START + DAY) == {"a": sorted([first, second])}
    assert index.find(["a", "b", "c"], START, START + 2 * DAY) == {"a": [*sorted([first, second]), later], "b": [other]}
    assert index.find(["a"], START - 2 * DAY, START - DAY) == {}
    assert index.find([], START, START + DAY) == {}


def test_adding_again_writes_nothing():
    """What is known isn't written anew."""
    bucket = MemoryBucket()
    pairs = [(f"id-{number}", made(START)) for number in range(100)]
    IdIndex(bucket).add(pairs)
    before = {key: bucket.get(key).etag for key in bucket.keys(PREDICTION_IDS)}
    IdIndex(bucket).add(pairs[::-1])
    assert {key: bucket.get(key).etag for key in bucket.keys(PREDICTION_IDS)} == before
    assert len(before) == 16


def test_writers_at_once_lose_nothing():
    """Eight threads add to the same parts: afterwards all of it is there."""
    bucket = MemoryBucket()
    pairs = [(f"id-{number % 50}", made(START, number)) for number in range(800)]
    with ThreadPoolExecutor(8) as pool:
        for task in [pool.submit(IdIndex(bucket).add, pairs[number::8]) for number in range(8)]:
            task.result()
    found = IdIndex(bucket).find({own_id for own_id, _ in pairs}, START, START)
    assert {(own_id, known) for own_id, listed in found.items() for known in listed} == set(pairs)


class Contested(MemoryBucket):
    """Somebody else always writes in between."""

    def replace(self, key: str, _body: bytes, _etag: str) -> str:
        raise ObjectChanged(key)


def test_a_part_that_can_t_be_written_is_told():
    """Rather than lose ids, the write fails and is tried again by the next run."""
    bucket = Contested()
    IdIndex(bucket).add([("a", made(START))])
    with pytest.raises(StoreUnavailable, match="try again"):
        IdIndex(bucket).add([("a", made(START, 1))])


def test_ids_are_found_once_their_hour_is_rolled_up():
    """Also those of log objects that come late; rows without an id are in no part."""
    stores = Stores(MemoryBucket(), MemoryBucket())
    first = log(stores, START, "a", None, "b")
    log(stores, START + HOUR)
    roll_up_closed_hours(stores, START + 3 * HOUR)
    assert stores.id_index.find(["a", "b"], START, START) == {"a": [first[0]], "b": [first[2]]}
    late = log(stores, START + HOUR / 2, "a")
    roll_up_closed_hours(stores, START + DAY)
    assert stores.id_index.find(["a"], START, START) == {"a": [first[0], *late]}
    assert stores.history.window(START, START + HOUR, CONTRACT).prediction_ids.tolist() == [*first, *late]


def test_without_ids_there_is_no_index():
    """Who sends none pays for none."""
    stores = Stores(MemoryBucket(), MemoryBucket())
    log(stores, START, None, None)
    roll_up_closed_hours(stores, START + 3 * HOUR)
    assert list(stores.data.keys(PREDICTION_IDS)) == []


class Failing(MemoryBucket):
    """The n-th write of all is the last one, before or after it is done."""

    def __init__(self, fail_at: int, *, kept: bool) -> None:
        super().__init__()
        self.left, self.kept = fail_at, kept

    def _write(self, key: str, body: bytes) -> str:
        self.left -= 1
        if self.left == 0 and not self.kept:
            raise StoreUnavailable("the process ends here")
        etag = super()._write(key, body)
        if self.left == 0:
            raise StoreUnavailable("the process ends here")
        return etag


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("fail_at", range(1, 12))
def test_a_crash_between_any_two_steps_loses_no_id(fail_at: int, kept: bool):  # noqa: FBT001
    """An hour that is rolled up has all its ids in the index, whenever the run before it ended."""
    stores = Stores(Failing(0, kept=kept), MemoryBucket())
    ids = [f"id-{number}" for number in range(8)]
    for hour in range(2):
        log(stores, START + hour * HOUR, *ids)
    stores.data.left = fail_at
    for _ in range(2):
        try:
            roll_up_closed_hours(stores, START + 3 * HOUR)
        except StoreUnavailable:
            continue
    found = stores.id_index.find(ids, START, START)
    assert {own_id: len(known) for own_id, known in found.items()} == dict.fromkeys(ids, 2)
