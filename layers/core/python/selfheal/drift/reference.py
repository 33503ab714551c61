"""The reference as drift detection needs it: sorted, cut into cells, and resampled once for each window size."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.drift.cells import CategoryCells, NumericCells, is_categorical
from selfheal.drift.clusters import collision_rate, row_keys
from selfheal.drift.distances import Presorted, Shares
from selfheal.drift.null import FeatureDraws, Null, joint_null, null_size
from selfheal.drift.sensitivity import location_differences, smallest_location_shift, smallest_share_change

# Below this many present values a feature's distribution says nothing.
MINIMUM_PRESENT = 30
SMALLEST_SPREAD = 0.001
# A number beyond counts as this: sums and squares stay finite, and ranks of what was ever measured don't change.
LARGEST = 1e100


@dataclass(frozen=True, eq=False)
class FeatureSample:
    """One feature of n rows: rows in each cell, missing rows, and for numeric features the sorted present values."""

    counts: NDArray[np.int64]
    missing: int
    ordered: NDArray[np.float64] | None

    @cached_property
    def present(self) -> int:
        """Rows that hold a value."""
        return int(self.counts.sum())

    @cached_property
    def shares(self) -> Shares:
        """Share of the present values in each cell."""
        return self.counts / max(self.present, 1)

    @property
    def missing_share(self) -> float:
        """Missing rows / all rows."""
        return self.missing / max(self.present + self.missing, 1)


@dataclass(frozen=True, eq=False)
class FeatureReference:
    """One feature of the reference: its cells and how its rows fall into them."""

    name: str
    cells: NumericCells | CategoryCells
    sample: FeatureSample
    value_counts: pd.Series

    @cached_property
    def presorted(self) -> Presorted | None:
        """The present values of a numeric feature, ready for exact distances; None where there are none."""
        return Presorted.of(self.sample.ordered) if self.sample.ordered is not None and self.sample.present else None

    @cached_property
    def spread(self) -> float:
        """Standard deviation of a numeric feature; a constant has a floor, so that normed distances stay finite."""
        return max(float(self.sample.ordered.std()), SMALLEST_SPREAD) if self.sample.ordered is not None else 1.0

    def smallest_shift(self, critical: float, size: float) -> float | None:
        """The smallest change of this feature that a test could have seen (see `sensitivity`); `size` is m n / (m + n).

        None where there is none, or nothing to compare: no value then, or none now.
        """
        if not self.sample.present or not size:
            return None
        if not self.is_numeric:
            return smallest_share_change(float(self.sample.shares[0]), critical, size)
        return smallest_location_shift(self._differences, critical, size)

    @cached_property
    def _differences(self) -> NDArray[np.float64]:
        return location_differences(self.sample.ordered) if self.sample.ordered is not None else np.zeros(0)

    @property
    def largest_share(self) -> float:
        """Share of the most frequent value among the present ones."""
        return float(self.value_counts.iloc[0] / self.sample.present) if self.sample.present else 0.0

    @property
    def unseen_share(self) -> float:
        """Share of new rows that will hold a value that the reference never held (Good and Turing: its singletons)."""
        return float((self.value_counts == 1).sum() / self.sample.present) if self.sample.present else 0.0

    @property
    def is_numeric(self) -> bool:
        """Whether the feature is judged by order (KS, Wasserstein) rather than by shares."""
        return isinstance(self.cells, NumericCells)

    def ranks(self, column: pd.Series) -> NDArray[np.float64]:
        """Centred mid-rank of each value in the reference, shape (n,)."""
        shares = self.sample.shares
        middles = np.append(np.cumsum(shares) - shares / 2 - 0.5, 0.0)
        return middles[self.codes(column)]

    def codes(self, column: pd.Series) -> NDArray[np.int16]:
        """The cell of each value; a missing one gets the number of cells."""
        if isinstance(self.cells, NumericCells):
            return self.cells.codes(_numbers(column))
        return self.cells.codes(column)

    def sample_of(self, column: pd.Series) -> FeatureSample:
        """Another column of the feature in the reference's cells."""
        return _sample(self.cells, column)


class Reference:
    """The frozen reference of a version: m rows by p features, with one resampled null for each window size.

    Raises:
        KeyError: a feature of the contract isn't a column of the table.
    """

    def __init__(self, features: pd.DataFrame, contract: Contract) -> None:
        self.rows = len(features)
        self.features = tuple(_reference(name, features[name], contract) for name in contract.feature_names)
        self._codes = [feature.codes(features[feature.name]) for feature in self.features]
        self.collision_rate = collision_rate(row_keys(features))
        self._nulls: dict[int, Null] = {}

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


def _reference(name: str, column: pd.Series, contract: Contract) -> FeatureReference:
    counts = column.value_counts()
    if is_categorical(contract.features[name]):
        categories = CategoryCells.of(counts)
        return FeatureReference(name, categories, _sample(categories, column), counts)
    cells = NumericCells.of(_ordered(column))
    return FeatureReference(name, cells, _sample(cells, column), counts)


def _sample(cells: NumericCells | CategoryCells, column: pd.Series) -> FeatureSample:
    if isinstance(cells, NumericCells):
        ordered = _ordered(column)
        return FeatureSample(cells.counts(ordered), len(column) - len(ordered), ordered)
    counts = np.bincount(cells.codes(column), minlength=cells.size + 1)
    return FeatureSample(counts[:-1], int(counts[-1]), None)


def _ordered(column: pd.Series) -> NDArray[np.float64]:
    """Present values in order; NaN sorts last, and none may be present."""
    values = np.sort(_numbers(column))
    return values[: np.searchsorted(values, np.nan)]


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    return np.asarray(np.clip(column.to_numpy(dtype=np.float64), -LARGEST, LARGEST))
