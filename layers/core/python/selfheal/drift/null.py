"""What an unchanged world shows: rows resampled jointly, so that correlated features, ties and rare values are in it.

The pseudo-window is drawn with m n / (m + n) rows against a known distribution. Up to small-sample terms that is the
null of n rows against a reference of m rows (for Kolmogorov-Smirnov, chi-squared and both distances alike: their
limits depend on the sizes through that number only), which `tests/unit/test_drift_null.py` and the benchmark check
against resampling both samples. Beyond 512 rows the scaled null no longer moves, so none is drawn larger.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from selfheal.drift.distances import jensen_shannon, rank_wasserstein
from selfheal.drift.significance import chi_squared_p_value, ks_p_value, missing_p_values

DRAWS = 1000
SMALLEST, LARGEST = 64, 512
# Below this rank the tail of the resampled minima is extended rather than read off.
TAIL_RANK = 20
SEED = 20_240_229


@dataclass(frozen=True, eq=False)
class FeatureDraws:
    """A feature's rows in cells (`size` codes a missing value), and whether its distribution is tested."""

    codes: NDArray[np.int16]
    size: int
    is_numeric: bool
    is_tested: bool


@dataclass(frozen=True, eq=False)
class Null:
    """The null at one size.

    minima: shape (draws,), sorted: the smallest p-value over all features of each resampled window.
    effects: shape (features,): mean effect of resampled windows of `size` rows.
    """

    size: int
    minima: NDArray[np.float64]
    effects: NDArray[np.float64]

    def p_value(self, minimum: float) -> float:
        """Chance that an unchanged world shows a smallest p-value of `minimum` or less.

        Read off the draws; in their far tail by Sidak's formula with the number of independent tests that the draws
        show there, which errs on the careful side where values tie.
        """
        rank = int(np.searchsorted(self.minima, minimum, side="right"))
        if rank >= TAIL_RANK:
            return (rank + 1) / (len(self.minima) + 1)
        return float(-np.expm1(self._tests * np.log1p(-min(minimum, 1 - 1e-12))))

    def critical(self, level: float) -> float:
        """The smallest p-value that a window may show at a dataset level: the inverse of `p_value`."""
        rank = int(level * (len(self.minima) + 1)) - 1
        if rank >= TAIL_RANK:
            return float(self.minima[rank - 1])
        return float(-np.expm1(np.log1p(-level) / self._tests))

    @property
    def _tests(self) -> float:
        rank = min(TAIL_RANK, len(self.minima))
        share = rank / (len(self.minima) + 1)
        return float(max(1.0, np.log1p(-share) / np.log1p(-min(self.minima[rank - 1], 1 - 1e-12))))

    def effects_at(self, effective_size: float) -> NDArray[np.float64]:
        """Mean effects for a window of another effective size: both distances shrink with its square root."""
        return np.asarray(self.effects * np.sqrt(self.size / effective_size))


def null_size(effective_size: float) -> int:
    """The power of two, from 64 to 512, whose null stands for an effective size."""
    power = 2 ** round(np.log2(max(effective_size, SMALLEST)))
    return int(min(LARGEST, max(SMALLEST, power)))


def joint_null(features: Sequence[FeatureDraws], size: int, draws: int = DRAWS, seed: int = SEED) -> Null:
    """Resample `draws` windows of `size` whole rows; deterministic for a seed."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, len(features[0].codes), size=(draws, size), dtype=np.int32)
    p_values, effects = zip(*(_feature_null(feature, rows) for feature in features), strict=True)
    return Null(size, np.sort(np.min(p_values, axis=0)), np.array(effects))


def _feature_null(feature: FeatureDraws, rows: NDArray[np.int32]) -> tuple[NDArray[np.float64], float]:
    """The p-value of each resampled window (draws,) and the mean effect."""
    draws, size = rows.shape
    pool = np.bincount(feature.codes, minlength=feature.size + 1)
    counts = _counts(feature.codes, rows, feature.size + 1)
    missing, share = counts[:, -1], float(pool[-1] / pool.sum())
    reference = pool[:-1] / max(int(pool[:-1].sum()), 1)
    present = np.maximum(size - missing, 1)
    window = counts[:, :-1] / present[:, None]
    if not feature.is_tested:
        return missing_p_values(missing, size, share) if share else np.ones(draws), 0.0
    test, distance = (ks_p_value, rank_wasserstein) if feature.is_numeric else (chi_squared_p_value, jensen_shannon)
    p_values = test(window, reference, present)
    if share:
        p_values = np.minimum(1.0, 2 * np.minimum(p_values, missing_p_values(missing, size, share)))
    return p_values, float(distance(window, reference).mean())


def _counts(codes: NDArray[np.int16], rows: NDArray[np.int32], size: int) -> NDArray[np.int64]:
    """Rows of each draw in each cell, shape (draws, size)."""
    draws = len(rows)
    shifted = codes[rows] + (np.arange(draws, dtype=np.int32) * size)[:, None]
    return np.bincount(shifted.ravel(), minlength=draws * size).reshape(draws, size)
