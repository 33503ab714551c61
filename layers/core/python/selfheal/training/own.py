"""A trainer of one's own: code that says what is fitted. Everything around it stays as it is for the built-in one.

`[model] trainer = "package.module:function"` names a function that is called with the contract, the rows that teach
(pandas: the features as the contract orders them, and the target's column of codes or numbers) and a seed. It returns
an unfitted scikit-learn estimator: a pipeline, a search, or LightGBM's or XGBoost's scikit-learn classes. It sees none
of the rows that compare, tune or judge.
"""

import importlib
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from selfheal.contract import Contract
from selfheal.errors import SelfhealError, TrainerFailed
from selfheal.tables.dataset import Dataset
from selfheal.training.split import Past

# What a classifier is asked for its scores.
ANSWERS = ("predict_proba", "decision_function")


@dataclass(frozen=True)
class OwnRecipe:
    """How to fit what a user's function returns; the same shape as the built-in recipes."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    is_boosting: bool = False

    def fitted(self, contract: Contract, rows: Dataset, past: Past, seed: int) -> Pipeline:
        """A pipeline fitted on these rows, weighted as the past says where the estimator takes weights.

        Raises:
            TrainerFailed: the code isn't there, raised, or returned what can't be fitted or answer.
        """
        with _told(self.name):
            estimator = _function(self.name)(contract, _table(rows, contract), seed)
        _check(self.name, estimator, contract)
        weights = past.weights(len(rows))
        extra = {} if weights is None else _weighted(estimator, weights)
        with _told(self.name):
            return as_pipeline(estimator.fit(rows.features.copy(), _targets(rows), **extra))

    def with_trees(self, trees: int) -> "OwnRecipe":
        """Nothing of it is chosen here: the code has said how many `trees` there are."""
        del trees
        return self


def as_pipeline(estimator: Any) -> Pipeline:
    """A fitted estimator as one flat pipeline: the best one of a search, and pipelines within pipelines taken apart."""
    if hasattr(estimator, "best_estimator_"):
        return as_pipeline(estimator.best_estimator_)
    if not isinstance(estimator, Pipeline):
        return Pipeline([("estimator", estimator)])
    *preparation, (_, last) = estimator.steps
    steps = [step for step in preparation if step[1] not in (None, "passthrough")]
    return Pipeline([*steps, *((f"last_{name}", step) for name, step in as_pipeline(last).steps)])


def source_of(name: str) -> bytes:
    """The text of the module in which a trainer lies. Raises TrainerFailed."""
    with _told(name):
        return Path(str(importlib.import_module(name.partition(":")[0]).__file__)).read_bytes()


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def _targets(rows: Dataset) -> NDArray[Any]:
    """A copy, of classes in the integers that libraries expect: some refuse those of a byte."""
    labels = rows.labels
    return labels.astype(np.int64 if labels.dtype.kind == "i" else np.float64)


def _table(rows: Dataset, contract: Contract) -> Any:
    # A copy of its own: behind a slice lies the memory of all rows, the newest among them.
    return rows.features.copy().assign(**{contract.model.target: rows.labels})


def _check(name: str, estimator: Any, contract: Contract) -> None:
    if not isinstance(estimator, BaseEstimator):
        raise TrainerFailed(
            f"trainer {name} returned {type(estimator).__name__}: return an unfitted scikit-learn estimator"
        )
    if wrong := kind_lacking(estimator, contract):
        raise TrainerFailed(
            f"trainer {name} returned {type(estimator).__name__}, which is no {wrong}: the contract's task is "
            f"{contract.model.task}"
        )
    if is_classifier(estimator) and not any(hasattr(estimator, method) for method in ANSWERS):
        raise TrainerFailed(
            f"trainer {name} returned a {type(estimator).__name__} that has no probabilities: let it have some "
            "(voting='soft', loss='log_loss'), or put it into a CalibratedClassifierCV"
        )


def kind_lacking(estimator: Any, contract: Contract) -> str | None:
    """The kind of estimator that the contract's task takes, where this one is of another; None where it fits."""
    if contract.model.task == "regression":
        return None if is_regressor(estimator) else "regressor"
    return None if is_classifier(estimator) else "classifier"


def _weighted(estimator: Any, weights: Any) -> dict[str, Any]:
    """Where weights belong; nothing where the estimator takes none, so that all rows count alike."""
    inner = getattr(estimator, "estimator", estimator)
    if isinstance(inner, Pipeline):
        name, last = inner.steps[-1]
        return {f"{name}__sample_weight": weights} if has_fit_parameter(last, "sample_weight") else {}
    return {"sample_weight": weights} if has_fit_parameter(inner, "sample_weight") else {}


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Whatever users' code raises ends the run by name. Its message may hold a row's values: only its place is told."""
    try:
        yield
    except SelfhealError:
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        what = (
            f"{type(error).__name__} ({error.name})" if isinstance(error, ModuleNotFoundError) else type(error).__name__
        )
        raise TrainerFailed(
            f"trainer {name} failed with {what} at {place}: try it on your rows with `selfheal contract check`"
        ) from error
