"""The OpenAPI document: committed, complete, and about the routes that there are."""

import json
from typing import Any

from infra import openapi
from predictor.openapi import document
from selfheal.contract import default_contract, parse_contract
from selfheal.contract.request import RowModel
from tests.support.serving import World

# They describe the API and aren't part of what they describe.
ABOUT_ITSELF = {("GET", "/openapi.json"), ("GET", "/docs")}


def test_the_committed_document_is_the_one_that_the_api_serves():
    """docs/openapi.json is up to date: `make openapi` writes it."""
    committed = json.loads(openapi.PATH.read_text(encoding="utf-8"))
    assert committed == json.loads(openapi.text())
    served = World().call("GET", "/openapi.json").json
    assert without_examples(served) == without_examples(committed)


def without_examples(part: Any) -> Any:
    """A document before there is a model knows no typical rows."""
    if isinstance(part, dict):
        return {key: without_examples(value) for key, value in part.items() if key != "examples"}
    return [without_examples(value) for value in part] if isinstance(part, list) else part


def test_every_route_is_documented_and_every_documented_one_exists():
    """Paths and methods of the application and of the document are the same."""
    routes = {(method, route.path) for route in World().app.routes for method in route.methods - {"HEAD"}}
    paths = document(default_contract())["paths"]
    documented = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert routes - ABOUT_ITSELF == documented


def test_the_examples_are_requests_that_work():
    """What the page offers to try is accepted."""
    body = document(default_contract())["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    for example in body["examples"].values():
        assert RowModel(default_contract()).parse(json.dumps(example["value"]).encode()).values


def test_every_reference_leads_to_a_schema():
    """Nothing in the document points to nowhere."""
    whole = document(default_contract())
    names = {reference.rpartition("/")[2] for reference in references(whole)}
    assert names <= whole["components"]["schemas"].keys()


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


def test_the_document_shows_a_contracts_own_fields():
    """Another contract, another document."""
    contract = parse_contract('[model]\nname = "hotel"\ntarget = "cancelled"\n[features.meal]\ntype = "category"\n')
    whole = document(contract)
    assert list(whole["components"]["schemas"]["Row"]["properties"]) == ["meal"]
    assert (whole["info"]["title"], "cancelled" in whole["info"]["description"]) == ("hotel", True)
