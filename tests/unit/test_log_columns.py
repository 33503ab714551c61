"""Lines of the log as columns: the same frame whether lines are taken apart all at once or a few at a time."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from selfheal.stores.log_columns import ID, PREDICTION, columns_of

NUMBER = st.none() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.none() | st.sampled_from(["a", "b", "1"])
ALL_AT_ONCE = 1000


def row(number: int, prediction: object, features: dict) -> dict:
    said = {"probabilities": {"a": 0.25, "b": 0.75}} if isinstance(prediction, str) else {}
    return {
        "prediction_id": f"p-{number:04d}",
        "id": None if number % 2 else str(number),
        "timestamp": f"2026-03-01T00:00:{number % 60:02d}.000Z",
        "model_version": f"v{number % 2}",
        "probability": None if isinstance(prediction, float) else 0.5,
        "prediction": prediction,
        **said,
        "features": features,
    }


@st.composite
def logged(draw) -> list[dict]:
    """Rows of one contract, or of several one after another: a feature changes its kind, appears, goes."""
    predictions = st.one_of(st.integers(0, 1), st.floats(0, 9), st.sampled_from(["a", "b"]))
    kinds = {"x": NUMBER, "y": st.one_of(NUMBER, TEXT), "flag": st.booleans(), "colour": TEXT}
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        names = draw(st.sets(st.sampled_from(sorted(kinds)), min_size=1))
        features = st.fixed_dictionaries({name: kinds[name] for name in sorted(names)})
        rows += draw(st.lists(st.tuples(predictions, features), max_size=6))
    return [row(number, *made) for number, made in enumerate(rows)]


@given(logged(), st.integers(1, 7))
def test_the_size_of_a_part_changes_nothing(rows, part):
    """Neither values, nor types, nor the order of columns; where parts differ in kind, all rows decide together."""
    in_parts = columns_of(lambda: iter(rows), part)
    at_once = columns_of(lambda: iter(rows), ALL_AT_ONCE)
    pd.testing.assert_frame_equal(in_parts, at_once)


def test_parts_of_a_kind_are_read_once():
    """The usual hour isn't read a second time."""
    asked = []

    def rows():
        asked.append(1)
        return iter([row(number, 1, {"x": 1.5}) for number in range(10)])

    assert list(columns_of(rows, 3)[ID]) == [f"p-{number:04d}" for number in range(10)]
    assert len(asked) == 1


def test_an_hour_without_rows_has_the_columns_of_every_hour():
    """So that readers find what they ask for."""
    found = columns_of(lambda: iter([]))
    assert len(found) == 0
    assert PREDICTION in found
