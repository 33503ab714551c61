"""Who writes down which library's estimator, asked by its name: what isn't installed is never imported."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import ensemble, linear_model, svm

from selfheal.errors import ExportInexact
from selfheal.models.native.export import scikit_trees
from selfheal.models.native.export.columns import Column
from selfheal.models.native.export.exported import Estimator, Exported
from selfheal.models.native.export.histogram_boosting import trees
from selfheal.models.native.export.lightgbm_trees import lightgbm_trees
from selfheal.models.native.export.xgboost_trees import xgboost_trees

type Exporter = Callable[[Any, list[Column]], list[Estimator]]

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
LINEAR_CLASSIFIERS = (
    linear_model.LogisticRegression,
    linear_model.SGDClassifier,
    linear_model.RidgeClassifier,
    linear_model.RidgeClassifierCV,
    svm.LinearSVC,
)
LINEAR = (*LINEAR_REGRESSORS, *LINEAR_CLASSIFIERS)


def exported(estimator: Any, columns: list[Column]) -> Exported:
    """A single model as the format has it. Raises ExportInexact where the format has no words for it."""
    if isinstance(estimator, (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor)):
        return trees(estimator, columns)
    if isinstance(estimator, LINEAR):
        # Codes stand for the numbers that their encoder says.
        columns = [column.as_numbers for column in columns]
    return Exported(columns, _exporter(estimator)(estimator, columns))


def has_linear_decision(estimator: Any) -> bool:
    """Whether its decision function is linear, whatever it makes of that."""
    return isinstance(estimator, LINEAR_CLASSIFIERS)


def linear_decision(estimator: Any, columns: list[Column]) -> Exported:
    """The decision function of a linear classifier: one score, or one of each class."""
    outputs = [
        {"kind": "linear", "intercept": float(intercept), "coefficients": coefficients.tolist()}
        for intercept, coefficients in zip(np.ravel(estimator.intercept_), np.atleast_2d(estimator.coef_), strict=True)
    ]
    return Exported([column.as_numbers for column in columns], outputs)


def _exporter(estimator: Any) -> Exporter:
    library, name = type(estimator).__module__.partition(".")[0], type(estimator).__name__
    if library in BY_LIBRARY and name in BY_LIBRARY[library][0]:
        return BY_LIBRARY[library][1]
    for kinds, exporter in BY_KIND:
        if isinstance(estimator, kinds):
            return exporter
    if has_linear_decision(estimator):
        raise ExportInexact(f"{name} has no probabilities: put it into a CalibratedClassifierCV")
    raise ExportInexact(
        f"model.json has no words for {name}: end the pipeline in a linear or logistic model, a tree, a forest, "
        "gradient boosting, LightGBM, XGBoost, or an ensemble of these (docs/trainers.md lists them)"
    )


def _linear(estimator: Any, columns: list[Column]) -> list[Estimator]:  # noqa: ARG001 - as every exporter
    # Some keep a single number as an array of one.
    intercept, coefficients = np.ravel(estimator.intercept_).item(), estimator.coef_.ravel().tolist()
    return [{"kind": "linear", "intercept": intercept, "coefficients": coefficients}]


def _logistic(estimator: linear_model.LogisticRegression, columns: list[Column]) -> list[Estimator]:
    return list(linear_decision(estimator, columns).outputs)


def _stochastic(estimator: linear_model.SGDClassifier, columns: list[Column]) -> list[Estimator]:  # noqa: ARG001 - as every exporter
    if estimator.loss != "log_loss":
        raise ExportInexact(f"SGDClassifier with loss {estimator.loss!r} has no probabilities: use log_loss")
    if len(estimator.intercept_) > 1:
        raise ExportInexact(
            "SGDClassifier's one-versus-rest of several classes can't be served: use LogisticRegression"
        )
    intercept, coefficients = float(estimator.intercept_[0]), estimator.coef_[0].tolist()
    return [{"kind": "linear", "intercept": intercept, "coefficients": coefficients}]


def _boosted(estimator: Any, columns: list[Column]) -> list[Estimator]:
    if estimator.loss not in ("log_loss", "squared_error", "absolute_error", "huber", "quantile"):
        raise ExportInexact(f"gradient boosting with loss {estimator.loss!r} can't be served: use log_loss")
    if estimator.init is not None:
        raise ExportInexact("gradient boosting that begins with a model of its own can't be served: leave init out")
    return scikit_trees.boosted(estimator, columns)


BY_LIBRARY: dict[str, tuple[set[str], Exporter]] = {
    "lightgbm": ({"LGBMClassifier", "LGBMRegressor"}, lightgbm_trees),
    "xgboost": ({"XGBClassifier", "XGBRegressor"}, xgboost_trees),
}
BY_KIND: tuple[tuple[tuple[type, ...], Exporter], ...] = (
    (scikit_trees.CLASSIFIERS, scikit_trees.classifying),
    (scikit_trees.REGRESSORS, scikit_trees.regressing),
    ((ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor), _boosted),
    ((linear_model.LogisticRegression,), _logistic),
    ((linear_model.SGDClassifier,), _stochastic),
    (LINEAR_REGRESSORS, _linear),
)
