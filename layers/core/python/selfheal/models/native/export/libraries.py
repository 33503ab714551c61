"""Who writes down which library's estimator, asked by its name: what isn't installed is never imported."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import ensemble, linear_model

from selfheal.errors import ExportInexact
from selfheal.models.native.export import scikit_trees
from selfheal.models.native.export.columns import Block
from selfheal.models.native.export.lightgbm_trees import lightgbm_trees
from selfheal.models.native.export.xgboost_trees import xgboost_trees

type Estimator = dict[str, Any]
type Exporter = Callable[[Any, list[Block]], list[Estimator]]

LINEAR_REGRESSORS = (
    linear_model.LinearRegression,
    linear_model.Ridge,
    linear_model.RidgeCV,
    # Lasso is one of these.
    linear_model.ElasticNet,
    linear_model.ElasticNetCV,
    linear_model.LassoCV,
    linear_model.SGDRegressor,
    linear_model.HuberRegressor,
)


def outputs_of(estimator: Any, blocks: list[Block]) -> list[Estimator]:
    """The estimator as the format has it: one, or one for each of several classes.

    Raises:
        ExportInexact: the format has no words for it.
    """
    return _exporter(estimator)(estimator, blocks)


def _exporter(estimator: Any) -> Exporter:
    library, name = type(estimator).__module__.partition(".")[0], type(estimator).__name__
    if library in BY_LIBRARY and name in BY_LIBRARY[library][0]:
        return BY_LIBRARY[library][1]
    for kinds, exporter in BY_KIND:
        if isinstance(estimator, kinds):
            return exporter
    raise ExportInexact(
        f"model.json has no words for {name}: end the pipeline in a linear or logistic model, a tree, a forest, "
        "gradient boosting, LightGBM or XGBoost (docs/trainers.md lists them)"
    )


def _linear(estimator: Any, blocks: list[Block]) -> list[Estimator]:  # noqa: ARG001 - as every exporter
    # Some keep a single number as an array of one.
    intercept, coefficients = np.ravel(estimator.intercept_).item(), estimator.coef_.ravel().tolist()
    return [{"kind": "linear", "intercept": intercept, "coefficients": coefficients}]


def _stochastic(estimator: linear_model.SGDClassifier, blocks: list[Block]) -> list[Estimator]:  # noqa: ARG001 - as every exporter
    if estimator.loss != "log_loss":
        raise ExportInexact(f"SGDClassifier with loss {estimator.loss!r} has no probabilities: use log_loss")
    if len(estimator.intercept_) > 1:
        raise ExportInexact(
            "SGDClassifier's one-versus-rest of several classes can't be served: use LogisticRegression"
        )
    intercept, coefficients = float(estimator.intercept_[0]), estimator.coef_[0].tolist()
    return [{"kind": "linear", "intercept": intercept, "coefficients": coefficients}]


def _boosted(estimator: Any, blocks: list[Block]) -> list[Estimator]:
    if estimator.loss not in ("log_loss", "squared_error", "absolute_error", "huber", "quantile"):
        raise ExportInexact(f"gradient boosting with loss {estimator.loss!r} can't be served: use log_loss")
    if estimator.init is not None:
        raise ExportInexact("gradient boosting that begins with a model of its own can't be served: leave init out")
    return scikit_trees.boosted(estimator, blocks)


BY_LIBRARY: dict[str, tuple[set[str], Exporter]] = {
    "lightgbm": ({"LGBMClassifier", "LGBMRegressor"}, lightgbm_trees),
    "xgboost": ({"XGBClassifier", "XGBRegressor"}, xgboost_trees),
}
BY_KIND: tuple[tuple[tuple[type, ...], Exporter], ...] = (
    (scikit_trees.CLASSIFIERS, scikit_trees.classifying),
    (scikit_trees.REGRESSORS, scikit_trees.regressing),
    ((ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor), _boosted),
    ((linear_model.SGDClassifier,), _stochastic),
    (LINEAR_REGRESSORS, _linear),
)
