"""Labels by users' ids, from request and upload to the labelled prediction: whatever comes first, twice or late."""

from datetime import datetime, timedelta

import pytest

from selfheal.contract import Contract, default_contract
from selfheal.errors import StoreUnavailable
from selfheal.records.labels import IngestionReport, MatchReport, Upload
from selfheal.replay import replayed
from selfheal.usecases.labels.ingest import ingest_labels
from selfheal.usecases.labels.match import match_labels
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from selfheal.usecases.serve.replay_log import replay_log
from tests.support.serving import NOON, ROW, World, promote, write_version

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def world_of(**model: object) -> World:
    world = World()
    write_version(world.stores, "v1", contract=contract_of(**model))
    promote(world.stores, "v1")
    return world


def contract_of(**model: object) -> Contract:
    contract = default_contract()
    return contract.model_copy(update={"model": contract.model.model_copy(update=model)})


@pytest.fixture
def world() -> World:
    return world_of()


def ask(world: World, *ids: object) -> list[str]:
    reply = world.predict({"rows": [ROW if own_id is None else {**ROW, "id": own_id} for own_id in ids]})
    assert reply.status == 200
    return [prediction["prediction_id"] for prediction in reply.json["predictions"]]


def upload(world: World, name: str, body: str, at: datetime | None = None) -> IngestionReport:
    world.stores.labels.receive(name, body.encode())
    told = Upload(key=f"labels/incoming/{name}", size=len(body), uploaded_at=at or world.now)
    return ingest_labels(world.stores, told)


def run(world: World) -> MatchReport:
    """What a monitoring run does for labels."""
    roll_up_closed_hours(world.stores, world.now)
    return match_labels(world.stores, world.now)


def known(world: World) -> dict[str, int]:
    found = world.stores.labels.of_predictions_between(NOON - 60 * DAY, NOON + 60 * DAY)
    return {key: label.label for key, label in found.items()}


def refused(world: World) -> list[dict[str, str]]:
    return [row for key in world.stores.labels.refusals() for row in world.stores.labels.refused(key)]


def accepted(world: World) -> dict[str, bytes]:
    return dict(world.data.get_many(world.data.keys("labels/accepted/")))


def test_labels_come_by_id_days_later(world):
    """In each format, under either name, in any spelling of a number; nobody has kept a prediction's id."""
    keys = ask(world, "L-1", 2, "003", None)
    world.now += 3 * DAY
    assert upload(world, "a.csv", "id,label\nL-1,1\n").pending == 1
    assert upload(world, "b.jsonl", '{"id": 2.0, "label": false}\n').pending == 1
    assert upload(world, "c.csv", "loan,id,label\nx, 003 ,1\n").pending == 1
    world.now += 2 * HOUR
    assert run(world) == MatchReport(matched=3)
    assert known(world) == {keys[0]: 1, keys[1]: 0, keys[2]: 1}


def test_a_file_may_use_the_contracts_own_column():
    """As the user's system writes it."""
    world = world_of(id_column="loan")
    (key,) = ask(world, "L-1")
    assert upload(world, "a.csv", "loan,label\nL-1,1\n").pending == 1
    world.now += 2 * HOUR
    run(world)
    assert known(world) == {key: 1}


def test_a_row_with_a_predictions_id_needs_no_other(world):
    """Where both are given, the prediction's own counts; rows of both kinds may share a file."""
    first, second = ask(world, "a", "b")
    report = upload(world, "a.csv", f"prediction_id,id,label\n{first},b,1\n,b,0\n")
    assert (report.accepted, report.pending) == (1, 1)
    world.now += 2 * HOUR
    run(world)
    assert known(world) == {first: 1, second: 0}


def test_labels_come_by_id_through_the_api(world):
    """POST /labels takes `id` instead of `prediction_id`."""
    (key,) = ask(world, 7)
    reply = world.call("POST", "/labels", {"labels": [{"id": 7, "label": 1}]})
    assert reply.status == 202
    name = reply.json["upload"]
    told = Upload(key=f"labels/incoming/{name}", size=1, uploaded_at=world.now)
    assert ingest_labels(world.stores, told).pending == 1
    world.now += 2 * HOUR
    run(world)
    assert known(world) == {key: 1}


def test_a_label_waits_until_the_hour_of_its_upload_is_closed(world):
    """Before that the newest prediction under its id may not be in the index yet."""
    ask(world, "a")
    world.now += HOUR + 10 * HOUR / 60
    run(world)
    world.now += HOUR
    (newest,) = ask(world, "a")
    upload(world, "a.csv", "id,label\na,1\n")
    world.now += HOUR / 6
    assert run(world) == MatchReport()
    world.now += HOUR
    assert run(world) == MatchReport(matched=1)
    assert known(world) == {newest: 1}


@pytest.mark.parametrize(("rule", "labelled"), [("newest", [1]), ("all", [0, 1]), ("refuse", [])])
def test_two_predictions_under_one_id_are_the_rules_business(rule, labelled):
    """The newest, all, or none, which is told; a prediction after the label is none of them."""
    world = world_of(repeated_ids=rule)
    keys = ask(world, "a")
    world.now += DAY
    keys += ask(world, "a")
    world.now += DAY
    upload(world, "truth.csv", "id,label\na,1\n")
    world.now += HOUR / 2
    ask(world, "a")
    world.now += DAY
    report = run(world)
    assert known(world) == {keys[index]: 1 for index in labelled}
    assert (report.matched, report.refused) == ((0, 1) if rule == "refuse" else (1, 0))
    if rule == "refuse":
        (row,) = refused(world)
        assert (row["line"], row["id"], row["label"]) == ("2", "a", "1")
        assert "2 predictions were made under this id" in row["reason"]


def test_an_id_that_comes_back_after_the_window_is_another_case():
    """A monthly score with a window of 20 days: each label means its own month's prediction, uploaded in one file."""
    world = world_of(id_window_days=20)
    keys = []
    for _ in range(2):
        keys += ask(world, "customer")
        for _ in range(30):
            world.now += DAY
            run(world)
    body = "id,label,label_timestamp\ncustomer,1,2026-03-05\ncustomer,0,2026-04-05\n"
    upload(world, "year.csv", body)
    world.now += 2 * HOUR
    assert run(world) == MatchReport(matched=2)
    assert known(world) == {keys[0]: 1, keys[1]: 0}


def test_a_label_may_come_before_its_prediction(world):
    """It is kept, and matched with the first prediction under its id, which others don't share."""
    upload(world, "a.csv", "id,label\na,1\nb,0\n")
    world.now += 2 * HOUR
    assert run(world) == MatchReport(waiting=2)
    world.now += DAY
    (first,) = ask(world, "a")
    world.now += DAY
    ask(world, "a")
    world.now += DAY
    assert run(world) == MatchReport(matched=1, waiting=1)
    assert known(world) == {first: 1}
    before = accepted(world)
    world.now += DAY
    assert run(world) == MatchReport(waiting=1)
    assert accepted(world) == before


def test_a_label_before_any_prediction_at_all_is_matched_too(world):
    """Also where nothing had been logged when it was uploaded."""
    upload(world, "a.csv", "id,label\na,1\n")
    world.now += HOUR
    (key,) = ask(world, "a")
    world.now += 2 * HOUR
    run(world)
    world.now += DAY
    run(world)
    assert known(world) == {key: 1}


def test_a_prediction_that_turns_up_late_gets_its_label(world):
    """The log was down and is replayed two days after the label was looked for."""
    world.predict(ROW)
    world.data.down = True
    (key,) = ask(world, "a")
    world.data.down = False
    world.now += DAY
    upload(world, "a.csv", "id,label\na,1\n")
    world.now += 2 * HOUR
    assert run(world) == MatchReport(waiting=1)
    world.now += 2 * DAY
    assert [found.body for found in replayed(world.telemetry.lines)]
    replay_log(world.stores, world.telemetry.lines, now=world.now)
    assert run(world) == MatchReport(matched=1)
    assert known(world) == {key: 1}


def test_a_label_waits_for_a_month(world):
    """After that nobody looks for its prediction any more, and whoever uploaded it is told."""
    upload(world, "a.csv", "id,label\na,1\n")
    for _ in range(31):
        assert refused(world) == []
        world.now += DAY
        run(world)
        if refused(world):
            break
    assert world.now == NOON + 30 * DAY
    ((line, reason),) = [(row["line"], row["reason"]) for row in refused(world)]
    assert (line, reason) == ("2", "no prediction under this id was found up to 30 days after the upload")
    ask(world, "a")
    world.now += DAY
    assert run(world) == MatchReport()
    assert len(refused(world)) == 1


def test_what_was_uploaded_before_monitoring_was_down_for_weeks_is_matched_or_told(world):
    """Five weeks without a run: one label's prediction is there, the other's isn't."""
    (key,) = ask(world, "a")
    world.now += 2 * HOUR
    run(world)
    upload(world, "a.csv", "id,label\na,1\nb,0\n")
    world.now += 35 * DAY
    assert run(world) == MatchReport(matched=1, refused=1)
    assert known(world) == {key: 1}
    assert [row["id"] for row in refused(world)] == ["b"]


def test_what_is_refused_later_overwrites_no_earlier_refusal():
    """Of one file a label is refused at the first look, another one days later: both reasons are there."""
    world = world_of(repeated_ids="refuse")
    ask(world, "a", "a")
    upload(world, "a.csv", "id,label\na,1\nb,0\n")
    world.now += 2 * HOUR
    assert run(world) == MatchReport(refused=1, waiting=1)
    world.now += 30 * DAY
    assert run(world) == MatchReport(refused=1)
    assert sorted(row["id"] for row in refused(world)) == ["a", "b"]


def test_doing_it_again_changes_nothing(world):
    """An event that comes twice, a second run, and the same file uploaded anew with times of its own."""
    (key,) = ask(world, "a")
    body = "id,label,label_timestamp\na,1,2026-03-01T12:30:00Z\n"
    world.now += HOUR
    assert upload(world, "a.csv", body).repeated is False
    assert upload(world, "a.csv", body).repeated is True
    world.now += 2 * HOUR
    assert run(world) == MatchReport(matched=1)
    before = accepted(world)
    assert run(world) == MatchReport()
    upload(world, "b.csv", body)
    world.now += 2 * HOUR
    assert run(world) == MatchReport(matched=1)
    assert accepted(world) == before
    assert known(world) == {key: 1}


def test_a_correction_by_id_overrules_a_label_by_prediction(world):
    """Whichever way labels come, the newest of a prediction wins."""
    (key,) = ask(world, "a")
    upload(world, "a.csv", f"prediction_id,label\n{key},1\n")
    world.now += HOUR
    upload(world, "b.csv", "id,label\na,0\n")
    world.now += 2 * HOUR
    run(world)
    assert known(world) == {key: 0}


def test_what_is_wrong_with_a_row_is_told(world):
    """An id that is none, no id at all, a value that is no label, and two truths of one time."""
    ask(world, "a")
    long = "x" * 201
    report = upload(world, "a.csv", f"id,label\n{long},1\n,1\na,7\na,1\na,0\n")
    assert (report.accepted, report.pending, report.rejected) == (0, 1, 4)
    reasons = [row["reason"] for row in refused(world)]
    assert reasons[0].startswith("id is none: Input should be a text of at most 200 characters")
    assert reasons[1:] == [
        "prediction_id is empty",
        "label is not one of 1, true, 0, false",
        "an earlier row gives this prediction another label",
    ]
    assert report.reasons == dict.fromkeys(reasons, 1)
    assert world.stores.labels.outcome("a.csv") == report


def test_without_a_column_of_ids_in_the_contract_a_file_of_ids_is_refused():
    """Nothing could ever be matched; the message says which column is missing."""
    report = upload(world_of(id_column=None), "a.csv", "id,label\na,1\n")
    assert report.reason == "the file lacks the column(s) prediction_id"


def test_labels_wait_until_the_roll_up_has_caught_up(world):
    """After a week without a run the newest prediction isn't in the index at once; no other is meant meanwhile."""
    ask(world, "a")
    world.now += 6 * DAY
    (newest,) = ask(world, "a")
    upload(world, "a.csv", "id,label\na,1\n")
    world.now += DAY
    assert run(world) == MatchReport()
    assert run(world) == MatchReport(matched=1)
    assert known(world) == {newest: 1}


def test_an_hour_that_can_t_be_read_holds_labels_up_for_a_day(world):
    """A broken log object in the hour of the upload: what is readable is matched a day later."""
    (key,) = ask(world, "a")
    world.now += HOUR
    request = ask(world, "b")[0][:26]
    world.data.put(f"predictions/dt=2026-03-01/hh=13/{request}.jsonl", b"not JSON")
    upload(world, "a.csv", "id,label\na,1\n")
    for _ in range(24):
        world.now += HOUR
        assert run(world) == MatchReport()
    for _ in range(3):
        world.now += HOUR
        run(world)
    assert known(world) == {key: 1}


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("fail_at", range(1, 10))
def test_a_run_that_ends_anywhere_loses_and_doubles_no_label(fail_at, kept):
    """Whichever write is its last, the next run completes it."""
    world = world_of()
    keys = ask(world, "a", "b")
    upload(world, "a.csv", "id,label\na,1\nb,0\nc,1\n")
    world.now += 2 * HOUR
    write, left = world.data._write, [fail_at]

    def failing(key: str, body: bytes) -> str:
        left[0] -= 1
        if left[0] == 0 and not kept:
            raise StoreUnavailable("the process ends here")
        etag = write(key, body)
        if left[0] == 0:
            raise StoreUnavailable("the process ends here")
        return etag

    world.data._write = failing
    for _ in range(2):
        try:
            run(world)
        except StoreUnavailable:
            continue
    world.data._write = write
    assert known(world) == {keys[0]: 1, keys[1]: 0}
    assert sum(len(body.splitlines()) for body in accepted(world).values()) == 2
    world.now += DAY
    assert run(world) == MatchReport(waiting=1)
