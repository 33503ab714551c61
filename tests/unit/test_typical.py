"""Typical rows, which the API's documentation shows: by what the training set holds."""

import json

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from selfheal.contract import parse_contract
from selfheal.contract.request import RowModel, example_rows
from selfheal.data.typical import typical_rows
from selfheal.tables.dataset import typed_features

CONTRACT = parse_contract("""
[model]
name = "small"
target = "y"
[features.whole]
type = "integer"
minimum = 0
maximum = 120
[features.real]
type = "number"
[features.part]
type = "number"
minimum = 0
maximum = 1
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


@given(
    st.lists(
        st.tuples(
            st.integers(0, 120),
            st.floats(-1e6, 1e6),
            st.none() | st.floats(0, 1),
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
            st.sampled_from(["x", "y", None]),
            st.booleans(),
        ),
        min_size=1,
    )
)
def test_typical_rows_are_accepted_and_hold_what_the_data_hold(values: list[tuple]):
    """Of any data that the contract accepts, the two rows in its middle and at its upper end are accepted too."""
    frame = pd.DataFrame(values, columns=list(CONTRACT.feature_names))
    rows = typical_rows(typed_features(frame, CONTRACT), CONTRACT)
    assert RowModel(CONTRACT).parse(json.dumps({"rows": example_rows(CONTRACT, rows)}).encode()).many
    assert {row["any text"] for row in rows} <= set(frame["any text"])
    assert rows[0]["whole"] == sorted(frame["whole"])[(len(frame) - 1) // 2]


def test_a_row_is_made_of_the_middle_and_of_what_is_frequent():
    """Numbers are rounded, whole ones whole; gaps don't count, and the second row holds the second most frequent."""
    frame = pd.DataFrame(
        {
            "whole": [30, 41, 52],
            "real": [0.123456, 7.0, 1000.4444],
            "part": [None, None, None],
            "any text": ["a", "b", "a"],
            "listed": [None, "y", None],
            "flag": [True, True, False],
        }
    )
    first, second = typical_rows(typed_features(frame, CONTRACT), CONTRACT)
    assert first == {"whole": 41, "real": 7.0, "part": None, "any text": "a", "listed": "y", "flag": True}
    assert second == {"whole": 52, "real": 1000.0, "part": None, "any text": "b", "listed": "y", "flag": False}
