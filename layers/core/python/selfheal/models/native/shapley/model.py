"""A model's Shapley values by feature: those of its columns, added up, through its calibration."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from selfheal.models.contributions import Contributions, Unit
from selfheal.models.native.estimators import Estimator
from selfheal.models.native.shapley.estimators import explainer_of

if TYPE_CHECKING:
    from selfheal.models.native.model import NativeModel


class ModelExplainer:
    """A model prepared to be explained. Raises ReasonsUnavailable where it doesn't hold what that takes."""

    def __init__(self, model: "NativeModel", estimator: Estimator, unit: Unit) -> None:
        self._model, self._scores, self._unit = model, estimator, unit
        # A probability as it is has no calibration.
        self._slope, self._intercept = (1.0, 0.0) if unit == "probability" else (model.slope, model.intercept)
        place = {name: index for index, name in enumerate(model.feature_names)}
        # For each column the feature that it is made of.
        self._feature = [place[block.feature] for block in model.blocks for _ in block.columns]
        self._estimator = explainer_of(estimator, len(self._feature))

    def contributions(self, columns: Mapping[str, NDArray[Any]]) -> Contributions:
        """What each feature adds to the score of each row."""
        model = self._model
        rows = len(columns[model.feature_names[0]])
        with np.errstate(all="ignore"):
            read = model.read(columns)
            added, scores = self._estimator.values(read, rows), self._scores.many(read, rows)
        values = np.zeros((rows, len(model.feature_names)))
        for column, feature in enumerate(self._feature):
            values[:, feature] += self._slope * added[:, column]
        base = self._slope * self._estimator.base + self._intercept
        scores = self._slope * scores + self._intercept
        return Contributions(model.feature_names, base, values, scores, self._unit)
