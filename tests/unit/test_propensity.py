"""Weights that make labelled rows stand for all rows."""

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import parse_contract
from selfheal.gates.propensity import LARGEST_WEIGHT, inverse_propensity

CONTRACT = parse_contract('[model]\nname = "small"\ntarget = "y"\n[features.x]\ntype = "number"\n')


def labelled_by(chance: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(len(chance)) < chance


def weights_of(x: np.ndarray, is_labelled: np.ndarray) -> np.ndarray:
    return inverse_propensity(pd.DataFrame({"x": x}), is_labelled, CONTRACT)


def test_weighted_rows_have_the_mean_of_all_rows():
    """High x is labelled four times as often: the plain mean of labelled rows is off, the weighted one isn't."""
    x = np.random.default_rng(1).normal(size=8000)
    is_labelled = labelled_by(np.where(x > 0, 0.8, 0.2), seed=2)
    labelled = x[is_labelled]
    weights = weights_of(x, is_labelled)
    assert labelled.mean() > 0.4
    assert np.average(labelled, weights=weights) == pytest.approx(0.0, abs=0.1)


def test_weights_are_positive_bounded_and_one_on_average():
    """No row counts for nothing, and none for more than about ten."""
    x = np.random.default_rng(3).normal(size=3000)
    weights = weights_of(x, labelled_by(1 / (1 + np.exp(-3 * x)), seed=4))
    assert weights.min() > 0
    assert weights.max() <= LARGEST_WEIGHT * 1.5
    assert weights.mean() == pytest.approx(1.0)


def test_rows_labelled_at_random_count_nearly_alike():
    """Where being labelled depends on nothing, weights are close to 1."""
    x = np.random.default_rng(5).normal(size=4000)
    weights = weights_of(x, labelled_by(np.full(4000, 0.5), seed=6))
    assert weights.std() < 0.1
