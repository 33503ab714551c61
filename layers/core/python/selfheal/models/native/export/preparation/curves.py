"""One number as ranks, bins or splines."""

from typing import Any

import numpy as np
from scipy.interpolate import BSpline, PPoly
from sklearn.preprocessing import KBinsDiscretizer, QuantileTransformer, SplineTransformer

from selfheal.errors import ExportInexact
from selfheal.models.native.export.columns import Column
from selfheal.models.native.export.preparation.prepared import prepared


@prepared.register
def _(step: QuantileTransformer, columns: list[Column]) -> list[Column]:
    ranked = [
        column.then(kind="quantile", **_knots(step.quantiles_[:, place], step.references_))
        for place, column in enumerate(columns)
    ]
    return ranked if step.output_distribution == "uniform" else [column.then(kind="normal") for column in ranked]


def _knots(quantiles: Any, references: Any) -> dict[str, list[float]]:
    """scikit-learn's two interpolations, forth and back, as one: they differ only on repeated quantiles."""
    knots, first = np.unique(quantiles, return_index=True)
    last = np.append(first[1:], len(quantiles)) - 1
    before, after = references[first], references[last]
    at = 0.5 * (before + after)
    at[-1], at[0] = 1.0, 0.0
    return {"knots": knots.tolist(), "at": at.tolist(), "before": before.tolist(), "after": after.tolist()}


@prepared.register
def _(step: KBinsDiscretizer, columns: list[Column]) -> list[Column]:
    made: list[Column] = []
    for column, edges in zip(columns, step.bin_edges_, strict=True):
        bins = np.arange(len(edges) - 1, dtype=np.float64)
        values = [bins] if step.encode == "ordinal" else [(bins == one).astype(np.float64) for one in bins]
        made += [column.then(**_steps_of(edges[1:-1], each)) for each in values]
    return made


def _steps_of(knots: Any, values: Any) -> dict[str, Any]:
    return _pieces(knots, [0.0] * len(values), [[float(value)] for value in values])


def _pieces(knots: Any, origins: Any, pieces: list[list[float]]) -> dict[str, Any]:
    return {"kind": "pieces", "knots": list(map(float, knots)), "origins": list(map(float, origins)), "pieces": pieces}


@prepared.register
def _(step: SplineTransformer, columns: list[Column]) -> list[Column]:
    if step.extrapolation not in ("constant", "linear", "continue"):
        raise ExportInexact(
            f"SplineTransformer(extrapolation={step.extrapolation!r}) can't be served: use constant, linear or continue"
        )
    if step.handle_missing != "error":
        raise ExportInexact("SplineTransformer that handles missing values can't be served: put an imputer before it")
    return [
        column.then(**_spline(splines, number, step.extrapolation))
        for column, splines in zip(columns, step.bsplines_, strict=True)
        for number in range(splines.c.shape[1] - (not step.include_bias))
    ]


def _spline(splines: BSpline, number: int, extrapolation: str) -> dict[str, Any]:
    """One spline of a feature: a polynomial between each two knots, and what stands for it beyond them."""
    degree, single = splines.k, BSpline(splines.t, splines.c[:, number], splines.k)
    inner = splines.t[degree : len(splines.t) - degree]
    knots = inner[np.append(np.diff(inner) > 0, True)]
    # Coefficients by rising power, of the distance from each piece's lower knot.
    by_knot = dict(zip(knots[:-1].tolist(), _between(single, knots), strict=True))
    low, high = float(knots[0]), float(knots[-1])
    if extrapolation == "continue":
        below, above, origin = by_knot[low], by_knot[float(knots[-2])], float(knots[-2])
    else:
        below, above, origin = _beyond(single, low, extrapolation), _beyond(single, high, extrapolation), high
    # A number on the last knot belongs above it, where both say the same.
    return _pieces(knots, [low, *by_knot, origin], [below, *by_knot.values(), above])


def _between(single: BSpline, knots: Any) -> list[list[float]]:
    polynomial = PPoly.from_spline((single.t, single.c, single.k))
    pieces = []
    for low in knots[:-1].tolist():
        place = int(np.searchsorted(polynomial.x, low, side="right")) - 1
        pieces.append(polynomial.c[::-1, place].tolist())
    return pieces


def _beyond(single: BSpline, knot: float, extrapolation: str) -> list[float]:
    value = float(single(knot))
    return [value] if extrapolation == "constant" else [value, float(single(knot, nu=1))]
