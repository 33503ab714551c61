"""Rows that come again: the same customer seen twenty times is not twenty pieces of evidence.

Which rows repeat is kept in fixed size and additively: the distinct rows with the smallest hashes and how often each
occurs, which is everything as long as these are few; and of all rows a sketch of the sum of the squared frequencies
(Charikar, Chen and Farach-Colton 2002), right to about one part in a hundred.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Distinct rows that are counted exactly.
KEPT = 10_000
BUCKETS = 2**14

type Keys = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Repeats:
    """How often rows repeat among `rows` of them.

    keys: shape (k,), hashes of distinct rows, the k smallest in ascending order; counts: shape (k,), how often each
    occurs. signed: shape (16384,): each row adds 1 or -1, by its hash, to one of these.
    """

    rows: int
    keys: Keys
    counts: NDArray[np.int64]
    signed: NDArray[np.int64]

    @classmethod
    def of(cls, features: pd.DataFrame) -> Self:
        """Of the rows of a table."""
        keys, counts = np.unique(_mixed(row_keys(features)), return_counts=True)
        bucket = (keys >> np.uint64(20)) % np.uint64(BUCKETS)
        signs = 1 - 2 * (keys & np.uint64(1)).astype(np.int64)
        signed = np.bincount(bucket.astype(np.intp), weights=signs * counts, minlength=BUCKETS)
        return cls(len(features), keys[:KEPT], counts[:KEPT], signed.astype(np.int64))

    def __add__(self, other: Self) -> Self:
        """Of the rows of both."""
        keys, places = np.unique(np.concatenate([self.keys, other.keys]), return_inverse=True)
        both = np.concatenate([self.counts, other.counts])
        counts = np.bincount(places, weights=both, minlength=len(keys)).astype(np.int64)
        return type(self)(self.rows + other.rows, keys[:KEPT], counts[:KEPT], self.signed + other.signed)

    @property
    def distinct(self) -> float:
        """How many different rows there are; where these are more than are kept, by how close their hashes lie."""
        if self._is_whole:
            return float(len(self.keys))
        return float(min(self.rows, (KEPT - 1) / (float(self.keys[-1]) / 2.0**64)))

    @property
    def collision_rate(self) -> float:
        """Chance that two different rows drawn at random are equal."""
        if self.rows < 2:  # noqa: PLR2004 - a pair
            return 0.0
        frequencies = (self.counts if self._is_whole else self.signed).astype(np.float64)
        return float(max(0.0, (frequencies**2).sum() - self.rows) / (self.rows * (self.rows - 1.0)))

    def design_effect(self, usual_rate: float) -> float:
        """How many rows count as one: Kish's (1965) variance inflation where equal rows are one customer.

        Rows that are equal by chance, as often as in the reference (`usual_rate`), don't count. At least 1.
        """
        return max(1.0, 1.0 + (self.rows - 1) * (self.collision_rate - usual_rate))

    @property
    def _is_whole(self) -> bool:
        return len(self.keys) < KEPT


def row_keys(features: pd.DataFrame) -> Keys:
    """A 64-bit key of each row; equal rows have equal keys."""
    keys = np.zeros(len(features), dtype=np.uint64)
    multipliers = np.random.default_rng(0).integers(1, 2**63, size=features.shape[1], dtype=np.uint64) * 2 + 1
    for name, multiplier in zip(features, multipliers, strict=True):
        column = features[name]
        bits = column.to_numpy().view(np.uint64) if column.dtype == np.float64 else _text_keys(column)
        keys ^= keys >> np.uint64(29)
        keys = (keys + bits) * multiplier
    return keys


def _mixed(keys: Keys) -> Keys:
    """Keys one to one on hashes whose every bit depends on all of theirs (the finaliser of SplitMix64)."""
    mixed = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _text_keys(column: pd.Series) -> Keys:
    codes, values = pd.factorize(column)
    hashes = pd.util.hash_array(np.concatenate([values.to_numpy(dtype=object), ["\0missing"]]))
    return hashes[codes]
