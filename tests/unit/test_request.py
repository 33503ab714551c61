"""Row validation: exactly what the contract says, every fault by its field, no value repeated."""

import json
import math
import sys
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import SchemaValidator
from pydantic_core import core_schema as schema

from selfheal.contract import default_contract, parse_contract
from selfheal.contract.columns import ColumnModel
from selfheal.contract.request import MAXIMUM_ROWS, VISIBLE, RowModel, example_rows, row_json_schema
from selfheal.errors import RequestInvalid
from selfheal.records.external_ids import EXACT_FLOATS
from selfheal.rows import SMALL_BODY, is_blank

CONTRACT = parse_contract("""
[model]
name = "small"
target = "y"
[features.whole]
type = "integer"
minimum = 0
maximum = 120
aliases = ["w"]
description = "A count."
[features.real]
type = "number"
[features.maybe]
type = "number"
nullable = true
[features."any text"]
type = "category"
[features.listed]
type = "category"
categories = ["x", "y"]
nullable = true
[features.flag]
type = "boolean"
""")
MODEL = RowModel(CONTRACT)
COLUMNS = ColumnModel(CONTRACT)
GOOD: dict[str, Any] = {"whole": 3, "real": 0.5, "maybe": None, "any text": "é", "listed": "x", "flag": True}


def parsed(**changes: Any) -> dict[str, Any]:
    return MODEL.parse(json.dumps({**GOOD, **changes}).encode()).values[0]


def fields_refused(body: bytes | str) -> list[str]:
    with pytest.raises(RequestInvalid) as raised:
        MODEL.parse(body if isinstance(body, bytes) else body.encode())
    return [fault.field for fault in raised.value.faults]


def test_a_good_row_comes_out_under_the_contracts_names():
    """Values keep their meaning; integers and numbers become floats, as models are trained on."""
    row = parsed()
    assert row == {"whole": 3.0, "real": 0.5, "maybe": None, "any text": "é", "listed": "x", "flag": True}
    assert list(row) == list(CONTRACT.feature_names)
    assert type(row["whole"]) is float


def test_an_alias_is_another_name():
    """A value under an alias arrives under the feature's own name; giving both names is a fault."""
    row = {key: value for key, value in GOOD.items() if key != "whole"}
    assert MODEL.parse(json.dumps({**row, "w": 7}).encode()).values[0]["whole"] == 7.0
    assert fields_refused(json.dumps({**GOOD, "w": 7})) == ["w"]


@pytest.mark.parametrize("value", ["3", "3.0", "0", "-0.0", "120", "1.2e2"])
def test_an_integer_feature_takes_whole_numbers_within_its_inclusive_limits(value: str):
    """3 and 3.0 are integers, and the limits themselves are allowed."""
    body = json.dumps({**GOOD, "whole": "@"}).replace('"@"', value)
    assert MODEL.parse(body.encode()).values[0]["whole"] == float(value)


@pytest.mark.parametrize("field", ["whole", "real"])
@pytest.mark.parametrize(
    "value", ["true", '"3"', "null", "NaN", "Infinity", "-Infinity", "1e400", "1" * 400, "[]", "{}"]
)
def test_a_numeric_feature_takes_finite_numbers_only(field: str, value: str):
    """No string, boolean, null, infinity or NaN is ever taken for a number."""
    assert fields_refused(json.dumps({**GOOD, field: "@"}).replace('"@"', value)) == [field]


@pytest.mark.parametrize("value", ["3.5", "10000000000.5", "-1", "121", "120.00000000000001"])
def test_an_integer_feature_refuses_fractions_and_what_is_out_of_its_limits(value: str):
    """Exactly: also a fraction of a large number, and one float beyond a limit."""
    assert fields_refused(json.dumps({**GOOD, "whole": "@"}).replace('"@"', value)) == ["whole"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("any text", 5),
        ("any text", None),
        ("listed", "z"),
        ("listed", 1),
        ("flag", 1),
        ("flag", "true"),
        ("flag", None),
    ],
)
def test_categories_and_booleans_are_not_coerced(field: str, value: Any):
    """A category is a string, of the list where there is one; a boolean is true or false."""
    assert fields_refused(json.dumps({**GOOD, field: value})) == [field]


def test_every_field_at_fault_is_named():
    """A missing, a mistyped and an unknown field are reported together."""
    row = {key: value for key, value in GOOD.items() if key != "maybe"} | {"real": "0.5", "unknown": 1}
    assert sorted(fields_refused(json.dumps(row))) == ["maybe", "real", "unknown"]


def told(body: str) -> dict[str, str]:
    with pytest.raises(RequestInvalid) as raised:
        MODEL.parse(body.encode())
    return {fault.field: fault.message for fault in raised.value.faults}


@pytest.mark.parametrize("field", ["whole", "real", "any text", "flag"])
@pytest.mark.parametrize("padding", ["", " " * SMALL_BODY])
def test_a_null_that_may_not_be_is_told_as_one(field: str, padding: str):
    """A null in a field that isn't nullable says so, of every type, in one row and in many, small bodies and large."""
    row = {**GOOD, field: None}
    assert told(json.dumps(row) + padding) == {field: "is null, and this field is not nullable"}
    assert told(json.dumps({"rows": [GOOD, row]}) + padding) == {
        f"rows.1.{field}": "is null, and this field is not nullable"
    }


@pytest.mark.parametrize("rows", [[GOOD], [], [{"rows": [GOOD]}], ["text"]])
@pytest.mark.parametrize("padding", ["", " " * SMALL_BODY])
def test_a_bare_list_is_told_how_to_send_one(rows: list[Any], padding: str):
    """Whoever sends an array as the body reads under which key it goes."""
    assert told(json.dumps(rows) + padding) == {"": 'Input should be an object: send a list of rows as {"rows": [...]}'}


@pytest.mark.parametrize("value", [GOOD, None, "x", 3])
def test_rows_that_are_no_list_are_told_as_such(value: Any):
    """An object, text or null under the list's key is one fault, not an unknown field and every other one missing."""
    assert told(json.dumps({"rows": value})) == {"rows": 'Input should be a valid array, as in {"rows": [...]}'}


def test_the_lists_key_in_escaped_letters_is_no_way_around_the_check():
    """A list that isn't recognised as one is refused, and never taken for a row."""
    assert set(told('{"\\u0072ows": [{}]}')) == {"rows", *GOOD}


def test_faults_of_many_rows_name_the_row():
    """In a list, a fault's field starts with the row's position."""
    body = json.dumps({"rows": [GOOD, {**GOOD, "whole": -1, "flag": 0}]})
    assert fields_refused(body) == ["rows.1.whole", "rows.1.flag"]


def test_a_refusal_repeats_no_value():
    """Neither messages nor fields hold what the client sent as a value."""
    row = {**GOOD, "whole": "secret-1", "real": "secret-2", "listed": "secret-3", "flag": "secret-4", "any text": 98765}
    with pytest.raises(RequestInvalid) as raised:
        MODEL.parse(json.dumps(row).encode())
    told = repr([raised.value.faults, str(raised.value), raised.value.__cause__])
    assert len(raised.value.faults) == 5
    assert "secret" not in told
    assert "98765" not in told


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"[" * 100_000, b"1" * 100_000, b"3", b"null", b'"rows"', b'{"a": "\xff"}', b'{"rows": [}'],
)
def test_what_is_not_an_object_of_json_is_refused(body: bytes):
    """Any bytes end in a named refusal."""
    assert fields_refused(body)


@pytest.mark.parametrize("rows", [[], [GOOD] * (MAXIMUM_ROWS + 1)])
def test_a_request_has_one_to_ten_thousand_rows(rows: list[Any]):
    """No row, or one too many, is a fault of the list."""
    assert fields_refused(json.dumps({"rows": rows})) == ["rows"]


@pytest.mark.parametrize("rows", [10, 1000, MAXIMUM_ROWS])
def test_no_more_than_a_hundred_faults_are_told(rows: int):
    """A body full of faults doesn't make an answer of megabytes, whether it is small or large."""
    row = dict.fromkeys((f"unknown {number}" for number in range(20)), 0)
    found = fields_refused(json.dumps({"rows": [row] * rows}))
    assert len(found) == 100
    assert {field.split(".")[1] for field in found} == {"0", "1", "2", "3"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{" + ",".join(f'"k{number}":0' for number in range(420_000)) + "}", {"whole", "k0"}),
        ('{"rows":[' + ",".join(["{" + ",".join(f'"a{n}":0' for n in range(60)) + "}"] * 10_000) + "]}", {"rows.0.a0"}),
        ('{"rows":[{}],' + ",".join(f'"k{number}":0' for number in range(420_000)) + "}", {"k0"}),
    ],
)
def test_a_wrong_body_costs_no_more_than_a_right_one(body: str, told: set[str]):
    """Five megabytes of unknown fields are refused with what it takes to parse them, not with a record for each."""
    tracemalloc.start()
    found = fields_refused(body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told <= set(found)
    assert len(found) <= 100
    assert most < 150_000_000


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=3))
def test_a_large_body_is_checked_like_a_small_one(value: Any):
    """Beyond the size up to which a body is validated at once, each value is accepted or refused all the same."""
    for field in GOOD:
        body = json.dumps({**GOOD, field: value})
        results = []
        for sent in (body, body + " " * SMALL_BODY):
            try:
                results.append(MODEL.parse(sent.encode()).values)
            except RequestInvalid as error:
                results.append(error.faults)
        assert results[0] == results[1]


def test_a_feature_called_rows_can_be_sent():
    """The name of the list doesn't take a feature's name away."""
    contract = parse_contract('[model]\nname = "r"\ntarget = "y"\n[features.rows]\ntype = "number"\n')
    assert RowModel(contract).parse(b'{"rows": 2}').values == [{"rows": 2.0}]
    assert RowModel(contract).parse(b'{"rows": [{"rows": 2}]}').many


def test_text_that_looks_like_the_list_is_only_text():
    """A category that quotes the key doesn't turn one row into many."""
    assert parsed(**{"any text": '"rows": ['})["any text"] == '"rows": ['


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_float_survives_bit_by_bit(value: float):
    """A number's bits reach the model unchanged."""
    assert parsed(real=value)["real"].hex() == value.hex()


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@given(st.integers(0, 120), ANY_TEXT, st.sampled_from(["x", "y", None]))
def test_one_row_and_many_rows_are_checked_alike(whole: int, text: str, listed: str | None):
    """A row in a list comes out as it does alone."""
    row = {**GOOD, "whole": whole, "any text": text, "listed": listed}
    many = MODEL.parse(json.dumps({"rows": [row, row]}).encode())
    assert many.values == [parsed(**row)] * 2


NARROW = parse_contract("""
[model]
name = "narrow"
target = "y"
[features.above]
type = "integer"
minimum = 18.5
[features.below]
type = "number"
maximum = -7
[features.between]
type = "integer"
minimum = 1.2
maximum = 2.9
""")


@pytest.mark.parametrize("contract", [CONTRACT, NARROW, default_contract()])
def test_the_examples_are_rows_that_the_contract_accepts(contract):
    """Documentation shows requests that work, whatever the limits, and two rows that differ."""
    rows = example_rows(contract)
    assert RowModel(contract).parse(json.dumps(rows[0]).encode()).many is False
    assert RowModel(contract).parse(json.dumps({"rows": rows}).encode()).many
    assert len(rows) == 2
    assert rows[0] != rows[1]


def test_the_json_schema_shows_the_contracts_fields():
    """Types, limits, lists, aliases and descriptions are in the documentation."""
    schema = row_json_schema(CONTRACT)
    assert schema["required"] == list(CONTRACT.feature_names)
    assert schema["properties"]["whole"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 120,
        "description": "A count. Also accepted as w.",
    }
    assert schema["properties"]["listed"] == {"type": ["string", "null"], "enum": ["x", "y", None]}


ANY_VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 122),
    st.integers(2**63, 2**70),
    st.floats(allow_nan=False),
    st.sampled_from([0.5, 120.0, 120.5, "x", "y", "z", "", "1", [], {}]),
)


@st.composite
def rows_of_any_quality(draw) -> list[dict[str, Any]]:
    """Good rows, a few of which have a wrong value, name or number of fields."""
    rows = [dict(GOOD) for _ in range(draw(st.integers(1, 4)))]
    for row in draw(st.lists(st.sampled_from(rows), max_size=3)):
        match draw(st.sampled_from(["value", "alias", "unknown", "missing"])):
            case "value":
                row[draw(st.sampled_from(list(GOOD)))] = draw(ANY_VALUE)
            case "alias":
                row["w"] = row.pop("whole", 1)
            case "unknown":
                row["unknown"] = 1
            case "missing":
                row.pop(draw(st.sampled_from(list(GOOD))), None)
    return rows


@given(rows_of_any_quality())
def test_columns_are_checked_as_rows_are(rows: list[dict[str, Any]]):
    """Whatever the columns' check accepts the row model accepts with equal values; good rows it always accepts."""
    body = json.dumps({"rows": rows}).encode()
    found = COLUMNS.parse(body, MAXIMUM_ROWS)
    try:
        expected = MODEL.parse(body).values
    except RequestInvalid:
        assert found is None
        return
    if found is None:
        # Left to the row model: another name, the text of an empty cell, whole numbers that no float holds exactly.
        values = [value for row in rows for value in row.values()]
        whole = [value for value in values if type(value) is int]
        assert any("w" in row for row in rows) or "" in values or max(whole, default=0) > EXACT_FLOATS
        return
    assert found.rows == expected
    for name, column in found.columns.items():
        told = [None if isinstance(value, float) and math.isnan(value) else value for value in column.tolist()]
        assert told == [row[name] for row in expected]


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"rows": 1}', b'{"rows": []}', b'{"rows": [1]}', b'{"rows": [{}], "x": 1}']
)
def test_the_columns_check_leaves_the_rest_to_the_row_model(body: bytes):
    """It never fails and never accepts another shape."""
    assert COLUMNS.parse(body, MAXIMUM_ROWS) is None


def test_a_large_request_comes_with_its_columns():
    """Thousands of rows are checked by column, with the row model's answer; one bad cell is still named."""
    rows = [{**GOOD, "real": number} for number in range(1500)]
    assert MODEL.parse(json.dumps({"rows": rows}).encode()).columns is not None
    rows[1200]["whole"] = 120.5
    assert fields_refused(json.dumps({"rows": rows})) == ["rows.1200.whole"]


def every_character() -> list[str]:
    return [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]


def test_a_blank_text_is_a_null():
    """As an empty cell of a table is: also one of spaces, in a field of any type, beside others, in small and large."""
    for field in ("maybe", "listed"):
        for blank in ("", " ", "\t \u00a0"):
            row = {**GOOD, field: blank}
            for padding in ("", " " * SMALL_BODY):
                assert MODEL.parse((json.dumps(row) + padding).encode()).values == [{**GOOD, "whole": 3.0, field: None}]
                many = MODEL.parse((json.dumps({"rows": [GOOD, row]}) + padding).encode())
                assert [found[field] for found in many.values] == [GOOD[field], None]


@pytest.mark.parametrize("field", ["whole", "real", "any text", "flag"])
def test_a_blank_text_is_refused_where_a_null_is(field: str):
    """A category of any text isn't one of no text; the same words for both, and the same for a whole list."""
    for padding in ("", " " * SMALL_BODY):
        messages = []
        for value in ("", None):
            with pytest.raises(RequestInvalid) as raised:
                MODEL.parse((json.dumps({"rows": [GOOD, {**GOOD, field: value}]}) + padding).encode())
            messages.append([(fault.field, fault.message) for fault in raised.value.faults])
        assert messages[0] == messages[1]
        assert messages[0][0][0] == f"rows.1.{field}"


def test_what_can_be_seen_is_one_question_in_both_languages():
    """The validator's pattern and Python's own idea of a blank agree on every character."""
    validator = SchemaValidator(schema.str_schema(pattern=VISIBLE))
    blank = {character for character in every_character() if not validator.isinstance_python(character)}
    assert blank == {character for character in every_character() if is_blank(character)}
