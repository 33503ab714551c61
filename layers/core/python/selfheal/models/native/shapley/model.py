"""A model's Shapley values by feature: those of its columns, added up, through its calibration."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from selfheal.models.contributions import Contributions, Unit
from selfheal.models.native.estimators import Estimator, Outputs
from selfheal.models.native.layers import Several
from selfheal.models.native.shapley.estimators import Explainer, explainer_of
from selfheal.models.native.wrapped import Log

if TYPE_CHECKING:
    from selfheal.models.native.model import NativeModel

type Floats = NDArray[np.float64]


class Explained(Protocol):
    """A model prepared to be explained."""

    def contributions(self, columns: Mapping[str, NDArray[Any]]) -> Contributions:
        """What each feature adds to the score of each row."""
        ...


class ModelExplainer:
    """A model of one score. Raises ReasonsUnavailable where it doesn't hold what that takes."""

    def __init__(self, model: "NativeModel", estimator: Estimator, unit: Unit) -> None:
        self._model, self._scores, self._unit = model, estimator, unit
        # A probability as it is has no calibration.
        self._slope, self._intercept = (1.0, 0.0) if unit == "probability" else (model.slope, model.intercept)
        self._features = _Features(model)
        self._estimator = explainer_of(estimator, self._features.columns)

    def contributions(self, columns: Mapping[str, NDArray[Any]]) -> Contributions:
        """See Explained."""
        model = self._model
        rows = len(columns[model.feature_names[0]])
        with np.errstate(all="ignore"):
            read = model.read(columns)
            added, scores = self._estimator.values(read, rows), self._scores.many(read, rows)
        base = np.full(rows, self._slope * self._estimator.base + self._intercept)
        values = self._features.added_up(self._slope * added)
        return Contributions(model.feature_names, base, values, self._slope * scores + self._intercept, self._unit)


class ClassExplainer:
    """A model of several classes: of each row the score of the class that it is predicted to be of.

    Shares of forests, which are probabilities as they are, are explained as such. Raises ReasonsUnavailable.
    """

    def __init__(self, model: "NativeModel", estimator: Several) -> None:
        self._model, self._features, self._slope = model, _Features(model), model.slope
        # What makes all scores at once can't be taken apart.
        outputs: Sequence[Any] = estimator.outputs if isinstance(estimator, Outputs) else [estimator]
        self._unit: Unit = "class_score"
        if model.slope == 1 and all(isinstance(output, Log) for output in outputs):
            self._unit, outputs = "probability", [output.estimator for output in outputs]
        self._outputs: list[tuple[Any, Explainer]] = [
            (output, explainer_of(output, self._features.columns)) for output in outputs
        ]

    def contributions(self, columns: Mapping[str, NDArray[Any]]) -> Contributions:
        """See Explained."""
        model = self._model
        predicted = model.probabilities_of(columns).reshape(-1, len(self._outputs)).argmax(axis=1)
        rows = len(predicted)
        base, scores, added = np.zeros(rows), np.zeros(rows), np.zeros((rows, len(model.feature_names)))
        with np.errstate(all="ignore"):
            read = model.read(columns)
            for of_class, (output, explainer) in enumerate(self._outputs):
                own = np.flatnonzero(predicted == of_class)
                of_rows = [column[own] for column in read]
                base[own] = self._slope * explainer.base
                scores[own] = self._slope * output.many(of_rows, len(own))
                added[own] = self._features.added_up(self._slope * explainer.values(of_rows, len(own)))
        return Contributions(model.feature_names, base, added, scores, self._unit)


class _Features:
    """For each column the feature that it is made of."""

    def __init__(self, model: "NativeModel") -> None:
        place = {name: index for index, name in enumerate(model.feature_names)}
        self._feature = [place[block.feature] for block in model.blocks for _ in block.columns]
        self._size = len(place)

    @property
    def columns(self) -> int:
        return len(self._feature)

    def added_up(self, added: Floats) -> Floats:
        """From shape (rows, columns) to (rows, features)."""
        values = np.zeros((len(added), self._size))
        for column, feature in enumerate(self._feature):
            values[:, feature] += added[:, column]
        return values
