"""Users' own ids in requests: one text an id, and never a feature."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.contract import parse_contract
from selfheal.contract.request import LARGE_BODY, RowModel, row_json_schema
from selfheal.errors import RequestInvalid
from selfheal.records.external_ids import external_id


def model_of(id_column: str | None = "loan", feature: str = "x", alias: str = "xx") -> RowModel:
    column = f'id_column = "{id_column}"' if id_column else ""
    features = f'[features.{feature}]\ntype = "number"\naliases = ["{alias}"]'
    return RowModel(parse_contract(f'[model]\nname = "m"\ntarget = "y"\n{column}\n{features}\n'))


def ids_of(model: RowModel, *rows: dict[str, Any], padding: int = 0) -> list[str | None] | None:
    found = model.parse(json.dumps({"rows": rows}).encode() + b" " * padding)
    assert all(set(row) == {"x"} for row in found.values)
    return found.ids


@pytest.mark.parametrize(
    ("sent", "known_as"),
    [
        ("L-7", "L-7"),
        (" L-7 ", "L-7"),
        (7, "7"),
        (7.0, "7"),
        ("7", "7"),
        ("007", "007"),
        (2**53 + 1, "9007199254740993"),
        (-3, "-3"),
        ("x" * 200, "x" * 200),
        (10**199, "1" + "0" * 199),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_an_id_is_one_text_however_it_is_written(sent: Any, known_as: str | None):
    """In a small request and in a large one, and alone."""
    assert external_id(sent) == known_as
    for padding in (0, LARGE_BODY):
        assert ids_of(model_of(), {"x": 1, "id": sent}, {"x": 2, "id": "b"}, padding=padding) == [known_as, "b"]
    assert model_of().parse(json.dumps({"x": 1, "id": sent}).encode()).ids == [known_as]


@pytest.mark.parametrize("sent", [True, 7.5, 1e300, 2.0**53, "x" * 201, 10**200, [], {}])
def test_what_is_no_id_is_refused_by_name(sent: Any):
    """In a small request and in a large one, with the position of its row and without its value."""
    for padding in (b"", b" " * LARGE_BODY):
        with pytest.raises(RequestInvalid) as raised:
            model_of().parse(json.dumps({"rows": [{"x": 1}, {"x": 1, "id": sent}]}).encode() + padding)
        assert [fault.field for fault in raised.value.faults] == ["rows.1.id"]
        assert "at most 200 characters" in raised.value.faults[0].message


def test_an_id_may_come_by_the_contracts_column_and_by_no_two_names():
    """A row of the user's own file is a request as it is."""
    assert ids_of(model_of(), {"x": 1, "loan": "a"}, {"x": 1}) == ["a", None]
    with pytest.raises(RequestInvalid) as raised:
        ids_of(model_of(), {"x": 1, "loan": "a", "id": "b"})
    assert [fault.field for fault in raised.value.faults] == ["rows.0.loan"]


def test_without_ids_there_are_none():
    """Rows without an id are what they were."""
    assert ids_of(model_of(), {"x": 1}, {"x": 2}) is None


def test_without_a_column_in_the_contract_an_id_is_an_unknown_field():
    """Nothing is logged that the contract doesn't speak of."""
    with pytest.raises(RequestInvalid) as raised:
        ids_of(model_of(None), {"x": 1, "id": "a"})
    assert [fault.field for fault in raised.value.faults] == ["rows.0.id"]
    assert list(row_json_schema(parse_contract(NUMBER.format("")))["properties"]) == ["x"]


NUMBER = '[model]\nname = "m"\ntarget = "y"\n{}\n[features.x]\ntype = "number"\n'


def test_a_feature_called_id_stays_a_feature():
    """Its name, or alias, is taken; the id goes by its column alone."""
    for model in (model_of(feature="id"), model_of(alias="id")):
        found = model.parse(b'{"rows": [{"id": 3, "loan": "a"}]}')
        assert (list(found.values[0].values()), found.ids) == ([3.0], ["a"])


ROWS = st.lists(
    st.fixed_dictionaries(
        {"x": st.sampled_from([1, 2.5])},
        optional={"id": st.sampled_from(["a", " b", "", 7, 7.0, None, True, 7.5]), "loan": st.just("c")},
    ),
    min_size=1,
    max_size=4,
)


@given(ROWS)
def test_ids_of_large_requests_are_those_of_small_ones(rows: list[dict[str, Any]]):
    """Whatever of the rows have an id, under whichever name."""
    results: list[Any] = []
    for padding in (0, LARGE_BODY):
        try:
            results.append(ids_of(model_of(), *rows, padding=padding))
        except RequestInvalid as error:
            results.append(error.faults)
    assert results[0] == results[1]
