"""The pipelines that training chooses among: preprocessing and estimator as one, so that serving can't differ."""

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, QuantileTransformer, StandardScaler

from selfheal.data.inputs import Inputs

QUANTILES = 101


def logistic(inputs: Inputs, *, seed: int, **parameters: Any) -> Pipeline:
    """Logistic regression on imputed quantiles, missing indicators and one-hot categories.

    Quantiles rather than raw values: one outlier in a request can't carry the score away, and heavy tails don't matter.
    """
    numbers = make_pipeline(
        SimpleImputer(strategy="median"),
        QuantileTransformer(n_quantiles=min(QUANTILES, inputs.rows), subsample=None),
        StandardScaler(),
    )
    categories = OneHotEncoder(categories=inputs.expanded(), handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [
            ("numbers", numbers, inputs.numbers),
            ("missing", MissingIndicator(error_on_new=False), inputs.numbers),
            ("categories", categories, list(inputs.categories)),
        ]
    )
    estimator = LogisticRegression(solver="newton-cholesky", max_iter=100, random_state=seed, **parameters)
    return make_pipeline(columns, estimator)


def boosting(inputs: Inputs, *, seed: int, **parameters: Any) -> Pipeline:
    """Histogram gradient boosting with native missing values and native categorical splits."""
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
    estimator = HistGradientBoostingClassifier(
        categorical_features=list(range(len(inputs.categories))),
        early_stopping=False,
        random_state=seed,
        **parameters,
    )
    return make_pipeline(columns, estimator)
