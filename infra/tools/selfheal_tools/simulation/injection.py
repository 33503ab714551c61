"""Documented, seeded drift for files whose own is too small to heal."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from selfheal.contract import Contract


def exchange_roles(
    features: pd.DataFrame, base: pd.DataFrame, pairs: Sequence[tuple[str, str]], rng: np.random.Generator
) -> pd.DataFrame:
    """Concept drift: the features of each pair exchange what they say about a row, each on its own scale.

    A value becomes the partner's quantile at its own rank in `base`, ties broken at random, so that every feature keeps
    its distribution while the old model reads the wrong one. A row in which either is missing keeps both.
    """
    changed = features.copy()
    for first, second in pairs:
        both = features[first].notna() & features[second].notna()
        ranks = [_ranks(features.loc[both, name], base[name], rng) for name in (first, second)]
        changed.loc[both, first] = _quantiles(ranks[1], base[first])
        changed.loc[both, second] = _quantiles(ranks[0], base[second])
    return changed


def reverse_roles(
    features: pd.DataFrame, base: pd.DataFrame, labels: NDArray[np.int8], contract: Contract
) -> pd.DataFrame:
    """Concept drift at its largest: every feature says the opposite of what it said in `base`.

    A number becomes the quantile at the other end, so that it keeps its distribution; a boolean its contrary; and of a
    category the value that is positive most often, by the labels of `base`, changes places with the one that is least.
    Missing and unknown values stay.
    """
    changed = features.copy()
    for name, feature in contract.features.items():
        there = features[name].notna()
        if feature.is_category:
            order = pd.Series(labels).groupby(base[name].to_numpy(dtype=object)).mean().sort_values().index
            opposite = dict(zip(order, order[::-1], strict=True))
            changed[name] = features[name].map(lambda value, opposite=opposite: opposite.get(value, value))
        elif feature.type == "boolean":
            changed.loc[there, name] = 1.0 - features.loc[there, name]
        elif base[name].notna().any():
            ranks = 1.0 - _middle_ranks(features.loc[there, name], base[name])
            changed.loc[there, name] = _quantiles(ranks, base[name])
    return changed


def strongest_with_weakest(base: pd.DataFrame, labels: NDArray[np.int8], contract: Contract) -> list[tuple[str, str]]:
    """Pairs for `exchange_roles`: the feature that alone ranks the labels best with the one that does so worst, and on.

    Strength is the distance of a feature's ROC AUC from one half; boolean features hold no rank and are left out.
    """
    numeric = [name for name in contract.numeric_features if contract.features[name].type != "boolean"]
    strength = {name: _strength(base[name], labels) for name in numeric}
    order = sorted(numeric, key=lambda name: -strength[name])
    return [(order[i], order[-1 - i]) for i in range(len(order) // 2)]


def _strength(column: pd.Series, labels: NDArray[np.int8]) -> float:
    there = column.notna().to_numpy()
    if len(np.unique(labels[there])) < 2:  # noqa: PLR2004 - one class ranks nothing
        return 0.0
    return float(abs(roc_auc_score(labels[there], column[there]) - 0.5))


def _ranks(column: pd.Series, base: pd.Series, rng: np.random.Generator) -> NDArray[np.float64]:
    known = np.sort(base.dropna().to_numpy(dtype=np.float64))
    values = column.to_numpy(dtype=np.float64)
    below, upto = np.searchsorted(known, values, "left"), np.searchsorted(known, values, "right")
    return (below + rng.random(len(values)) * (upto - below)) / len(known)


def _middle_ranks(column: pd.Series, base: pd.Series) -> NDArray[np.float64]:
    known = np.sort(base.dropna().to_numpy(dtype=np.float64))
    values = column.to_numpy(dtype=np.float64)
    return np.asarray(
        (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / 2 / len(known)
    )


def _quantiles(ranks: NDArray[np.float64], base: pd.Series) -> NDArray[np.float64]:
    known = np.sort(base.dropna().to_numpy(dtype=np.float64))
    return known[np.clip((ranks * len(known)).astype(np.intp), 0, len(known) - 1)]
