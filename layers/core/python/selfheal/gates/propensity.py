"""Labels that come for some rows rather than others: weights that make the labelled rows stand for all of them.

Inverse propensity weighting (Horvitz and Thompson, Journal of the American Statistical Association 47, 1952) with the
chance of being labelled from a logistic regression on the features.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from selfheal.contract import Contract
from selfheal.data.inputs import Inputs

# No row counts more than ten times the average: a few rare ones would otherwise decide alone.
LARGEST_WEIGHT = 10.0
QUANTILES = 101


def inverse_propensity(
    features: pd.DataFrame, is_labelled: NDArray[np.bool_], contract: Contract
) -> NDArray[np.float64]:
    """Weights of the labelled rows, in their order, with mean 1.

    Args:
        features: of all rows of the window, labelled or not, by the contract.
        is_labelled: shape (n,); both kinds occur.
        contract: of the features.
    """
    model = _propensity(Inputs.of(contract, features)).fit(features, is_labelled)
    chance = model.predict_proba(features)[is_labelled, 1]
    weights = 1.0 / chance
    trimmed = np.minimum(weights / weights.mean(), LARGEST_WEIGHT)
    return np.asarray(trimmed / trimmed.mean(), dtype=np.float64)


def _propensity(inputs: Inputs) -> Pipeline:
    """The chance of being labelled, from quantiles, what is missing, and categories.

    Apart from what training chooses among: a verdict mustn't change because the served models do.
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
    return make_pipeline(columns, LogisticRegression(solver="newton-cholesky", random_state=0))
