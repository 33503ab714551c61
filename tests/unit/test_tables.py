"""A Dataset as bytes and as a fingerprint."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import parse_contract
from selfheal.data.dataset import Dataset, typed_features
from selfheal.data.parquet import fingerprint, from_parquet, to_parquet

CONTRACT = parse_contract("""
[model]
name = "small"
target = "y"
[features.n]
type = "number"
[features.c]
type = "category"
""")


def dataset(numbers: list[float], categories: list[str | None]) -> Dataset:
    rows = len(numbers)
    frame = typed_features(pd.DataFrame({"n": numbers, "c": pd.Series(categories, dtype=object)}), CONTRACT)
    moments = np.datetime64(datetime(2026, 1, 1), "us") + np.arange(rows) * np.timedelta64(1, "s")  # noqa: DTZ001
    return Dataset(np.array([f"r{row}" for row in range(rows)], object), moments, frame, np.ones(rows, np.int8))


def test_parquet_gives_back_what_was_written():
    """Every bit of numbers, missing values, strings, ids, times and labels; and the same bytes when written again."""
    original = dataset([0.1, np.nan, 5e-324, -1e308], ["a", None, "", "NA"])
    payload = to_parquet(original)
    read = from_parquet(payload, CONTRACT)
    pd.testing.assert_frame_equal(read.features, original.features)
    assert fingerprint(read) == fingerprint(original)
    assert to_parquet(read) == payload


def test_a_feature_that_an_old_table_lacks_is_missing():
    """A contract that gained a feature still reads the tables of its versions."""
    wider = parse_contract(
        '[model]\nname = "small"\ntarget = "y"\n[features.z]\ntype = "category"\n[features.n]\ntype = "number"\n'
    )
    read = from_parquet(to_parquet(dataset([1.0], ["a"])), wider)
    assert read.features.to_dict("list") == {"z": [None], "n": [1.0]}


def test_fingerprint_is_of_the_content():
    """A known value: a change of canonical form would break the manifests that hold it."""
    assert fingerprint(dataset([1.0], ["a"])) == "0a53874c1a1cc335b63a9a327143dc74cc2593a14167114280baaef09b407092"


@pytest.mark.parametrize(
    ("numbers", "categories"),
    [([1.0, 3.0], ["a", "b"]), ([1.0, 2.0], ["ab", ""]), ([1.0, np.nan], ["a", "b"]), ([1.0, 2.0], ["a", None])],
)
def test_another_content_has_another_fingerprint(numbers: list[float], categories: list[str | None]):
    """One value changed, or a string moved across a cell's border, is another fingerprint."""
    assert fingerprint(dataset(numbers, categories)) != fingerprint(dataset([1.0, 2.0], ["a", "b"]))


def test_zeros_and_missing_values_have_one_form():
    """Minus zero is zero, and all NaN are alike."""
    strange = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]
    assert fingerprint(dataset([-0.0, strange], ["a", "b"])) == fingerprint(dataset([0.0, np.nan], ["a", "b"]))
