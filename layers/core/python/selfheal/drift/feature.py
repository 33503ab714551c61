"""One feature of a reference: its cells, and how rows are summarised in them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Feature
from selfheal.drift.bars import bar_edges
from selfheal.drift.cells import CategoryCells, NumericCells, is_categorical
from selfheal.drift.grid import Grid, Placed
from selfheal.drift.sensitivity import location_differences, smallest_location_shift, smallest_share_change
from selfheal.drift.stretches import Stretch, Times
from selfheal.drift.summary import FeatureSummary
from selfheal.drift.wasserstein import ReferenceArea

SMALLEST_SPREAD = 0.001
# A number beyond counts as this: sums and squares stay finite, and ranks of what was ever measured don't change.
LARGEST = 1e100

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Numbers:
    """A numeric feature of the reference: its present values in order, and the grid on which others are placed."""

    ordered: Floats
    bars: Floats
    grid: Grid

    @classmethod
    def of(cls, cells: NumericCells, ordered: Floats) -> Self:
        """The grid has knots at the edges of the report's bars, to count by."""
        bars = bar_edges(ordered) if len(ordered) else ordered
        return cls(ordered, bars, Grid.of(cells, ordered, bars[1:-1]))

    def below(self, summary: FeatureSummary, marks: Floats) -> NDArray[np.int64]:
        """How many values lie strictly below each of some of the grid's knots."""
        return self.grid.below(_placed(summary).counts, marks)

    def distance(self, summary: FeatureSummary) -> float:
        """Wasserstein distance over the reference's standard deviation; 0 where there is nothing on either side.

        A constant has a floor of a deviation, so that distances stay finite.
        """
        if not len(self.ordered) or not summary.present:
            return 0.0
        return self._area.distance(_placed(summary)) / max(float(self.ordered.std()), SMALLEST_SPREAD)

    @cached_property
    def differences(self) -> Floats:
        """How far shifts of the reference are from itself (see `sensitivity`)."""
        return location_differences(self.ordered)

    @cached_property
    def _area(self) -> ReferenceArea:
        return ReferenceArea.of(self.grid, self.ordered)


@dataclass(frozen=True, eq=False)
class FeatureReference:
    """One feature of the reference: its cells and how its rows fall into them. `numbers`: None unless it is numeric."""

    name: str
    feature: Feature
    column: pd.Series
    value_counts: pd.Series
    cells: NumericCells | CategoryCells
    numbers: Numbers | None
    times: Times

    @classmethod
    def of(cls, name: str, feature: Feature, column: pd.Series, times: Times) -> Self:
        """From the column of the reference's rows, in time order."""
        counts = column.value_counts()
        if is_categorical(feature):
            return cls(name, feature, column, counts, CategoryCells.of(counts), None, times)
        ordered = _ordered(column)
        cells = NumericCells.of(ordered)
        return cls(name, feature, column, counts, cells, Numbers.of(cells, ordered), times)

    def summary_of(self, column: pd.Series) -> FeatureSummary:
        """Any rows of the feature, in the reference's cells."""
        if self.numbers is not None:
            return self._of_numbers(self.numbers.grid, column)
        codes = self.codes(column)
        counts = np.bincount(codes, minlength=self.cells.size + 1)
        unseen = self._unseen(column[codes == self.cells.size - 1])
        return FeatureSummary(
            counts=counts[:-1], missing=int(counts[-1]), unseen=len(unseen), undeclared=self._undeclared(unseen)
        )

    @cached_property
    def sample(self) -> FeatureSummary:
        """The reference's own rows."""
        return self.summary_of(self.column)

    def smallest_shift(self, critical: float, size: float) -> float | None:
        """The smallest change of this feature that a test could have seen (see `sensitivity`); `size` is m n / (m + n).

        None where there is none, or nothing to compare: no value then, or none now.
        """
        if not self.sample.present or not size:
            return None
        if self.numbers is None:
            return smallest_share_change(float(self.sample.shares[0]), critical, size)
        return smallest_location_shift(self.numbers.differences, critical, size)

    @property
    def largest_share(self) -> float:
        """Share of the most frequent value among the present ones."""
        return float(self.value_counts.iloc[0] / self.sample.present) if self.sample.present else 0.0

    def longest_constant(self, share: float) -> Stretch:
        """The longest stretch of the reference in which one value fills this share of the present rows."""
        return self.times.longest_constant(self.column, share)

    def longest_missing(self, share: float) -> Stretch:
        """The longest stretch of the reference in which this share of the values is missing."""
        return self.times.longest_missing(self.column, share)

    @property
    def unseen_share(self) -> float:
        """Share of new rows that will hold a value that the reference never held (Good and Turing: its singletons)."""
        return float((self.value_counts == 1).sum() / self.sample.present) if self.sample.present else 0.0

    @property
    def is_numeric(self) -> bool:
        """Whether the feature is judged by order (KS, Wasserstein) rather than by shares."""
        return self.numbers is not None

    def ranks(self, column: pd.Series) -> Floats:
        """Centred mid-rank of each value in the reference, shape (n,)."""
        shares = self.sample.shares
        middles = np.append(np.cumsum(shares) - shares / 2 - 0.5, 0.0)
        return middles[self.codes(column)]

    def codes(self, column: pd.Series) -> NDArray[np.int16]:
        """The cell of each value; a missing one gets the number of cells."""
        return self.cells.codes(_clipped(column)) if isinstance(self.cells, NumericCells) else self.cells.codes(column)

    def _of_numbers(self, grid: Grid, column: pd.Series) -> FeatureSummary:
        ordered = _ordered(column)
        placed = grid.placed(ordered)
        is_integer = self.feature.type == "integer"
        return FeatureSummary(
            counts=grid.tested_counts(placed.counts),
            missing=len(column) - len(ordered),
            placed=placed,
            outside=self._outside(ordered),
            fractional=int(np.count_nonzero(ordered != np.floor(ordered))) if is_integer else 0,
        )

    def _outside(self, ordered: Floats) -> int:
        low, high = self.feature.minimum, self.feature.maximum
        below = 0 if low is None else int(np.searchsorted(ordered, low))
        return below + (0 if high is None else len(ordered) - int(np.searchsorted(ordered, high, side="right")))

    def _unseen(self, others: pd.Series) -> pd.Series:
        return others[~others.isin(self.value_counts.index)] if self.feature.is_category else others.iloc[:0]

    def _undeclared(self, unseen: pd.Series) -> int:
        declared = self.feature.categories
        return 0 if declared is None else int((~unseen.isin(declared)).sum())


def _placed(summary: FeatureSummary) -> Placed:
    if summary.placed is None:
        raise TypeError("numbers are compared with a summary of no numbers")
    return summary.placed


def _ordered(column: pd.Series) -> Floats:
    """Present values in order; NaN sorts last, and none may be present."""
    values = np.sort(_clipped(column))
    return values[: np.searchsorted(values, np.nan)]


def _clipped(column: pd.Series) -> Floats:
    return np.asarray(np.clip(column.to_numpy(dtype=np.float64), -LARGEST, LARGEST))
