"""The predictor over buckets in memory: what it answers, what it logs first, and what it says when something is off."""

import base64
import json
import re
from datetime import UTC, datetime
from html import unescape

import pytest

from selfheal.contract import default_contract, parse_contract
from selfheal.contract.request import example_rows
from selfheal.errors import StoreUnavailable
from selfheal.records.predictions import is_prediction_id, moment_of
from selfheal.replay import replayed
from tests.support.serving import (
    EVENTS,
    NOON,
    ROW,
    Reply,
    World,
    event,
    linear_model,
    promote,
    serving_world,
    write_version,
)


def test_one_row_is_answered_in_one_object_and_logged_under_the_contracts_names():
    """The answer carries every documented field; the log holds the same numbers and the features."""
    world = serving_world()
    reply = world.predict(ROW)
    assert reply.status == 200
    assert set(reply.json) == {"prediction_id", "probability", "prediction", "threshold", "model_version", "logged"}
    (line,) = world.logged()
    assert {key: line[key] for key in ("prediction_id", "probability", "prediction", "model_version")} == {
        key: reply.json[key] for key in ("prediction_id", "probability", "prediction", "model_version")
    }
    assert line["features"]["RevolvingUtilizationOfUnsecuredLines"] == 0.31
    assert line["features"]["NumberOfDependents"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])


def test_the_probability_is_the_models():
    """By hand: 54.53 hundredths over the intercept -1, through the logistic function."""
    reply = serving_world().predict(ROW)
    total = 0.31 + 45 + 0.35 + 5400 + 8 + 1
    assert reply.json["probability"] == pytest.approx(1 / (1 + 2.718281828459045 ** -(0.01 * total - 1)))
    assert reply.json["prediction"] == 1


def test_many_rows_are_answered_in_order_and_logged_as_one_object():
    """Ids count the rows, all rows lie in one object, and one row alone has the same probability."""
    world = serving_world()
    rows = [{**ROW, "age": age, "monthly_income": age} for age in range(20, 70)]
    reply = world.predict({"rows": rows})
    predictions = reply.json["predictions"]
    assert [p["prediction_id"][-4:] for p in predictions] == [f"{i:04d}" for i in range(50)]
    assert len(list(world.data.keys("predictions/"))) == 1
    assert [line["features"]["age"] for line in world.logged()] == list(range(20, 70))
    assert [p["probability"] for p in predictions] == [world.predict(row).json["probability"] for row in rows]


def test_a_prediction_id_says_when_it_was_made():
    """The id's time is the request's, so that a label finds its partition."""
    world = serving_world()
    world.now = datetime(2026, 3, 1, 23, 59, 59, 999_900, tzinfo=UTC)
    identifier = world.predict(ROW).json["prediction_id"]
    assert is_prediction_id(identifier)
    (key,), (line,) = list(world.data.keys("predictions/")), world.logged()
    assert f"{moment_of(identifier):%Y-%m-%dT%H:%M:%S}" == line["timestamp"][:19]
    assert key.startswith(f"predictions/dt={line['timestamp'][:10]}/hh={line['timestamp'][11:13]}/")


def test_a_rows_own_id_is_logged_and_answered_beside_its_features():
    """Never among the features, also in a request so large that it is checked by column; a retry answers the same."""
    world = serving_world()
    ids = [f"loan-{number}" for number in range(600)]
    reply = world.predict({"rows": [{"id": own, **ROW} for own in ids]}, **KEY)
    assert [prediction["id"] for prediction in reply.json["predictions"]] == ids
    logged = world.logged()
    assert [line["id"] for line in logged] == ids
    assert not any("id" in line["features"] for line in logged)
    assert world.predict({"rows": [{"id": own, **ROW} for own in ids]}, **KEY).json == reply.json


def test_a_row_without_an_id_is_answered_without_one():
    """Alone or beside others that have one."""
    world = serving_world()
    assert "id" not in world.predict(ROW).json
    assert world.predict({**ROW, "id": 7}).json["id"] == "7"
    assert ["id" in p for p in world.predict({"rows": [ROW, {**ROW, "id": "b"}]}).json["predictions"]] == [False, True]


def test_an_empty_text_is_answered_and_logged_as_null():
    """It is what an empty cell is, whether the request is small or large."""
    world = serving_world()
    null, blank = ({**ROW, "monthly_income": value} for value in (None, ""))
    for count in (1, 600):
        predictions = world.predict({"rows": [null, blank] * count}).json["predictions"]
        assert len({prediction["probability"] for prediction in predictions}) == 1
    assert {line["features"]["MonthlyIncome"] for line in world.logged()} == {None}


def test_bad_fields_are_all_named_and_nothing_is_logged():
    """A missing, a mistyped and an unknown field are one problem document."""
    world = serving_world()
    row = {key: value for key, value in ROW.items() if key != "age"} | {"debt_ratio": "0.3", "colour": "red"}
    reply = world.predict(row)
    assert reply.status == 422
    assert {error["field"] for error in reply.json["errors"]} == {"age", "debt_ratio", "colour"}
    assert world.logged() == []


def test_a_body_over_five_megabytes_is_refused():
    """The limit is told, and nothing is parsed."""
    reply = serving_world().predict(" " * 5_000_001)
    assert reply.status == 413
    assert "5000000" in reply.json["detail"]


def test_a_base64_body_is_read():
    """API Gateway encodes bodies whose media type it doesn't know."""
    world = serving_world()
    request = event("http_predict")
    request["body"], request["isBase64Encoded"] = base64.b64encode(request["body"].encode()).decode(), True
    assert world.send(request).status == 200


def test_without_a_model_every_answer_says_so():
    """An environment that isn't bootstrapped starts, and answers 503; /docs shows the default contract meanwhile."""
    world = World()
    for method, path in (("POST", "/predict"), ("GET", "/model"), ("GET", "/health")):
        reply = world.call(method, path, ROW)
        assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json")
        assert "bootstrap" in reply.json["detail"]
    assert "DebtRatio" in world.call("GET", "/docs").text


def test_a_store_that_is_down_doesn_t_stop_the_answer():
    """The answer says `logged: false`, and the telemetry's lines hold the log object byte for byte."""
    world = serving_world()
    world.predict(ROW)
    world.data.down = True
    reply = world.predict({"rows": [ROW, {**ROW, "age": 60}]})
    assert reply.status == 200
    assert reply.json["logged"] is False
    (found,) = replayed(world.telemetry.lines)
    ids = [json.loads(line)["prediction_id"] for line in found.body.splitlines()]
    assert ids == [prediction["prediction_id"] for prediction in reply.json["predictions"]]
    assert world.telemetry.rows == 2


def test_a_new_version_is_picked_up_whole_after_the_check_interval():
    """Until the pointer is looked at again the old version answers; then the new one, with its own contract."""
    world = serving_world(check_seconds=15)
    assert world.predict(ROW).json["model_version"] == "v1"
    other = parse_contract('[model]\nname = "o"\ntarget = "y"\n[features.x]\ntype = "number"\n')
    write_version(world.stores, "v2", contract=other)
    promote(world.stores, "v2")
    world.advance(14.9)
    assert world.predict(ROW).json["model_version"] == "v1"
    world.advance(0.1)
    assert world.predict(ROW).status == 422
    assert world.predict({"x": 1}).json["model_version"] == "v2"


@pytest.mark.parametrize("model", [b"{}", b"", b"\x80\x04joblib", b'{"format": "selfheal-model"}'])
def test_a_version_that_can_t_be_loaded_leaves_the_last_good_one(model: bytes):
    """A corrupt artefact is refused, the operator is told once, and the next good version is taken."""
    world = serving_world()
    world.predict(ROW)
    write_version(world.stores, "v2", model=model)
    promote(world.stores, "v2")
    world.advance(60)
    assert world.predict(ROW).json["model_version"] == "v1"
    world.advance(60)
    assert world.call("GET", "/health").json == {"status": "stale", "model_version": "v1"}
    assert world.telemetry.problems == ["ArtefactRefused"]
    write_version(world.stores, "v3")
    promote(world.stores, "v3")
    world.advance(60)
    assert world.predict(ROW).json["model_version"] == "v3"
    assert world.call("GET", "/health").json["status"] == "ok"


def test_a_version_that_is_missing_or_a_registry_that_is_down_leaves_the_last_good_one():
    """Whatever is wrong with the registry, a loaded model answers."""
    world = serving_world()
    world.predict(ROW)
    promote(world.stores, "never-written")
    world.advance(60)
    assert world.predict(ROW).json["model_version"] == "v1"
    world.registry.down = True
    world.advance(60)
    assert world.predict(ROW).json["model_version"] == "v1"


@pytest.mark.parametrize("key", ["pointers/production.json", "models/v1/manifest.json"])
def test_a_corrupt_registry_is_a_503_at_first_and_harmless_later(key):
    """Before a model is loaded nothing can answer, and the answer gives nothing away; a loaded one goes on."""
    fresh, running = serving_world(), serving_world()
    running.predict(ROW)
    for world in (fresh, running):
        world.registry.put(key, b'{"version": "secret"}')
        world.advance(60)
    reply = fresh.predict(ROW)
    assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json")
    assert "secret" not in reply.text
    assert running.predict(ROW).status == 200
    assert fresh.telemetry.failures == []


def test_the_model_card_tells_what_answers():
    """GET /model names the version, its threshold and its features."""
    card = serving_world().call("GET", "/model").json
    assert (card["model_version"], card["threshold"], len(card["features"])) == ("v1", 0.5, 10)
    assert datetime.fromisoformat(card["promoted_at"]) == NOON


def test_the_docs_show_the_contracts_own_fields_and_load_nothing():
    """Names, limits and descriptions stand in the page itself, and no address of another site does."""
    page = serving_world().call("GET", "/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "NumberOfTime60-89DaysPastDueNotWorse" in page.text
    assert "Age of the borrower in years" in page.text
    assert "://" not in page.text


def test_the_docs_show_requests_of_every_kind_with_the_models_typical_rows():
    """One row, many under `rows`, and labels, each as it is sent; the rows are what the version was trained on."""
    typical = [{**example_rows(default_contract())[0], "age": age} for age in (43, 57)]
    world = World()
    write_version(world.stores, "v1", examples=tuple(typical))
    promote(world.stores, "v1")
    page = unescape(world.call("GET", "/docs").text)
    shown = [json.loads(text) for text in re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)]
    assert shown[:2] == [typical[0], {"rows": typical}]
    assert list(shown[2]) == ["labels"]
    for path, request in zip(("/predict", "/predict", "/labels"), shown, strict=True):
        assert world.call("POST", path, request).status in {200, 202}


def test_the_docs_fit_a_phone_and_the_dark():
    """The page says how wide it wants to be shown, and has colours for either scheme."""
    page = serving_world().call("GET", "/docs").text
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "color-scheme: light dark" in page
    assert "@media (prefers-color-scheme: dark)" in page


def test_labels_sent_to_the_api_become_an_upload():
    """The batch lies in labels/incoming/ as JSON lines; what has no time of its own has that of the request."""
    world = serving_world()
    identifier = world.predict(ROW).json["prediction_id"]
    own = {"prediction_id": identifier, "label": 0, "label_timestamp": "2026-02-28"}
    batch = {"labels": [{"prediction_id": identifier, "label": 1.0, "source": "crm"}, own]}
    reply = world.call("POST", "/labels", batch)
    assert (reply.status, reply.json["rows"]) == (202, 2)
    (key,) = world.data.keys("labels/incoming/")
    assert key == f"labels/incoming/{reply.json['upload']}"
    dated = {**batch["labels"][0], "label_timestamp": "2026-03-01T12:00:00.000Z"}
    assert [json.loads(line) for line in world.data.get(key).body.splitlines()] == [dated, own]


def test_a_retry_under_its_key_sends_labels_once():
    """The same file with the same times, an hour later; without the key it is another request that says them anew."""
    world = serving_world()
    batch = {"labels": [{"prediction_id": world.predict(ROW).json["prediction_id"], "label": 1}]}
    first = world.call("POST", "/labels", batch, KEY).json
    (key,) = world.data.keys("labels/incoming/")
    body = world.data.get(key).body
    world.advance(3600)
    assert world.call("POST", "/labels", batch, KEY).json == first
    assert world.data.get(key).body == body
    assert world.call("POST", "/labels", batch).json["upload"] != first["upload"]
    assert len(list(world.data.keys("labels/incoming/"))) == 2


def test_labels_with_bad_fields_are_refused_by_name():
    """What isn't a prediction id or a label is named, and nothing is stored."""
    world = serving_world()
    rows = [{"prediction_id": "x", "label": 1}, {"prediction_id": "01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000", "label": [1]}]
    reply = world.call("POST", "/labels", {"labels": rows})
    assert reply.status == 422
    assert [error["field"] for error in reply.json["errors"]] == ["labels.0.prediction_id", "labels.1.label"]
    assert list(world.data.keys("labels/")) == []


def test_an_unexpected_failure_says_nothing(monkeypatch):
    """A bug becomes a 500 problem document; the operator gets the error, the client neither message nor trace."""
    world = serving_world()
    monkeypatch.setattr(world.stores.prediction_log, "append", lambda *_: 1 / 0)
    reply = world.predict(ROW)
    assert (reply.status, reply.headers["content-type"]) == (500, "application/problem+json")
    assert "division" not in reply.text
    assert isinstance(world.telemetry.failures[0], ZeroDivisionError)


PROBLEMS = [
    ("POST", "/predict", {}, 422),
    ("POST", "/predict", "{", 422),
    ("POST", "/labels", {}, 422),
    ("POST", "/predict", " " * 5_000_001, 413),
    ("POST", "/labels", " " * 5_000_001, 413),
    ("GET", "/nowhere", None, 404),
    ("GET", "/predict", None, 405),
    ("DELETE", "/model", None, 405),
    ("POST", "/health", None, 405),
    ("POST", "/docs", None, 405),
    ("PUT", "/openapi.json", None, 405),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), PROBLEMS)
def test_every_error_has_one_shape(method, path, body, status):
    """Whatever the route and the fault: RFC 9457, with security headers and no base64."""
    reply = serving_world().call(method, path, body)
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} <= reply.json.keys() <= {"type", "title", "status", "detail", "errors"}
    assert reply.json["status"] == status
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/health", "/docs", "/openapi.json", "/model", "/nowhere"])
def test_every_answer_carries_the_security_headers(path):
    """Each header once, a page's own policy before the general one."""
    headers = serving_world().call("GET", path).headers
    for name in ("strict-transport-security", "x-frame-options", "referrer-policy", "cache-control"):
        assert "," not in headers[name]
    assert headers["content-security-policy"].count("default-src") == 1


@pytest.mark.parametrize("path", sorted(EVENTS.glob("http_*.json")), ids=lambda path: path.stem)
def test_every_sample_event_is_answered(path):
    """The files that the README and `sam local invoke` use work as they are."""
    assert serving_world().send(event(path.stem)).status == 200


def test_a_large_request_is_answered_and_logged_like_its_rows_alone():
    """Checked by column and evaluated in numpy: the same bits as row by row, a log line for each row."""
    world = serving_world()
    rows = [{**ROW, "age": 18 + index % 80, "monthly_income": index / 7} for index in range(600)]
    predictions = world.predict({"rows": rows}).json["predictions"]
    logged = world.logged()
    assert [line["prediction_id"] for line in logged] == [p["prediction_id"] for p in predictions]
    assert [line["features"]["MonthlyIncome"] for line in logged] == [row["monthly_income"] for row in rows]
    some = range(0, 600, 37)
    assert [predictions[i]["probability"] for i in some] == [world.predict(rows[i]).json["probability"] for i in some]


def test_log_lines_hold_any_text():
    """A category that imitates the seam between two lines doesn't make another line."""
    text = '}},{"prediction_id":"x"}\n\u2028'
    contract = parse_contract('[model]\nname = "c"\ntarget = "y"\n[features.a]\ntype = "category"\n')
    world = World()
    model = linear_model(parse_contract('[model]\nname = "c"\ntarget = "y"\n[features.b]\ntype = "number"\n'))
    write_version(world.stores, "v1", contract=contract, model=model)
    promote(world.stores, "v1")
    world.predict({"rows": [{"a": text}, {"a": "b"}]})
    (key,) = world.data.keys("predictions/")
    lines = world.data.get(key).body.split(b"\n")
    assert [json.loads(line)["features"]["a"] for line in lines[:-1]] == [text, "b"]
    assert lines[-1] == b""


KEY = {"idempotency-key": "order-4711"}


def test_a_retry_has_the_same_ids_and_one_log_object():
    """Also much later and from another version in production: what was logged first is the answer."""
    world = serving_world()
    first = world.predict({"rows": [ROW, ROW]}, **KEY)
    write_version(world.stores, "v2", model=linear_model(default_contract(), intercept=-60.0, threshold=0.25))
    promote(world.stores, "v2")
    world.advance(3600)
    again = world.predict({"rows": [ROW, ROW]}, **KEY)
    assert world.predict(ROW).json["model_version"] == "v2"
    assert again.json == first.json
    assert len([line for line in world.logged() if line["model_version"] == "v1"]) == 2


def test_a_key_with_another_body_is_refused():
    """The same key for a new request is a client's mistake, not a retry."""
    world = serving_world()
    world.predict(ROW, **KEY)
    reply = world.predict({**ROW, "age": 46}, **KEY)
    assert (reply.status, reply.headers["content-type"]) == (422, "application/problem+json")
    assert "another body" in reply.json["detail"]
    assert len(world.logged()) == 1


def test_a_key_belongs_to_its_caller():
    """Two callers with one key are two requests; two sessions of one role are one caller."""
    world = serving_world()
    request = event("http_predict")
    request["headers"] |= KEY
    ids = []
    for arn in ("iam::1:user/a", "iam::1:user/b", "sts::1:assumed-role/r/x", "sts::1:assumed-role/r/y"):
        request["requestContext"]["authorizer"]["iam"]["userArn"] = f"arn:aws:{arn}"
        ids.append(world.send(request).json["prediction_id"])
    assert ids[2] == ids[3]
    assert len(set(ids)) == 3


def test_a_key_belongs_to_the_bearer_of_a_token():
    """Subjects and clients of an issuer are callers of their own; another token of the same one is the same caller."""
    world = serving_world()
    ids = [
        send_with_token(world, **claims).json["prediction_id"]
        for claims in (
            {"sub": "alice", "jti": "1"},
            {"sub": "alice", "jti": "2"},
            {"sub": "bob"},
            {"client_id": "batch"},
            {"sub": "batch"},
            {"azp": "nightly"},
        )
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5


def test_a_token_that_names_nobody_can_t_claim_a_key():
    """Rather than share one caller's keys with all others, the request is refused with what to do."""
    world = serving_world()
    reply = send_with_token(world, scope="predict")
    assert (reply.status, reply.headers["content-type"]) == (422, "application/problem+json")
    assert "sub, client_id, azp" in reply.json["detail"]
    assert world.logged() == []


def send_with_token(world: World, **claims: str) -> Reply:
    request = event("http_predict")
    request["headers"] |= KEY
    request["requestContext"]["authorizer"] = {"jwt": {"claims": {"iss": "https://issuer.example", **claims}}}
    return world.send(request)


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_a_length(key):
    """An empty or endless key is named like a field."""
    reply = serving_world().predict(ROW, **{"idempotency-key": key})
    assert reply.status == 422
    assert reply.json["errors"][0]["field"] == "Idempotency-Key"


def test_a_retry_after_a_lost_log_is_logged_under_the_first_ids():
    """The first attempt claimed its ids and then lost the store: the retry logs, and replaying changes nothing."""
    world = serving_world()
    create = world.data.create

    def down_after_the_claim(key: str, body: bytes) -> str:
        if key.startswith("predictions/"):
            raise StoreUnavailable("switched off")
        return create(key, body)

    world.data.create = down_after_the_claim
    first = world.predict(ROW, **KEY)
    world.data.create = create
    again = world.predict(ROW, **KEY)
    assert (first.json["logged"], again.json["logged"]) == (False, True)
    assert again.json["prediction_id"] == first.json["prediction_id"]
    (found,) = replayed(world.telemetry.lines)
    assert world.stores.prediction_log.put_back(found.request_id, found.body) is False
    assert len(world.logged()) == 1


def test_with_the_store_down_a_request_with_a_key_is_still_answered():
    """Nothing can be recognised then; the answer says that it isn't logged."""
    world = serving_world()
    world.predict(ROW)
    world.data.down = True
    assert world.predict(ROW, **KEY).json["logged"] is False
