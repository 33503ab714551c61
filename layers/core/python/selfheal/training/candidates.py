"""The contestants of a training run: kinds of pipeline, each fitted on some past and judged on the tuning rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from selfheal.contract import Contract
from selfheal.contract.model import TaskName
from selfheal.data.inputs import Inputs
from selfheal.models.fitted import by_class, raw_scores
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
        return "learning_rate" in self.parameters

    def in_steps(self, steps: int, learning_rate: float) -> "Recipe":
        """The same in another number of steps of another length."""
        return Recipe(self.name, self.make, {**self.parameters, "max_iter": steps, "learning_rate": learning_rate})

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
MULTINOMIAL = Recipe("logistic_regression", pipelines.logistic, {"C": 1.0, "solver": "lbfgs", "max_iter": 300})
RIDGE = Recipe("ridge", pipelines.ridge, {"alpha": 1.0})
REGRESSION_BOOSTING = Recipe("boosting", pipelines.boosted_regression, BOOSTING.parameters)


def recipes_of(task: TaskName, classes: int) -> tuple[Recipe, Recipe]:
    """The linear model and boosting for a kind of target."""
    if task == "regression":
        return RIDGE, REGRESSION_BOOSTING
    # Each step adds a tree for every class: fewer steps, and longer ones.
    return (LINEAR, BOOSTING) if task == "binary" else (MULTINOMIAL, BOOSTING.in_steps(max(40, 150 // classes), 0.16))


def quick_boosting(task: TaskName, classes: int) -> Recipe:
    """Boosting in half its trees, which compares pasts."""
    boosting = recipes_of(task, classes)[1]
    return boosting.in_steps(boosting.parameters["max_iter"] // 2, 2 * boosting.parameters["learning_rate"])


def classes_of(contract: Contract) -> int:
    """How many columns of scores a model of this contract has."""
    return len(contract.model.classes or ()) if contract.model.task == "multiclass" else 1


def scores_of(pipeline: Pipeline, rows: Dataset, classes: int = 1) -> list[NDArray[np.float64]]:
    """Scores, each of shape (n,) or (n, classes): for each number of trees, or just one where there are none."""
    estimator = pipeline[-1]
    prepared = pipeline[:-1].transform(rows.features)
    if hasattr(estimator, "staged_decision_function"):
        return [by_class(scores, estimator, classes) for scores in estimator.staged_decision_function(prepared)]
    if hasattr(estimator, "staged_predict") and not hasattr(estimator, "predict_proba"):
        return list(estimator.staged_predict(prepared))
    return [raw_scores(estimator, prepared, classes)]
