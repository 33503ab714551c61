"""Rows on which an export must equal the fitted model: where two evaluations differ, if they differ at all."""

from typing import Any

import numpy as np
import pandas as pd

from selfheal.contract import Contract
from selfheal.models.native.edges import EXTREMES, UNSEEN, edges, sides
from selfheal.tables.dataset import typed_features

ORDINARY_ROWS = 2000
EDGE_ROWS = 6000


def probe_rows(document: dict[str, Any], features: pd.DataFrame, contract: Contract, seed: int) -> pd.DataFrame:
    """Ordinary rows, and copies of them with one value changed: missing, unseen, extreme, or at an edge of the model.

    An edge is a tree's threshold or a quantile's knot; each is probed on it and one float either side.
    """
    generator = np.random.default_rng(seed)
    ordinary = features.iloc[generator.choice(len(features), min(len(features), ORDINARY_ROWS), replace=False)]
    changes: list[tuple[str, Any]] = [
        (name, value) for name in contract.category_features for value in (None, UNSEEN, "")
    ]
    changes += [(name, value) for name in contract.numeric_features for value in (np.nan, *EXTREMES)]
    at_edges = [(name, side) for name, edge in edges(document) for side in sides(edge)]
    chosen = generator.permutation(len(at_edges))[:EDGE_ROWS]
    changes += [at_edges[index] for index in chosen]
    changed = ordinary.iloc[generator.integers(len(ordinary), size=len(changes))].reset_index(drop=True)
    columns = {name: changed[name].to_numpy(dtype=object, copy=True) for name in changed}
    for row, (name, value) in enumerate(changes):
        columns[name][row] = value
    bare = pd.DataFrame({name: [None] for name in contract.feature_names}, dtype=object)
    return typed_features(
        pd.concat([ordinary.astype(object), pd.DataFrame(columns), bare], ignore_index=True), contract
    )
