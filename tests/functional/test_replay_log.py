"""Predictions that the store didn't take come back from the function's log; nothing is lost, nothing is there twice."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import infra.cli.replay_log as command
from infra.cli.app import app
from selfheal.usecases.replay_log import replay_log
from tests.support.serving import ROW, World, serving_world

REQUESTS = 1000


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
    first = replay_log(world.stores, world.telemetry.lines)
    again = replay_log(world.stores, reversed(world.telemetry.lines))
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
    report = replay_log(world.stores, world.telemetry.lines)
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
