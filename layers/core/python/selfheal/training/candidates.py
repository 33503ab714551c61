"""One contestant: a kind of pipeline with its parameters, fitted on one window and judged on the tuning rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from selfheal.contract import Contract
from selfheal.dataset import Dataset
from selfheal.training import pipelines


@dataclass(frozen=True)
class Recipe:
    """How to make a pipeline; `parameters` are the estimator's."""

    name: str
    make: Callable[..., Pipeline]
    parameters: dict[str, Any] = field(default_factory=dict)

    def fitted(self, contract: Contract, rows: Dataset, seed: int) -> Pipeline:
        """A pipeline fitted on these rows."""
        inputs = pipelines.Inputs.of(contract, rows)
        return self.make(inputs, seed=seed, **self.parameters).fit(rows.features, rows.labels)

    @property
    def is_boosting(self) -> bool:
        """Whether its number of trees is still to be chosen."""
        return "max_iter" in self.parameters

    def with_trees(self, trees: int) -> "Recipe":
        """The same with another number of trees."""
        return Recipe(self.name, self.make, {**self.parameters, "max_iter": trees})


RECIPES = (
    Recipe("logistic_regression", pipelines.logistic, {"C": 1.0}),
    Recipe("boosting", pipelines.boosting, {"max_iter": 150, "learning_rate": 0.1, "max_leaf_nodes": 31}),
    Recipe(
        "boosting_small",
        pipelines.boosting,
        {
            "max_iter": 200,
            "learning_rate": 0.06,
            "max_leaf_nodes": 12,
            "min_samples_leaf": 40,
            "l2_regularization": 1.0,
        },
    ),
)


def scores_of(pipeline: Pipeline, rows: Dataset) -> list[NDArray[np.float64]]:
    """Scores in log-odds, each of shape (n,): one for each number of trees, or just one where there are none."""
    estimator = pipeline[-1]
    prepared = pipeline[:-1].transform(rows.features)
    if hasattr(estimator, "staged_decision_function"):
        return [np.ravel(scores) for scores in estimator.staged_decision_function(prepared)]
    return [np.ravel(estimator.decision_function(prepared))]
