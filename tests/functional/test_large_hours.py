"""Large hours of the log, rolled up in parts: what one function would make of them, whatever comes late or twice."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfheal.contract import default_contract
from selfheal.errors import LogUnreadable, StoreUnavailable
from selfheal.prefixes import PREDICTIONS, PREDICTIONS_HOURLY
from selfheal.records.predictions import Prediction, new_request_id, prediction_id, timestamp_of
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.prediction_log import hour_prefix, log_key, to_lines
from selfheal.stores.rollups import HOUR, rollup_key
from selfheal.usecases.labels.labelled_rows import labelled_rows
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from selfheal.usecases.roll_up.part import roll_up_part
from selfheal.usecases.roll_up.plan import plan_hour
from selfheal.usecases.roll_up.reduce import reduce_hour
from selfheal_tools.simulation.credit import Phase, credit_rows
from tests.functional.test_hour_summaries import comparable, nearly
from tests.support.large_hours import StartedHours, rolled_up_in_parts
from tests.support.monitoring import START, VERSION, CreditWorld, copy_of, trained_registry

CONTRACT = default_contract()
MINUTE = timedelta(minutes=1)
REQUESTS, ROWS = 11, 4
NEXT_DAY = START + 24 * HOUR + timedelta(hours=2)
_names = itertools.count()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three objects are a part, and more than eight are large."""
    monkeypatch.setattr("selfheal.hours.size.PART_OBJECTS", 3)
    monkeypatch.setattr("selfheal.hours.size.LARGE_OBJECTS", 8)


def lines_of(moment: Any, rng: np.random.Generator) -> list[Prediction]:
    """A request's predictions, with an id of the user's own for every second one."""
    request, (features, _) = new_request_id(moment), credit_rows(rng, ROWS)
    return [
        Prediction(
            prediction_id=prediction_id(request, row),
            id=f"own-{request[-6:]}-{row}" if row % 2 else None,
            timestamp=timestamp_of(moment),
            model_version=VERSION,
            probability=0.25,
            prediction=0,
            features={name: None if pd.isna(value) else value for name, value in values.items()},
        )
        for row, values in enumerate(features.to_dict("records"))
    ]


def deliver(stores: Stores, *requests: list[Prediction]) -> str:
    """An object of a stream that holds these requests' lines."""
    moment = requests[0][0]["timestamp"]
    key = f"{PREDICTIONS}dt={moment[:10]}/hh={moment[11:13]}/selfheal-test-{next(_names):04d}.jsonl"
    stores.data.create(key, b"".join(map(to_lines, requests)))
    return key


def an_hour() -> tuple[Stores, list[list[Prediction]]]:
    """An hour of eleven objects; two requests lie in two of them, of which one in two parts."""
    stores, rng = Stores(MemoryBucket(), copy_of(trained_registry())), np.random.default_rng(5)
    made = [lines_of(START + number * 5 * MINUTE, rng) for number in range(REQUESTS)]
    for number, request in enumerate(made):
        deliver(stores, request, *([made[0], made[9]] if number in {4, 10} else []))
    return stores, made


def copied(stores: Stores) -> Stores:
    return Stores(copy_of(stores.data), copy_of(stores.registry_bucket))


def content(stores: Stores) -> str:
    window = stores.history.window(START, START + 2 * HOUR, CONTRACT)
    columns = (window.prediction_ids, window.timestamps, window.probabilities, window.model_versions)
    return str([*(column.tolist() for column in columns), window.features.to_dict("list")])


def own_ids(stores: Stores, made: list[list[Prediction]]) -> dict[str, list[str]]:
    wanted = [row["id"] for request in made for row in request if row.get("id")]
    return {key: sorted(found) for key, found in stores.id_index.find(wanted, START, START).items()}


def parts_of(stores: Stores) -> dict[str, list[str]]:
    """The ids in each part of the first hour that counts."""
    return {part: stores.hour_parts.ids(START, part).tolist() for part in stores.rollups.read(START).parts}


def test_an_hour_in_parts_says_what_one_function_says():
    """Rows, users' ids and whether a prediction was made; each prediction lies in one part, four parts of three."""
    one, made = an_hour()
    several = copied(one)
    one.rollups.roll_up(START, list(one.data.keys(PREDICTIONS)))
    assert rolled_up_in_parts(several, START).whole
    assert content(one) == content(several)
    assert own_ids(one, made) == own_ids(several, made)
    ids = [key for part in parts_of(several).values() for key in part]
    assert len(parts_of(several)) == 4
    assert sorted(ids) == sorted(row["prediction_id"] for request in made for row in request)
    assert list(several.rollups.hours_between(START, START + HOUR)) == [START]
    # As queries read them: whatever Parquet there is below the day.
    tables = [body for key, body in several.data.get_many(several.data.keys(PREDICTIONS_HOURLY)) if ".parquet" in key]
    assert sum(pq.read_table(pa.BufferReader(body)).num_rows for body in tables) == len(ids)
    assert all(several.history.holds_any([key]) for key in (ids[0], ids[-1]))
    assert not several.history.holds_any([prediction_id(new_request_id(START), 0)])


def test_runs_over_hours_in_parts_say_what_runs_over_whole_hours_say():
    """Every figure of two runs, over hours with labels and without; and the labelled rows that training takes."""
    worlds = [CreditWorld(Stores(MemoryBucket(), copy_of(trained_registry()))) for _ in range(2)]
    for phase in (Phase.CALM, Phase.STRESS):
        for world in worlds:
            for _ in range(8):
                world.hours(1, rows=10, phase=phase, label_delay=5)
                world.now -= HOUR
                for _ in range(3):
                    world.log(credit_rows(world.rng, 10, phase)[0])
                world.now += HOUR
        for hour in (START + number * HOUR for number in range(16)):
            rolled_up_in_parts(worlds[1].stores, hour)
        found = [world.summary(world.run()) for world in worlds]
        assert comparable(found[0]) == nearly(comparable(found[1]))
    assert len(worlds[1].stores.rollups.read(START).parts) == 2
    rows = [labelled_rows(world.stores, CONTRACT, START, world.now) for world in worlds]
    assert rows[0].labels.tolist() == rows[1].labels.tolist()
    assert rows[0].features["age"].tolist() == rows[1].features["age"].tolist()


def test_every_step_may_be_done_twice():
    """By a retry, or after all is done: the objects are those that were there."""
    stores, _ = an_hour()
    plan = plan_hour(stores, START)
    for _ in range(2):
        assert plan_hour(stores, START) == plan
        for part in stores.hour_parts.planned(plan.manifest):
            assert roll_up_part(stores, plan, part) == roll_up_part(stores, plan, part)
    reduce_hour(stores, plan)
    before = {key: stores.data.get(key).etag for key in stores.data.keys("")}
    for part in stores.hour_parts.planned(plan.manifest):
        roll_up_part(stores, plan, part)
    assert reduce_hour(stores, plan).whole
    assert plan_hour(stores, START).parts == 0
    assert {key: stores.data.get(key).etag for key in stores.data.keys("")} == before


class Failing(MemoryBucket):
    """A bucket whose n-th write of what is rolled up fails, after or before it was kept."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.kept = 0, False

    def _write(self, key: str, body: bytes) -> str:
        if key.startswith(PREDICTIONS):
            return super()._write(key, body)
        self.left -= 1
        etag = super()._write(key, body) if self.left or self.kept else ""
        if not self.left:
            raise StoreUnavailable("crashed here")
        return etag


def test_a_crash_between_any_two_writes_loses_and_doubles_nothing():
    """Wherever an execution dies, the next one completes its work; until then the hour counts as not rolled up."""
    sound, made = Stores(MemoryBucket(), trained_registry()), an_hour()[1][:5]
    # Users' ids make many writes more, one like the other.
    made = [[{**row, "id": "own"} if row is made[0][0] else {**row, "id": None} for row in request] for request in made]
    for request in made:
        deliver(sound, request, made[0])
    logged = copy_of(sound.data)
    rolled_up_in_parts(sound, START)
    whole, writes = content(sound), len(list(sound.data.keys(""))) - len(made)
    # One part is written twice, since a request lies in both.
    for number in range(1, writes + 2):
        stores = Stores(copy_of(logged, Failing()), sound.registry_bucket)
        # Before a write there is what there is after the one before it.
        stores.data.left, stores.data.kept = number, bool(number % 2)
        with pytest.raises(StoreUnavailable):
            rolled_up_in_parts(stores, START)
        rolled_up_in_parts(stores, START)
        assert content(stores) == whole
        held = [key for part in parts_of(stores).values() for key in part]
        assert sorted(held) == sorted(row["prediction_id"] for request in made for row in request)


def test_executions_at_once_hold_every_row_once():
    """Four executions race, parts in any order, while monitoring runs and objects arrive late."""
    stores, made = an_hour()
    rng = np.random.default_rng(6)
    late = [lines_of(START + number * MINUTE, rng) for number in range(1, 5)]
    with ThreadPoolExecutor(9) as pool:
        tasks = [pool.submit(rolled_up_in_parts, stores, START) for _ in range(4)]
        tasks += [pool.submit(deliver, stores, request, made[1]) for request in late]
        tasks += [pool.submit(roll_up_closed_hours, stores, START + 3 * HOUR, StartedHours())]
        for task in tasks:
            task.result()
    roll_up_closed_hours(stores, START + 3 * HOUR, StartedHours(stores))
    roll_up_closed_hours(stores, NEXT_DAY, StartedHours(stores))
    known = stores.rollups.read(START)
    held = [*known.rows["__prediction_id"], *(key for part in parts_of(stores).values() for key in part)]
    assert sorted(held) == sorted(row["prediction_id"] for request in [*made, *late] for row in request)
    assert not stores.rollups.late(START, known, stores.data.keys(hour_prefix(START)))


def test_what_comes_late_is_read_at_once_and_taken_in():
    """A little by monitoring, without what the parts hold already; much by another execution."""
    stores, made = an_hour()
    rng = np.random.default_rng(6)
    large_hours = StartedHours(stores)
    roll_up_closed_hours(stores, START + 3 * HOUR, large_hours)
    assert [hour for hour, _ in large_hours.started] == [START]
    late = [lines_of(START + number * MINUTE, rng) for number in range(1, 20)]
    for request in late[:2]:
        deliver(stores, request, made[3])
    before = content(stores)
    assert before.count(late[0][0]["prediction_id"]) == before.count(made[3][0]["prediction_id"]) == 1
    roll_up_closed_hours(stores, NEXT_DAY, large_hours)
    assert len(stores.rollups.read(START).rows) == 2 * ROWS
    assert content(stores) == before
    for request in late[2:]:
        deliver(stores, request, late[0], made[3])
    before = content(stores)
    roll_up_closed_hours(stores, NEXT_DAY + 24 * HOUR, large_hours)
    assert [hour for hour, _ in large_hours.started] == [START, START]
    assert len(stores.rollups.read(START).parts) == 4 + 6
    assert content(stores) == before


def test_an_object_that_is_no_log_leaves_the_hour_open_and_is_named():
    """Its part says which; the others are done, and once it is put right the hour is rolled up."""
    stores, made = an_hour()
    key = deliver(stores, made[0])
    body = stores.data.get(key).body
    stores.data.put(key, body[:50])
    with pytest.raises(LogUnreadable, match=key):
        rolled_up_in_parts(stores, START)
    assert not stores.rollups.hours_between(START, START + HOUR)
    assert roll_up_closed_hours(stores, START + 30 * HOUR, StartedHours()) == (START,)
    stores.data.put(key, body)
    assert rolled_up_in_parts(stores, START).whole


def test_a_large_hour_is_judged_once_it_is_rolled_up_and_named_until_then():
    """The run that asks for it leaves it out and says so; it is asked for once a clock hour; the next run has it."""
    world = CreditWorld()
    world.hours(24, rows=20, label_delay=None)
    for minute in range(9):
        request = lines_of(START + 22 * HOUR + minute * MINUTE, world.rng)
        world.stores.prediction_log.append(request[0]["prediction_id"].partition("-")[0], request)
    world.now += 30 * MINUTE
    large_hours = StartedHours()
    found = world.summary(world.run(large_hours=large_hours))
    assert large_hours.started == [(START + 22 * HOUR, world.now)]
    assert found.waiting_hours == (START + 22 * HOUR,)
    assert found.coverage.predictions == 23 * 20
    assert "1 large hour(s)" in found.left_out
    assert "large hour(s)" in world.stores.monitoring.read(world.run(large_hours=large_hours).report).decode()
    rolled_up_in_parts(world.stores, START + 22 * HOUR)
    after = world.summary(world.run(large_hours=large_hours))
    assert (after.waiting_hours, after.left_out) == ((), None)
    assert after.coverage.predictions == 24 * 20 + 9 * ROWS


def test_some_large_hours_wait_for_a_later_run():
    """After a pause not all are asked for at once; small hours are rolled up all the same."""
    stores, rng = Stores(MemoryBucket(), copy_of(trained_registry())), np.random.default_rng(5)
    for hour in range(8):
        for minute in range(9):
            deliver(stores, lines_of(START + hour * HOUR + minute * MINUTE, rng))
    deliver(stores, lines_of(START + 9 * HOUR, rng))
    large_hours = StartedHours()
    assert roll_up_closed_hours(stores, START + 12 * HOUR, large_hours) == ()
    assert len(large_hours.started) == 6
    assert list(stores.rollups.hours_between(START, START + 10 * HOUR)) == [START + 8 * HOUR, START + 9 * HOUR]


def test_hours_that_were_small_at_first_keep_their_rows():
    """One function has rolled the hour up, then as much comes late as makes it large."""
    stores, made = an_hour()
    keys = list(stores.data.keys(PREDICTIONS))
    one = copied(stores)
    one.rollups.roll_up(START, keys)
    stores.rollups.roll_up(START, keys[:2])
    assert rolled_up_in_parts(stores, START).whole
    assert content(stores) == content(one)
    assert len(stores.rollups.read(START).rows) == 2 * ROWS
    assert rollup_key(START) in list(stores.data.keys(PREDICTIONS_HOURLY))
    assert log_key(made[0][0]["prediction_id"].partition("-")[0]) not in keys
