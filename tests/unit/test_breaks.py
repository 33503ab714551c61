"""How much of the past is let go after an abrupt change."""

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from selfheal.tables.dataset import Dataset
from selfheal.training.breaks import rows_since_break
from tests.support.rows import MIXED, dataset_of, mixed_rows


def changed_rows(old: int, new: int) -> Dataset:
    parts = [mixed_rows(old, seed=1), mixed_rows(new, seed=2, flipped=True)]
    features = pd.concat([part.features for part in parts], ignore_index=True)
    return dataset_of(features, np.concatenate([part.labels for part in parts]), MIXED)


def kept(rows: Dataset) -> int:
    with threadpool_limits(1):
        return rows_since_break(rows, MIXED, 0, lambda _: None)


@pytest.mark.parametrize(("old", "new"), [(3000, 3000), (9000, 900)])
def test_little_more_than_the_new_rows_is_kept_after_an_abrupt_change(old: int, new: int):
    """Where the newest half or tenth of the rows contradicts the others, hardly more than it is kept."""
    assert new / 4 <= kept(changed_rows(old, new)) <= 2 * new


@pytest.mark.parametrize("seed", range(4))
def test_the_past_is_kept_where_nothing_changed(seed: int):
    """More rows of the same world teach more: a much shorter past doesn't win by luck."""
    assert kept(mixed_rows(4000, seed=seed)) >= 2000


def test_too_few_rows_are_all_kept():
    """Where no part of the past can be judged, nothing is let go."""
    assert kept(mixed_rows(300)) == 300
