"""Inputs in fixed size: what drift and quality need to know of any number of rows, and of parts of them added up."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from selfheal.drift.distances import Shares
from selfheal.drift.grid import Placed
from selfheal.drift.repeats import Repeats


@dataclass(frozen=True, eq=False)
class FeatureSummary:
    """One feature of some rows, in the cells of its reference.

    counts: present values in each cell of the tests. missing: rows without a value. placed: where a number lies, finer
    than the tests need; None for other features. outside: numbers beyond the contract's limits; fractional: of an
    integer those that aren't whole. unseen: categories that the reference never held; undeclared: those of them that
    the contract's closed list doesn't hold either.
    """

    counts: NDArray[np.int64]
    missing: int
    placed: Placed | None = None
    outside: int = 0
    fractional: int = 0
    unseen: int = 0
    undeclared: int = 0

    def __add__(self, other: Self) -> Self:
        """Of the rows of both."""
        return type(self)(
            counts=self.counts + other.counts,
            missing=self.missing + other.missing,
            placed=self.placed + other.placed if self.placed and other.placed else None,
            outside=self.outside + other.outside,
            fractional=self.fractional + other.fractional,
            unseen=self.unseen + other.unseen,
            undeclared=self.undeclared + other.undeclared,
        )

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
class InputSummary:
    """n rows of inputs beside one reference; additive, whatever the parts and their order."""

    features: Mapping[str, FeatureSummary]
    repeats: Repeats

    def __len__(self) -> int:
        return self.repeats.rows

    def __add__(self, other: Self) -> Self:
        """Of the rows of both; both must be beside the same reference."""
        features = {name: feature + other.features[name] for name, feature in self.features.items()}
        return type(self)(features, self.repeats + other.repeats)
