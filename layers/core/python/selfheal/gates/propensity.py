"""Labels that come for some rows rather than others: weights that make the labelled rows stand for all of them.

Inverse propensity weighting (Horvitz and Thompson, Journal of the American Statistical Association 47, 1952) with the
chance of being labelled from a logistic regression on the features.
"""

import numpy as np
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.tables.dataset import Dataset
from selfheal.training.pipelines import Inputs, logistic

# No row counts more than ten times the average: a few rare ones would otherwise decide alone.
LARGEST_WEIGHT = 10.0


def inverse_propensity(rows: Dataset, contract: Contract) -> NDArray[np.float64]:
    """Weights of the labelled rows, in their order, with mean 1.

    Args:
        rows: all rows of the window; `labels` says which of them are labelled (1), and both kinds occur.
        contract: of the features.
    """
    pipeline = logistic(Inputs.of(contract, rows), seed=0)
    chance = pipeline.fit(rows.features, rows.labels).predict_proba(rows.features)[rows.labels == 1, 1]
    weights = 1.0 / chance
    trimmed = np.minimum(weights / weights.mean(), LARGEST_WEIGHT)
    return np.asarray(trimmed / trimmed.mean(), dtype=np.float64)
