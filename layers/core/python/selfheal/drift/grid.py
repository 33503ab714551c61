"""A numeric feature's values in fixed size: how many lie in each of some thousand cells, and where in it they lie.

The cells are finer than those of the tests (see `cells`), which are unions of them: so the tests' counts are exact, and
the distance in the feature's own unit is exact wherever the two distributions don't cross within a cell.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from selfheal.drift.cells import NumericCells

QUANTILES = 1023
# The largest and smallest values are knots each: a heavy tail holds most of the distance in few of them.
EXTREMES = 64

type Floats = NDArray[np.float64]
type Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Placed:
    """Values on a grid of k knots.

    counts: shape (2k + 1,), values in each cell. sums, squares: shape (k + 1,), of the values' places in each of the
    gaps between knots, as a share of its width; below the first knot and above the last the distance from it.
    """

    counts: Counts
    sums: Floats
    squares: Floats

    def __add__(self, other: Self) -> Self:
        """The values of both."""
        return type(self)(self.counts + other.counts, self.sums + other.sums, self.squares + other.squares)


@dataclass(frozen=True, eq=False)
class Grid:
    """The finer cells; `knots` rise strictly and hold those of the tests and any `marks` that are to be counted by."""

    knots: Floats
    tested: NumericCells

    @classmethod
    def of(cls, tested: NumericCells, ordered: Floats, marks: Floats) -> Self:
        """Of a reference's values, sorted and without NaN: at quantiles, at extremes, and between few values evenly."""
        ranks = np.linspace(0, max(len(ordered) - 1, 0), QUANTILES).round().astype(np.intp)
        quantiles = ordered[ranks] if len(ordered) else ordered
        known = [tested.knots, quantiles, ordered[:EXTREMES], ordered[-EXTREMES:], marks]
        knots = np.unique(np.concatenate(known))
        if len(knots) == 1:
            knots = np.append(knots, knots + max(1.0, abs(float(knots[0]))))
        parts = QUANTILES // max(len(knots), 1)
        if parts > 1 and len(knots) > 1:
            even = knots[:-1, None] + np.diff(knots)[:, None] * np.arange(parts) / parts
            knots = np.unique(np.append(even.ravel(), knots))
        return cls(knots, tested)

    @cached_property
    def widths(self) -> Floats:
        """Of the gaps between knots, shape (k - 1,)."""
        return np.diff(self.knots)

    def placed(self, ordered: Floats) -> Placed:
        """Values, sorted and without NaN, on the grid."""
        counts = NumericCells(self.knots).counts(ordered)
        if not len(self.knots):
            # Nothing was ever measured, so that there is no scale to place a value on.
            return Placed(counts, np.zeros(1), np.zeros(1))
        gaps = np.repeat(np.arange(len(counts)), counts)
        between = gaps % 2 == 0
        gap = gaps[between] // 2
        starts = np.append(self.knots[:1], self.knots)
        scales = np.concatenate([[1.0], self.widths, [1.0]])
        places = (ordered[between] - starts[gap]) / scales[gap]
        sums, squares = (np.bincount(gap, weights=w, minlength=len(starts)) for w in (places, places**2))
        return Placed(counts, sums, squares)

    def tested_counts(self, counts: Counts) -> Counts:
        """Values in each cell of the tests."""
        return np.add.reduceat(counts, self._begins)

    def below(self, counts: Counts, marks: Floats) -> Counts:
        """How many values lie strictly below each of some knots, shape of `marks`."""
        ends = np.append(0, np.cumsum(counts))
        return ends[2 * np.searchsorted(self.knots, marks) + 1]

    @cached_property
    def _begins(self) -> NDArray[np.intp]:
        """Where each cell of the tests begins among the finer ones."""
        at = 2 * np.searchsorted(self.knots, self.tested.knots) + 1
        return np.append(0, np.column_stack([at, at + 1]).ravel())
