"""Numbers as boosting sees them: its bins, chosen before the fit.

Histogram boosting looks at 255 intervals of a column at the most. scikit-learn 1.9 finds those of weighted rows by
sorting the column again for each of them, which took longer than the trees. So each number is moved to the nearest of
255 values of its column beforehand. Boosting then splits halfway between two such values, which is where the numbers
next to each other went different ways: the fitted trees answer the number itself as they answer the moved one.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST_BINS = 255

type Floats = NDArray[np.float64]


def binned(features: pd.DataFrame, numbers: list[str], weights: Floats | None) -> pd.DataFrame:
    """The features, their numbers moved to the nearest of at most 255 quantiles of their own; missing ones stay.

    weights: shape (n rows,), by which rows count for the quantiles; None where all count alike.
    """
    moved = {name: _moved(features[name].to_numpy(np.float64), weights) for name in numbers}
    return features.assign(**moved) if moved else features


def _moved(column: Floats, weights: Floats | None) -> Floats:
    has_value = ~np.isnan(column)
    values = column[has_value]
    if len(np.unique(values)) <= MOST_BINS:
        return column
    known = None if weights is None else weights[has_value]
    levels = np.linspace(0.0, 1.0, MOST_BINS)
    kept = np.unique(np.quantile(values, levels, weights=known, method="inverted_cdf"))
    # A number halfway goes to the lower one, as it does at a split of scikit-learn's.
    halfway = (kept[:-1] + kept[1:]) / 2
    moved = column.copy()
    moved[has_value] = kept[np.searchsorted(halfway, values)]
    return moved
