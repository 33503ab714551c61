"""What a version uses: how far each feature moves its answers, on average over rows."""

import numpy as np
import pandas as pd

from selfheal.errors import ReasonsUnavailable
from selfheal.models.ports import Model
from selfheal.tables.table import columns_of

# More rows hardly change a mean.
MOST_ROWS = 1000


def importance_of(model: Model, features: pd.DataFrame) -> dict[str, float]:
    """The mean absolute Shapley value of each feature over these rows, the largest first.

    In the unit of the model's score. Nothing where the model gives no reasons.
    """
    rows = np.linspace(0, len(features) - 1, min(len(features), MOST_ROWS)).astype(int)
    try:
        found = model.contributions(columns_of(features.iloc[rows]))
    except ReasonsUnavailable:
        return {}
    mean = np.abs(found.added).mean(axis=0).tolist()
    return dict(sorted(zip(found.features, mean, strict=True), key=lambda named: (-named[1], named[0])))
