"""scikit-learn's trees that read float32: single ones, forests, gradient boosting."""

from typing import Any

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from selfheal.models.native.export.columns import Column, Columns
from selfheal.models.native.export.tree import Leaf, Node, of_float32, tree_of, weighted

type Estimator = dict[str, Any]
type Classifier = DecisionTreeClassifier | RandomForestClassifier | ExtraTreesClassifier
type Regressor = DecisionTreeRegressor | RandomForestRegressor | ExtraTreesRegressor

CLASSIFIERS = (DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier)
REGRESSORS = (DecisionTreeRegressor, RandomForestRegressor, ExtraTreesRegressor)


def classifying(model: Classifier, columns: list[Column]) -> list[Estimator]:
    """The mean of the trees' shares, as a score: log-odds of the second of two classes, or the log of each's share."""
    trees = getattr(model, "estimators_", [model])
    outputs = range(1, 2) if len(model.classes_) == 2 else range(len(model.classes_))  # noqa: PLR2004 - binary
    kind = "log_odds" if len(outputs) == 1 else "log"
    return [{"kind": kind, "estimator": _mean(trees, columns, output)} for output in outputs]


def regressing(model: Regressor, columns: list[Column]) -> list[Estimator]:
    """The mean of the trees' values."""
    return [_mean(getattr(model, "estimators_", [model]), columns, 0)]


def boosted(model: GradientBoostingClassifier | GradientBoostingRegressor, columns: list[Column]) -> list[Estimator]:
    """What boosting begins with and each stage's trees times the learning rate, for each class apart."""
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))  # noqa: SLF001
    rate = float(model.learning_rate)
    return [
        {
            "kind": "trees",
            "baseline": float(start[0, output]),
            "trees": weighted([_tree(stage[output].tree_, columns, 0) for stage in model.estimators_], rate),
        }
        for output in range(model.estimators_.shape[1])
    ]


def _mean(trees: Any, columns: list[Column], output: int) -> Estimator:
    forest = {"kind": "trees", "baseline": 0.0, "trees": [_tree(tree.tree_, columns, output) for tree in trees]}
    return {"kind": "quotient", "divisor": len(trees), "estimator": forest}


def _tree(tree: Any, columns: list[Column], output: int) -> dict[str, Any]:
    asked = Columns(columns)
    nodes: dict[int, Node | Leaf] = {}
    for place in range(tree.node_count - 1, -1, -1):
        left, right = int(tree.children_left[place]), int(tree.children_right[place])
        if left < 0:
            nodes[place] = Leaf(float(tree.value[place, 0, output]), float(tree.weighted_n_node_samples[place]))
            continue
        column, threshold = int(tree.feature[place]), float(tree.threshold[place])
        split = asked.threshold(column, threshold.__ge__, of_float32(threshold))
        missing_left = bool(tree.missing_go_to_left[place])
        nodes[place] = Node(column, split, missing_left, nodes[left], nodes[right])
    return tree_of(nodes[0])
