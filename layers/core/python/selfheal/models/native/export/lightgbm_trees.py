"""LightGBM's trees, read from the JSON that the library itself writes. They compare in float64, as the format does."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from selfheal.errors import ExportInexact
from selfheal.models.native.export.columns import Column, Columns
from selfheal.models.native.export.tree import Leaf, Node, tree_of

# The library's own, which is a float32.
NEARLY_ZERO = float(np.float32(1e-35))
# Settings that change nothing of that; a score that is scaled or squared would.
PLAIN = ("num_class:", "alpha:", "fair_c:")

type Estimator = dict[str, Any]

# Objectives whose raw score is log-odds, one score a class, or the number itself.
SERVED = ("binary", "multiclass", "regression", "regression_l1", "huber", "fair", "quantile", "mape")


def lightgbm_trees(model: Any, columns: list[Column]) -> list[Estimator]:
    """The trees of each class apart.

    Raises:
        ExportInexact: an objective, or a treatment of zeros, that the format has no words for.
    """
    dumped = model.booster_.dump_model(num_iteration=getattr(model, "best_iteration_", 0) or -1)
    # Such as "binary sigmoid:1", or "multiclass num_class:3".
    objective, *settings = str(dumped["objective"]).split()
    if objective not in SERVED or any(not _is_plain(setting) for setting in settings):
        raise ExportInexact(f"LightGBM's objective {dumped['objective']!r} can't be served: use one of {list(SERVED)}")
    if dumped.get("average_output"):
        raise ExportInexact("LightGBM's random forests can't be served: use boosting_type gbdt, or scikit-learn's")
    asked, outputs = Columns(columns), int(dumped["num_tree_per_iteration"])
    trees = [tree_of(_node(tree["tree_structure"], asked)) for tree in dumped["tree_info"]]
    return [{"kind": "trees", "baseline": 0.0, "trees": trees[output::outputs]} for output in range(outputs)]


def _node(root: dict[str, Any], columns: Columns) -> Node | Leaf:
    """From the leaves up: a tree may be deeper than Python calls itself."""
    made: dict[int, Node | Leaf] = {}
    for raw in _children_first(root):
        if "split_feature" not in raw:
            made[id(raw)] = Leaf(float(raw["leaf_value"]), float(raw.get("leaf_count", 0)))
            continue
        column, children = int(raw["split_feature"]), (made[id(raw["left_child"])], made[id(raw["right_child"])])
        if raw["decision_type"] == "==":
            left = {int(code) for code in str(raw["threshold"]).split("||")}
            made[id(raw)] = Node(column, columns.codes(column, left.__contains__), False, *children)
        else:
            threshold = float(raw["threshold"])
            split = columns.threshold(column, threshold.__ge__, _beside_zero(threshold))
            made[id(raw)] = Node(column, split, _missing_left(raw, threshold), *children)
    return made[id(root)]


def _children_first(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    waiting = [root]
    while waiting:
        raw = waiting.pop()
        found.append(raw)
        if "split_feature" in raw:
            waiting += [raw["left_child"], raw["right_child"]]
    return iter(found[::-1])


def _beside_zero(threshold: float) -> float:
    """The same threshold for numbers as they are: the library takes 1e-35 and less for 0 before it compares."""
    if 0 <= threshold < NEARLY_ZERO:
        return NEARLY_ZERO
    return math.nextafter(-NEARLY_ZERO, -math.inf) if -NEARLY_ZERO <= threshold < 0 else threshold


def _missing_left(raw: dict[str, Any], threshold: float) -> bool:
    if raw["missing_type"] == "Zero":
        raise ExportInexact("LightGBM's zero_as_missing can't be served: leave it out, or mark missing values yourself")
    # Where the fit saw no missing value, the library takes one for 0.
    return bool(raw["default_left"]) if raw["missing_type"] == "NaN" else threshold >= 0


def _is_plain(setting: str) -> bool:
    return setting == "sigmoid:1" or setting.startswith(PLAIN)
