"""XGBoost's trees, read from the JSON that the library itself writes. It compares and adds up in float32.

The format compares the same numbers (each threshold is moved to where rounding to float32 sends its neighbours) and
adds up in float64, so that answers differ by what float32 loses in adding up, and by no more.
"""

import json
import math
from typing import Any

from selfheal.errors import ExportInexact
from selfheal.models.native.export.columns import Column, Columns
from selfheal.models.native.export.tree import Leaf, Node, below_float32, tree_of

type Estimator = dict[str, Any]

# Objectives, and what makes a score of the base that the library keeps as an answer.
LOGISTIC, PLAIN = (
    ("binary:logistic",),
    ("multi:softprob", "reg:squarederror", "reg:pseudohubererror", "reg:absoluteerror"),
)
CATEGORY = 1


def xgboost_trees(model: Any, columns: list[Column]) -> list[Estimator]:
    """The trees of each class apart.

    Raises:
        ExportInexact: an objective or booster that the format has no words for.
    """
    booster = model.get_booster()
    if booster.attr("best_iteration") is not None:
        booster = booster[: int(booster.attr("best_iteration")) + 1]
    learner = json.loads(booster.save_raw("json"))["learner"]
    objective, kind = learner["objective"]["name"], learner["gradient_booster"]["name"]
    if kind != "gbtree" or objective not in (*LOGISTIC, *PLAIN):
        raise ExportInexact(
            f"XGBoost's {kind} with objective {objective} can't be served: use gbtree and one of {[*LOGISTIC, *PLAIN]}"
        )
    found, asked = learner["gradient_booster"]["model"], Columns(columns)
    trees = [tree_of(_root(tree, asked)) for tree in found["trees"]]
    bases = _bases(learner["learner_model_param"]["base_score"], objective)
    outputs = max(1, int(learner["learner_model_param"]["num_class"]))
    return [
        {
            "kind": "trees",
            "baseline": bases[min(output, len(bases) - 1)],
            "trees": [tree for tree, of in zip(trees, found["tree_info"], strict=True) if of == output],
        }
        for output in range(outputs)
    ]


def _bases(text: str, objective: str) -> list[float]:
    """Such as "5E-1", or "[5E-1]" in later releases."""
    bases = [float(base) for base in text.strip("[]").split(",")]
    return [math.log(base / (1 - base)) for base in bases] if objective in LOGISTIC else bases


def _root(tree: dict[str, Any], columns: Columns) -> Node | Leaf:
    right_sets = _categories(tree)
    nodes: dict[int, Node | Leaf] = {}
    for place in _children_first(tree):
        value = float(tree["split_conditions"][place])
        if tree["left_children"][place] < 0:
            nodes[place] = Leaf(value, float(tree["sum_hessian"][place]))
            continue
        column = tree["split_indices"][place]
        children = nodes[tree["left_children"][place]], nodes[tree["right_children"][place]]
        if tree["split_type"][place] == CATEGORY:
            right = right_sets[place]
            split = columns.codes(column, lambda code: code not in right)  # noqa: B023 - called at once
        else:
            split = columns.threshold(column, value.__gt__, below_float32(value))
        nodes[place] = Node(column, split, bool(tree["default_left"][place]), *children)
    return nodes[0]


def _children_first(tree: dict[str, Any]) -> list[int]:
    found, waiting = [], [0]
    while waiting:
        place = waiting.pop()
        found.append(place)
        if tree["left_children"][place] >= 0:
            waiting += [tree["left_children"][place], tree["right_children"][place]]
    return found[::-1]


def _categories(tree: dict[str, Any]) -> dict[int, set[int]]:
    """For each node that splits categories those that go right."""
    segments = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    return {node: set(tree["categories"][start : start + size]) for node, start, size in segments}
