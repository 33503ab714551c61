"""Which features matter to the model: what the estimated Brier score does if one feature alone changes as it did."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.drift.cells import is_categorical
from selfheal.records.drift import FeatureDrift

ROWS = 1000
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
    found = {}
    for name, feature in contract.features.items():
        if is_categorical(feature):
            moved = window[name].to_numpy()[rng.integers(0, len(window), len(rows))]
        else:
            moved = _at_same_rank(rows[name].to_numpy(), window[name].to_numpy(), rng)
        found[name] = float(expected_losses(rows.assign(**{name: moved})).mean()) - before
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


def _at_same_rank(values: Floats, window: Floats, rng: np.random.Generator) -> Floats:
    # Missing values rank last in both, and ties are broken at random.
    order = np.lexsort((rng.random(len(values)), values))
    ranks = np.empty(len(values))
    ranks[order] = (np.arange(len(values)) + 0.5) / len(values)
    return np.asarray(np.sort(window)[(ranks * len(window)).astype(np.intp)])
