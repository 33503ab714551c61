"""A predictor whose log is a stream: every answer is delivered or replayable, and a retry hears what was said first."""

from datetime import timedelta

import pytest

from selfheal.contract import default_contract
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from selfheal.usecases.serve.replay_log import replay_log
from tests.support.serving import NOON, ROW, World, linear_model, promote, serving_world, write_version
from tests.support.stream import DeliveringStream

KEY = {"idempotency-key": "once"}
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    """A predictor with a stream that delivers each line twice, when told to."""
    found = serving_world()
    found.stores.stream = DeliveringStream(found.data, at_once=False, copies=2)
    return found


def ids_counted(world: World) -> list[str]:
    """The predictions that monitoring and training would see, from the log as it is now."""
    window = world.stores.history.window(world.now - DAY, world.now + DAY, default_contract())
    return sorted(window.prediction_ids)


def test_an_answer_is_delivered_and_counts_once(world):
    """The predictor itself writes nothing; the objects of the stream hold the line that a log object would."""
    answer = world.predict({"rows": [ROW, {**ROW, "age": 60}]})
    assert answer.json["logged"]
    assert list(world.data.keys("")) == []
    world.stores.stream.deliver()
    assert ids_counted(world) == [prediction["prediction_id"] for prediction in answer.json["predictions"]]
    other = serving_world()
    other.predict(ROW)
    world.now = NOON + DAY
    roll_up_closed_hours(world.stores, world.now)
    roll_up_closed_hours(other.stores, world.now)
    ours, theirs = (stores.rollups.read(NOON).rows for stores in (world.stores, other.stores))
    assert ours.dtypes.to_dict() == theirs.dtypes.to_dict()
    assert len(ours) == 2


def test_a_retry_hears_what_was_answered_first(world):
    """Also where another version is in production meanwhile; its rows count once, however often they were handed on."""
    first = world.predict({"rows": [ROW] * 3}, **KEY)
    write_version(world.stores, "v2", model=linear_model(default_contract(), intercept=2.0))
    promote(world.stores, "v2")
    world.advance(60)
    again = world.predict({"rows": [ROW] * 3}, **KEY)
    assert again.json == first.json
    assert world.predict(ROW).json["model_version"] == "v2"
    world.stores.stream.deliver()
    assert len(ids_counted(world)) == 4


def test_a_retry_of_a_request_that_ended_before_the_stream_had_it_is_logged(world):
    """The claim was written and the process ended: what the retry hands on is what the claim says."""
    world.stores.stream.down = True
    first = world.predict(ROW, **KEY)
    assert not first.json["logged"]
    world.stores.stream.down = False
    again = world.predict(ROW, **KEY)
    assert again.json == {**first.json, "logged": True}
    world.stores.stream.deliver()
    assert ids_counted(world) == [first.json["prediction_id"]]


def test_the_same_key_with_another_body_is_refused(world):
    """And nothing of it is logged."""
    world.predict(ROW, **KEY)
    assert world.predict({**ROW, "age": 60}, **KEY).status == 422
    world.stores.stream.deliver()
    assert len(ids_counted(world)) == 1


def test_a_claim_from_before_there_was_a_stream_keeps_its_ids(world):
    """The log was changed within two days: a retry is answered anew, under the ids of the first attempt."""
    stream, world.stores.stream = world.stores.stream, None
    first = world.predict(ROW, **KEY)
    world.stores.stream = stream
    again = world.predict(ROW, **KEY)
    stream.deliver()
    assert again.json["prediction_id"] == first.json["prediction_id"]
    assert ids_counted(world) == [first.json["prediction_id"]]


def test_where_claims_can_t_be_kept_a_request_is_answered_as_a_new_one(world):
    """The bucket is down, the stream isn't: every answer is logged."""
    world.predict(ROW)
    world.data.down = True
    answers = [world.predict(ROW, **KEY) for _ in range(2)]
    assert [answer.json["logged"] for answer in answers] == [True, True]
    assert len({answer.json["prediction_id"] for answer in answers}) == 2


@pytest.mark.parametrize("takes", [0, 1, 299])
def test_what_the_stream_refuses_comes_back_from_the_functions_log(world, takes):
    """Whether it took nothing or a part: each row counts once after the replay, and a second one changes nothing."""
    world.stores.stream.takes = takes
    answer = world.predict({"rows": [ROW] * 300})
    assert (answer.status, answer.json["logged"]) == (200, False)
    world.stores.stream.deliver()
    assert len(ids_counted(world)) == takes
    for _ in range(2):
        replay_log(world.stores, world.telemetry.lines, now=world.now)
        assert ids_counted(world) == [prediction["prediction_id"] for prediction in answer.json["predictions"]]


def test_a_delivered_object_that_is_broken_leaves_its_hour_open(world):
    """Half an object is no reason to lose the hour, nor to count it as done."""
    world.predict(ROW)
    world.stores.stream.deliver()
    (key,) = world.data.keys("predictions/")
    whole = world.data.get(key).body
    world.data.put(key, whole[: len(whole) // 2])
    assert roll_up_closed_hours(world.stores, NOON + 2 * DAY) == (NOON,)
    world.data.put(key, whole)
    assert roll_up_closed_hours(world.stores, NOON + 2 * DAY) == ()
    assert len(world.stores.rollups.read(NOON).rows) == 1


def test_delivered_predictions_are_found_before_their_hour_is_rolled_up(world):
    """A day counts as labelled as soon as a label names one of its predictions."""
    made = world.predict(ROW).json["prediction_id"]
    world.stores.stream.deliver()
    assert world.stores.history.holds_any([made])
    assert not world.stores.history.holds_any([made.replace("-0000", "-0001")])


def test_a_claim_is_read_as_it_was_written(world):
    """Every kind of value, to the last digit and in its order: a retry hands on the very lines of the first attempt."""
    rows = {"rows": [{**ROW, "id": "own", "debt_ratio": 0.1 + 0.2}]}
    for _ in range(2):
        world.predict(rows, **KEY)
    first, again = world.stores.stream._held
    assert first == again
    assert b"0.30000000000000004" in first
