"""Resampling by block of time: neighbouring rows resemble each other, so that they are flipped and drawn together.

The sign-flip test is that of Fisher (The Design of Experiments, 1935, section 21), applied to block sums as in
Canay, Romano and Shaikh (Econometrica 85, 2017); the intervals are percentiles of a block bootstrap.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

# Few enough that a block spans what resembles each other and that its sum loses the skew of rare positives; enough that
# the test keeps its power.
BLOCKS = 25
# A finer division. What depends on the division isn't evidence: a gain has to be significant under both.
FINE_BLOCKS = 100
FLIPS = 4_999
DRAWS = 999
SEED = 20_260_101
CONFIDENCE = 0.95


def blocks_of(rows: int, blocks: int = BLOCKS) -> NDArray[np.intp]:
    """Shape (rows,): the block of each row of a table in time order; blocks differ by at most one row in size."""
    return (np.arange(rows) * min(rows, blocks)) // max(rows, 1)


def paired_p_value(gains: NDArray[np.float64]) -> float:
    """One-sided p-value of 'the mean of these n gains, in time order, is above 0': the larger of two divisions'."""
    divisions = (blocks_of(len(gains), blocks) for blocks in (BLOCKS, FINE_BLOCKS))
    return max(sign_flip_p_value(np.bincount(division, gains)) for division in divisions)


def sign_flip_p_value(block_sums: NDArray[np.float64]) -> float:
    """One-sided p-value of 'the mean is above 0', from flipping the signs of block sums of shape (k,).

    Exact where a block sum and its negative are equally likely. The flips are the same at every call, so that a
    verdict can be recomputed.
    """
    observed = block_sums.sum()
    flipped = _signs(len(block_sums)) @ block_sums
    # Sums of the same numbers in another order differ in their last bits.
    tolerance = 1e-12 * np.abs(block_sums).sum()
    return float((1 + np.count_nonzero(flipped >= observed - tolerance)) / (1 + len(flipped)))


def draws_of(blocks: int) -> NDArray[np.float64]:
    """Shape (DRAWS, blocks): how often each block occurs in each bootstrap sample."""
    return _draws(blocks)


def interval_of(values: NDArray[np.float64]) -> tuple[float, float]:
    """The central 95 % of bootstrap values: the 25th and the 975th of 999."""
    rank = round((1 - CONFIDENCE) / 2 * (len(values) + 1))
    ordered = np.sort(values)
    return float(ordered[rank - 1]), float(ordered[-rank])


@cache
def _signs(blocks: int) -> NDArray[np.float64]:
    return 2.0 * np.random.default_rng(SEED).integers(0, 2, size=(FLIPS, blocks)).astype(np.float64) - 1.0


@cache
def _draws(blocks: int) -> NDArray[np.float64]:
    counts = np.random.default_rng(SEED).multinomial(blocks, np.full(blocks, 1 / blocks), size=DRAWS)
    return counts.astype(np.float64)
