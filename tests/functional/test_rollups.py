"""Closed hours of the log: rolled up exactly once, whatever comes late, twice or in between."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from selfheal.contract import parse_contract
from selfheal.errors import StoreUnavailable
from selfheal.prefixes import PREDICTIONS_HOURLY
from selfheal.records.predictions import Prediction, new_request_id, prediction_id, timestamp_of
from selfheal.stores.bucket import StoredObject
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.prediction_log import log_key
from selfheal.stores.rollups import rollup_key
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
# The first hour of the day after is closed then.
NEXT_DAY = START + 16 * HOUR
MINUTE = timedelta(minutes=1)
CONTRACT = parse_contract("""
[model]
name = "small"
target = "y"
[features.x]
type = "number"
nullable = true
[features.colour]
type = "category"
nullable = true
[features.flag]
type = "boolean"
""")


def log(stores: Stores, moment: datetime, rows: int = 2) -> str:
    request = new_request_id(moment)
    stores.prediction_log.append(
        request,
        [
            Prediction(
                prediction_id=prediction_id(request, row),
                timestamp=timestamp_of(moment),
                model_version="v1",
                probability=0.25,
                prediction=0,
                features={"x": None if row else 1.5, "colour": None if row else "red", "flag": True},
            )
            for row in range(rows)
        ],
    )
    return request


@pytest.fixture
def stores() -> Stores:
    stores = Stores(MemoryBucket(), MemoryBucket())
    for minute in range(0, 180, 7):
        log(stores, START + minute * MINUTE)
    return stores


def content(stores: Stores):
    window = stores.history.window(START, START + 5 * HOUR, CONTRACT)
    return window.prediction_ids.tolist(), window.timestamps.tolist(), window.features.to_dict("list")


def test_a_window_reads_the_same_before_and_after(stores):
    """Roll-ups change what is read, not what it says: ids, times, missing values, texts, booleans."""
    before = str(content(stores))
    assert roll_up_closed_hours(stores, START + 5 * HOUR) == ()
    assert list(stores.rollups.hours_between(START, START + 5 * HOUR).values()) == [True, True, True, False]
    assert str(content(stores)) == before
    assert content(stores)[2]["colour"][:2] == ["red", None]


def test_an_hour_is_closed_twenty_minutes_after_its_end(stores):
    """Before that a request of the hour may still be on its way."""
    roll_up_closed_hours(stores, START + HOUR + 19 * MINUTE)
    assert not list(stores.data.keys(PREDICTIONS_HOURLY))
    roll_up_closed_hours(stores, START + HOUR + 20 * MINUTE)
    assert list(stores.data.keys(PREDICTIONS_HOURLY)) == [rollup_key(START)]


def test_a_rolled_up_hour_is_read_without_its_log_objects(stores):
    """Their lifecycle may take the log objects; the rows stay."""
    before = content(stores)[0]
    roll_up_closed_hours(stores, START + 5 * HOUR)
    kept = Stores(MemoryBucket(), MemoryBucket())
    for key, body in stores.data.get_many(stores.data.keys(PREDICTIONS_HOURLY)):
        kept.data.put(key, body)
    assert content(kept)[0] == before


def test_a_late_object_is_read_at_once_and_rolled_up_with_the_next_day(stores):
    """Once beside the roll-up, then in it; never twice."""
    roll_up_closed_hours(stores, START + 5 * HOUR)
    late = log(stores, START + 30 * MINUTE)
    assert content(stores)[0].count(f"{late}-0000") == 1
    roll_up_closed_hours(stores, START + 6 * HOUR)
    assert log_key(late) not in stores.rollups.read(START).held
    roll_up_closed_hours(stores, NEXT_DAY)
    assert log_key(late) in stores.rollups.read(START).held
    assert content(stores)[0].count(f"{late}-0000") == 1


def test_a_second_run_writes_nothing(stores):
    """What is up to date is left alone."""
    roll_up_closed_hours(stores, START + 5 * HOUR)
    etag = stores.data.get(rollup_key(START)).etag
    logged = stores.rollups.logged_between(START, START + HOUR)[START]
    stores.rollups.roll_up(START, logged)
    stores.rollups.take_in(START, logged)
    roll_up_closed_hours(stores, NEXT_DAY)
    assert stores.data.get(rollup_key(START)).etag == etag


def test_runs_at_once_hold_every_row_once(stores):
    """Eight runs race while late objects arrive: afterwards every row is there, once."""
    with ThreadPoolExecutor(9) as pool:
        runs = [pool.submit(roll_up_closed_hours, stores, START + 5 * HOUR) for _ in range(8)]
        late = [pool.submit(log, stores, START + minute * MINUTE) for minute in range(1, 60, 5)]
        for task in (*runs, *late):
            task.result()
    ids = content(stores)[0]
    assert len(ids) == len(set(ids)) == 2 * (26 + 12)
    roll_up_closed_hours(stores, NEXT_DAY)
    assert sorted(content(stores)[0]) == sorted(ids)
    assert stores.rollups.read(START).held == set(stores.rollups.logged_between(START, START + HOUR)[START])


class Failing(MemoryBucket):
    """A bucket whose n-th write fails, after or before it was kept."""

    def __init__(self, *, fail_at: int, kept: bool) -> None:
        super().__init__()
        self.left, self.kept = fail_at, kept

    def create(self, key: str, body: bytes) -> str:
        if not key.startswith(PREDICTIONS_HOURLY):
            return super().create(key, body)
        self.left -= 1
        etag = super().create(key, body) if self.left or self.kept else ""
        if not self.left:
            raise StoreUnavailable("crashed here")
        return etag


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("fail_at", [1, 2, 3])
def test_a_crash_between_any_two_steps_loses_and_doubles_nothing(fail_at, kept):
    """Wherever a run dies, the next one completes its work, and every row is there once in between."""
    stores = Stores(Failing(fail_at=fail_at, kept=kept), MemoryBucket())
    for minute in range(0, 180, 7):
        log(stores, START + minute * MINUTE)
    with pytest.raises(StoreUnavailable):
        roll_up_closed_hours(stores, START + 5 * HOUR)
    assert len(content(stores)[0]) == len(set(content(stores)[0])) == 52
    roll_up_closed_hours(stores, START + 5 * HOUR)
    assert len(stores.rollups.hours_between(START, START + 5 * HOUR)) == 4
    assert len(content(stores)[0]) == 52


def test_an_hour_that_stays_open_for_a_day_is_named(stores):
    """A log object that can't be read leaves its hour open; the others go on, and after a day it is told."""
    stores.data.put(log_key(new_request_id(START)), b"not JSON")
    assert roll_up_closed_hours(stores, START + 5 * HOUR) == ()
    assert rollup_key(START + HOUR) in list(stores.data.keys(PREDICTIONS_HOURLY))
    assert roll_up_closed_hours(stores, START + 26 * HOUR) == (START,)
    assert len(content(stores)[0]) == 52


def test_a_late_object_of_an_hour_without_traffic_is_taken_in(stores):
    """The marker of an empty hour hides nothing: rows that come later are read, then rolled up."""
    quiet = START + 4 * HOUR
    roll_up_closed_hours(stores, START + 6 * HOUR)
    late = log(stores, quiet)
    assert content(stores)[0].count(f"{late}-0000") == 1
    roll_up_closed_hours(stores, NEXT_DAY)
    assert stores.rollups.read(quiet).held == {log_key(late)}
    assert content(stores)[0].count(f"{late}-0000") == 1


@pytest.mark.parametrize("days_down", [1, 5, 20])
def test_what_came_late_before_monitoring_was_down_is_taken_in_after_it(stores, days_down):
    """A request's last retry came just before a pause of any length: it belongs to days before the pause."""
    roll_up_closed_hours(stores, NEXT_DAY)
    late = log(stores, START)
    now = NEXT_DAY + days_down * 24 * HOUR
    for _ in range(6):
        roll_up_closed_hours(stores, now)
    assert log_key(late) in stores.rollups.read(START).held


def test_an_unreadable_hour_costs_one_look_a_day(stores):
    """While the first hour of a day can't be read, the late objects aren't looked for with every run."""
    roll_up_closed_hours(stores, START + 13 * HOUR)
    stores.data.put(log_key(new_request_id(NEXT_DAY - 2 * HOUR)), b"not JSON")
    roll_up_closed_hours(stores, NEXT_DAY + HOUR)
    late = log(stores, START)
    roll_up_closed_hours(stores, NEXT_DAY + 2 * HOUR)
    assert log_key(late) not in stores.rollups.read(START).held
    roll_up_closed_hours(stores, NEXT_DAY + 24 * HOUR)
    assert log_key(late) in stores.rollups.read(START).held


def test_a_month_of_few_requests_is_read_in_few_calls():
    """What a window costs goes by the hours with traffic, not by its length."""
    stores = Stores(Counting(), MemoryBucket())
    for day in range(30):
        log(stores, START + day * 24 * HOUR)
    for day in range(30):
        roll_up_closed_hours(stores, START + (day * 24 + 20) * HOUR)
    stores.data.calls = 0
    assert len(stores.history.window(START, START + 30 * 24 * HOUR, CONTRACT)) == 60
    assert stores.data.calls == 2 + 30


class Counting(MemoryBucket):
    """A bucket that counts its readers."""

    calls = 0

    def get(self, key: str) -> StoredObject:
        self.calls += 1
        return super().get(key)

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        self.calls += 1
        return super().keys(prefix, start_after)


def test_hours_that_wait_for_their_turn_are_not_called_open(stores):
    """After a pause of ten days one run does a hundred hours, names none as broken, and the next runs do the rest."""
    now = START + 10 * 24 * HOUR
    assert [roll_up_closed_hours(stores, now) for _ in range(4)] == [()] * 4
    assert len(stores.rollups.hours_between(START, now)) == 239


def test_an_empty_log_has_nothing_to_roll_up():
    """Before the first prediction there are no hours."""
    assert roll_up_closed_hours(Stores(MemoryBucket(), MemoryBucket()), START) == ()
