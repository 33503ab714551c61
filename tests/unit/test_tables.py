"""What every table can: rows taken, tables joined, features as columns; also where a table holds another one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.tables.dataset import Dataset
from selfheal.tables.predictions import LabelledRows
from selfheal.tables.table import columns_of


def rows_of(ids: list[int]) -> LabelledRows:
    """Labelled rows that say which they are in every field."""
    moments = np.array(ids, dtype="datetime64[us]")
    frame = pd.DataFrame({"amount": np.array(ids, dtype="float64"), "plan": pd.Series(map(str, ids), dtype=object)})
    names = np.array([f"row-{number}" for number in ids], dtype=object)
    rows = Dataset(names, moments, frame, np.array([number % 2 for number in ids], dtype=np.int8))
    return LabelledRows(rows, moments + np.timedelta64(60, "s"))


def ids_in(table: LabelledRows) -> list[int]:
    """Which rows these are; every field has to agree."""
    found = [int(name.removeprefix("row-")) for name in table.rows.row_ids]
    again = rows_of(found)
    assert (table.rows.timestamps == again.rows.timestamps).all()
    assert (table.arrivals == again.arrivals).all()
    assert (table.rows.labels == again.rows.labels).all()
    pd.testing.assert_frame_equal(table.rows.features, again.rows.features)
    return found


some_ids = st.lists(st.integers(0, 1000), max_size=8)


@given(some_ids, st.data())
def test_the_same_rows_are_taken_of_every_field(ids, data):
    """A mask, positions and a slice select the rows that they would select of a list."""
    table = rows_of(ids)
    mask = data.draw(st.lists(st.booleans(), min_size=len(ids), max_size=len(ids)))
    assert ids_in(table.take(np.array(mask, dtype=bool))) == [one for one, kept in zip(ids, mask, strict=True) if kept]
    order = data.draw(st.permutations(range(len(ids))))
    assert ids_in(table.take(np.array(order, dtype=np.intp))) == [ids[position] for position in order]
    start = data.draw(st.integers(0, len(ids)))
    assert ids_in(table.take(slice(start, None))) == ids[start:]


@given(st.lists(some_ids, min_size=1, max_size=4))
def test_tables_joined_are_their_rows_one_after_the_other(parts):
    """Whatever the parts hold, also none, and a table in a table is joined with its own kind."""
    joined = LabelledRows.concatenate([rows_of(part) for part in parts])
    assert ids_in(joined) == [one for part in parts for one in part]
    assert len(joined) == sum(map(len, parts))


def test_columns_are_features_by_name():
    """A model reads each feature as one array."""
    columns = columns_of(rows_of([3, 1]).rows.features)
    assert {name: values.tolist() for name, values in columns.items()} == {"amount": [3.0, 1.0], "plan": ["3", "1"]}


def test_what_is_said_of_one_field_holds_for_labels_delays():
    """A label that came a minute after the prediction has a delay of a minute."""
    assert rows_of([5]).delays == [np.timedelta64(60, "s")]


def test_nothing_can_be_joined_to_nothing():
    """Without a part there are no columns either."""
    with pytest.raises(IndexError):
        LabelledRows.concatenate([])
