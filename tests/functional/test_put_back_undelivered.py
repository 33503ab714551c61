"""Predictions that a Firehose stream couldn't place come back into the hours that they belong to; once."""

import base64
import gzip
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import selfheal_tools.cli.replay_log as command
from selfheal.prefixes import PREDICTIONS, UNDELIVERED
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from selfheal.usecases.serve.put_back_undelivered import put_back_undelivered
from selfheal_tools.cli.app import app
from tests.support.serving import NOON, ROW, World, serving_world

KEY = f"{UNDELIVERED}metadata-extraction-failed/dt=2026-03-01/stream-1"


@pytest.fixture
def world() -> World:
    """Three requests of two rows were answered: one is logged, two lie where the stream puts what it can't place."""
    answering, world = serving_world(), serving_world()
    for _ in range(3):
        answering.predict({"rows": [ROW, ROW]})
    logged, *refused_ones = sorted(answering.data.get_many(answering.data.keys(PREDICTIONS)))
    world.data.put(*logged)
    world.data.put(KEY, gzip.compress(b"".join(refused(body) for _, body in refused_ones)))
    return world


def refused(record: bytes) -> bytes:
    """A line as Firehose writes it for a record that it couldn't place."""
    told = {"attemptsMade": 1, "errorCode": "DynamicPartitioning.ActivePartitionLimitExceeded"}
    return json.dumps({**told, "rawData": base64.b64encode(record).decode()}).encode() + b"\n"


@pytest.mark.parametrize("later", [timedelta(minutes=5), timedelta(hours=2), timedelta(days=60)])
def test_what_a_stream_could_not_place_is_in_its_hour_once(world: World, later: timedelta):
    """While the hour is open, when it is rolled up, and long after; twice is once."""
    now = NOON + later
    roll_up_closed_hours(world.stores, now)
    first = put_back_undelivered(world.stores, now=now)
    again = put_back_undelivered(world.stores, now=now)
    roll_up_closed_hours(world.stores, now + timedelta(hours=2))
    assert (first.put_back, first.already_there, first.unreadable) == (4, 0, ())
    assert (again.put_back, again.already_there) == (0, 4)
    assert len(world.stores.rollups.read(NOON).rows) == 6


def test_lines_that_are_no_predictions_are_named_and_hold_nothing_up(world: World, monkeypatch: pytest.MonkeyPatch):
    """An object that was cut off, one of another sender and a sound one: the sound one comes back."""
    world.data.put(f"{UNDELIVERED}cut", gzip.compress(refused(b"x"))[:-9])
    world.data.put(f"{UNDELIVERED}strange", refused(b'{"prediction_id":"../x"}\n[1]\n'))
    monkeypatch.setattr(command, "connect", lambda _stage: SimpleNamespace(stores=world.stores))
    told = CliRunner().invoke(app, ["replay-log"], catch_exceptions=False)
    assert told.exit_code == 1
    assert "put back 4 undelivered prediction(s); 0 were there already" in told.output
    assert f"not all lines are predictions of {UNDELIVERED}cut, {UNDELIVERED}strange" in told.output
