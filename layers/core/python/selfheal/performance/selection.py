"""Do the labelled rows look like the unlabelled ones? Where they don't, what labels say holds for a part only."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.contract.model import MonitoringPolicy
from selfheal.drift import Reference, judge_drift

MINIMUM_ROWS = 100
SIGNIFICANCE = 0.01
# Predictions newer than this quantile of the labelled ones may just not have their label yet.
SETTLED_QUANTILE = 0.9


def selection_bias(
    timestamps: NDArray[np.datetime64],
    features: pd.DataFrame,
    is_labelled: NDArray[np.bool_],
    contract: Contract,
    policy: MonitoringPolicy,
) -> tuple[float | None, str | None]:
    """p-value that labelled and unlabelled rows of the same time are alike, and the feature that differs most.

    None where either group is too small to say; the feature is None where they look alike.
    """
    if not is_labelled.any():
        return None, None
    moments = timestamps[is_labelled].astype("datetime64[us]").astype(np.int64)
    settled = timestamps.astype("datetime64[us]").astype(np.int64) <= np.quantile(moments, SETTLED_QUANTILE)
    groups = [features[settled & chosen].reset_index(drop=True) for chosen in (~is_labelled, is_labelled)]
    if min(map(len, groups)) < MINIMUM_ROWS:
        return None, None
    unlabelled = Reference(groups[0], contract)
    verdict = judge_drift(unlabelled, unlabelled.summary_of(groups[1]), policy, SIGNIFICANCE)
    found = verdict.detection.detected
    return verdict.detection.p_value, verdict.features[0].feature if found else None
