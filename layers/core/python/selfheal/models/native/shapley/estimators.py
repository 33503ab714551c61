"""Shapley values of an estimator: of trees, of a linear one, or of a sum of both kinds."""

from collections.abc import Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from selfheal.errors import ReasonsUnavailable
from selfheal.models.native.estimators import Sum
from selfheal.models.native.layers import Layers
from selfheal.models.native.linear import Linear
from selfheal.models.native.shapley.forest import Forest
from selfheal.models.native.trees import Trees
from selfheal.models.native.wrapped import Log, LogOdds, Quotient

if TYPE_CHECKING:
    from numpy import float64

MISSING = (
    "this version doesn't hold what reasons are worked out from, as it was trained by an earlier release: "
    "ask without `explain`, or train a new version"
)


NAMES: dict[type, str] = {
    Layers: "an ensemble of whole models (voting, stacking, calibrated classifiers)",
    LogOdds: "a calibrated or blended forest of shares, or an ensemble of whole models,",
    Log: "a calibrated or blended forest of shares",
}


class Explainer(Protocol):
    """The base, which is the score that an average row has, and what each column adds to it."""

    base: float

    def values(self, columns: Sequence[NDArray[Any]], rows: int) -> "NDArray[float64]":
        """Shape (rows, columns); with the base they add up to each row's score."""
        ...


@singledispatch
def explainer_of(estimator: Any, columns: int) -> Explainer:
    """An estimator of so many columns, prepared to be explained.

    Raises:
        ReasonsUnavailable: it doesn't know how common its leaves or values were in training.
    """
    del columns
    raise ReasonsUnavailable(f"{NAMES.get(type(estimator), 'this model')} can't be explained: ask without `explain`")


@explainer_of.register
def _(estimator: Trees, columns: int) -> Explainer:
    if any(tree.covers is None for tree in estimator.trees):
        raise ReasonsUnavailable(MISSING)
    return Forest(estimator, columns)


@explainer_of.register
def _(estimator: Linear, columns: int) -> Explainer:  # noqa: ARG001 - of the generic function
    if estimator.expected is None:
        raise ReasonsUnavailable(MISSING)
    return _Line(estimator.intercept, np.array(estimator.coefficients), np.array(estimator.expected))


@explainer_of.register
def _(estimator: Sum, columns: int) -> Explainer:  # noqa: ARG001 - of the generic function
    return _Parts(estimator)


@explainer_of.register
def _(estimator: Quotient, columns: int) -> Explainer:
    return _Divided(explainer_of(estimator.estimator, columns), estimator.divisor)


class _Divided:
    def __init__(self, explainer: Explainer, divisor: float) -> None:
        self.base = explainer.base / divisor
        self._explainer, self._divisor = explainer, divisor

    def values(self, columns: Sequence[NDArray[Any]], rows: int) -> "NDArray[float64]":
        return self._explainer.values(columns, rows) / self._divisor


class _Line:
    def __init__(self, intercept: float, coefficients: "NDArray[float64]", expected: "NDArray[float64]") -> None:
        self.base = intercept + float(expected.sum())
        self._coefficients, self._expected = coefficients, expected

    def values(self, columns: Sequence[NDArray[Any]], rows: int) -> "NDArray[float64]":
        added = np.empty((rows, len(columns)))
        for place, column in enumerate(columns):
            added[:, place] = self._coefficients[place] * column - self._expected[place]
        return added


class _Parts:
    def __init__(self, estimator: Sum) -> None:
        self._parts = [
            (part.weight, part.columns, explainer_of(part.estimator, part.columns.stop - part.columns.start))
            for part in estimator.parts
        ]
        self.base = sum(weight * explainer.base for weight, _, explainer in self._parts)

    def values(self, columns: Sequence[NDArray[Any]], rows: int) -> "NDArray[float64]":
        added = [weight * explainer.values(columns[of], rows) for weight, of, explainer in self._parts]
        return np.concatenate(added, axis=1)
