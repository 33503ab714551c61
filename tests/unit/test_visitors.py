"""A history in which another population visits: the same rows, in another order."""

from dataclasses import replace

import numpy as np
import pandas as pd

from selfheal.tables.dataset import Dataset
from selfheal_tools.simulation.visitors import kind_of, with_visitors
from tests.unit.test_backtest_stream import rows


def mixed(count: int = 5_000) -> Dataset:
    """One row in eight comes from elsewhere, and is nearly always positive; others are so one time in five."""
    rng = np.random.default_rng(2)
    abroad = rng.random(count) < 1 / 8
    labels = (rng.random(count) < np.where(abroad, 0.95, 0.2)).astype(np.int8)
    features = pd.DataFrame({"x": rng.normal(size=count), "from": np.where(abroad, "abroad", "here").astype(object)})
    return replace(rows(count), features=features, labels=labels)


def test_visitors_come_in_one_stretch_and_are_rare_elsewhere():
    """From the middle on nobody else comes for a while; before and after one in fifty is of their kind."""
    history = mixed()
    is_visitor = (with_visitors(history, begin=0.5).features["from"] == "abroad").to_numpy()
    moved = int((history.features["from"] == "abroad").sum()) - round((~is_visitor).sum() / 50)
    begin = len(history) // 2
    assert is_visitor[begin : begin + moved - 20].all()
    elsewhere = np.delete(is_visitor, np.s_[begin : begin + moved])
    assert 0.015 < elsewhere.mean() < 0.03
    assert all(0.005 < part.mean() < 0.05 for part in np.array_split(elsewhere, 5))


def test_no_row_is_lost_and_moments_stay_where_they_were():
    """Every row answers once, with its own label; traffic is as dense as before."""
    history = mixed()
    visited = with_visitors(history, begin=0.5)
    assert (visited.timestamps == history.timestamps).all()

    def known(of: Dataset) -> list[tuple[float, int]]:
        return sorted(zip(of.features["x"].tolist(), of.labels.tolist(), strict=True))

    assert known(visited) == known(history)


def test_the_kind_is_the_one_that_differs_most():
    """Found by itself among a category's values and a number's ends."""
    history = mixed()
    assert (kind_of(history) == (history.features["from"] == "abroad").to_numpy()).all()
    numbers = replace(history, features=history.features[["x"]], labels=(history.features["x"] > 1.3).to_numpy() * 1)
    assert history.features["x"][kind_of(numbers)].min() > 1.2
