"""Rows that come again: the same customer seen twenty times is not twenty pieces of evidence."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def row_keys(features: pd.DataFrame) -> NDArray[np.uint64]:
    """A 64-bit key of each row; equal rows have equal keys."""
    keys = np.zeros(len(features), dtype=np.uint64)
    multipliers = np.random.default_rng(0).integers(1, 2**63, size=features.shape[1], dtype=np.uint64) * 2 + 1
    for name, multiplier in zip(features, multipliers, strict=True):
        column = features[name]
        bits = column.to_numpy().view(np.uint64) if column.dtype == np.float64 else _text_keys(column)
        keys ^= keys >> np.uint64(29)
        keys = (keys + bits) * multiplier
    return keys


def collision_rate(keys: NDArray[np.uint64]) -> float:
    """Chance that two different rows drawn at random are equal."""
    rows = len(keys)
    if rows < 2:  # noqa: PLR2004 - a pair
        return 0.0
    counts = run_lengths(keys).astype(np.float64)
    return float((counts * (counts - 1)).sum() / (rows * (rows - 1.0)))


def design_effect(keys: NDArray[np.uint64], usual_rate: float) -> float:
    """How many rows count as one: Kish's (1965) variance inflation of a sample in which equal rows are one customer.

    Rows that are equal by chance, as often as in the reference (`usual_rate`), don't count. At least 1.
    """
    return max(1.0, 1.0 + (len(keys) - 1) * (collision_rate(keys) - usual_rate))


def run_lengths(keys: NDArray[np.uint64]) -> NDArray[np.intp]:
    """How often each distinct key occurs."""
    ordered = np.sort(keys)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return np.diff(np.concatenate([starts, [len(ordered)]]))


def _text_keys(column: pd.Series) -> NDArray[np.uint64]:
    codes, values = pd.factorize(column)
    hashes = pd.util.hash_array(np.concatenate([values.to_numpy(dtype=object), ["\0missing"]]))
    return hashes[codes]
