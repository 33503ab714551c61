"""Cells: every feature reduced to counts over a partition that its reference fixes; all tests and effects work on them.

A numeric feature's cells are chosen reference values (knots) and the gaps between, below and above them, so that ties
keep a cell of their own and a value that the reference never held is seen. A category feature's cells are its most
frequent categories and one for all others.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Feature

MAXIMUM_KNOTS = 255
MAXIMUM_CATEGORIES = 254


@dataclass(frozen=True, eq=False)
class NumericCells:
    """Cells of a numeric feature: (-inf, k0), {k0}, (k0, k1), {k1}, ... (k_last, inf). Knots rise strictly."""

    knots: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """One knot a distinct value, or 255 quantiles where there are more; `values` are sorted and hold no NaN."""
        distinct = np.unique(values)
        if len(distinct) > MAXIMUM_KNOTS:
            ranks = np.linspace(0, len(values) - 1, MAXIMUM_KNOTS).round().astype(np.intp)
            distinct = np.unique(values[ranks])
        return cls(distinct)

    @property
    def size(self) -> int:
        """Number of cells."""
        return 2 * len(self.knots) + 1

    def codes(self, values: NDArray[np.float64]) -> NDArray[np.int16]:
        """The cell of each value; a missing one gets `size`."""
        codes = np.searchsorted(self.knots, values) + np.searchsorted(self.knots, values, side="right")
        return np.where(np.isnan(values), self.size, codes).astype(np.int16)

    def counts(self, ordered: NDArray[np.float64]) -> NDArray[np.int64]:
        """Values in each cell, from sorted values without NaN."""
        below = np.searchsorted(ordered, self.knots)
        up_to = np.searchsorted(ordered, self.knots, side="right")
        inner = np.column_stack([below, up_to]).ravel()
        return np.diff(np.concatenate([[0], inner, [len(ordered)]]))


@dataclass(frozen=True, eq=False)
class CategoryCells:
    """Cells of a category or boolean feature: its frequent values, the most frequent first, then one for the others."""

    categories: pd.Index

    @classmethod
    def of(cls, counts: pd.Series) -> Self:
        """The at most 254 most frequent values, from rows by value; ties in order of the text."""
        order = sorted(counts.index, key=lambda value: (-counts[value], str(value)))
        return cls(pd.Index(order[:MAXIMUM_CATEGORIES], dtype=counts.index.dtype))

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.categories) + 1

    def codes(self, values: pd.Series) -> NDArray[np.int16]:
        """The cell of each value; a missing one gets `size`."""
        codes = self.categories.get_indexer(pd.Index(values))
        codes[codes < 0] = self.size - 1
        codes[values.isna().to_numpy()] = self.size
        return codes.astype(np.int16)


def is_categorical(feature: Feature) -> bool:
    """Whether a feature is judged by its values' shares (category, boolean) rather than by their order."""
    return feature.type in {"category", "boolean"}
