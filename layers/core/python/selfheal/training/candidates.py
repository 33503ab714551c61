"""The contestants of a training run: kinds of pipeline, each fitted on some past and judged on the tuning rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from selfheal.contract import Contract
from selfheal.data.inputs import Inputs
from selfheal.tables.dataset import Dataset
from selfheal.training import pipelines
from selfheal.training.bins import binned
from selfheal.training.split import Past


@dataclass(frozen=True)
class Recipe:
    """How to make a pipeline; `parameters` are the estimator's."""

    name: str
    make: Callable[..., Pipeline]
    parameters: dict[str, Any] = field(default_factory=dict)

    def fitted(self, contract: Contract, rows: Dataset, past: Past, seed: int) -> Pipeline:
        """A pipeline fitted on these rows, weighted as the past says. Raises TrainingImpossible."""
        inputs = Inputs.of(contract, rows.features)
        pipeline = self.make(inputs, seed=seed, **self.parameters)
        estimator = pipeline.steps[-1][0]
        weights = past.weights(len(rows))
        extra = {} if weights is None else {f"{estimator}__sample_weight": weights}
        features = binned(rows.features, inputs.numbers, weights) if self.is_boosting else rows.features
        return pipeline.fit(features, rows.labels, **extra)

    @property
    def is_boosting(self) -> bool:
        """Whether its number of trees is still to be chosen."""
        return "max_iter" in self.parameters

    def with_trees(self, trees: int) -> "Recipe":
        """The same with another number of trees."""
        return Recipe(self.name, self.make, {**self.parameters, "max_iter": trees})


LINEAR = Recipe("logistic_regression", pipelines.logistic, {"C": 1.0})
# Small trees, and many: larger ones to choose from as well made the rows that came next no better.
BOOSTING = Recipe(
    "boosting",
    pipelines.boosting,
    {"max_iter": 150, "learning_rate": 0.08, "max_leaf_nodes": 12, "min_samples_leaf": 40, "l2_regularization": 1.0},
)


def scores_of(pipeline: Pipeline, rows: Dataset) -> list[NDArray[np.float64]]:
    """Scores in log-odds, each of shape (n,): one for each number of trees, or just one where there are none."""
    estimator = pipeline[-1]
    prepared = pipeline[:-1].transform(rows.features)
    if hasattr(estimator, "staged_decision_function"):
        return [np.ravel(scores) for scores in estimator.staged_decision_function(prepared)]
    return [np.ravel(estimator.decision_function(prepared))]
