"""Rows on which an export must equal the fitted model: where two evaluations differ, if they differ at all."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from selfheal.contract import Contract
from selfheal.data.dataset import typed_features
from selfheal.training.export import UNSEEN
from selfheal.training.export_trees import width

ORDINARY_ROWS = 2000
EDGE_ROWS = 6000
EXTREMES = (0.0, -0.0, 5e-324, 1e-300, 1e300, -1e300, 1.0, -1.0)


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
    edges = [(name, side) for name, edge in _edges(document) for side in _sides(edge)]
    chosen = generator.permutation(len(edges))[:EDGE_ROWS]
    changes += [edges[index] for index in chosen]
    changed = ordinary.iloc[generator.integers(len(ordinary), size=len(changes))].reset_index(drop=True)
    columns = {name: changed[name].to_numpy(dtype=object, copy=True) for name in changed}
    for row, (name, value) in enumerate(changes):
        columns[name][row] = value
    bare = pd.DataFrame({name: [None] for name in contract.feature_names}, dtype=object)
    return typed_features(
        pd.concat([ordinary.astype(object), pd.DataFrame(columns), bare], ignore_index=True), contract
    )


def _sides(edge: float) -> tuple[float, float, float]:
    return float(np.nextafter(edge, -np.inf)), edge, float(np.nextafter(edge, np.inf))


def _edges(document: dict[str, Any]) -> list[tuple[str, float]]:
    """Every value of a feature at which the model bends or jumps."""
    edges: set[tuple[str, float]] = set()
    names = [feature["name"] for feature in document["features"]]
    direct: dict[int, str] = {}
    column = 0
    for block in document["blocks"]:
        name = names[block["feature"]]
        if block["kind"] == "number":
            edges.update((name, knot) for step in block["steps"][:2] for knot in step.get("knots", ()))
            if not block["steps"]:
                direct[column] = name
        column += width(block)
    for tree, first in _all_trees(document["estimator"]):
        split_columns = [(first + column, split) for column, split in zip(tree["column"], tree["split"], strict=True)]
        edges.update((direct[column], split) for column, split in split_columns if column in direct)
    return sorted((name, edge) for name, edge in edges if abs(edge) < LARGEST_EDGE)


def _all_trees(estimator: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """Every tree, and the first column that its estimator reads."""
    first = 0
    for part in estimator.get("parts", [{"columns": 0, "estimator": estimator}]):
        for tree in part["estimator"].get("trees", ()):
            yield tree, first
        first += part["columns"]


# Beyond, the float on the other side is infinite, which no contract lets in.
LARGEST_EDGE = 1e300
