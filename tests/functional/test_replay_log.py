"""Predictions that the store didn't take come back from the function's log; nothing is lost, nothing is there twice."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import selfheal_tools.cli.replay_log as command
from selfheal.contract import default_contract
from selfheal.prefixes import PREDICTIONS_HOURLY
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from selfheal.usecases.serve.replay_log import replay_log
from selfheal_tools.cli.app import app
from tests.support.serving import NOON, ROW, World, serving_world

REQUESTS = 1000
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_store_killed_in_the_middle_of_a_thousand_requests_loses_nothing():
    """Answered = logged + replayable, none twice; after replaying, twice, the log holds every answer once."""
    world = serving_world()
    answered, logged_at_once = [], 0
    for number in range(REQUESTS):
        world.data.down = 300 <= number < 700 and number % 7 != 0
        reply = world.predict({"rows": [ROW, ROW]} if number % 10 == 0 else ROW)
        assert reply.status == 200
        predictions = reply.json.get("predictions", [reply.json])
        answered += [prediction["prediction_id"] for prediction in predictions]
        logged_at_once += len(predictions) if reply.json["logged"] else 0
    world.data.down = False
    assert ids_logged(world) == sorted(set(answered) - ids_replayable(world))
    assert len(answered) == len(set(answered)) == logged_at_once + len(ids_replayable(world)) > logged_at_once > 0
    first = replay_log(world.stores, world.telemetry.lines, now=world.now)
    again = replay_log(world.stores, reversed(world.telemetry.lines), now=world.now)
    assert (again.put_back, again.already_there) == ((), first.put_back)
    assert ids_logged(world) == sorted(answered)


def ids_logged(world: World) -> list[str]:
    return sorted(line["prediction_id"] for line in world.logged())


def ids_replayable(world: World) -> set[str]:
    bodies = [json.loads(line)["body"] for line in world.telemetry.lines]
    return {json.loads(line)["prediction_id"] for body in bodies for line in body.splitlines()}


def test_a_large_request_comes_back_byte_by_byte():
    """Ten thousand rows are many lines; the log object is the one that would have been written."""
    world = serving_world()
    world.predict(ROW)
    world.data.down = True
    rows = [{**ROW, "monthly_income": index} for index in range(10_000)]
    ids = [p["prediction_id"] for p in world.predict({"rows": rows}).json["predictions"]]
    world.data.down = False
    assert len(world.telemetry.lines) > 10
    assert max(len(line.encode()) for line in world.telemetry.lines) <= 200_000
    report = replay_log(world.stores, world.telemetry.lines, now=world.now)
    assert len(report.put_back) == 1
    assert [line["prediction_id"] for line in world.logged()][1:] == ids


@pytest.fixture
def log_file(tmp_path, monkeypatch):
    world = serving_world()
    world.predict(ROW)
    world.data.down = True
    for _ in range(2):
        world.predict({"rows": [ROW] * 400})
    world.data.down = False
    monkeypatch.setattr(command, "connect", lambda _stage: SimpleNamespace(stores=world.stores))
    file = tmp_path / "predictor.log"
    file.write_text("\n".join(["START", *world.telemetry.lines, "END"]))
    return file


def test_the_command_says_what_it_put_back(log_file):
    """Once it puts them back; a second time they are there."""
    first = CliRunner().invoke(app, ["replay-log", str(log_file)], catch_exceptions=False)
    assert (first.exit_code, first.output) == (0, "put back 2 request(s); 0 were there already\n")
    again = CliRunner().invoke(app, ["replay-log", str(log_file)], catch_exceptions=False)
    assert again.output == "put back 0 request(s); 2 were there already\n"


def test_the_command_names_a_request_of_which_a_line_is_missing(log_file):
    """Half a request isn't written; the exit code says that there is more to do."""
    lines = log_file.read_text().splitlines()
    log_file.write_text("\n".join(lines[:1] + lines[2:]))
    result = CliRunner().invoke(app, ["replay-log", str(log_file)], catch_exceptions=False)
    assert result.exit_code == 1
    assert "put back 1 request(s)" in result.output
    assert "a line is missing of" in result.output


class Interrupted(MemoryBucket):
    """A bucket in which somebody else does something just before the next conditional write of a roll-up."""

    meanwhile: Callable[[], object] | None = None

    def create(self, key: str, body: bytes) -> str:
        self._interrupt(key)
        return super().create(key, body)

    def replace(self, key: str, body: bytes, etag: str) -> str:
        self._interrupt(key)
        return super().replace(key, body, etag)

    def _interrupt(self, key: str) -> None:
        if key.startswith(PREDICTIONS_HOURLY) and self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()


def unlogged(hours_after_noon: float, rows: int = 1) -> list[str]:
    """The replay lines of a request that S3 didn't take."""
    world = serving_world()
    world.now = NOON + hours_after_noon * HOUR
    world.data.down = True
    world.predict({"rows": [ROW] * rows})
    return world.telemetry.lines


@pytest.fixture
def stores() -> Stores:
    """An environment with one request at noon, its hour rolled up; the hour after it had none."""
    stores = Stores(Interrupted(), MemoryBucket())
    replay_log(stores, unlogged(0), now=NOON)
    run_hourly(stores, NOON + 1.5 * HOUR, NOON + 4 * HOUR)
    return stores


def run_hourly(stores: Stores, since: datetime, until: datetime) -> None:
    while since <= until:
        roll_up_closed_hours(stores, since)
        since += HOUR


def kept(stores: Stores) -> int:
    """How many predictions there are once the log's lifecycle has taken the small objects."""
    rolled_up = MemoryBucket()
    for key, body in stores.data.get_many(stores.data.keys(PREDICTIONS_HOURLY)):
        rolled_up.put(key, body)
    return len(Stores(rolled_up, rolled_up).history.window(NOON - DAY, NOON + DAY, default_contract()))


@pytest.mark.parametrize("days_later", [0, 1, 4, 10, 29, 31, 100])
@pytest.mark.parametrize("hour", [0.5, 1.5])
def test_what_is_replayed_late_outlives_the_log_objects(stores, hour, days_later):
    """Into an hour with other rows and into one marked empty, the next minute or after weeks of monitoring runs."""
    now = NOON + 4 * HOUR + days_later * DAY
    for day in range(1, days_later + 1):
        roll_up_closed_hours(stores, NOON + day * DAY)
    replay_log(stores, unlogged(hour), now=now)
    run_hourly(stores, now, now + 2 * HOUR)
    assert kept(stores) == 2


@pytest.mark.parametrize("days_later", [1, 5, 28, 31, 100])
def test_what_is_replayed_into_an_hour_that_monitoring_missed_outlives_them_too(days_later):
    """Monitoring was down since before the hour: it rolls the hour up when it is back, or the replay has done it."""
    stores = Stores(MemoryBucket(), MemoryBucket())
    now = NOON + days_later * DAY
    replay_log(stores, unlogged(0), now=now)
    for _ in range(10):
        roll_up_closed_hours(stores, now)
    assert kept(stores) == 1


@pytest.mark.parametrize("days_later", [0, 10, 100])
@pytest.mark.parametrize("hour", [0.5, 1.5])
def test_two_who_replay_at_once_both_put_theirs_back(stores, hour, days_later):
    """Whoever finds the roll-up changed by the other adds to what it holds now."""
    now = NOON + 4 * HOUR + days_later * DAY
    roll_up_closed_hours(stores, now)
    theirs, ours = unlogged(hour), unlogged(hour)
    stores.data.meanwhile = lambda: replay_log(stores, theirs, now=now)
    replay_log(stores, ours, now=now)
    assert kept(stores) == 3


@pytest.mark.parametrize("hour", [0.5, 1.5])
def test_what_is_replayed_while_its_hour_is_rolled_up_is_in_it(hour):
    """The run has listed the hour and hasn't written it: the replay finds no roll-up, the run finds the request."""
    stores = Stores(Interrupted(), MemoryBucket())
    replay_log(stores, unlogged(0), now=NOON)
    now = NOON + 10 * DAY
    if hour > 1:
        roll_up_closed_hours(stores, NOON + 1.5 * HOUR)
    stores.data.meanwhile = lambda: replay_log(stores, unlogged(hour), now=now)
    roll_up_closed_hours(stores, now)
    assert kept(stores) == 2


def test_lines_of_no_request_of_ours_are_passed_over(stores):
    """A line whose request id isn't one names no place in the log."""
    (line,) = unlogged(0.5)
    request_id = json.loads(line)["request_id"]
    report = replay_log(stores, [line.replace(request_id, "../../x"), line.replace(request_id[:4], "7ZZZ")], now=NOON)
    assert report.put_back == report.incomplete == ()
