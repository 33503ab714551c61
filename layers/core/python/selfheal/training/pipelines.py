"""The pipelines that training chooses among: preprocessing and estimator as one, so that serving can't differ."""

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, QuantileTransformer, StandardScaler

from selfheal.data.inputs import Inputs

QUANTILES = 101


def logistic(inputs: Inputs, *, seed: int, **parameters: Any) -> Pipeline:
    """Logistic regression on imputed quantiles, missing indicators and one-hot categories."""
    usual: dict[str, Any] = {"solver": "newton-cholesky", "max_iter": 100}
    return make_pipeline(_linear_columns(inputs), LogisticRegression(random_state=seed, **(usual | parameters)))


def ridge(inputs: Inputs, *, seed: int, **parameters: Any) -> Pipeline:
    """Ridge regression on the same columns."""
    return make_pipeline(_linear_columns(inputs), Ridge(solver="cholesky", random_state=seed, **parameters))


def boosting(inputs: Inputs, *, seed: int, **parameters: Any) -> Pipeline:
    """Histogram gradient boosting with native missing values and native categorical splits."""
    return _boosted(HistGradientBoostingClassifier, inputs, seed, parameters)


def boosted_regression(inputs: Inputs, *, seed: int, **parameters: Any) -> Pipeline:
    """The same on squared error."""
    return _boosted(HistGradientBoostingRegressor, inputs, seed, parameters)


def _linear_columns(inputs: Inputs) -> ColumnTransformer:
    """Quantiles rather than raw values: one outlier in a request can't carry the score away, and heavy tails don't
    matter.
    """
    numbers = make_pipeline(
        SimpleImputer(strategy="median"),
        QuantileTransformer(n_quantiles=min(QUANTILES, inputs.rows), subsample=None),
        StandardScaler(),
    )
    categories = OneHotEncoder(categories=inputs.expanded(), handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [
            ("numbers", numbers, inputs.numbers),
            ("missing", MissingIndicator(error_on_new=False), inputs.numbers),
            ("categories", categories, list(inputs.categories)),
        ]
    )


def _boosted(
    kind: type[HistGradientBoostingClassifier] | type[HistGradientBoostingRegressor],
    inputs: Inputs,
    seed: int,
    parameters: dict[str, Any],
) -> Pipeline:
    categories = OrdinalEncoder(
        categories=inputs.coded(),
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
    )
    columns = ColumnTransformer(
        [
            ("categories", categories, list(inputs.categories)),
            ("numbers", "passthrough", inputs.numbers),
        ]
    )
    estimator = kind(
        categorical_features=list(range(len(inputs.categories))),
        early_stopping=False,
        random_state=seed,
        **parameters,
    )
    return make_pipeline(columns, estimator)
