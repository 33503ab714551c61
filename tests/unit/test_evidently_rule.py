"""The rule of another tool, which a backtest compares with: which columns its defaults call drifted."""

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import parse_contract
from selfheal.drift import Reference
from selfheal.tables.dataset import typed_features
from tests.benchmarks.drift.evidently_rule import drifted_columns
from tests.support.drift import judged

CONTRACT = parse_contract("""
[model]
name = "towns"
target = "y"
[features.town]
type = "category"
nullable = true
[features.size]
type = "number"
nullable = true
""")


def towns(rows: int, first: int, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(first)
    frame = pd.DataFrame({"town": [f"t{first + i % 9}" for i in range(rows)], "size": rng.normal(shift, 1, rows)})
    return typed_features(frame, CONTRACT)


@pytest.mark.parametrize("rows", [400, 2000])
@pytest.mark.parametrize(("first", "shift", "drifted"), [(0, 0.0, 0), (9, 0.0, 1), (0, 1.0, 1), (9, 1.0, 2)])
def test_text_of_many_values_is_judged_as_categories(rows: int, first: int, shift: float, drifted: int):
    """With few reference rows by chi-squared and with many by distance, never as numbers."""
    before, after = towns(rows, 0), towns(300, first, shift)
    verdict = judged(Reference(before, CONTRACT), after, CONTRACT.policy.monitoring, 0.05)
    assert drifted_columns(before, after, verdict.features) == drifted


def test_a_column_without_values_is_no_drift():
    """Where nothing is there to compare, nothing is said."""
    before, after = towns(400, 0), towns(300, 0)
    verdict = judged(Reference(before, CONTRACT), after, CONTRACT.policy.monitoring, 0.05)
    after["size"] = np.nan
    assert drifted_columns(before, after, verdict.features) == 0
