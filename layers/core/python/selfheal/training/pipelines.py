"""The pipelines that training chooses among: preprocessing and estimator as one, so that serving can't differ."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, QuantileTransformer, StandardScaler

from selfheal.contract import Contract
from selfheal.data.dataset import Dataset
from selfheal.errors import TrainingImpossible

# HistGradientBoosting takes at most 255 categories a feature; rarer ones beyond share a code.
LARGEST_CARDINALITY = 254
QUANTILES = 101


@dataclass(frozen=True, slots=True)
class Inputs:
    """The features that a pipeline reads, by kind."""

    numbers: list[str]
    categories: list[str]

    @classmethod
    def of(cls, contract: Contract, rows: Dataset) -> Self:
        """Those that have a value in at least one row: nothing can be learnt from the others.

        Raises TrainingImpossible where there are none.
        """
        has_value = rows.features.notna().any()
        numbers = [name for name in contract.numeric_features if has_value[name]]
        categories = [name for name in contract.category_features if has_value[name]]
        if not numbers and not categories:
            raise TrainingImpossible("every feature is missing in every row: check where the data come from")
        return cls(numbers, categories)


def logistic(inputs: Inputs, *, seed: int, **parameters: Any) -> Pipeline:
    """Logistic regression on imputed quantiles, missing indicators and one-hot categories.

    Quantiles rather than raw values: one outlier in a request can't carry the score away, and heavy tails don't matter.
    """
    numbers = make_pipeline(
        SimpleImputer(strategy="median"),
        QuantileTransformer(n_quantiles=QUANTILES, subsample=None),
        StandardScaler(),
    )
    categories = OneHotEncoder(
        min_frequency=20, max_categories=50, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    columns = ColumnTransformer(
        [
            ("numbers", numbers, inputs.numbers),
            ("missing", MissingIndicator(error_on_new=False), inputs.numbers),
            ("categories", categories, inputs.categories),
        ]
    )
    estimator = LogisticRegression(solver="newton-cholesky", max_iter=100, random_state=seed, **parameters)
    return make_pipeline(columns, estimator)


def boosting(inputs: Inputs, *, seed: int, **parameters: Any) -> Pipeline:
    """Histogram gradient boosting with native missing values and native categorical splits."""
    categories = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=LARGEST_CARDINALITY,
    )
    columns = ColumnTransformer(
        [
            ("categories", categories, inputs.categories),
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
