"""Numbers moved to the bins of boosting before the fit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from selfheal.training.bins import MOST_BINS, binned


def moved(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    return binned(pd.DataFrame({"x": values}), ["x"], weights)["x"].to_numpy()


@pytest.mark.parametrize("weights", [None, 0.5 ** (np.arange(5000)[::-1] / 1000)])
def test_boosting_answers_numbers_as_it_answers_the_moved_ones(weights: np.ndarray | None):
    """Fitted on moved numbers, it gives each number and the one it was moved to the same bits."""
    rng = np.random.default_rng(0)
    values = np.where(rng.random(5000) < 0.1, np.nan, rng.lognormal(0, 2, 5000))
    labels = rng.random(5000) < np.where(np.isnan(values), 0.5, values / (1 + values))
    known = moved(values, weights)[:, None]
    fitted = HistGradientBoostingClassifier(max_iter=50, early_stopping=False).fit(known, labels, weights)
    assert (fitted.decision_function(known) == fitted.decision_function(values[:, None])).all()


def test_boosting_is_as_good_on_moved_numbers():
    """Held-out Brier score on bins of our own and on those that scikit-learn chooses: alike to a hundredth."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(8000, 3)) ** 3
    labels = (rng.random(8000) < 1 / (1 + np.exp(-np.sin(values[:, 0]) - values[:, 1] / 4))).astype(int)
    known = np.column_stack([moved(column) for column in values.T])
    scores = []
    for table in (values, known):
        fitted = HistGradientBoostingClassifier(max_iter=50, early_stopping=False).fit(table[:6000], labels[:6000])
        scores.append(np.mean((fitted.predict_proba(values[6000:])[:, 1] - labels[6000:]) ** 2))
    assert scores[1] == pytest.approx(scores[0], rel=0.01)


@given(
    st.lists(st.floats(-1e300, 1e300) | st.just(np.nan), min_size=1, max_size=600),
    st.floats(0.1, 1.0) | st.none(),
    st.integers(1, 5),
)
def test_numbers_become_few_and_keep_their_order(values: list[float], least: float | None, repeated: int):
    """For any column: at most 255 values, each of them the column's own, in the same order, missing where it was."""
    column = np.repeat(np.array(values), repeated)
    weights = None if least is None else np.linspace(least, 1.0, len(column))
    found = moved(column, weights)
    present = ~np.isnan(column)
    assert (np.isnan(found) == ~present).all()
    assert len(np.unique(found[present])) <= MOST_BINS
    assert set(found[present]) <= set(column[present])
    order = np.argsort(column[present], kind="stable")
    assert (np.diff(found[present][order]) >= 0).all()


def test_few_values_stay_as_they_are():
    """255 different values need no moving."""
    values = np.tile(np.arange(255.0), 20)
    assert (moved(values) == values).all()


def test_recent_rows_choose_the_bins_where_the_past_fades():
    """A column whose newest tenth lies elsewhere gets most of its bins there, if these rows weigh the most."""
    values = np.concatenate([np.linspace(0, 1, 9000), np.linspace(10, 11, 1000)])
    weights = 0.5 ** (np.arange(10_000)[::-1] / 500)
    assert (np.unique(moved(values)) > 5).sum() < 0.2 * MOST_BINS
    assert (np.unique(moved(values, weights)) > 5).sum() > 0.6 * MOST_BINS
