"""Which features matter to the model: what the estimated Brier score does if one feature alone changes as it did."""

from collections.abc import Callable, Mapping, Sequence
from itertools import batched
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.drift.cells import is_categorical
from selfheal.records.drift import FeatureDrift

ROWS = 1000
# Features whose rows are scored together: in half the time of one after the other.
AT_A_TIME = 8
SEED = 0

type Floats = NDArray[np.float64]
type Score = Callable[[pd.DataFrame], Floats]


def impacts(
    reference: pd.DataFrame, window: pd.DataFrame, contract: Contract, expected_losses: Score
) -> dict[str, float]:
    """By feature: the change of the mean expected loss of 1,000 reference rows whose values of it became the window's.

    A numeric value becomes the window's quantile at its own rank, missing values included, so that all else that the
    feature goes along with stays; a category is drawn from the window's. `expected_losses` scores rows, shape (n,).
    """
    rng = np.random.default_rng(SEED)
    rows = reference.iloc[rng.permutation(len(reference))[:ROWS]].reset_index(drop=True)
    before = float(expected_losses(rows).mean())
    found: dict[str, float] = {}
    for names in batched(contract.features, AT_A_TIME, strict=False):
        moved = [rows.assign(**{name: _moved(name, rows, window, contract, rng)}) for name in names]
        losses = expected_losses(pd.concat(moved, ignore_index=True)).reshape(len(names), len(rows))
        found |= {name: float(mean) - before for name, mean in zip(names, losses.mean(axis=1), strict=True)}
    return found


def ranked(features: Sequence[FeatureDrift], importance: Mapping[str, float]) -> tuple[FeatureDrift, ...]:
    """The features in the order in which they are told: drifted ones first, then those that matter most to the model.

    That is by `importance`, how far a feature moves its answers on average, where that is given; by how much each moves
    the estimated loss where not, and among equals.
    """
    return tuple(
        sorted(
            features,
            key=lambda one: (not one.drift_detected, -importance.get(one.feature, 0.0), -abs(one.impact or 0.0)),
        )
    )


def _moved(
    name: str, rows: pd.DataFrame, window: pd.DataFrame, contract: Contract, rng: np.random.Generator
) -> NDArray[Any]:
    values = window[name].to_numpy()
    if is_categorical(contract.features[name]):
        return np.asarray(values[rng.integers(0, len(window), len(rows))])
    return _at_same_rank(rows[name].to_numpy(), values, rng)


def _at_same_rank(values: Floats, window: Floats, rng: np.random.Generator) -> Floats:
    # Missing values rank last in both, and ties are broken at random.
    order = np.lexsort((rng.random(len(values)), values))
    ranks = np.empty(len(values))
    ranks[order] = (np.arange(len(values)) + 0.5) / len(values)
    return np.asarray(np.sort(window)[(ranks * len(window)).astype(np.intp)])
