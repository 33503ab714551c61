"""Curves of one number, added up into one: what a linear estimator adds for a feature is a line between its knots.

Members impute, rank and scale a feature each by its own rows. Served apart, that is a look-up in each one's quantiles;
the weighted sum of such curves bends and jumps only where one of them does, so it is itself a `quantile` step.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from selfheal.models.native.blending.members import Column, Term
from selfheal.models.native.steps import Quantile, Step, parse_step


def with_joined_curves(terms: Sequence[Term]) -> list[Term]:
    """The same sum with one term for all curves of a feature, so far as each has a value for a missing number."""
    curves: dict[int, list[_Curve]] = {}
    others = []
    for column, coefficient in terms:
        if _is_curve(column.block):
            curves.setdefault(column.block["feature"], []).append(_Curve.of(column.block, coefficient))
        else:
            others.append((column, coefficient))
    joined = [_block(feature, of_feature) for feature, of_feature in curves.items()]
    return [*((column, 1.0) for block in joined for column in Column.all_of(block)), *others]


def _is_curve(block: dict[str, Any]) -> bool:
    kinds = [step["kind"] for step in block.get("steps", ())]
    return kinds[:2] == ["impute", "quantile"] and set(kinds[2:]) <= {"standardise"}


@dataclass(frozen=True, slots=True)
class _Curve:
    """coefficient * (impute, quantile, then `scales`)."""

    coefficient: float
    impute: Step
    quantile: Quantile
    scales: Sequence[Step]

    @classmethod
    def of(cls, block: dict[str, Any], coefficient: float) -> "_Curve":
        impute, quantile, *scales = (parse_step(step, "steps") for step in block["steps"])
        if not isinstance(quantile, Quantile):
            raise TypeError(quantile)
        return cls(coefficient, impute, quantile, scales)

    def at(self, x: float) -> float:
        """The value at x; NaN is a missing number."""
        return self._scaled(self.quantile.one(self.impute.one(x)))

    def before(self, x: float) -> float:
        """The value that the curve has just below x."""
        place = self._place(x)
        return self.at(x) if place in (None, 0) else self._scaled(self.quantile.before[place])

    def after(self, x: float) -> float:
        """The value that the curve has just above x."""
        place = self._place(x)
        return self.at(x) if place in (None, len(self.quantile.knots) - 1) else self._scaled(self.quantile.after[place])

    def _place(self, x: float) -> int | None:
        place = bisect_left(self.quantile.knots, x)
        return place if self.quantile.knots[place : place + 1] == [x] else None

    def _scaled(self, value: float) -> float:
        for step in self.scales:
            value = step.one(value)
        return self.coefficient * value


def _block(feature: int, curves: Sequence[_Curve]) -> dict[str, Any]:
    knots = sorted({knot for curve in curves for knot in curve.quantile.knots})
    quantile = {
        "kind": "quantile",
        "knots": knots,
        "at": [math.fsum(curve.at(knot) for curve in curves) for knot in knots],
        "before": [math.fsum(curve.before(knot) for curve in curves) for knot in knots],
        "after": [math.fsum(curve.after(knot) for curve in curves) for knot in knots],
    }
    missing = math.fsum(curve.at(math.nan) for curve in curves)
    return {"kind": "number", "feature": feature, "steps": [quantile, {"kind": "impute", "value": missing}]}
