"""Evidently's default drift rule, from its documentation: which test, which threshold, when a data set drifts."""

import numpy as np
import pandas as pd
from scipy import stats

from selfheal.records.drift import FeatureDrift

SMALL_REFERENCE = 1000
FEW_VALUES = 5
DATASET_SHARE = 0.5
SIGNIFICANCE, DISTANCE = 0.05, 0.1


def drifted_columns(reference: pd.DataFrame, window: pd.DataFrame, features: tuple[FeatureDrift, ...]) -> int:
    """How many columns its defaults call drifted.

    Up to 1,000 reference rows: KS (chi-squared for text and at most five distinct values) at 0.05. Above: normed
    Wasserstein distance, Jensen-Shannon for text and at most five distinct values, at 0.1. Both distances are taken
    from our own verdict, which a test holds equal to scipy's.
    """
    return sum(_is_drifted(reference[f.feature].dropna(), window[f.feature].dropna(), f) for f in features)


def _is_drifted(before: pd.Series, after: pd.Series, found: FeatureDrift) -> bool:
    is_category = not pd.api.types.is_numeric_dtype(before) or before.nunique() <= FEW_VALUES
    if len(before) > SMALL_REFERENCE:
        # Its Jensen-Shannon distance is in nats.
        return (found.jensen_shannon * np.sqrt(np.log(2)) if is_category else found.drift_score) >= DISTANCE
    if before.empty or after.empty:
        return False
    if is_category:
        table = pd.concat([before.value_counts(), after.value_counts()], axis=1).fillna(0).to_numpy()
        return bool(stats.chi2_contingency(table).pvalue < SIGNIFICANCE)
    return bool(stats.ks_2samp(before, after).pvalue < SIGNIFICANCE)
