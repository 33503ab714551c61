"""The reference as drift detection needs it: sorted, cut into cells, and resampled once for each window size."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.drift.feature import FeatureReference
from selfheal.drift.null import FeatureDraws, Null, joint_null, null_size
from selfheal.drift.repeats import Repeats
from selfheal.drift.stretches import Times
from selfheal.drift.summary import InputSummary

# Below this many present values a feature's distribution says nothing.
MINIMUM_PRESENT = 30
UNKNOWN_TIMES = Times()


class Reference:
    """The frozen reference of a version: m rows by p features, with one resampled null for each window size.

    The rows are in time order, and `times` say when they were made.

    Raises:
        KeyError: a feature of the contract isn't a column of the table.
    """

    def __init__(self, features: pd.DataFrame, contract: Contract, times: Times = UNKNOWN_TIMES) -> None:
        self.rows = len(features)
        described = contract.features.items()
        self.features = tuple(FeatureReference.of(name, feature, features[name], times) for name, feature in described)
        self._codes = [feature.codes(features[feature.name]) for feature in self.features]
        self.collision_rate = Repeats.of(features).collision_rate
        self._nulls: dict[int, Null] = {}

    def summary_of(self, features: pd.DataFrame) -> InputSummary:
        """Rows of the contract's features, in fixed size beside this reference."""
        summaries = {feature.name: feature.summary_of(features[feature.name]) for feature in self.features}
        return InputSummary(summaries, Repeats.of(features))

    def traits(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """What rows are like, shape (n, p): each value's rank in the reference, from -0.5 to 0.5, 0 where missing.

        Categories rank by how frequent they are.
        """
        return np.column_stack([feature.ranks(features[feature.name]) for feature in self.features])

    def null(self, effective_size: float) -> Null:
        """What an unchanged world of about this effective size shows; resampled when first asked for."""
        size = null_size(effective_size)
        if size not in self._nulls:
            draws = [
                FeatureDraws(codes, feature.cells.size, feature.is_numeric, feature.sample.present >= MINIMUM_PRESENT)
                for codes, feature in zip(self._codes, self.features, strict=True)
            ]
            self._nulls[size] = joint_null(draws, size)
        return self._nulls[size]
