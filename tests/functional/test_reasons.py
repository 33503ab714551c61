"""`POST /predict?explain=N`: what callers get, and what they are refused."""

import json

import pytest

from selfheal.contract import parse_contract
from tests.support.serving import ROW, World, linear_model, promote, serving_world, write_version

TEXT = (
    '[model]\nname = "loan"\ntarget = "y"\n[features.debts]\ntype = "number"\n'
    'reason = "You owe much"\n[features.income]\ntype = "number"\nnullable = true\n[features.age]\ntype = "number"\n'
)
CONTRACT = parse_contract(TEXT)


@pytest.fixture
def world() -> World:
    """A model that adds a hundredth of each number to -1; the average row has 10, 20 and 30."""
    world = World()
    document = json.loads(linear_model(CONTRACT))
    document["estimator"]["expected"] = [0.1, 0.2, 0.3]
    write_version(world.stores, "v1", contract=CONTRACT, model=json.dumps(document).encode())
    promote(world.stores, "v1")
    return world


def ask(world: World, body: object, query: str = "explain=2"):
    return world.call("POST", f"/predict?{query}", body)


def test_the_strongest_reasons_come_with_the_answer(world: World):
    """Base, two reasons with the contract's words, and the rest, which add up to the score."""
    answered = ask(world, {"debts": 110, "income": None, "age": 40}).json
    explanation = answered["explanation"]
    assert explanation["base"] == pytest.approx(-0.4)
    assert explanation["score"] == pytest.approx(0.5)
    assert [reason["feature"] for reason in explanation["reasons"]] == ["debts", "income"]
    assert [reason["contribution"] for reason in explanation["reasons"]] == pytest.approx([1.0, -0.2])
    assert explanation["reasons"][0]["reason"] == "You owe much"
    assert (explanation["reasons"][1]["value"], "reason" in explanation["reasons"][1]) == (None, False)
    assert explanation["others"] == pytest.approx(0.1)


def test_each_of_many_rows_has_its_own_reasons(world: World):
    """In the order of the rows; more reasons than there are features are all of them, and nothing is left over."""
    rows = {"rows": [{"debts": 10, "income": 20, "age": 130}, {"debts": 60, "income": 20, "age": 30}]}
    answered = ask(world, rows, "explain=999").json["predictions"]
    assert [one["explanation"]["reasons"][0]["feature"] for one in answered] == ["age", "debts"]
    assert [len(one["explanation"]["reasons"]) for one in answered] == [3, 3]
    assert [one["explanation"]["others"] for one in answered] == pytest.approx([0.0, 0.0])


def test_a_request_without_it_is_answered_as_ever(world: World):
    """No explanation, and other parameters are left alone."""
    row = {"debts": 1, "income": 2, "age": 3}
    assert "explanation" not in world.predict(row).json
    assert "explanation" not in ask(world, row, "verbose=1").json


@pytest.mark.parametrize("asked", ["0", "-1", "1.5", "1000", "", "three", "٣"])
def test_what_is_no_number_of_reasons_is_refused(world: World, asked: str):
    """Named by its field, and nothing is logged."""
    refused = ask(world, {"debts": 1, "income": 2, "age": 3}, f"explain={asked}")
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "explain")
    assert world.logged() == []


def test_more_rows_than_are_explained_at_once_are_refused(world: World):
    """The limit is told, and nothing is logged."""
    refused = ask(world, {"rows": [{"debts": 1, "income": 2, "age": 3}] * 501})
    assert (refused.status, "500 rows" in refused.json["errors"][0]["message"]) == (422, True)
    assert world.logged() == []


def test_a_version_without_reasons_says_so_before_it_answers():
    """A conflict with what is deployed, told with what to do; the same request without reasons is answered."""
    world = serving_world()
    refused = world.call("POST", "/predict?explain=3", ROW)
    assert (refused.status, "train a new version" in refused.json["detail"]) == (409, True)
    assert world.logged() == []
    assert world.predict(ROW).status == 200


def test_a_retry_is_explained_by_the_version_that_answered_it(world: World):
    """Another version was promoted meanwhile: the reasons are those of the answer that was logged."""
    row, key = {"debts": 110, "income": 20, "age": 30}, {"idempotency-key": "once"}
    first = world.call("POST", "/predict?explain=1", row, key).json
    document = json.loads(linear_model(CONTRACT, intercept=5.0))
    document["estimator"]["expected"] = [0.0, 0.0, 0.0]
    write_version(world.stores, "v2", contract=CONTRACT, model=json.dumps(document).encode())
    promote(world.stores, "v2")
    world.advance(60)
    assert world.call("POST", "/predict?explain=1", row, key).json == first
